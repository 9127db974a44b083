"""What the property tests draw from: plain data, workflows with every field, and graphs with what becomes of them."""

from __future__ import annotations

import keyword
from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import strategies as st

from flownb.model.ports import ConnectionType, InputPort, NodePorts
from flownb.model.status import (
    Complexity,
    FailurePolicy,
    OnCrash,
    OnError,
    Strategy,
    TemplateCategory,
    Visibility,
    Where,
    WorkflowStatus,
)
from flownb.model.workflow import (
    Cache,
    Edge,
    ErrorHandler,
    JoinCount,
    Limits,
    Node,
    RetryPolicy,
    Settings,
    Template,
    Trigger,
    Variable,
    Watch,
    Workflow,
)
from tests.unit.model.simulator import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

#: Any text that can be written as UTF-8.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
whole_numbers = st.integers(-(2**63), 2**63 - 1)
real_numbers = st.floats(allow_nan=False, allow_infinity=False)
#: What JSON can hold and a document may: the config of nodes, pinned outputs, defaults.
json_data = st.recursive(
    st.none() | st.booleans() | whole_numbers | real_numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
objects = st.dictionaries(texts, json_data, max_size=4)
#: Names that Python takes, the unusual ones among them.
identifiers = st.sampled_from(["a", "load", "_x", "größe", "ﬁle", "变量", "A1"]) | st.text(
    "abcdefghij_01", min_size=1, max_size=6
).filter(lambda name: name.isidentifier() and not keyword.iskeyword(name))

_seconds = st.integers(0, 10**6) | st.floats(0, 1e6)
_counts = st.integers(1, 1_000_000)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def _some(cls: type[Any], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Instances of a struct: required fields always, each of the others sometimes."""
    required = {field.name for field in msgspec.structs.fields(cls) if field.required}
    assert set(fields) == {field.name for field in msgspec.structs.fields(cls)}, "every field is drawn"
    return st.fixed_dictionaries(
        {name: fields[name] for name in fields if name in required},
        optional={name: fields[name] for name in fields if name not in required},
    ).map(lambda values: cls(**values))


retries = _some(
    RetryPolicy,
    attempts=_counts,
    delay=_seconds,
    backoff=st.floats(1, 10),
    max_delay=_seconds,
    jitter=st.floats(0, 1),
    on=st.lists(texts, max_size=2).map(tuple),
)
limits = _some(
    Limits,
    memory_mb=maybe(_counts),
    cpu_seconds=maybe(_seconds),
    resources=st.dictionaries(texts, _counts, max_size=2),
)
templates = _some(
    Template,
    category=st.sampled_from(TemplateCategory),
    complexity=st.sampled_from(Complexity),
    featured=st.booleans(),
    downloads=st.integers(0, 2**40),
    rating=maybe(real_numbers),
    badge=texts,
)
variables = _some(Variable, name=identifiers, type=texts, default=json_data, secret=st.booleans(), description=texts)
triggers = _some(Trigger, id=texts, type=texts, config=objects, enabled=st.booleans())
handlers = _some(
    ErrorHandler,
    error=texts,
    strategy=st.sampled_from(Strategy),
    attempts=maybe(_counts),
    delay=maybe(_seconds),
    message=texts,
    target=maybe(texts),
)
settings = _some(
    Settings,
    error_workflow=texts,
    on_status=st.dictionaries(texts, texts, max_size=2),
    concurrency=_counts,
    timeout=maybe(_seconds),
    failures=st.sampled_from(FailurePolicy),
    resources=st.dictionaries(texts, _counts, max_size=2),
    overlap=st.sampled_from(["block", "queue", "allow", "replace"]),
    time_zone=texts,
    budget=st.dictionaries(texts, _seconds, max_size=2),
    memory_minutes=_seconds,
    keep_days=maybe(_seconds),
    keep_runs=maybe(st.integers(0, 10**6)),
    watch=_some(Watch, node_seconds=maybe(_seconds), run_seconds=maybe(_seconds), memory_mb=maybe(_counts)),
)
nodes = _some(
    Node,
    id=identifiers,
    type=texts,
    type_version=_counts,
    name=texts,
    config=objects,
    input_mapping=objects,
    output_mapping=objects,
    parent=maybe(texts),
    join=st.sampled_from(["all", "any"]) | _counts.map(JoinCount),
    retry=maybe(retries),
    timeout=maybe(_seconds),
    heartbeat=maybe(_seconds),
    on_error=st.sampled_from(OnError),
    fallback=json_data,
    fallback_node=maybe(texts),
    compensation=maybe(texts),
    strategies=st.lists(handlers, max_size=2).map(tuple),
    on_crash=maybe(st.sampled_from(OnCrash)),
    where=maybe(st.sampled_from(Where)),
    cache=maybe(_some(Cache, enabled=st.booleans(), ttl=maybe(_seconds))),
    limits=maybe(limits),
    input_schema=objects,
    output_schema=objects,
    disabled=st.booleans(),
    notes=texts,
    pinned=json_data,
)
edges = _some(
    Edge,
    source=texts,
    target=texts,
    source_port=maybe(texts),
    target_port=texts,
    type=st.sampled_from(ConnectionType),
    condition=maybe(texts),
)


def _once(strategy: st.SearchStrategy[Any], key: str) -> st.SearchStrategy[Any]:
    by: Callable[[Any], Any] = lambda each: getattr(each, key)  # noqa: E731  typed, which a lambda argument isn't
    return st.lists(strategy, max_size=3, unique_by=by).map(tuple)


#: Any workflow that a document may hold, sensible or not.
workflows: st.SearchStrategy[Workflow] = _some(
    Workflow,
    id=texts,
    name=texts,
    description=texts,
    version=st.integers(0, 2**40),
    status=st.sampled_from(WorkflowStatus),
    tags=st.lists(texts, max_size=3).map(tuple),
    visibility=st.sampled_from(Visibility),
    created_by=texts,
    owner=texts,
    workspace=texts,
    template=maybe(templates),
    variables=_once(variables, "name"),
    triggers=_once(triggers, "id"),
    nodes=_once(nodes, "id"),
    edges=st.lists(edges, max_size=3).map(tuple),
    error_handlers=st.lists(handlers, max_size=2).map(tuple),
    settings=settings,
    positions=st.dictionaries(texts, st.tuples(real_numbers, real_numbers), max_size=3),
)


# --- graphs that can be run -------------------------------------------------------------------------------------------

_PORTS = ("yes", "no", "error")
_DOES = ["complete"] * 6 + ["fail", "fail_port", "stop", "skip", "give_up"]


class Graph(msgspec.Struct, frozen=True):
    """An acyclic workflow, the ports of its nodes, and what each node does when it is run."""

    workflow: Workflow
    ports: dict[str, NodePorts]
    script: dict[str, Outcome]


@st.composite
def graphs(draw: st.DrawFn, most: int = 12) -> Graph:
    """Any acyclic graph with data, gates, orders, conditions, joins, defaults and ports that take many."""
    names = [f"n{number}" for number in range(draw(st.integers(1, most)))]
    made: list[Edge] = []
    for number, target in enumerate(names):
        for source in draw(st.lists(st.sampled_from(names[:number]), max_size=4)) if number else []:
            made.append(  # noqa: PERF401  each draws in its turn
                Edge(
                    source=source,
                    source_port=draw(st.sampled_from([None, None, "main", *_PORTS])),
                    target=target,
                    target_port=draw(st.sampled_from(["after", "after", "items", source])),
                    condition=draw(st.sampled_from([None, None, None, "verdict"])),
                )
            )
    joins = st.sampled_from(["all", "all", "any"]) | st.integers(1, 3).map(JoinCount)
    shuffled = draw(st.permutations(names))
    return Graph(
        workflow=Workflow(
            nodes=tuple(Node(id=name, type="python", join=draw(joins)) for name in shuffled), edges=tuple(made)
        ),
        ports={
            name: NodePorts(
                inputs=(
                    InputPort("items", many=True, required=draw(st.booleans())),
                    *(InputPort(other, required=draw(st.booleans())) for other in names),
                )
            )
            for name in names
        },
        script={
            name: Outcome(
                does=draw(st.sampled_from(_DOES)),
                ports=draw(st.sampled_from([None, (), ("yes",), ("no",), ("yes", "no")])),
                true_edges=frozenset(each.id for each in made if each.source == name and draw(st.booleans())),
            )
            for name in names
        },
    )
