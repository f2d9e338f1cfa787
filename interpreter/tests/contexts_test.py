"""Contexts: create, list, remove, restart; turns, interrupts, deaths (protocol.md §4.1, §4.3)."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from client import Client


def test_contexts_have_variables_and_directories_of_their_own(client: Client, tmp_path: Path) -> None:
    one, two = client.context(), client.context(cwd=str(tmp_path))
    client.run("x = 1", context_id=one)
    assert client.run("x", context_id=one).text == "1"
    error = client.run("x", context_id=two).error
    assert error is not None
    assert error["name"] == "NameError"
    assert client.run("import os; os.getcwd()", context_id=two).text == str(tmp_path)
    listed = client.http.get("/contexts").json()
    assert {"id": two, "language": "python", "cwd": str(tmp_path)} in listed
    for id_ in (one, two):
        response = client.http.delete(f"/contexts/{id_}")
        assert (response.status_code, response.json()) == (200, None)
    assert not {one, two} & {context["id"] for context in client.http.get("/contexts").json()}


def test_unknown_contexts_are_not_found(client: Client) -> None:
    answers = [
        client.http.post("/execute", json={"code": "1", "context_id": "nope"}),
        client.http.delete("/contexts/nope"),
        client.http.post("/contexts/nope/restart"),
    ]
    assert [(answer.status_code, answer.text) for answer in answers] == [(404, "Context nope not found")] * 3


def test_languages_without_a_kernel_and_missing_directories_are_told(client: Client) -> None:
    unknown = client.http.post("/contexts", json={"language": "cobol"})
    assert (unknown.status_code, unknown.text) == (500, "There is no kernel for the language cobol in this sandbox")
    missing = client.http.post("/contexts", json={"cwd": "/does/not/exist"})
    assert missing.status_code == 500
    assert "/does/not/exist" in missing.text
    assert client.http.post("/execute", json={"code": "1", "language": "cobol"}).status_code == 500


def test_restart_keeps_the_id_and_forgets_the_rest(client: Client, tmp_path: Path) -> None:
    id_ = client.context(cwd=str(tmp_path))
    client.run("x = 1", context_id=id_)
    with client.started("import time\ntime.sleep(60)", context_id=id_) as lines:
        next(lines)
        assert client.http.post(f"/contexts/{id_}/restart").json() is None
        rest = list(lines)
    assert '"ContextRestarting"' in rest[-2]
    assert client.run("'x' in globals(), __import__('os').getcwd()", context_id=id_).text == f"(False, '{tmp_path}')"


def test_executions_of_one_context_take_turns(client: Client) -> None:
    code = "import time\nbegan = time.time()\ntime.sleep(0.5)\nprint(began, time.time())"
    with ThreadPoolExecutor() as pool:
        spans = sorted(tuple(map(float, run.stdout.split())) for run in pool.map(client.run, [code] * 3))
    assert all(earlier[1] <= later[0] for earlier, later in itertools.pairwise(spans))


def test_twenty_contexts_work_at_once(client: Client) -> None:
    with ThreadPoolExecutor(20) as pool:
        ids = list(pool.map(lambda _: client.context(), range(20)))
        results = list(pool.map(lambda pair: client.run(f"{pair[0]} * 2", context_id=pair[1]).text, enumerate(ids)))
        list(pool.map(lambda id_: client.http.delete(f"/contexts/{id_}"), ids))
    assert results == [str(number * 2) for number in range(20)]


def test_a_client_that_leaves_interrupts_its_code(client: Client) -> None:
    client.run("kept = 'kept'")
    with client.started("import time\ntime.sleep(600)") as lines:
        next(lines)
    began = time.monotonic()
    assert client.run("kept").text == "kept"
    assert time.monotonic() - began < 5


def test_a_client_that_leaves_a_flood_interrupts_it(client: Client) -> None:
    with client.started("while True: print('x' * 1000)") as lines:
        next(lines)
        time.sleep(1)
    assert client.run("1").text == "1"


def test_a_client_that_leaves_the_queue_leaves_the_others_alone(client: Client) -> None:
    with client.started("import time\ntime.sleep(2)\nprint('done')") as lines:
        next(lines)
        with client.started("print('never')"):
            pass
        assert any("done" in line for line in lines)


def test_code_that_resists_the_first_interrupt_is_interrupted_again(client: Client) -> None:
    code = "import time\ntry: time.sleep(600)\nexcept KeyboardInterrupt: time.sleep(600)"
    with client.started(code) as lines:
        next(lines)
    assert client.run("1").text == "1"


def test_a_kernel_that_dies_is_told_and_replaced(client: Client) -> None:
    id_ = client.context()
    client.run("x = 1", context_id=id_)
    error = client.run("import os; os._exit(3)", context_id=id_).error
    assert error is not None
    assert error["name"] == "UnexpectedEndOfExecution"
    assert "exit status 3" in error["value"]
    assert client.run("'x' in globals()", context_id=id_).text == "False"


def test_too_much_memory_is_an_error_of_the_code(client: Client) -> None:
    id_ = client.context()
    error = client.run("big = bytearray(10**15)", context_id=id_).error
    assert error is not None
    assert error["name"] == "MemoryError"
    assert client.run("1", context_id=id_).text == "1"


def test_too_many_waiting_executions_are_refused(client: Client) -> None:
    id_ = client.context()
    with client.started("import time\ntime.sleep(5)", context_id=id_) as lines:
        next(lines)
        with ThreadPoolExecutor(40) as pool:
            answers = list(pool.map(lambda _: client.http.post("/execute", json={"code": "1", "context_id": id_}).status_code, range(40)))
    # Those that come at the same instant are counted together.
    assert 4 <= answers.count(429) <= 8
    assert answers.count(200) == 40 - answers.count(429)
