"""One short life of a sandbox with a real Python SDK that knows the domain only. Prints one JSON line."""

import importlib
import json
import sys

sandbox_class = importlib.import_module(sys.argv[1]).Sandbox
sandbox = sandbox_class.create(timeout=60)
try:
    printed = sandbox.commands.run('echo "hello from $(whoami)"').stdout
    sandbox.files.write("note.txt", "written")
    read = sandbox_class.connect(sandbox.sandbox_id).files.read("note.txt")
    print(json.dumps({"printed": printed, "read": read, "host": sandbox.get_host(3000)}))
finally:
    sandbox.kill()
