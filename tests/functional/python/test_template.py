"""Template builds, told by the real Python SDKs: SDK names the package, the environment is that of `torpor env`."""

import importlib
import os
import time

import pytest

sdk = importlib.import_module(os.environ["TORPOR_TEST_SDK"])
NAME = os.environ["TORPOR_TEST_SDK"].replace("_", "-") + "-python"


def recipe(context):
    return (
        sdk.Template(file_context_path=str(context))
        .from_template("base")
        .set_envs({"GREETING": "hello"})
        .copy("data", "/srv/data")
        .run_cmd("echo $GREETING > said")
        .set_workdir("/srv/data")
        .set_start_cmd("python3 -m http.server 8000", "curl -sf localhost:8000 -o /dev/null")
    )


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    made = tmp_path_factory.mktemp("context")
    (made / "data").mkdir()
    (made / "data" / "one.txt").write_text("one")
    return made


def test_builds_a_template_whose_sandboxes_have_all_of_it(context):
    lines = []
    sdk.Template.build(recipe(context), NAME, cpu_count=1, memory_mb=512, on_build_logs=lambda entry: lines.append(entry.message))
    assert any("The template is ready" in line for line in lines)
    sandbox = sdk.Sandbox.create(NAME)
    try:
        said = sandbox.commands.run("cat /home/user/said; pwd; curl -s localhost:8000/one.txt").stdout
        assert said == "hello\n/srv/data\none"
    finally:
        sandbox.kill()


def test_takes_what_did_not_change_from_its_layers(context):
    lines = []
    sdk.Template.build(recipe(context), NAME, cpu_count=1, memory_mb=512, on_build_logs=lambda entry: lines.append(entry.message))
    assert any(line.startswith("CACHED RUN") for line in lines)


def test_says_which_step_failed():
    bad = sdk.Template().from_template("base").run_cmd("true").run_cmd("echo no such thing >&2; exit 3")
    with pytest.raises(Exception, match="exit code 3: no such thing"):
        sdk.Template.build(bad, NAME + "-bad")


def test_knows_which_names_are_taken():
    assert sdk.Template.exists(NAME)
    assert not sdk.Template.exists(NAME + "-nobody")


def test_follows_a_build_in_the_background_and_moves_tags():
    name = NAME + "-followed"
    template = sdk.Template().from_template("base").run_cmd("echo followed").set_start_cmd("sleep 1000", "true")
    build = sdk.Template.build_in_background(template, name, cpu_count=1, memory_mb=512)
    deadline = time.monotonic() + 60
    while (status := sdk.Template.get_build_status(build).status.value) != "ready":
        assert status in ("waiting", "building") and time.monotonic() < deadline
        time.sleep(0.1)
    assert sdk.Template.exists(name)
    sdk.Template.assign_tags(name, ["production"])
    assert sorted(tag.tag for tag in sdk.Template.get_tags(name)) == ["default", "production"]
    sdk.Template.remove_tags(name, ["production"])
    assert [tag.tag for tag in sdk.Template.get_tags(name)] == ["default"]


def test_does_every_step_that_an_sdk_writes(context):
    repository = "git init -q -b main /srv/repository && cd /srv/repository && git -c user.name=a -c user.email=b commit -q --allow-empty -m first"
    template = (
        sdk.Template(file_context_path=str(context))
        .from_base_image()
        .set_user("root")
        .run_cmd([repository, "touch /tmp/unwanted /tmp/old"])
        .set_user("user")
        .set_envs({"GREETING": "hello"})
        .set_workdir("/home/user/work")
        .copy("data/one.txt", "one.txt")
        .copy_items([{"src": "data", "dest": "/home/user/data"}])
        .make_dir("made/deep", mode=0o750)
        .make_symlink("one.txt", "link")
        .rename("/tmp/old", "/tmp/new", user="root")
        .remove("/tmp/unwanted", user="root", force=True)
        .git_clone("/srv/repository", "cloned", user="root")
        .skip_cache()
        .run_cmd('echo "$GREETING" > said')
        .set_ready_cmd("test -e said")
    )
    sdk.Template.build(template, NAME + "-steps", cpu_count=1, memory_mb=512)
    sandbox = sdk.Sandbox.create(NAME + "-steps")
    try:
        look = "pwd; cat one.txt link ../data/one.txt said; stat -c %a made/deep; ls /tmp | grep -E '^(old|new|unwanted)$'; sudo git -C cloned log --format=%s"
        assert sandbox.commands.run(look).stdout.split() == ["/home/user/work", "oneoneonehello", "750", "new", "first"]
    finally:
        sandbox.kill()


@pytest.mark.parametrize("cloud", ["AWS", "Google Cloud"])
def test_gives_credentials_of_a_cloud_to_its_own_registries_only(cloud):
    image = "localhost:1/team/app:v1"
    template = (
        sdk.Template().from_aws_registry(image, access_key_id="AKIA", secret_access_key="hidden", region="eu-west-1")
        if cloud == "AWS"
        else sdk.Template().from_gcp_registry(image, service_account_json={"type": "service_account", "private_key": "hidden"})
    )
    with pytest.raises(Exception, match=f"{cloud} credentials were given, but localhost:1 is not a registry of {cloud}"):
        sdk.Template.build(template, NAME + "-cloud")
