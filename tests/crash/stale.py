"""A run of six nodes in one process; the crash tests stop it past its lease, and let another process take the run.

    python stale.py KEY EFFECTS

The store is `FLOWNB_STORE`, the lease `FLOWNB_LEASE_SECONDS`. Prints READY, then
`RESULT <json>` or `REFUSED <sentence>`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import Any

from flownb import Flow
from flownb.errors import Fenced

NAP = 0.03


def effect(path: str, ctx: Any) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, f"{os.getpid()} {ctx.path} {ctx.idempotency_key}\n".encode())
    os.close(handle)


def flow_of(effects: str) -> Flow:
    flow = Flow("stale")

    async def first(ctx: Any) -> int:
        await asyncio.sleep(NAP)
        effect(effects, ctx)
        return 1

    async def step(before: int, ctx: Any) -> int:
        await asyncio.sleep(NAP)
        effect(effects, ctx)
        return before * 2 + 1

    def slow_step(before: int, ctx: Any) -> int:
        time.sleep(NAP)
        effect(effects, ctx)
        return before * 3 + 1

    flow.node(first, id="n0")
    for number in range(1, 6):
        flow.node(slow_step if number % 2 else step, id=f"n{number}", inputs={"before": f"n{number - 1}"})
    return flow


def main() -> None:
    key, effects = sys.argv[1:3]
    run = flow_of(effects).run(key=key, display=False)
    print("READY", run.id, flush=True)
    try:
        print("RESULT", json.dumps(run.result(60)), flush=True)
    except Fenced as error:
        print("REFUSED", error, flush=True)
        print("STATUS", run.status, run["n5"].status, flush=True)


if __name__ == "__main__":
    main()
