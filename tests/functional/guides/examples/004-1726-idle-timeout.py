from novita_sandbox.core import Sandbox
import time

sandbox = Sandbox.create(
    metadata={"idle_timeout": "60"}  # Minimum time is 60s, you can customize it
)
print('Sandbox created', sandbox.sandbox_id)

result = sandbox.commands.run('ls -al')
print('Command result', result)

print('Waiting for 90 seconds...')
time.sleep(90)

is_running = sandbox.is_running()
print('Sandbox is running', is_running)

sandbox.kill()
