from novita_sandbox.core import Sandbox
import time

sandbox = Sandbox.create(
    timeout=5,
    auto_pause=True,
)
print('Sandbox created', sandbox.sandbox_id)

print('Waiting for 10 seconds...')
time.sleep(10)

resumed_sandbox = Sandbox.connect(sandbox.sandbox_id)
print('Sandbox resumed', resumed_sandbox.sandbox_id)

sandbox.kill()
