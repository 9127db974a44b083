"""Hamilton: async functions whose parameters name other functions; what lasts is the cache of its plain driver."""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import sys
from typing import TYPE_CHECKING, Any

from hamilton import async_driver, driver

from benchmarks import graphs
from benchmarks.peers.case import Case

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

_BODIES = {
    "chain": "return {first} + 1",
    "fan-out": "return {first}",
    "layered DAG": f"return ({{sum}} + 1) % {graphs.MODULUS}",
}
_FIRST = {"chain": "0", "fan-out": "1", "layered DAG": "1"}
_numbers = itertools.count()


def _module(graph: graphs.Graph, folder: Path, *, awaits: bool) -> ModuleType:
    """A module of functions in a file: Hamilton reads their text to tell their versions."""
    lines = ["import asyncio"]
    for name, needs in graph.edges.items():
        parameters = ", ".join(f"{need}: int" for need in needs)
        body = _BODIES[graph.shape].format(first=needs[0] if needs else "", sum=" + ".join(needs))
        lines.append(f"{'async ' if awaits else ''}def {name}({parameters}) -> int:")
        lines += ["    await asyncio.sleep(0)"] if awaits and graph.suspends and needs else []
        lines.append(f"    {body}" if needs else f"    return {_FIRST[graph.shape]}")
    path = folder / f"made{next(_numbers)}.py"
    path.write_text("\n".join(lines) + "\n")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _last(graph: graphs.Graph, values: dict[str, int]) -> dict[str, int]:
    return graph.answer(values)


def _in_memory(shape: Callable[[int], graphs.Graph]) -> Callable[[int, Path], Callable[[], Any]]:
    def prepare(count: int, place: Path) -> Callable[[], Any]:
        graph = shape(count)
        module = _module(graph, place.parent, awaits=True)
        wanted = list(graph.answer(dict.fromkeys(graph.edges, 0)))
        built = asyncio.run(async_driver.Builder().with_modules(module).build())
        return lambda: asyncio.run(built.execute(wanted))

    return prepare


def _cached(shape: Callable[[int], graphs.Graph]) -> Callable[[int, Path], Callable[[], Any]]:
    def prepare(count: int, place: Path) -> Callable[[], Any]:
        graph = shape(count)
        module = _module(graph, place.parent, awaits=False)
        wanted = list(graph.answer(dict.fromkeys(graph.edges, 0)))

        def run() -> Any:  # a new folder each time, so that nothing is found in it
            built = driver.Builder().with_modules(module).with_cache(path=f"{place}{next(_numbers)}").build()
            return built.execute(wanted)

        return run

    return prepare


CASES = (
    *(Case(shape(2).shape, _in_memory(shape), _last) for shape in graphs.SHAPES),
    *(Case(shape(2).shape, _cached(shape), _last, durable=True) for shape in (graphs.chain, graphs.fan)),
)
