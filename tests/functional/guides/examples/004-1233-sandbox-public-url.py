from novita_sandbox.code_interpreter import Sandbox

sandbox = Sandbox.create()

# You need to always pass a port number to get the host
host = sandbox.get_host(3000)
print(f'https://{host}')

# Example output:
# https://3000-i9y92beaqiyor8x3josfy-82b888ba.sandbox.novita.ai

sandbox.kill()
