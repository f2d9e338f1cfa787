"""A template from a registry that wants a password, told by the real Python SDKs: SDK names the package, REGISTRY the registry."""

import importlib
import os

import pytest

sdk = importlib.import_module(os.environ["TORPOR_TEST_SDK"])
IMAGE = os.environ["TORPOR_TEST_REGISTRY"] + "/team/app:v1"
NAME = os.environ["TORPOR_TEST_SDK"].replace("_", "-") + "-image"


def test_builds_on_a_private_image_by_user_and_password():
    lines = []
    template = sdk.Template().from_image(IMAGE, username="someone", password="secret").run_cmd("echo $FROM_IMAGE > ~/said")
    sdk.Template.build(template, NAME, cpu_count=1, memory_mb=256, on_build_logs=lambda entry: lines.append(entry.message))
    assert any("@sha256:" in line for line in lines)
    assert not any("secret" in line for line in lines)
    sandbox = sdk.Sandbox.create(NAME)
    try:
        assert sandbox.files.read("/home/user/said") == "yes\n"
    finally:
        sandbox.kill()


def test_says_that_the_password_is_wrong():
    template = sdk.Template().from_image(IMAGE, username="someone", password="wrong")
    with pytest.raises(Exception, match="(?i)credentials|password"):
        sdk.Template.build(template, NAME + "-locked")
