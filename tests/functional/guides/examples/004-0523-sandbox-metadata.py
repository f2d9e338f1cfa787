from novita_sandbox.code_interpreter import Sandbox, SandboxQuery, SandboxState

# Create sandbox with metadata.
sandbox = Sandbox.create(
  metadata={
    'userId': '123',
  },
)

# List running sandboxes and access metadata.
running_sandboxes_paginator = Sandbox.list(
  query=SandboxQuery(
    state=[SandboxState.RUNNING],
  ),
)
running_sandboxes = running_sandboxes_paginator.next_items()

print(running_sandboxes[0].metadata)

# Example output:
# { userId: '123' }

sandbox.kill()
