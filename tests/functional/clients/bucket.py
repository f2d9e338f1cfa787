"""The documented program that mounts a bucket, with the address of a server that is not Amazon's. Its argument is the bucket."""

import os
import sys

from novita_sandbox.core import Sandbox

MOUNT_DIRECTORY = "/mnt/s3-bucket"

sandbox = Sandbox.create()
try:
    sandbox.files.make_dir(MOUNT_DIRECTORY)
    key = f"{os.environ['AWS_ACCESS_KEY_ID']}:{os.environ['AWS_SECRET_ACCESS_KEY']}"
    sandbox.files.write("/root/.passwd-s3fs", key)
    sandbox.commands.run("sudo chmod 600 /root/.passwd-s3fs")
    options = f"allow_other,endpoint=us-east-1,url={os.environ['S3_URL']},use_path_request_style"
    sandbox.commands.run(f"sudo s3fs {sys.argv[1]} {MOUNT_DIRECTORY} -o {options}")
    sandbox.files.write(f"{MOUNT_DIRECTORY}/test-file.txt", "test-file-content")
    print("File content:", sandbox.files.read(f"{MOUNT_DIRECTORY}/test-file.txt"))
finally:
    sandbox.kill()
