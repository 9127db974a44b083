"""What a start is given: inputs, keys, stores, where to stop; what is wrong says so, and leaves nothing behind."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

import flownb
from flownb import Flow
from flownb.errors import InvalidInput, NotFound, UsageError


def doubling() -> Flow:
    flow = Flow("doubling")

    @flow.node
    def read(n: int = 3) -> int:
        return n

    @flow.node
    def double(read: int) -> int:
        return read * 2

    return flow


@pytest.mark.parametrize("inputs", [[1, 2], "n", 5, {("n", 1)}])
def test_inputs_that_are_no_mapping_are_refused_in_a_sentence(inputs: Any) -> None:
    with pytest.raises(InvalidInput, match="by name"):
        doubling().run(inputs, store="memory:")


def test_an_input_whose_name_is_no_text_is_unknown() -> None:
    with pytest.raises(InvalidInput, match="has no input 1"):
        doubling().run({1: 2}, store="memory:")  # type: ignore[dict-item]  # the mistake is the test


def test_the_error_names_the_input_that_is_wrong() -> None:
    with pytest.raises(InvalidInput) as caught:
        doubling().run(store="memory:", n=1, m=2)
    assert caught.value.fields["name"] == "m"


@pytest.mark.parametrize(
    ("hint", "value", "expected"),
    [(int, "four", "a number"), (float, [1.0], "a number"), (bool, "no", "True or False"), (list, 3, "a list"),
     (dict, "{}", "a dict")],
)  # fmt: skip
def test_plain_data_of_a_clearly_wrong_type_is_refused(hint: type, value: Any, expected: str) -> None:
    def read(n: Any) -> Any:
        return n

    read.__annotations__["n"] = hint
    flow = Flow("typed")
    flow.node(read)
    with pytest.raises(InvalidInput, match=f"'n' is .*; it must be {expected}"):
        flow.run(store="memory:", n=value)


@pytest.mark.parametrize(("hint", "value"), [(float, 1), (int, True), (str, Path("a")), (list, (1, 2)), (int, None)])
def test_hints_are_taken_as_hints(hint: type, value: Any) -> None:
    def read(n: Any) -> Any:
        return n

    read.__annotations__["n"] = hint
    flow = Flow("typed")
    flow.node(read)
    assert flow.run(store="memory:", n=value).result() == {"read": value}


def test_a_start_that_is_refused_leaves_no_run_and_uses_up_no_key(own_store: str) -> None:
    flow = doubling()
    with pytest.raises(InvalidInput, match="Did you mean 'double'"):
        flow.run(key="once", until="duoble")
    assert len(flownb.runs(own_store)) == 0
    assert flow.run(key="once").result() == {"double": 6}


def test_until_takes_a_node_as_well_as_its_id() -> None:
    flow = Flow("two")

    @flow.node
    def one() -> int:
        return 1

    @flow.node
    def two(one: int) -> int:
        return one + 1

    run = flow.run(store="memory:", until=one)
    run.result()
    assert run["one"].output == 1
    assert run["two"].why == "not needed: the run is until one"


def test_a_key_is_text() -> None:
    with pytest.raises(InvalidInput, match="key of a run is text, not 3"):
        doubling().run(store="memory:", key=3)  # type: ignore[arg-type]  # the mistake is the test


def test_a_store_is_given_as_a_path_too(tmp_path: Path) -> None:
    place = tmp_path / "own.db"
    run = doubling().run(store=place)
    assert run.result() == {"double": 6}
    assert flownb.attach(run.id, store=place).outputs == {"double": 6}
    assert [row.id for row in flownb.runs(store=place)] == [run.id]


@pytest.mark.parametrize("store", [3, object(), ["memory:"]])
def test_what_is_no_store_is_refused_in_a_sentence(store: Any) -> None:
    for use in (lambda: doubling().run(store=store), lambda: flownb.runs(store), lambda: flownb.attach("x", store)):
        with pytest.raises(UsageError, match="is no store"):
            use()


def test_a_run_id_that_is_no_text_is_not_found() -> None:
    with pytest.raises(NotFound, match="There is no run None"):
        flownb.attach(None, store="memory:")  # type: ignore[arg-type]  # the mistake is the test


def test_an_input_without_a_stored_form_reaches_the_nodes_of_this_process(own_store: str) -> None:
    lock = threading.Lock()
    flow = Flow("locked")
    seen = []

    @flow.node
    def take(given: Any, default: Any = lock) -> None:
        seen.extend([given, default])

    run = flow.run(store=own_store, given=lock)
    run.result()
    assert seen == [lock, lock]
    assert run["take"].inputs == {"given": lock, "default": lock}


def test_what_a_node_was_given_holds_the_inputs_of_the_run() -> None:
    run = doubling().run(store="memory:", n=4)
    run.result()
    assert run["read"].inputs == {"n": 4}
    assert run["double"].inputs == {"read": 4}
    assert flownb.attach(run.id, store="memory:")["read"].inputs == {"n": 4}


def test_functions_that_differ_in_a_default_have_their_own_until_a_run_gives_the_input() -> None:
    flow = Flow("loop")
    for i in range(3):
        flow.node(lambda i=i: i, id=f"n{i}")
    assert flow.run(store="memory:").result() == {"n0": 0, "n1": 1, "n2": 2}
    assert flow.run(store="memory:", i=7).result() == {"n0": 7, "n1": 7, "n2": 7}


def test_a_variable_has_a_name_and_a_stored_form() -> None:
    run = doubling().run(store="memory:")
    with pytest.raises(InvalidInput, match="name of a variable is text, not 3"):
        run.set(3, 1)  # type: ignore[arg-type]  # the mistake is the test
    with pytest.raises(InvalidInput, match="can't be a lock"):
        run.set("x", threading.Lock())
    run.result()
