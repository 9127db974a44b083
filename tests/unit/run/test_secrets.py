"""Secrets in runs: who gets the value, who gets the reference, and what is recorded of either."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from pydantic import BaseModel

import flownb
from flownb import Flow, NodeType, RetryPolicy, RunFailed
from flownb.errors import InvalidInput, InvalidWorkflow, NodeFailed, NotFound
from flownb.graph.registry import Registry
from flownb.model import events as ev
from flownb.services import masking
from flownb.testing import FakeSecrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.graph.nodetype import Context
    from flownb.run.handles.handle import Run

SECRET = "sk-live-4f9a8b7c6d5e"


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    factory = logging.getLogRecordFactory()
    masking.forget()
    yield
    masking.forget()
    logging.setLogRecordFactory(factory)


def run(flow: Flow, /, **inputs: Any) -> Run:
    return flow.run(inputs, store="memory:", display=False, services={"secrets": FakeSecrets(crm=SECRET)})


def journal(done: Run) -> str:
    return repr([record.event for record in done.events()])


def warnings_of(done: Run) -> list[str]:
    return [each.event.message for each in done.events() if isinstance(each.event, ev.SystemWarning)]


# --- who gets the value -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["thread", "loop", "process"])
def test_a_parameter_that_refers_gets_the_value_and_the_journal_keeps_the_reference(kind: str) -> None:
    flow = Flow("f")

    if kind == "loop":

        @flow.node
        async def use(token: str) -> int:
            return len(token)
    else:

        @flow.node(where=kind)
        def use(token: str) -> int:
            return len(token)

    done = run(flow, token="secret://crm")
    assert done.result() == {"use": len(SECRET)}
    assert done.input("token") == "secret://crm"
    assert "secret://crm" in journal(done)
    assert SECRET not in journal(done)


def test_a_default_that_refers_is_a_reference_too() -> None:
    flow = Flow("f")

    @flow.node
    def use(token: str = "secret://crm") -> int:
        return len(token)

    assert run(flow).result() == {"use": len(SECRET)}


def test_a_node_asks_by_name_or_reference_with_or_without_its_context() -> None:
    flow = Flow("f")

    @flow.node
    def use(ctx: Context) -> bool:
        return flownb.secret("crm") == flownb.secret("secret://crm") == ctx.secret("crm") == SECRET

    @flow.node
    async def raw() -> bool:
        return flownb.secret("crm", binary=True) == SECRET.encode()

    assert run(flow).result() == {"use": True, "raw": True}


def test_outside_of_nodes_the_usual_places_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWNB_SECRET_CRM", SECRET)
    assert flownb.secret("crm") == SECRET
    flow = Flow("f")

    @flow.node
    def show() -> str:
        return f"it is {SECRET}"

    assert run(flow).result() == {"show": "it is ***"}


def test_a_secret_that_isnt_there_fails_the_node_with_near_names() -> None:
    flow = Flow("f")

    @flow.node
    def use(token: str) -> str:
        return token

    with pytest.raises(RunFailed, match="There is no secret 'crn'. Did you mean 'crm'"):
        run(flow, token="secret://crn").result()


class ShowConfig(BaseModel):
    url: str = ""
    headers: dict[str, str] = {}
    count: Any = None


class Show(NodeType):
    """Tells how long what it got is."""

    type: ClassVar[str] = "test.show"
    Config = ShowConfig

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> Any:
        config: ShowConfig = self.config
        return {"url": len(config.url), "header": len(config.headers.get("auth", "")), "count": config.count}


class Keep(Show):
    """Hands on what it got."""

    type: ClassVar[str] = "test.keep"
    passes_references: ClassVar[bool] = True

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> Any:
        config: ShowConfig = self.config
        return [config.url, config.count]


def test_a_config_gets_the_values_of_its_references_and_of_those_that_expressions_read() -> None:
    registry = Registry()
    registry.register(Show)
    flow = Flow("f", registry=registry)
    flow.variable("token", type="string")
    flow.add(
        "test.show",
        "show",
        url="https://x/?k=secret://crm",
        headers={"auth": "Bearer {{ token }}"},
        count="{{ len(token) }}",
    )
    done = run(flow, token="secret://crm")
    assert done.result() == {
        "show": {"url": len(f"https://x/?k={SECRET}"), "header": len(f"Bearer {SECRET}"), "count": len(SECRET)}
    }
    assert SECRET not in journal(done)


def test_a_type_that_hands_references_on_gets_them_as_they_are() -> None:
    registry = Registry()
    registry.register(Keep)
    flow = Flow("f", registry=registry)
    flow.variable("token", type="string")
    flow.add("test.keep", "keep", url="secret://crm", count="{{ token }}")
    assert run(flow, token="secret://crm").result() == {"keep": ["secret://crm", "secret://crm"]}


def test_what_a_node_returned_is_data_and_asks_for_no_secret() -> None:
    registry = Registry()
    registry.register(Show)
    flow = Flow("f", registry=registry)

    @flow.node
    def page() -> dict[str, str]:
        return {"title": "secret://crm"}

    @flow.node
    def title(page: dict[str, str]) -> str:
        return page["title"]

    @flow.node
    def use(title: str) -> str:
        return f"got {title}"

    flow.add("test.show", "show", url="{{ page.title }}", headers={"auth": "{{ title }}"})
    done = run(flow).result()
    assert done["use"] == "got secret://crm"
    assert done["show"]["url"] == done["show"]["header"] == len("secret://crm")
    assert masking.known is None


def test_an_edge_condition_decides_on_the_reference() -> None:
    flow = Flow("f")

    @flow.node
    def use(token: str) -> int:
        return len(token)

    big = flow.condition("big", "use > 3 and len(token) == 20")

    @flow.node(after=big.true)
    def last() -> str:
        return "it was"

    assert run(flow, token="secret://crm").result() == {"last": "it was"}


def test_what_starts_a_run_from_outside_names_no_secret_but_where_one_is_declared() -> None:
    from flownb.model.state import RunState
    from flownb.model.topology import Topology
    from flownb.run.secrets import references_of

    flow = Flow("f")
    flow.variable("declared", type="string", secret=True)
    flow.variable("usual", type="string", default="secret://crm")
    flow.variable("given", type="string")
    workflow = flow.build()
    state = RunState(Topology(workflow, {}))
    state.inputs = {"declared": "secret://a", "usual": "secret://crm", "given": "secret://b", "other": "secret://c"}
    for trigger in ("manual", "papermill", "schedule"):
        state.trigger = trigger
        assert references_of(workflow, state) == {"declared", "usual", "given", "other"}
    state.trigger = "webhook"
    assert references_of(workflow, state) == {"declared", "usual"}


# --- what must not get in ---------------------------------------------------------------------------------------------


def test_the_value_of_a_secret_is_no_input() -> None:
    flow = Flow("f")

    @flow.node
    def use(token: str) -> str:
        return token

    masking.learn("crm", SECRET)
    with pytest.raises(InvalidInput, match="The input 'token' holds the value of a secret") as caught:
        run(flow, token=[SECRET])
    assert SECRET not in str(caught.value)


def test_an_input_that_is_declared_secret_takes_a_reference_only() -> None:
    flow = Flow("f")
    flow.variable("token", type="string", secret=True)

    @flow.node
    def use(token: str) -> int:
        return len(token)

    with pytest.raises(InvalidInput, match="token is a secret: give its reference") as caught:
        run(flow, token=SECRET)
    assert SECRET not in str(caught.value)
    assert run(flow, token="secret://crm").result() == {"use": len(SECRET)}


def test_the_default_of_an_input_that_is_declared_secret_is_a_reference() -> None:
    flow = Flow("f")
    flow.variable("token", type="string", secret=True, default=SECRET)
    with pytest.raises(
        InvalidWorkflow, match="The input 'token' is a secret, and its default is no reference"
    ) as caught:
        run(flow)
    assert SECRET not in str(caught.value)


def test_the_value_of_a_secret_is_no_part_of_a_definition() -> None:
    masking.learn("crm", SECRET)
    flow = Flow("f")
    flow.add("control.delay", "wait", seconds=1, name=f"with {SECRET}")
    with pytest.raises(
        InvalidWorkflow, match="holds the value of the secret crm .* Write the reference 'secret://crm'"
    ):
        run(flow)


# --- what must not get out --------------------------------------------------------------------------------------------


def test_what_a_node_returns_is_masked_for_the_record_and_for_the_next_node_alike() -> None:
    flow = Flow("f")

    @flow.node
    def give() -> dict[str, Any]:
        return {"token": flownb.secret("crm"), "n": 1}

    @flow.node
    def use(give: dict[str, Any]) -> str:
        return f"{give['token']}!"

    done = run(flow)
    assert done.result() == {"use": "***!"}
    assert done["give"].output == done["give"].plain == {"token": "***", "n": 1}
    (warning,) = warnings_of(done)
    assert warning.startswith("give returned the value of a secret: *** stands in its place")


def test_a_step_gives_the_same_now_as_when_it_is_remembered() -> None:
    flow = Flow("f")
    tries = []

    @flow.node(retry=RetryPolicy(attempts=2, delay=0))
    def use(ctx: Context) -> str:
        got: str = ctx.step("login", lambda: f"session of {flownb.secret('crm')}")
        tries.append(got)
        if len(tries) == 1:
            raise ValueError(f"{SECRET} was refused")
        return got

    done = run(flow)
    assert done.result() == {"use": "session of ***"}
    assert tries == ["session of ***"] * 2
    assert SECRET not in journal(done)


def test_neither_the_failure_nor_the_exception_behind_it_tells_the_secret() -> None:
    flow = Flow("f")

    @flow.node
    def use() -> None:
        token = flownb.secret("crm")
        error = ValueError("refused", {"token": token})
        error.add_note(f"with {token}")
        raise error

    with pytest.raises(RunFailed) as caught:
        run(flow).result()
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value.__cause__)
    assert SECRET not in shown
    assert "ValueError: ('refused', {'token': '***'})" in str(caught.value)
    assert isinstance(caught.value.__cause__, NodeFailed)


def test_an_exception_without_a_secret_stays_the_cause() -> None:
    flow = Flow("f")
    error = ValueError("something else")

    @flow.node
    def use() -> None:
        flownb.secret("crm")
        raise error

    with pytest.raises(RunFailed) as caught:
        run(flow).result()
    assert caught.value.__cause__ is error


def test_output_status_and_log_are_masked_also_in_pieces_and_at_their_limits() -> None:
    flow = Flow("f")

    @flow.node
    def use(ctx: Context) -> None:
        token = flownb.secret("crm")
        print("a", token[:7], sep="", end="", flush=True)
        print(token[7:])
        ctx.status("x" * 190 + token)
        logging.getLogger("any").warning("log %s", token)
        print("y" * 1_000_000 + token)
        raise ValueError("z" * 19_990 + token)

    done = run(flow)
    with pytest.raises(RunFailed):
        done.result()
    shown = journal(done)
    assert "sk-l" not in shown
    assert "a***" in shown
    assert "log ***" in shown


def test_handlers_of_events_get_no_secret() -> None:
    from flownb.run import bus

    flow = Flow("f")

    @flow.node
    def give() -> list[str]:
        return [flownb.secret("crm")]

    heard: list[str] = []
    with flownb.on("*", lambda event: heard.append(repr(event))):
        run(flow).result()
        assert bus.drain()
    assert any("give" in each for each in heard)
    assert SECRET not in "".join(heard)


def test_a_run_without_secrets_knows_none() -> None:
    flow = Flow("f")

    @flow.node
    def give(text: str = "x") -> str:
        return text

    assert run(flow).result() == {"give": "x"}
    assert masking.known is None


def test_an_unknown_secret_outside_of_a_node_says_where_it_looked() -> None:
    with pytest.raises(NotFound, match="FLOWNB_SECRET_NO_SUCH_SECRET"):
        flownb.secret("no-such-secret")
