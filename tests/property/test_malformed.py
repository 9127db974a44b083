"""Thousands of broken documents: each gets a verdict with places, soon, and nothing is ever raised."""

from __future__ import annotations

import itertools
import json
import os
import random
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from flownb.graph.dialects import read
from flownb.model.document import decode, encode
from flownb.model.problem import Problem, Severity
from flownb.model.workflow import Edge, Node, Variable, Workflow
from tests.property.mutate import Mutator
from tests.unit.graph.dialects.samples import ALL
from tests.unit.model.samples import FULL

if TYPE_CHECKING:
    from collections.abc import Callable

    Reader = Callable[[Any], tuple[Workflow | None, list[Problem]]]

_NAMES = [f"n{number}" for number in range(40)]
BIG = Workflow(
    name="big",
    nodes=tuple(
        Node(id=name, type="python", config={"text": "{{ x }}", "list": [1, [2, {"a": 3}]]}) for name in _NAMES
    ),
    edges=tuple(Edge(source=a, target=b, target_port=a) for a, b in itertools.pairwise(_NAMES)),
    variables=(Variable(name="x", default=1),),
    positions={name: (number * 10.5, 0) for number, name in enumerate(_NAMES)},
)
SMALL = Workflow(
    nodes=(Node(id="a", type="python"), Node(id="b", type="python")), edges=(Edge(source="a", target="b"),)
)
ORIGINALS: list[dict[str, Any]] = [json.loads(encode(each)) for each in (FULL, FULL, BIG, SMALL)]

#: Of processor time of this thread, so that a busy machine is no fault, and what earlier tests left behind is none.
MOST_SECONDS = 1.0


def seed_of_this_run() -> int:
    """A new seed each time, printed; FLOWNB_SEED brings one back."""
    seed = int(os.environ.get("FLOWNB_SEED", random.SystemRandom().randrange(10**6)))
    print(f"FLOWNB_SEED={seed}")
    return seed


def judge(document: Any, reader: Reader = decode) -> list[Problem]:
    """The errors of a document, after checking everything that is promised of a verdict."""
    took = MOST_SECONDS
    for _ in range(2):  # a collection of all that earlier tests left may fall into one
        before = time.thread_time()
        workflow, problems = reader(document)
        took = time.thread_time() - before
        if took < MOST_SECONDS:
            break
    assert took < MOST_SECONDS, f"it took {took:.2f} s"
    errors = [each for each in problems if each.severity is Severity.ERROR]
    assert (workflow is None) == bool(errors)
    for problem in problems:
        assert problem.place, problem
        assert problem.message, problem
        line = str(problem)
        assert len(line) < 20_000
        assert "\n" not in line
        line.encode()
    if workflow is not None:
        assert decode(encode(workflow)) == (workflow, [])
    return errors


def try_many(count: int, originals: list[dict[str, Any]], reader: Reader) -> Counter[str]:
    """Judge so many broken documents; returns how many had an error of each code, and of any under `broken`."""
    seed = seed_of_this_run()
    mutator = Mutator(random.Random(seed), originals)
    codes: Counter[str] = Counter()
    for number in range(count):
        document = mutator.next()
        try:
            errors = judge(document, reader)
        except Exception as error:
            raise AssertionError(f"document {number} of FLOWNB_SEED={seed}: {error!r}\n{document!r:.2000}") from error
        codes["broken"] += bool(errors)
        codes.update({each.code for each in errors})
    print(f"{count} documents: {dict(codes.most_common())}")
    return codes


def check_ours(count: int) -> None:
    codes = try_many(count, ORIGINALS, decode)
    assert codes["broken"] > count * 0.8
    wanted = {
        *("syntax", "encoding", "too_deep", "too_large", "duplicate_key", "duplicate_id", "unknown_field"),
        *("missing_field", "wrong_type", "unknown_value", "bad_name", "not_finite", "big_integer", "out_of_range"),
        "format",
    }
    assert wanted <= set(codes), f"never met: {wanted - set(codes)}"


def check_theirs(count: int) -> None:
    codes = try_many(count, [*ALL.values()], read)
    assert count * 0.4 < codes["broken"] < count
    wanted = {"syntax", "encoding", "too_deep", "duplicate_key", "wrong_type", "not_finite", "big_integer"}
    assert wanted <= set(codes), f"never met: {wanted - set(codes)}"


def test_broken_documents_get_a_verdict() -> None:
    check_ours(5_000)


def test_broken_documents_of_other_forms_get_a_verdict() -> None:
    check_theirs(2_000)


@pytest.mark.soak
def test_very_many_broken_documents_get_a_verdict() -> None:
    check_ours(50_000)


@pytest.mark.soak
def test_very_many_broken_documents_of_other_forms_get_a_verdict() -> None:
    check_theirs(20_000)


def big(**of_each: Any) -> dict[str, Any]:
    return {"format": 1, "nodes": [{"id": f"n{number}", "type": "t", **of_each} for number in range(10_000)]}


BIG_AND_BROKEN = {
    "an unknown field in each node": big(timout=1),
    "one id for all": big(id="a"),
    "a name that is none in each": big(id="Load the data (2)"),
    "an unknown word in each": big(on_error="retry or not"),
    "nothing right at all": {**big(), "nodes": [0] * 99_999, "edges": [1] * 99_999, "positions": {"a": {}}},
}


@pytest.mark.parametrize("what", BIG_AND_BROKEN)
def test_a_big_broken_document_is_judged_within_a_second(what: str) -> None:
    assert len(judge(BIG_AND_BROKEN[what])) == 500
    judge(json.dumps(BIG_AND_BROKEN[what]))
