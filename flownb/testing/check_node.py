"""A conformance check for the authors of node types."""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
import re
import threading
from typing import TYPE_CHECKING, Any, Final

from flownb.graph.nodetype import NodeType, Output, Suspend
from flownb.model.ports import AFTER, ERROR, MAIN
from flownb.model.problem import Severity
from flownb.model.status import Category, OnCrash, PauseReason
from flownb.model.workflow import Node
from flownb.nodes.prepare import prepare
from flownb.testing.context import FakeContext

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flownb.model.ports import NodePorts

_TYPE_ID: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_WAITS: Final = (PauseReason.HUMAN, PauseReason.TIMER, PauseReason.EVENT)
_UNKNOWN_FIELD: Final = "no_such_field"


def check_node(
    cls: type[NodeType],
    *,
    config: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    context: FakeContext | None = None,
    resumed: Any = None,
) -> Any:
    """Check that a node type keeps the contract of `NodeType`, by looking at it and by running it.

    Args:
        cls: the node type.
        config: a config that it can run with here.
        inputs: the values by port that it can run with; of a port that is `many`, a list.
        context: what it may know and do; services and variables that it needs are set here.
        resumed: what comes, if it lets itself be parked for a person or an event; a timer comes by itself.

    Returns what the node returned, for further checks: a value, an `Output`, or a `Suspend` that nothing answered.

    Raises:
        AssertionError: it doesn't; the message lists all faults.
    """
    if not (isinstance(cls, type) and issubclass(cls, NodeType)):
        raise AssertionError(  # noqa: TRY004  whatever is wrong, a check fails as an assertion does
            f"{cls!r} is no node type: derive a class from flownb.graph.nodetype.NodeType."
        )
    faults = [*_class_faults(cls), *_port_faults(cls.ports)]
    returned = None
    if not faults:  # what follows relies on the attributes
        node = Node(id="node", type=cls.type, config=dict(config or {}))
        faults += _config_faults(cls, node)
        trial = _Trial(cls, node, dict(inputs or {}), context or FakeContext(), resumed)
        if not faults:
            returned = trial.run()
        faults += trial.faults
    if faults:
        raise AssertionError(f"{cls.__name__} is no sound node type:\n" + "\n".join(f"* {each}" for each in faults))
    return returned


# --- by looking -------------------------------------------------------------------------------------------------------


def _class_faults(cls: type[NodeType]) -> Iterator[str]:
    name: object = getattr(cls, "type", None)
    if not isinstance(name, str) or not _TYPE_ID.fullmatch(name):
        yield f"`type` is {name!r}; it must be an id as `family.name`, in lower case."
    version: object = cls.version
    if not isinstance(version, int) or version < 1:
        yield f"`version` is {version!r}; it must be a whole number from 1."
    if not isinstance(cls.title, str) or not cls.title:
        yield "`title` is missing: a few words for people."
    for attribute, enum in (("category", Category), ("on_crash", OnCrash)):
        if not isinstance(getattr(cls, attribute), enum):
            yield f"`{attribute}` is {getattr(cls, attribute)!r}; it must be a {enum.__name__}."
    if not (cls.__doc__ or "").strip():
        yield "It has no docstring; its first line is the help that people see."
    if cls.execute is NodeType.execute:
        yield "It has no `execute`."
    elif not inspect.iscoroutinefunction(cls.execute):
        yield "`execute` is no coroutine function: write `async def execute(self, ctx, inputs)`."
    yield from _model_faults(cls)


def _model_faults(cls: type[NodeType]) -> Iterator[str]:
    fields: set[str] = set()
    if cls.Config is not None:
        from pydantic import BaseModel

        if not (isinstance(cls.Config, type) and issubclass(cls.Config, BaseModel)):
            yield f"`Config` is {cls.Config!r}; it must be a pydantic model, or None."
            return
        fields = set(cls.Config.model_fields)
        if cls.Config.model_config.get("extra") != "forbid":
            yield "`Config` takes unknown fields: set model_config = ConfigDict(extra='forbid')."
        try:
            json.dumps(cls.Config.model_json_schema())
        except Exception as error:  # noqa: BLE001  whatever pydantic or a field's hook raises is the fault
            first = next(iter(str(error).splitlines()), "")
            yield f"`Config` gives no JSON schema, and so no form: {type(error).__name__}: {first}"
    for each in cls.expressions:
        if each not in fields:
            yield f"`expressions` names {each!r}, which is no field of `Config`."


def _port_faults(ports: NodePorts) -> Iterator[str]:
    for side, found, reserved in (
        ("input", [port.name for port in ports.inputs], (AFTER,)),
        ("output", [port.name for port in ports.outputs], (AFTER, ERROR)),
    ):
        for number, name in enumerate(found):
            if not name.isidentifier():
                yield f"The {side} port {name!r} is no Python identifier."
            if name in reserved:
                yield f"No {side} port can be called {name!r}: every node has it."
            if name in found[:number]:
                yield f"There are two {side} ports {name!r}."


def _config_faults(cls: type[NodeType], node: Node) -> Iterator[str]:
    for problem in cls.check(node):
        if problem.severity is Severity.ERROR:
            yield f"The config given here is not taken: {problem}"
    odd = Node(id=node.id, type=node.type, config={**node.config, _UNKNOWN_FIELD: 1})
    if not any(_UNKNOWN_FIELD in problem.message for problem in cls.check(odd)):
        yield "`check` says nothing about an unknown field of the config."


# --- by running -------------------------------------------------------------------------------------------------------


class _Trial:
    """One node run as the engine would run it."""

    def __init__(
        self, cls: type[NodeType], node: Node, inputs: dict[str, Any], context: FakeContext, resumed: Any
    ) -> None:
        self._cls, self._node, self._inputs = cls, node, inputs
        self._context, self._resumed = context, resumed
        self.faults: list[str] = []

    def run(self) -> Any:
        """Run it, twice with one instance; gives what it returned the first time."""
        ports = self._cls.ports_of(self._node)
        self.faults += _port_faults(ports)
        self._check_inputs(ports)
        before = _snapshot(self._inputs)
        try:
            instance = prepare(self._cls, self._node, self._context, self._inputs)
            kept = _snapshot(vars(instance))
            first, again = _in_thread(instance, [self._context, copy.copy(self._context)], self._inputs)
            if isinstance(first, Suspend):
                first = self._resume(first)
        except Exception as error:  # noqa: BLE001  whatever it raises is the fault
            self.faults.append(f"It can't run with what is given here: {type(error).__name__}: {error}")
            return None
        if kept is not None and _snapshot(vars(instance)) != kept:
            self.faults.append("`execute` changed the instance: keep nothing from one run to the next.")
        if before is not None and _snapshot(self._inputs) != before:
            self.faults.append("`execute` changed its inputs: other nodes see the same objects; work on a copy.")
        if _shape(first) != _shape(again) and not isinstance(again, Suspend):
            self.faults.append(f"The second run chose other ports: {_shape(first)}, then {_shape(again)}.")
        self._check_returned(first, ports)
        return first

    def _check_inputs(self, ports: NodePorts) -> None:
        for port in ports.inputs:
            given = port.name in self._inputs
            if port.required and not port.unwired and not given:
                self.faults.append(f"The input {port.name!r} is required; give one in `inputs=`.")
            if given and port.many and not isinstance(self._inputs[port.name], list):
                self.faults.append(f"The input {port.name!r} takes several edges: give a list.")

    def _resume(self, suspend: Suspend) -> Any:
        """Check how it waits, and let it go on."""
        if suspend.waits_for not in list(_WAITS):
            self.faults.append(f"It waits for {suspend.waits_for!r}; it can wait for {', '.join(_WAITS)}.")
            return suspend
        if suspend.waits_for == PauseReason.TIMER and suspend.until is None:
            self.faults.append("It waits for a timer without saying until when.")
            return suspend
        try:
            json.dumps(suspend.data)
        except (TypeError, ValueError) as error:
            self.faults.append(f"`Suspend.data` is not plain data: {error}")
        came = suspend.until if suspend.waits_for == PauseReason.TIMER else self._resumed
        if came is None:
            return suspend
        context = copy.copy(self._context)
        context.resumed, context.resume_data = came, suspend.data
        context.time = max(context.time, suspend.until or 0.0)
        (returned,) = _in_thread(prepare(self._cls, self._node, context, self._inputs), [context], self._inputs)
        if isinstance(returned, Suspend) and returned.waits_for == PauseReason.TIMER:
            self.faults.append("It waits for its timer again although the time has come: look at `ctx.resumed`.")
        return returned

    def _check_returned(self, returned: Any, ports: NodePorts) -> None:
        if isinstance(returned, Suspend):
            return
        self.faults += _storage_faults(returned if isinstance(returned, Output) else Output(returned))
        names = {port.name for port in ports.outputs} | {MAIN}
        if isinstance(returned, Output):
            for name in (*(returned.ports or ()), *returned.values):
                if name not in names:
                    self.faults.append(f"It fired the port {name!r}, which it does not have.")


def _storage_faults(output: Output) -> Iterator[str]:
    try:
        from flownb.store import values
        from flownb.store.artifacts.memory import MemoryArtifacts
    except ImportError:  # whoever writes a node type may have no store at hand
        return
    parts = {"its value": output.value, **{f"the value of {port}": each for port, each in output.values.items()}}
    for place, value in parts.items():
        if values.store(value, MemoryArtifacts()).transient:
            yield (
                f"A store can't keep {place}, a {type(value).__name__}, so it would be computed again after a crash: "
                "return plain data, a frame, an array, an image, bytes or a path."
            )


def _in_thread(instance: NodeType, contexts: list[FakeContext], inputs: dict[str, Any]) -> list[Any]:
    """What the coroutine returns in each context; on a thread, because a notebook's own has a running loop."""
    returned: list[Any] = []
    raised: list[BaseException] = []

    async def body() -> None:
        returned.extend([await instance.execute(context, inputs) for context in contexts])

    def run() -> None:
        try:
            asyncio.run(body())
        except BaseException as error:  # noqa: BLE001  it is raised again where the caller is
            raised.append(error)

    thread = threading.Thread(target=run, name="check_node")
    thread.start()
    thread.join()
    if raised:
        raise raised[0]
    return returned


def _snapshot(value: Any) -> str | None:
    """A text that shows a change of plain values; None where there is no such text."""
    try:
        return repr(value)
    except Exception:  # noqa: BLE001  a user's class may raise anything
        return None


def _shape(returned: Any) -> Any:
    return returned.ports if isinstance(returned, Output) else None
