"""What a compiled expression costs, beside Python's own closure over the same data; and beside libraries for it.

The libraries live in the environment of the peers (`make bench PEERS=1`); there each takes turns with ours in one
process. Of Jinja2 it is the sandbox: what a document may contain must not run code.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Row, Size, check
from benchmarks.peers import ROOT
from flownb.expr import compile_condition, compile_template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GROUP = "expressions"
DATA: dict[str, Any] = {"order": {"total": 1250.5, "lines": 3}, "customer": {"tier": "gold", "name": "Ada"}}
VALUE = "{{ order.total }}"
TEST = 'order.total > 1000 and customer.tier == "gold"'
TEXT = "{{ customer.name }} owes {{ order.total }} EUR"
#: How people call it, and the most that it may take, in seconds.
ASKED = ((VALUE, 1e-6), (TEST, 2e-6), (TEXT, None))
ANSWERS: dict[str, Any] = {VALUE: 1250.5, TEST: True, TEXT: "Ada owes 1250.5 EUR"}
LIBRARIES = (("jinja2", "Jinja2, sandbox"), ("simpleeval", "simpleeval"))
_TIMES = 20_000


def ours(text: str) -> Callable[[], Any]:
    """One of the texts, compiled; called, it is evaluated."""
    compiled = compile_condition(text) if text == TEST else compile_template(text)
    return lambda: compiled.evaluate(DATA)


def python(text: str) -> Callable[[], Any]:
    """What Python does for the same, without any guard."""
    if text == VALUE:
        return lambda: DATA["order"]["total"]
    if text == TEST:
        return lambda: DATA["order"]["total"] > 1000 and DATA["customer"]["tier"] == "gold"
    return lambda: f"{DATA['customer']['name']} owes {DATA['order']['total']} EUR"


def often(work: Callable[[], Any], times: int = _TIMES) -> float:
    """Seconds of the processor for one time, out of so many: a busy machine distorts them less than the clock's."""
    start = time.thread_time()
    for _ in range(times):
        work()
    return (time.thread_time() - start) / times


def in_turns(ours: Callable[[], Any], theirs: Callable[[], Any], times: int, rounds: int) -> tuple[float, float]:
    """The median of both, which take turns."""
    found = [(often(ours, times), often(theirs, times)) for _ in range(rounds)]
    return median(each[0] for each in found), median(each[1] for each in found)


def rows(size: Size) -> Iterator[Row]:
    """Ours, compiling and evaluating; and the libraries, where they are."""
    times = 200 if size.name == "smoke" else _TIMES
    for text, aim in ASKED:
        evaluate, bare = ours(text), python(text)
        check(evaluate(), ANSWERS[text])
        value, baseline = in_turns(evaluate, bare, times, max(5, size.rounds))
        yield Row(
            GROUP, text, value=value, beside="Python's own", baseline=baseline, aim=aim, aim_of="value",
        )  # fmt: skip
    yield from _libraries(size)


def _libraries(size: Size) -> Iterator[Row]:
    own = ROOT / ".cache" / "peers" / "bin" / "python"
    interpreter = str(own) if own.exists() else sys.executable
    for module, name in LIBRARIES:
        if interpreter == sys.executable and importlib.util.find_spec(module) is None:
            yield Row(GROUP, name, who=name, note="not installed: make bench PEERS=1")
            continue
        command = [interpreter, "-m", "benchmarks.peers.expressions", module]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        try:
            told = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=size.patience
            ).stdout
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            why = str(getattr(error, "stderr", "") or error)[-120:].strip()
            yield Row(GROUP, name, who=name, note=f"failed: {why}")
            continue
        for line in told.splitlines():
            yield Row(GROUP, who=name, beside="flownb", **json.loads(line))
