"""One library for expressions in a process, taking turns with ours: a line of JSON for each text.

python -m benchmarks.peers.expressions jinja2
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from benchmarks.expressions import ANSWERS, ASKED, DATA, TEST, VALUE, in_turns, ours
from benchmarks.measure import check

if TYPE_CHECKING:
    from collections.abc import Callable

_TIMES = 5_000
_ROUNDS = 5


def with_jinja2(text: str) -> Callable[[], Any]:
    """As its documentation shows for untrusted templates; a lone value so that it keeps its type."""
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment()
    if text in (TEST, VALUE):
        compiled = environment.compile_expression(text.strip("{} "))
        return lambda: compiled(**DATA)
    template = environment.from_string(text)
    return lambda: template.render(**DATA)


def with_simpleeval(text: str) -> Callable[[], Any]:
    """With the tree parsed once, as its documentation advises for what is evaluated often."""
    from simpleeval import EvalWithCompoundTypes

    if text not in (TEST, VALUE):
        raise NotImplementedError
    bare = text.strip("{} ")
    evaluator = EvalWithCompoundTypes(names=DATA)
    tree = evaluator.parse(bare)
    return lambda: evaluator.eval(bare, previously_parsed=tree)


def main() -> None:
    """Measure one."""
    make = {"jinja2": with_jinja2, "simpleeval": with_simpleeval}[sys.argv[1]]
    for text, _ in ASKED:
        try:
            theirs = make(text)
        except NotImplementedError:
            continue
        check(theirs(), ANSWERS[text])
        value, baseline = in_turns(theirs, ours(text), _TIMES, _ROUNDS)
        print(json.dumps({"what": text, "value": value, "baseline": baseline}), flush=True)


if __name__ == "__main__":
    main()
