from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, ClassVar

import pytest
from nbformat import v4
from pydantic import BaseModel, ConfigDict

from flownb.graph.nodetype import NodeType, Output, Suspend
from flownb.graph.registry import BUILT_IN, registry
from flownb.model.ports import InputPort, NodePorts, OutputPort
from flownb.testing import FakeContext, check_node


def answered(port: str, data: Any = None) -> dict[str, Any]:
    """What a question gets back."""
    return {"port": port, "data": data, "comment": "", "by": "ann", "at": 1_700_000_000.0, "action": port}


#: How each type that ships is tried: config, inputs, sources.
TRIALS: dict[str, dict[str, Any]] = {
    "python": {
        "config": {"function": "statistics:mean", "params": {"data": {"type": "array"}}},
        "inputs": {"data": [1]},
    },
    "control.start": {},
    "control.output": {"inputs": {"main": [1]}, "context": FakeContext(sources={"main": ["a"]})},
    "control.condition": {"config": {"test": "total > 3"}, "inputs": {"total": 4}},
    "control.delay": {"config": {"seconds": 3}, "inputs": {"main": [1]}},
    "control.wait_for_event": {"config": {"event": "paid"}, "resumed": {"name": "paid", "value": 3}},
    "control.set_variable": {"config": {"name": "total", "value": 3}},
    "control.stop": {"config": {"message": "enough"}},
    "control.loop": {"config": {"over": [1, 2]}},
    "control.parallel": {"config": {"branches": ["a", "b"]}},
    "control.merge": {"config": {"mode": "append"}, "inputs": {"main": [1, [2]]}},
    "control.switch": {
        "config": {"cases": [{"port": "big", "when": "total > 3"}]},
        "inputs": {"total": 4},
    },
    "control.transform": {"config": {"fields": [{"name": "twice", "value": "total * 2"}]}, "inputs": {"total": 1}},
    "control.filter": {"config": {"test": "item.a > 0"}, "inputs": {"main": [[{"a": 1}, {"a": 0}]]}},
    "control.sort": {"config": {"by": ["a"]}, "inputs": {"main": [[{"a": 2}, {"a": 1}]]}},
    "control.dedupe": {"config": {"by": ["a"]}, "inputs": {"main": [[{"a": 1}, {"a": 1}]]}},
    "control.limit": {"config": {"count": 1}, "inputs": {"main": [[1, 2]]}},
    "control.split": {"config": {"field": "rows"}, "inputs": {"main": [{"rows": [1, 2]}]}},
    "control.aggregate": {
        "config": {"compute": [{"name": "total", "function": "sum", "field": "a"}]},
        "inputs": {"main": [[{"a": 1}, {"a": 2}]]},
    },
    "control.assert": {"config": {"rules": [{"test": "item.a > 0"}]}, "inputs": {"main": [[{"a": 1}]]}},
    "files.read": {"config": {"path": "written.json"}},
    "files.write": {"config": {"path": "written.json"}, "inputs": {"main": [{"a": 1}]}},
    "control.subflow": {"config": {"workflow": "written_flow.json", "values": {"n": 1}}},
    "notebook.run": {"config": {"path": "child.ipynb"}},
    "code.run": {"config": {"code": "total = main * 2\ntotal"}, "inputs": {"main": 3}},
    "control.error_handler": {"config": {"errors": ["timeout"]}},
    "control.compensate": {"config": {"status": "failed"}, "inputs": {"main": [1]}},
    "trigger.error": {},
    "trigger.status": {},
    "human.approval": {"config": {"question": "Post?"}, "resumed": answered("approved")},
    "human.input": {
        "config": {"question": "How many?", "form": {"type": "object", "properties": {"n": {"type": "integer"}}}},
        "resumed": answered("submitted", {"n": 3}),
    },
    "human.decision": {
        "config": {"question": "Which?", "options": ["keep", "send"]},
        "resumed": answered("keep"),
    },
    "human.review": {"config": {"question": "Good?"}, "inputs": {"main": [[1, 2]]}, "resumed": answered("approved")},
}


@pytest.mark.parametrize("name", [name for name in registry.names() if name in BUILT_IN])
def test_every_type_that_ships_keeps_the_contract(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("written.json").write_text("[1]")
    Path("written_flow.json").write_text('{"format": 1, "name": "w", "variables": [{"name": "n", "default": 0}]}')
    cells = [v4.new_code_cell("import flownb\nflownb.result('three', 3)")]
    Path("child.ipynb").write_text(v4.writes(v4.new_notebook(cells=cells)))
    check_node(registry.get(name), **TRIALS[name])


class Sound(NodeType):
    """Is as it should be."""

    type: ClassVar[str] = "test.sound"
    title: ClassVar[str] = "Sound"

    async def execute(self, ctx: Any, inputs: dict[str, Any]) -> Any:
        return 3


def test_a_sound_type_passes_and_gives_what_it_returned() -> None:
    assert check_node(Sound) == 3


def test_it_can_be_called_where_a_loop_is_running() -> None:
    async def in_a_notebook() -> Any:
        return check_node(Sound)

    assert asyncio.run(in_a_notebook()) == 3


def faults(cls: Any, **more: Any) -> list[str]:
    with pytest.raises(AssertionError) as caught:
        check_node(cls, **more)
    return [line.removeprefix("* ") for line in str(caught.value).splitlines()[1:]]


def test_all_faults_of_the_class_come_at_once() -> None:
    class Bad(NodeType):
        type: ClassVar[str] = "Not An Id"
        version: ClassVar[int] = 0
        expressions: ClassVar[tuple[str, ...]] = ("test",)
        ports: ClassVar[NodePorts] = NodePorts(
            (InputPort("a b"), InputPort("after")), (OutputPort("error"), OutputPort("x"), OutputPort("x"))
        )

        def execute(self, ctx: Any, inputs: dict[str, Any]) -> Any:
            return 3

    Bad.__doc__ = None
    found = faults(Bad)
    for begin in (
        "`type` is 'Not An Id'",
        "`version` is 0",
        "`title` is missing",
        "It has no docstring",
        "`execute` is no coroutine function",
        "`expressions` names 'test'",
        "The input port 'a b' is no Python identifier",
        "No input port can be called 'after'",
        "No output port can be called 'error'",
        "There are two output ports 'x'",
    ):
        assert any(each.startswith(begin) for each in found), begin
    assert len(found) == 10


def test_a_config_that_takes_anything_is_a_fault() -> None:
    class Loose(BaseModel):
        x: int = 0

    class Opaque(BaseModel):
        model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
        x: FakeContext | None = None

    loose = type("Loose", (Sound,), {"Config": Loose, "__doc__": "Loose."})
    assert faults(loose) == ["`Config` takes unknown fields: set model_config = ConfigDict(extra='forbid')."]
    opaque = type("Opaque", (Sound,), {"Config": Opaque, "__doc__": "Opaque."})
    (fault,) = faults(opaque)
    assert fault.startswith("`Config` gives no JSON schema")
    deaf = type("Deaf", (Sound,), {"check": classmethod(lambda cls, node: []), "__doc__": "Deaf."})
    assert faults(deaf) == ["`check` says nothing about an unknown field of the config."]


def returning(returned: Any, **attributes: Any) -> type[NodeType]:
    async def execute(self: NodeType, ctx: Any, inputs: dict[str, Any]) -> Any:
        return returned(self, ctx, inputs) if callable(returned) else returned

    return type("Made", (Sound,), {"execute": execute, "__doc__": "Made.", **attributes})


def test_a_port_that_was_not_declared_is_a_fault() -> None:
    assert faults(returning(Output(1, ports=("good",), values={"better": 2}))) == [
        "It fired the port 'good', which it does not have.",
        "It fired the port 'better', which it does not have.",
    ]


def test_what_a_store_can_t_keep_is_a_fault() -> None:
    pytest.importorskip("flownb.store.values")
    (fault,) = faults(returning(lambda self, ctx, inputs: Output([1], values={"main": lambda: 3})))
    assert fault.startswith("A store can't keep the value of main, a function")


def test_what_it_raises_is_a_fault() -> None:
    (fault,) = faults(returning(lambda self, ctx, inputs: ctx.services["mail"]))
    assert fault == "It can't run with what is given here: KeyError: 'mail'"
    assert check_node(
        returning(lambda self, ctx, inputs: ctx.services["mail"]), context=FakeContext(services={"mail": 1})
    )


def test_an_instance_that_remembers_and_inputs_that_change_are_faults() -> None:
    def remembers(self: Any, ctx: Any, inputs: dict[str, Any]) -> Any:
        self.seen = True
        inputs["rows"].append(3)

    assert faults(returning(remembers), inputs={"rows": []}) == [
        "`execute` changed the instance: keep nothing from one run to the next.",
        "`execute` changed its inputs: other nodes see the same objects; work on a copy.",
    ]


def test_required_inputs_must_be_given_and_many_are_a_list() -> None:
    ports = NodePorts((InputPort("a"), InputPort("b", many=True), InputPort("c", required=False)))
    assert faults(returning(1, ports=ports), inputs={"b": 3}) == [
        "The input 'a' is required; give one in `inputs=`.",
        "The input 'b' takes several edges: give a list.",
    ]


def test_a_node_that_waits_is_answered_and_how_it_waits_is_checked() -> None:
    def asks(self: Any, ctx: Any, inputs: dict[str, Any]) -> Any:
        return Suspend(waits_for="human", data={"q": 1}) if ctx.resumed is None else [ctx.resumed, ctx.resume_data]

    assert check_node(returning(asks), resumed="yes") == ["yes", {"q": 1}]
    assert check_node(returning(asks)) == Suspend(waits_for="human", data={"q": 1})
    assert faults(returning(Suspend(waits_for="godot"))) == [
        "It waits for 'godot'; it can wait for human, timer, event."
    ]
    assert faults(returning(Suspend(waits_for="timer"))) == ["It waits for a timer without saying until when."]
    assert faults(returning(Suspend(waits_for="timer", until=5.0))) == [
        "It waits for its timer again although the time has come: look at `ctx.resumed`."
    ]
    (fault,) = faults(returning(Suspend(waits_for="event", data=object())))
    assert fault.startswith("`Suspend.data` is not plain data")


def test_what_is_no_class_of_a_node_is_refused() -> None:
    with pytest.raises(AssertionError, match="is no node type"):
        check_node(int)  # type: ignore[arg-type]  # the case
