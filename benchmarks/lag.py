"""How late the engine's loop is while a sync node computes for seconds beside fifty async ones."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING

from benchmarks.measure import Row, Size, check
from flownb import Flow
from flownb.model.events import SystemWarning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.run.handles.handle import Run

GROUP = "beside a sync node"
_NODES = 50
_TICK = 0.02


def rows(size: Size) -> Iterator[Row]:
    """The median and the 99th hundredth of what a sleep of 20 ms takes longer, and the same in peace."""
    seconds = 10.0 if size.rounds > 2 else 4.0 if size.rounds > 1 else 0.5
    quiet, _ = lags(min(seconds, 3.0), computes=False)
    late, run = lags(seconds, computes=True)
    warned = [each.event.node for each in run.events() if isinstance(each.event, SystemWarning)]
    note = f"a warning names {', '.join(map(str, warned))}" if warned else "no warning"
    for share, aim in ((0.5, None), (0.99, 0.05)):
        yield Row(
            GROUP, f"the loop is late, p{100 * share:.0f}", value=_at(late, share), beside="nobody computes",
            baseline=_at(quiet, share), aim=aim, aim_of="value", note=note,
        )  # fmt: skip


def lags(seconds: float, *, computes: bool) -> tuple[list[float], Run]:
    """Seconds that each sleep of fifty async nodes took too long, sorted; and the run."""
    over = threading.Event()
    late: list[float] = []

    def burns() -> int:
        end = time.perf_counter() + seconds
        while computes and time.perf_counter() < end:
            sum(number * number for number in range(1_000))
        over.wait(max(0.0, end - time.perf_counter()))
        over.set()
        return 1

    async def beside() -> None:
        while not over.is_set():
            before = time.perf_counter()
            await asyncio.sleep(_TICK)
            late.append(time.perf_counter() - before - _TICK)

    flow = Flow("lag")
    flow.node(burns)
    for number in range(_NODES):
        flow.node(beside, id=f"beside_{number}")
    run = flow.run(store="memory:", display=False)
    check(run.result()["burns"], 1)
    return sorted(late), run


def _at(values: list[float], share: float) -> float:
    return values[min(len(values) - 1, int(len(values) * share))]
