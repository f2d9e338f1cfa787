from novita_sandbox.code_interpreter import Sandbox

sandbox = Sandbox.create()

# List all sandboxes (running and paused)
paginator = Sandbox.list()

firstPage = paginator.next_items()
if paginator.has_next:
    nextPage = paginator.next_items()

sandbox.kill()
