from novita_sandbox.code_interpreter import Sandbox

sandbox = Sandbox.create(
  envs={
    'MY_VAR': 'my_value',
  },
)

result = sandbox.commands.run("echo $MY_VAR")

print(result)

# Output example:
# { exitCode: 0, error: undefined, stdout: '123\n', stderr: '' }

sandbox.kill()
