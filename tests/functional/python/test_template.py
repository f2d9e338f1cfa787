"""Template builds, told by the real Python SDKs: SDK names the package, the environment is that of `torpor env`."""

import importlib
import os

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
