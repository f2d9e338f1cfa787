from novita_sandbox.code_interpreter import Sandbox

sandbox = Sandbox.create()
result = sandbox.run_code(
    'import os; print(os.environ.get("MY_VAR"))',
    envs={
        'MY_VAR': 'my_value'
    }
)

print(result)

sandbox.kill()
