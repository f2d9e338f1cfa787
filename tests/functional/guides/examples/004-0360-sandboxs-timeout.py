from novita_sandbox.code_interpreter import Sandbox

sandbox = Sandbox.create()

connectedSandbox = Sandbox.connect(sandbox.sandbox_id, timeout=60) # 60 seconds
print('Sandbox connected', connectedSandbox.sandbox_id)

sandbox.kill()
