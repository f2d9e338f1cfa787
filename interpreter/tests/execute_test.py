"""/execute and its stream (protocol.md §4.2, §4.3)."""

import time

import pytest
from client import Client


def test_lines_come_in_order_and_end(client: Client) -> None:
    lines = client.run("import sys\nprint('a')\nprint('ü', file=sys.stderr)\n1 + 1").lines
    assert [line["type"] for line in lines] == ["number_of_executions", "stdout", "stderr", "result", "end_of_execution"]
    assert lines[1]["text"] == "a\n"
    assert "T" in lines[1]["timestamp"]
    assert lines[3] == {"type": "result", "is_main_result": True, "text": "2"}


def test_variables_are_kept(client: Client) -> None:
    client.run("kept = 41")
    assert client.run("kept + 1").text == "42"


def test_counts_executions(client: Client) -> None:
    first = client.run("1").of("number_of_executions")[0]["execution_count"]
    assert client.run("2").of("number_of_executions")[0]["execution_count"] == first + 1


@pytest.mark.parametrize(("code", "text"), [("'quoted'", "quoted"), ('"it\'s"', "it's"), ("'\"'", '"'), ("''", "")])
def test_strings_are_shown_without_quotes(client: Client, code: str, text: str) -> None:
    assert client.run(code).text == text


def test_errors_have_name_value_and_traceback(client: Client) -> None:
    error = client.run("def fail():\n    1 / 0\nfail()").error
    assert error is not None
    assert (error["name"], error["value"]) == ("ZeroDivisionError", "division by zero")
    assert "fail()" in error["traceback"]
    syntax = client.run("def").error
    assert syntax is not None
    assert syntax["name"] == "SyntaxError"


def test_output_streams_while_the_code_runs(client: Client) -> None:
    with client.started("import time\nprint('now', flush=True)\ntime.sleep(2)") as lines:
        began = time.monotonic()
        while "now" not in next(lines):
            pass
        assert time.monotonic() - began < 1.5


def test_silence_is_filled_with_keepalives(client: Client) -> None:
    assert len(client.run("import time\ntime.sleep(6)").of("keepalive")) == 1


def test_much_output_arrives_whole(client: Client) -> None:
    assert len(client.run("print('x' * 20_000_000)").stdout) == 20_000_001


def test_input_is_refused(client: Client) -> None:
    error = client.run("input()").error
    assert error is not None
    assert error["name"] == "StdinNotImplementedError"


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({}, "code"),
        ({"code": 1}, "code"),
        ({"code": "1", "language": 3}, "language"),
        ({"code": "1", "env_vars": {"A": 1}}, "env_vars"),
        ({"code": "1", "env_vars": {"A=B": "1"}}, "A=B"),
        ({"code": "1", "context_id": "x", "language": "python"}, "context_id"),
        ([], "object"),
    ],
)
def test_bad_bodies_are_refused(client: Client, body: object, word: str) -> None:
    response = client.http.post("/execute", json=body)
    assert response.status_code == 400
    assert word in response.text


def test_a_body_beyond_the_bound_is_refused(client: Client) -> None:
    assert client.http.post("/execute", content=b"x" * (17 * 1024 * 1024)).status_code == 413


def test_any_origin_may_ask(client: Client) -> None:
    assert client.http.get("/health", headers={"Origin": "https://example.com"}).headers["access-control-allow-origin"] == "*"
