from novita_sandbox.code_interpreter import Sandbox, SandboxInfo

sandbox = Sandbox.create()

paginator = Sandbox.list()

# Get all sandboxes
sandboxes: list[SandboxInfo] = []
while paginator.has_next:
    items = paginator.next_items()
    sandboxes.extend(items)

sandbox.kill()
