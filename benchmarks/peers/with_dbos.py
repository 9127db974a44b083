"""DBOS: an async workflow whose steps are recorded in SQLite; it has no way of working in memory alone."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from dbos import DBOS

from benchmarks.peers.case import Case, total

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@DBOS.step()
async def first() -> int:
    return 0


@DBOS.step()
async def step(before: int) -> int:
    return before + 1


@DBOS.step()
async def root() -> int:
    return 1


@DBOS.step()
async def leaf(value: int) -> int:
    await asyncio.sleep(0)
    return value


@DBOS.workflow()
async def chain(count: int) -> int:
    value = await first()
    for _ in range(count - 1):
        value = await step(value)
    return value


@DBOS.workflow()
async def fan(count: int) -> int:
    value = await root()
    return sum(await asyncio.gather(*(leaf(value) for _ in range(count - 1))))


_launched: list[Path] = []


def _prepared(workflow: Any) -> Callable[[int, Path], Callable[[], Any]]:
    def prepare(count: int, place: Path) -> Callable[[], Any]:
        if not _launched:  # one a process
            _launched.append(place)
            logging.getLogger("dbos").setLevel(logging.ERROR)
            DBOS(config={"name": "bench", "system_database_url": f"sqlite:///{place}", "run_admin_server": False})
            DBOS.launch()
        return lambda: asyncio.run(workflow(count))

    return prepare


CASES = (
    Case("chain", never="keeps everything; it has no run in memory"),
    Case("chain", _prepared(chain), durable=True),
    Case("fan-out", _prepared(fan), total, durable=True),
)
