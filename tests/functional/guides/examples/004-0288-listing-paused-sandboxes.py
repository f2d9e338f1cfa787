from novita_sandbox.code_interpreter import Sandbox, SandboxQuery, SandboxState, SandboxInfo

sandbox = Sandbox.create()

sandbox.beta_pause()
print('Sandbox paused', sandbox.sandbox_id)

# List all paused sandboxes.
paginator = Sandbox.list(query=SandboxQuery(state=[SandboxState.PAUSED]))

# Get all paused sandboxes.
sandboxes: list[SandboxInfo] = []
while paginator.has_next:
  items = paginator.next_items()
  sandboxes.extend(items)

print('all paused sandboxes', sandboxes)

sandbox.kill()
