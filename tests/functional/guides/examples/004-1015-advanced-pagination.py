from novita_sandbox.code_interpreter import Sandbox

sandbox = Sandbox.create()

paginator = Sandbox.list(
    limit=1000,
    # next_token='<base64-encoded-token>',
)

# Fetch the next page
paginator.next_items()

# Whether there is a next page
print("paginator.has_next: ", paginator.has_next)

# Next page offset parameter
print("paginator.next_token: ", paginator.next_token)

sandbox.kill()
