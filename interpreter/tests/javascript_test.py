"""The JavaScript kernel, for JavaScript and TypeScript."""

import json
import time
from pathlib import Path

import pytest
from client import Client


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("1 + 1", "2"),
        ("'quoted'", "quoted"),
        ("undefined", None),
        ("const a = 1; const b = 2; a + b", "3"),
        ("await Promise.resolve('later')", "later"),
        ("async function main() { return 'Hello' }\nawait main()", "Hello"),
        ("({ a: [1, 2] })", "{ a: [ 1, 2 ] }"),
        ("10n ** 20n", "100000000000000000000n"),
        ("NaN", "NaN"),
        ("-0", "-0"),
        ("import { readFileSync, existsSync as is } from 'node:fs'; typeof readFileSync + typeof is", "functionfunction"),
        ("import fs, * as all from 'fs'; all.default === fs", "true"),
        ("import 'node:path'", None),
        ("const { sep } = await import('path'); sep", "/"),
        ("require('os').EOL.length", "1"),
        ("export const exported = 5; exported", "5"),
        ("function typed<T>(value: T): T { return value }\ntyped<number>(4)", "4"),
        ("enum Colour { Red, Green }\nColour.Green", "1"),
        ("interface Empty {}\nconst one: number = 1 as number; one", "1"),
        ("new Proxy({}, { get() { throw new Error('no') } })", "{}"),
    ],
)
def test_results(client: Client, code: str, text: str | None) -> None:
    run = client.run(code, language="js")
    assert run.error is None
    assert run.text == text


def test_constants_can_be_declared_again_and_are_kept(client: Client) -> None:
    client.run("const kept = 1; let other = 2", language="javascript")
    client.run("const kept = 2", language="javascript")
    assert client.run("kept + other", language="javascript").text == "4"


def test_typescript_has_a_context_of_its_own(client: Client) -> None:
    client.run("const only: string = 'ts'", language="ts")
    assert client.run("only", language="typescript").text == "ts"
    assert client.run("typeof only", language="javascript").text == "undefined"


def test_output_comes_in_order_before_the_result(client: Client) -> None:
    run = client.run("console.log('ä'); console.error('b'); for (let i = 0; i < 3; i++) console.log(i); 'end'", language="js")
    assert [line["type"] for line in run.lines[:3]] == ["number_of_executions", "stdout", "stderr"]
    assert run.stdout == "ä\n0\n1\n2\n"
    assert run.lines[-2]["text"] == "end"


def test_output_is_seen_while_code_computes(client: Client) -> None:
    code = "console.log('now'); const until = Date.now() + 2000; while (Date.now() < until);"
    with client.started(code, language="js") as lines:
        began = time.monotonic()
        while "now" not in next(lines):
            pass
        assert time.monotonic() - began < 1.5


@pytest.mark.parametrize(
    ("code", "name", "value"),
    [
        ("throw new TypeError('wrong')", "TypeError", "wrong"),
        ("await Promise.reject(new RangeError('far'))", "RangeError", "far"),
        ("missing", "ReferenceError", "missing is not defined"),
        ("let x = ;", "SyntaxError", "Unexpected token ';'"),
        ("throw 'text'", "Error", "'text'"),
        ("import 'not-installed-anywhere'", "Error", "Cannot find"),
    ],
)
def test_errors(client: Client, code: str, name: str, value: str) -> None:
    run = client.run(code, language="js")
    assert run.error is not None
    assert run.error["name"] == name
    assert value in run.error["value"]
    assert name in run.error["traceback"] or name == "Error"
    assert run.stderr == ""


def test_errors_of_callbacks_end_nothing(client: Client) -> None:
    client.run("setTimeout(() => { throw new Error('late') }, 1)", language="js")
    assert client.run("await new Promise((resolve) => setTimeout(resolve, 50)); 'alive'", language="js").text == "alive"


@pytest.mark.parametrize("code", ["while (true);", "await new Promise(() => {})"])
def test_a_client_that_leaves_interrupts_its_code(client: Client, code: str) -> None:
    client.run("var held = 'held'", language="js")
    with client.started(code, language="js") as lines:
        next(lines)
        time.sleep(0.3)
    began = time.monotonic()
    assert client.run("held", language="js").text == "held"
    assert time.monotonic() - began < 5


def test_relative_imports_and_directories(client: Client, tmp_path: Path) -> None:
    (tmp_path / "own.mjs").write_text("export default 'from a file'")
    id_ = client.context(language="javascript", cwd=str(tmp_path))
    assert client.run("import own from './own.mjs'; own", context_id=id_).text == "from a file"
    assert client.run("process.cwd()", context_id=id_).text == str(tmp_path)


def test_displays(client: Client) -> None:
    own = "{ [Symbol.for('Jupyter.display')]: () => ({ 'text/html': '<i>' }) }"
    run = client.run(f"$$.html('<b>'); display({{ _toSvg: () => '<svg/>' }}); ({own})", language="js")
    shown = run.of("result")
    assert (shown[0]["html"], shown[1]["svg"], shown[2]["html"]) == ("<b>", "<svg/>", "<i>")
    assert [line["is_main_result"] for line in shown] == [False, False, True]


RANDOM = """
import crypto, { randomUUID, randomInt } from 'node:crypto'
import { promisify } from 'node:util'
const numbers = Array.from({ length: 1000 }, Math.random)
JSON.stringify({
  mean: numbers.reduce((sum, one) => sum + one) / 1000,
  uuid: randomUUID(), web: globalThis.crypto.randomUUID(),
  bytes: crypto.randomBytes(4).length, later: (await promisify(crypto.randomBytes)(5)).length,
  int: randomInt(3), between: randomInt(5, 7), filled: crypto.getRandomValues(new Uint16Array(3)).some(Boolean),
})"""


def test_randomness_is_well_formed(client: Client) -> None:
    text = client.run(RANDOM, language="js").text
    assert text is not None
    drawn = json.loads(text)
    assert 0.4 < drawn["mean"] < 0.6
    assert drawn["uuid"] != drawn["web"]
    assert drawn["uuid"][14] == drawn["web"][14] == "4"
    assert (drawn["bytes"], drawn["later"], drawn["filled"]) == (4, 5, True)
    assert 0 <= drawn["int"] < 3
    assert 5 <= drawn["between"] < 7


FOREVER = [
    "await new Promise(() => {})",
    "for await (const one of [new Promise(() => {})]) one",
    "if (true) { await (0, { then() {} }) }",
    "const sleeper = async () => { await new Promise(() => {}) }; await sleeper()",
]


@pytest.mark.parametrize("code", FOREVER)
def test_what_waits_for_ever_ends_no_kernel_when_it_is_collected(client: Client, code: str) -> None:
    id_ = client.context(language="javascript")
    client.run("var held = 'held'", context_id=id_)
    with client.started(code, context_id=id_) as lines:
        next(lines)
        time.sleep(0.3)
    assert client.run("held", context_id=id_).text == "held"
    # Was seen to have V8 collect, as a collection that is asked for does not do it.
    client.run(RANDOM, context_id=id_)
    time.sleep(0.5)
    assert client.run("held", context_id=id_).text == "held"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("await 7", "7"),
        ("await (1, 2)", "2"),
        ("await await Promise.resolve(Promise.resolve(3))", "3"),
        ("let told = []; for await (const one of [Promise.resolve(1), 2]) told.push(one); String(told)", "1,2"),
        (
            "async function* count() { try { yield 1; yield 2 } finally { ended = true } }; var ended = false;"
            "for await (const one of count()) break; ended",
            "true",
        ),
        ("await ({ then(resolve) { resolve('thenable') } })", "thenable"),
        ("(await import('node:path')).sep", "/"),
    ],
)
def test_awaits_of_cells_mean_what_they_do_elsewhere(client: Client, code: str, text: str) -> None:
    assert client.run(code, language="js").text in (text, f"'{text}'")
