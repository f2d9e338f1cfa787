"""What kernels take over from the sandbox: variables (E1, E2) and, in every new life, seeds."""

from collections.abc import Iterator

import pytest
from client import Client
from conftest import Agent


@pytest.fixture(params=["python", "javascript"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def context(client: Client, language: str) -> Iterator[str]:
    id_ = client.context(language=language)
    yield id_
    client.http.delete(f"/contexts/{id_}")


def variable(name: str, language: str) -> str:
    return f"__import__('os').environ.get('{name}')" if language == "python" else f"process.env.{name}"


def test_e1_global_variables_are_there(client: Client, context: str, language: str) -> None:
    assert client.run(variable("GLOBAL", language), context_id=context).text == "from the agent"


def test_e2_variables_of_a_call_override_for_this_call(client: Client, context: str, language: str) -> None:
    mine = {"GLOBAL": 'it\'s "mine" 😀\n', "OWN": "x"}
    length = f"len({variable('GLOBAL', language)})" if language == "python" else f"[...{variable('GLOBAL', language)}].length"
    assert client.run(length, context_id=context, env_vars=mine).text == "14"
    assert client.run(variable("OWN", language), context_id=context, env_vars=mine).text == "x"
    assert client.run(variable("GLOBAL", language), context_id=context).text == "from the agent"
    assert client.run(variable("OWN", language), context_id=context).text in (None, "undefined")


def test_the_token_of_the_client_opens_the_agent(client: Client, agent: Agent, context: str, language: str) -> None:
    agent.token = "secret"
    try:
        assert client.run(variable("GLOBAL", language), context_id=context).text in (None, "undefined")
        assert client.run(variable("GLOBAL", language), context_id=context, token="secret").text == "from the agent"
    finally:
        agent.token = None


def test_a_new_life_brings_its_variables(client: Client, agent: Agent, context: str, language: str) -> None:
    before, agent.env = agent.env, {"GLOBAL": "first", "GONE": "x"}
    try:
        agent.begin_life("variables-1")
        assert client.run(variable("GLOBAL", language), context_id=context).text == "first"
        agent.env = {"GLOBAL": "second"}
        assert client.run(variable("GONE", language), context_id=context).text == "x"
        agent.begin_life("variables-2")
        assert client.run(variable("GLOBAL", language), context_id=context).text == "second"
        assert client.run(variable("GONE", language), context_id=context).text in (None, "undefined")
    finally:
        agent.env = before


SEEDED = {
    "python": ("import random, numpy.random; random.seed(1); numpy.random.seed(1)", "random.random(), numpy.random.rand()"),
    "javascript": ("", "Math.random()"),
}


def test_a_new_life_has_seeds_of_its_own_and_an_old_one_goes_on(client: Client, agent: Agent, context: str, language: str) -> None:
    seed, draw = SEEDED[language]
    agent.begin_life("seeds-1")
    client.run(seed, context_id=context)
    first = client.run(draw, context_id=context).text
    client.run(seed, context_id=context)
    if language == "python":
        assert client.run(draw, context_id=context).text == first
        client.run(seed, context_id=context)
    agent.begin_life("seeds-2")
    assert client.run(draw, context_id=context).text != first


def test_the_service_leaves_no_names_and_counts_nothing(client: Client) -> None:
    id_ = client.context()
    run = client.run("[name for name in globals() if not name.startswith('_')]", context_id=id_, env_vars={"A": "1"})
    assert run.of("number_of_executions")[0]["execution_count"] == 1
    assert run.text == "['In', 'Out', 'get_ipython', 'exit', 'quit', 'open']"
