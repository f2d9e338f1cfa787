from novita_sandbox.code_interpreter import Sandbox, SandboxQuery, SandboxState

sandbox = Sandbox.create()

# Get all running sandboxes
running_sandboxes_paginator = Sandbox.list(query=SandboxQuery(state=[SandboxState.RUNNING]))

running_sandboxes = running_sandboxes_paginator.next_items()
if len(running_sandboxes) == 0:
  raise Exception("No running sandboxes found")
running_sandbox_id = running_sandboxes[0].sandbox_id

# got a running sandbox.
print("got a running sandbox: ", running_sandbox_id)

sandbox.kill()
