from novita_sandbox.code_interpreter import Sandbox

sandbox = Sandbox.create()
result = sandbox.commands.run(
    'echo $MY_VAR',
    envs={
        'MY_VAR': '123'
    }
)

print(result)

# Output example:
# CommandResult(stderr='', stdout='123\n', exit_code=0, error='')

sandbox.kill()
