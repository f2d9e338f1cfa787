from novita_sandbox.code_interpreter import Sandbox

sandbox = Sandbox.create()

# Start a simple HTTP server inside the sandbox.
command_handle = sandbox.commands.run("python -m http.server 3000", background=True)
host = sandbox.get_host(3000)
url = f"https://{host}"
print('Server started at:', url)

# Fetch data from the server inside the sandbox.
response = sandbox.commands.run(f"curl {url}")
data = response.stdout
print("Response from server inside sandbox:", data)

# Kill the server process inside the sandbox.
command_handle.kill()

# Example output:
# Server started at: https://3000-i0iq56w6786bz91034h8l-82b888ba.sandbox.novita.ai
# Response from server inside sandbox: <!DOCTYPE HTML>
# <html lang="en">
# <head>
# <meta charset="utf-8">
# <title>Directory listing for /</title>
# </head>
# <body>
# <h1>Directory listing for /</h1>
# <hr>
# <ul>
# <li><a href=".bash_logout">.bash_logout</a></li>
# <li><a href=".bashrc">.bashrc</a></li>
# <li><a href=".profile">.profile</a></li>
# </ul>
# <hr>
# </body>
# </html>

sandbox.kill()
