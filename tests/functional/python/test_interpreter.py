"""The code interpreter with e2b-code-interpreter from PyPI; the template's name is in TORPOR_TEST_TEMPLATE."""

import os

import pytest
from e2b_code_interpreter import Sandbox


@pytest.fixture(scope="module")
def sandbox():
    sandbox = Sandbox.create(template=os.environ["TORPOR_TEST_TEMPLATE"], timeout=300, envs={"GLOBAL": "everywhere"})
    yield sandbox
    sandbox.kill()


def test_variables_are_kept_and_output_streams(sandbox):
    seen = []
    run = sandbox.run_code("x = 1\nprint('out')\nx", on_stdout=lambda message: seen.append(message.line))
    assert (run.text, run.logs.stdout, seen) == ("1", ["out\n"], ["out\n"])
    assert sandbox.run_code("x + 1").text == "2"


def test_errors(sandbox):
    error = sandbox.run_code("1 / 0").error
    assert (error.name, error.value) == ("ZeroDivisionError", "division by zero")
    assert "division by zero" in error.traceback


def test_charts(sandbox):
    chart = sandbox.run_code("import matplotlib.pyplot as plt\nplt.bar(['a', 'b'], [1, 2])\nplt.show()").results[0].chart
    assert chart.type.value == "bar"
    assert [(element.label, element.value) for element in chart.elements] == [("a", 1), ("b", 2)]


def test_variables_of_the_environment(sandbox):
    assert sandbox.run_code("import os; os.environ['GLOBAL']").text == "everywhere"
    assert sandbox.run_code("os.environ['GLOBAL']", envs={"GLOBAL": "here"}).text == "here"


def test_contexts(sandbox):
    context = sandbox.create_code_context(cwd="/tmp", language="javascript")
    assert sandbox.run_code("process.cwd()", context=context).text == "/tmp"
    sandbox.remove_code_context(context)


def test_memory_survives_a_pause(sandbox):
    sandbox.run_code("kept = [1, 2]")
    sandbox.pause()
    again = Sandbox.connect(sandbox.sandbox_id)
    assert again.run_code("kept").results[0].json == [1, 2]
