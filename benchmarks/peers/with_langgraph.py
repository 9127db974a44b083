"""LangGraph: a StateGraph of async nodes; durable by the async SQLite checkpointer, which saves each superstep."""

from __future__ import annotations

import asyncio
import itertools
import operator
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

from benchmarks.peers.case import Case, total

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Value(TypedDict):
    value: int


class Sum(TypedDict):
    value: int
    total: Annotated[int, operator.add]


def _chain(count: int) -> StateGraph:
    async def first(_state: Value) -> dict[str, int]:
        return {"value": 0}

    async def step(state: Value) -> dict[str, int]:
        return {"value": state["value"] + 1}

    graph = StateGraph(Value)
    for number in range(count):
        graph.add_node(f"n{number}", step if number else first)
        graph.add_edge(f"n{number - 1}" if number else START, f"n{number}")
    graph.add_edge(f"n{count - 1}", END)
    return graph


def _fan(count: int) -> StateGraph:
    async def root(_state: Sum) -> dict[str, int]:
        return {"value": 1}

    async def leaf(state: Sum) -> dict[str, int]:
        await asyncio.sleep(0)
        return {"total": state["value"]}

    graph = StateGraph(Sum)
    graph.add_node("root", root)
    graph.add_edge(START, "root")
    for number in range(count - 1):
        graph.add_node(f"leaf{number}", leaf)
        graph.add_edge("root", f"leaf{number}")
    return graph


def _in_memory(make: Callable[[int], StateGraph], key: str) -> Callable[[int, Path], Callable[[], Any]]:
    def prepare(count: int, place: Path) -> Callable[[], Any]:
        del place
        app = make(count).compile()
        config: Any = {"recursion_limit": count + 10}
        return lambda: asyncio.run(app.ainvoke({}, config))[key]

    return prepare


def _durable(make: Callable[[int], StateGraph], key: str) -> Callable[[int, Path], Callable[[], Any]]:
    def prepare(count: int, place: Path) -> Callable[[], Any]:
        graph, threads = make(count), itertools.count()

        async def run() -> Any:
            async with AsyncSqliteSaver.from_conn_string(str(place)) as saver:
                app = graph.compile(checkpointer=saver)
                config: Any = {"recursion_limit": count + 10, "configurable": {"thread_id": str(next(threads))}}
                return (await app.ainvoke({}, config, durability="sync"))[key]

        return lambda: asyncio.run(run())

    return prepare


CASES = (
    Case("chain", _in_memory(_chain, "value")),
    Case("fan-out", _in_memory(_fan, "total"), total),
    Case("chain", _durable(_chain, "value"), durable=True),
    Case("fan-out", _durable(_fan, "total"), total, durable=True),
)


class Pauses:
    """Each run is a thread with its checkpoints; the question is an `interrupt`, the answer a `Command`."""

    again = True

    def __init__(self, place: Path) -> None:
        self._place = place

    def pause(self, count: int, name: str = "r") -> None:
        """Bring so many runs to their question."""
        asyncio.run(self._all(count, name, {}))

    def resume(self, count: int, name: str = "r") -> int:
        """Answer all of them; how many came to the right end."""
        ended = asyncio.run(self._all(count, name, Command(resume=True)))
        return sum(each["value"] == 3 for each in ended)

    def close(self) -> None:
        """Nothing is open between two calls."""

    async def _all(self, count: int, name: str, given: Any) -> list[Any]:
        async with AsyncSqliteSaver.from_conn_string(str(self._place)) as saver:
            app = _asking().compile(checkpointer=saver)
            configs: list[Any] = [{"configurable": {"thread_id": f"{name}{number}"}} for number in range(count)]
            return await asyncio.gather(*(app.ainvoke(given, config, durability="sync") for config in configs))


def _asking() -> StateGraph:
    async def first(_state: Value) -> dict[str, int]:
        return {"value": 0}

    async def step(state: Value) -> dict[str, int]:
        return {"value": state["value"] + 1}

    async def ask(state: Value) -> dict[str, int]:
        interrupt(f"Go on with {state['value']}?")
        return {}

    graph = StateGraph(Value)
    for name, node, before in (
        ("n0", first, START), ("n1", step, "n0"), ("n2", ask, "n1"), ("n3", step, "n2"), ("n4", step, "n3"),
    ):  # fmt: skip
        graph.add_node(name, node)
        graph.add_edge(before, name)
    graph.add_edge("n4", END)
    return graph
