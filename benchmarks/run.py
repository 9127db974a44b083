"""What flownb costs, as ratios in one run: beside plain asyncio, raw SQLite, bare Python, papermill, and its peers.

    make bench [SIZE=quick|full] [PEERS=1] [JSON=FILE]
    python -m benchmarks.run [--quick | --full] [--only GROUP]… [--json FILE]

Machines are noisy: trust the ratios. Ours and theirs take turns, the figure is the median of the rounds, and every
result is checked for the right answer. The JSON is `{"format": 1, "at", "flownb", "size", "machine", "rows": [{"group",
"what", "who", "unit", "value", "beside", "baseline", "ratio", "aim", "aim_of", "held", "note"}]}`: seconds, bytes or
counts; `value` is null where there is no figure, and `note` says why.
"""

from __future__ import annotations

import argparse
import importlib
import warnings
from dataclasses import replace
from pathlib import Path

from benchmarks import measure, table

#: In the order of the table; each is a module with `GROUP` and `rows(size)`.
GROUPS = (
    "starts", "nodes", "control", "expressions", "durable", "many", "people", "beside", "headless", "browser", "peers",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, write."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    size = options.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="graphs of at most 1,000 nodes; a few minutes")
    size.add_argument("--full", action="store_true", help="graphs of 100,000 nodes as well; half an hour")
    size.add_argument("--smoke", action="store_true", help="whether it works at all; seconds, and no figures to trust")
    options.add_argument("--only", action="append", choices=GROUPS, metavar="GROUP", help=f"one of {', '.join(GROUPS)}")
    options.add_argument("--json", metavar="FILE", help="write everything there")
    given = options.parse_args(arguments)
    warnings.simplefilter("ignore", ResourceWarning)
    chosen = measure.USUAL
    for name in ("quick", "full", "smoke"):
        if getattr(given, name):
            chosen = getattr(measure, name.upper())
    rows = []
    print(table.head())
    for group in given.only or GROUPS:
        for measured in importlib.import_module(f"benchmarks.{group}").rows(chosen):
            row = replace(measured, aim=None) if given.smoke else measured
            print(table.line(row), flush=True)
            rows.append(row)
    if given.json:
        Path(given.json).write_text(table.written(rows, chosen), encoding="utf-8")


if __name__ == "__main__":
    main()
