from novita_sandbox.core import Sandbox

sandbox = Sandbox.create()
print('Sandbox created', sandbox.sandbox_id)

sbxClones = Sandbox.clone(
    sandbox.sandbox_id, 
    count=2, 
    strict=False, 
    timeout=60
)
print('Sandbox clones created', [sbxClone.sandbox_id for sbxClone in sbxClones])

sandbox.kill()
for sbxClone in sbxClones:
    sbxClone.kill()
