from __future__ import annotations

import functools
import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from flownb.model import document
from flownb.model.fingerprint import definition_hash, digest, digest_of, function_hash
from flownb.model.source import source_of
from flownb.model.workflow import Edge, Node, RetryPolicy, Settings, Variable, Workflow

if TYPE_CHECKING:
    from collections.abc import Callable

BASE = Workflow(
    name="invoices",
    nodes=(
        Node(id="load", type="python", config={"function": "abc", "source": "def load(): ..."}),
        Node(id="wait", type="control.delay", config={"seconds": 5}),
    ),
    edges=(Edge(source="load", target="wait", target_port="after"),),
    variables=(Variable(name="path", default="a.csv", description="where"),),
)


def changed(**fields: Any) -> Workflow:
    return msgspec.structs.replace(BASE, **fields)


def with_node(**fields: Any) -> Workflow:
    return changed(nodes=(msgspec.structs.replace(BASE.nodes[0], **fields), BASE.nodes[1]))


SAME = {
    "name": changed(name="other"),
    "description": changed(description="what it is for"),
    "tags and owner": changed(tags=("a",), owner="me", version=7),
    "positions": changed(positions={"load": (1.0, 2.0)}),
    "order of nodes": changed(nodes=BASE.nodes[::-1]),
    "an edge twice": changed(edges=BASE.edges * 2),
    "name of a node": with_node(name="Load the data"),
    "notes of a node": with_node(notes="see the wiki"),
    "pinned output": with_node(pinned={"rows": 3}),
    "text of a function": with_node(config={"function": "abc", "source": "def load():  # now with a comment"}),
    "description of a variable": changed(variables=(Variable(name="path", default="a.csv", description="elsewhere"),)),
    "an explicit default": with_node(join="xall"[1:], type_version=int("1")),
}
OTHER = {
    "type": with_node(type="control.start"),
    "type version": with_node(type_version=2),
    "config": with_node(config={"function": "abd"}),
    "retry": with_node(retry=RetryPolicy()),
    "timeout": with_node(timeout=3),
    "default of a variable": changed(variables=(Variable(name="path", default="b.csv"),)),
    "edge": changed(edges=()),
    "condition of an edge": changed(edges=(msgspec.structs.replace(BASE.edges[0], condition="load > 3"),)),
    "settings": changed(settings=Settings(concurrency=2)),
    "one node less": changed(nodes=BASE.nodes[:1]),
}


@pytest.mark.parametrize("what", SAME)
def test_what_only_people_read_makes_no_other_definition(what: str) -> None:
    assert definition_hash(SAME[what]) == definition_hash(BASE)


@pytest.mark.parametrize("what", OTHER)
def test_what_a_workflow_does_makes_another_definition(what: str) -> None:
    assert definition_hash(OTHER[what]) != definition_hash(BASE)


def test_the_source_of_a_file_node_is_no_text_of_a_function() -> None:
    one, two = (with_node(type="files.read", config={"source": name}) for name in ("a.csv", "b.csv"))
    assert definition_hash(one) != definition_hash(two)


def test_a_document_that_was_written_and_read_is_the_same_definition() -> None:
    for workflow in (BASE, *SAME.values(), *OTHER.values()):
        again = document.from_json(document.encode(workflow))
        assert definition_hash(again) == definition_hash(workflow)


def test_a_number_is_the_same_with_and_without_a_decimal_point() -> None:
    # JavaScript writes 5.0 as 5, so a canvas that saves what it has loaded must change nothing.
    whole, real = (with_node(timeout=number, config={"seconds": number, "deep": [number]}) for number in (5, 5.0))
    assert definition_hash(whole) == definition_hash(real)


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest_of({"a": 1, "b": {"c": 2, "d": 3}}) == digest_of({"b": {"d": 3, "c": 2}, "a": 1})
    assert len(digest(b"")) == 32


# --- functions --------------------------------------------------------------------------------------------------------


def plain(a: int, b: int = 2) -> int:
    return a + b


def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        return function(*args)

    return wrapper


def same_code() -> Callable[..., Any]:
    @decorate
    def plain(a: int, b: int = 2) -> int:
        """What it is for."""
        # why it is so

        return (
            a + b  # the sum
        )

    return plain


def test_comments_docstrings_decorators_and_layout_do_not_count() -> None:
    assert function_hash(same_code()) == function_hash(plain)


def made(text: str, name: str = "f") -> Callable[..., Any]:
    """A function without source, as a `%%node` cell of another front end may make it."""
    space: dict[str, Any] = {}
    exec(compile(textwrap.dedent(text), "<made>", "exec"), space)
    function: Callable[..., Any] = space[name]
    assert source_of(function) == ""
    return function


def test_the_code_counts() -> None:
    def one(a: int) -> int:
        return a + 1

    def two(a: int) -> int:
        return a + 2

    assert function_hash(one) != function_hash(two)


def test_a_function_without_source_counts_by_what_it_does() -> None:
    base = function_hash(made("def f(a):\n    return a + 1"))
    assert function_hash(made("\n\n# moved\ndef f(a):\n    'documented'\n    return a + 1  # a comment")) == base
    assert function_hash(made("def f(a):\n    return a + 2")) != base
    assert function_hash(made("def f(a):\n    return b + 1")) != base
    assert function_hash(made("async def f(a):\n    return a + 1")) != base
    assert function_hash(made("def f(*a):\n    return a + 1")) != base


def test_inner_functions_without_source_count_too() -> None:
    text = "def f(a):\n    def g(b):\n        return b * {}\n    return g(a)"
    assert function_hash(made(text.format(2))) != function_hash(made(text.format(3)))
    assert function_hash(made(text.format(2))) == function_hash(made(text.format(2)))


def test_lambdas_count_by_what_they_do_wherever_they_stand() -> None:
    both = {"one": lambda a: a + 1, "two": lambda a: a + 2}
    assert function_hash(both["one"]) != function_hash(both["two"])
    assert function_hash(both["one"]) == function_hash(lambda a: a + 1)


def test_the_hash_is_the_same_in_every_process() -> None:
    # The order of a set of texts differs from process to process.
    code = (
        "from flownb.model.fingerprint import function_hash\n"
        "space = {}\n"
        'exec(\'def f(a):\\n    return a in {"x", "y", "z", "w"}\', space)\n'
        "print(function_hash(space['f']))"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in (1, 2, 3)
    }
    assert len(hashes) == 1


def test_default_values_count_by_value() -> None:
    def make(limit: Any) -> Callable[..., Any]:
        def f(a: int, b: Any = limit) -> Any:
            return a, b

        return f

    assert function_hash(make(3)) == function_hash(make(3))
    assert function_hash(make(3)) != function_hash(make(4))
    assert function_hash(make("3")) != function_hash(make(3))
    assert function_hash(made("def f(a, b=1): pass")) != function_hash(made("def f(a, b=2): pass"))
    assert function_hash(made("def f(*, b=1): pass")) != function_hash(made("def f(*, b=2): pass"))


def test_enclosed_values_count_where_they_are_plain() -> None:
    def make(factor: Any) -> Callable[..., Any]:
        def f(a: Any) -> Any:
            return a * factor

        return f

    assert function_hash(make(2)) == function_hash(make(2))
    assert function_hash(make(2)) != function_hash(make(3))
    assert function_hash(make((1, ("a", 2)))) != function_hash(make((1, ("a", 3))))
    # What may be filled while the program runs says nothing of the code: else a resumption would be refused.
    assert function_hash(make([1, {"a": 2}])) == function_hash(make([]))
    assert function_hash(make([])) != function_hash(make({}))
    assert function_hash(make(lambda: 1)) != function_hash(make(lambda: 2))
    # An object has no value that could be compared from process to process: its type counts.
    assert function_hash(make(object())) == function_hash(make(object()))
    assert function_hash(make(object())) != function_hash(make(Exception()))


def test_what_a_function_finds_in_its_module_does_not_count() -> None:
    one, two = made("x = 1\ndef f():\n    return x"), made("x = 2\ndef f():\n    return x")
    assert function_hash(one) == function_hash(two)


def test_circles_end() -> None:
    def make() -> Callable[..., Any]:
        def f(n: int) -> Any:
            return f(n - 1) if n else circle

        circle: list[Any] = []
        circle.append(circle)
        return f

    assert function_hash(make()) == function_hash(make())


class Scale:
    def __init__(self, factor: int) -> None:
        self.factor = factor

    def __call__(self, a: int) -> int:
        return a * self.factor

    def method(self, a: int) -> int:
        return a + self.factor


def test_other_callables_have_a_hash_too() -> None:
    partials = [functools.partial(plain, 1), functools.partial(plain, 2), functools.partial(plain, 1, b=2)]
    others: list[Callable[..., Any]] = [plain, len, sorted, Scale, Scale(1), Scale(1).method, *partials]
    assert len({function_hash(each) for each in others}) == len(others)
    assert function_hash(Scale(1).method) == function_hash(Scale(2).method)
    assert function_hash(functools.partial(plain, 1)) == function_hash(functools.partial(plain, 1))
