"""Burr: a state machine of async actions; durable by its persister on SQLite, which saves the state after each."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

from burr.core import ApplicationBuilder, State, action
from burr.integrations.persisters.b_aiosqlite import AsyncSQLitePersister

from benchmarks.peers.case import Case

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_numbers = itertools.count()


@action(reads=[], writes=["value"])
async def first(state: State) -> State:
    return state.update(value=0)


@action(reads=["value"], writes=["value"])
async def step(state: State) -> State:
    return state.update(value=state["value"] + 1)


def _builder(count: int) -> ApplicationBuilder[Any]:
    names = [f"n{number}" for number in range(count)]
    return (
        ApplicationBuilder()
        .with_actions(**{name: step if number else first for number, name in enumerate(names)})
        .with_transitions(*itertools.pairwise(names))
        .with_entrypoint("n0")
    )


def _in_memory(count: int, place: Path) -> Callable[[], Any]:
    del place

    async def run() -> Any:
        _, _, state = await (await _builder(count).abuild()).arun(halt_after=[f"n{count - 1}"])
        return state["value"]

    return lambda: asyncio.run(run())


def _durable(count: int, place: Path) -> Callable[[], Any]:
    async def run() -> Any:
        persister = await AsyncSQLitePersister.from_values(db_path=str(place))
        await persister.initialize()
        try:
            builder = _builder(count).with_state_persister(persister).with_identifiers(app_id=f"app{next(_numbers)}")
            _, _, state = await (await builder.abuild()).arun(halt_after=[f"n{count - 1}"])
            return state["value"]
        finally:
            await persister.cleanup()

    return lambda: asyncio.run(run())


CASES = (
    Case("chain", _in_memory),
    Case("fan-out", never="one action at a time; what runs beside it is an application of its own"),
    Case("chain", _durable, durable=True),
)
