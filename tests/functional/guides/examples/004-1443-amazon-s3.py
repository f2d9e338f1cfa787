import os
from novita_sandbox.core import Sandbox

TEMPLATE_ID = os.environ.get("NOVITA_TEMPLATE_ID")
AWS_ACCESS_KEY_ID = os.environ.get("AWS_ACCESS_KEY_ID")
AWS_SECRET_ACCESS_KEY = os.environ.get("AWS_SECRET_ACCESS_KEY")
AWS_BUCKET_NAME = os.environ.get("AWS_BUCKET_NAME")
if not TEMPLATE_ID or not AWS_ACCESS_KEY_ID or not AWS_SECRET_ACCESS_KEY or not AWS_BUCKET_NAME:
    raise ValueError("Required environment variables not configured: NOVITA_TEMPLATE_ID, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_BUCKET_NAME")

MOUNT_DIRECTORY = "/mnt/s3-bucket"

sandbox = Sandbox.create(TEMPLATE_ID)

# Initialize mount point directory structure
sandbox.files.make_dir(MOUNT_DIRECTORY)

# Configure s3fs credentials using standard credential file location
# s3fs-fuse reads AWS credentials from /root/.passwd-s3fs by default
# Custom credential paths require explicit specification via -o passwd_file parameter
sandbox.files.write("/root/.passwd-s3fs", f"{AWS_ACCESS_KEY_ID}:{AWS_SECRET_ACCESS_KEY}")

# Enforce secure credential file permissions (owner read-only)
sandbox.commands.run("sudo chmod 600 /root/.passwd-s3fs")

# Execute S3 bucket mount operation with optimized parameters
# Configuration parameters:
# - allow_other: Enable cross-user filesystem access
# - endpoint: Specify AWS regional endpoint for optimal latency
# Reference: https://manpages.ubuntu.com/manpages/noble/en/man1/s3fs.1.html
mount_options = "allow_other,endpoint=cn-north-1"
sandbox.commands.run(f"sudo s3fs {AWS_BUCKET_NAME} {MOUNT_DIRECTORY} -o {mount_options}")

# Validate mount functionality with write operation
write_result = sandbox.files.write(f"{MOUNT_DIRECTORY}/test-file.txt", "test-file-content")

# Verify mount integrity through read operation
content = sandbox.files.read(f"{MOUNT_DIRECTORY}/test-file.txt")
print("File content:", content)

sandbox.kill()
