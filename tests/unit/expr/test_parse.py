from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flownb.expr.parse import Tree
from flownb.expr.refusal import Refusal
from flownb.expr.tokens import Scanner


def tree(text: str) -> Tree:
    return Tree(Scanner(text).scan())


def test_the_parser_sees_placeholders_only() -> None:
    assert ast.unparse(tree("order.total > 1000 and 'x'|upper").root) == "n0.k1 > n3 and n5.p6"


def test_a_pipe_binds_tighter_than_any_operator() -> None:
    assert ast.unparse(tree("a * b|f(1) + c").root) == "n0 * n2.p3(n5) + n8"


def test_nodes_know_their_place_in_the_text() -> None:
    parsed = tree("  aé + [\nbb , 'cc']")
    root = parsed.root
    assert isinstance(root, ast.BinOp)
    assert isinstance(root.right, ast.List)
    assert [parsed.position(each) for each in (root.left, root.right, *root.right.elts)] == [2, 7, 9, 14]


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("", 0, "no expression"),
        ("   ", 0, "no expression"),
        ("a +", 2, "missing after '+'"),
        ("a b", 2, "'b' is not expected"),
        ("a 'x'", 2, "This value is not expected"),
        ("a or or b", 5, "'or' is not expected"),
        ("*a", 0, "'*' is not expected"),
        ("a if b", 0, "needs an `else`"),
        ("f(a b)", 2, "perhaps a comma"),
        ("{a: 1 b: 2}", 4, "perhaps a comma"),
        ("()()..", 4, "A dot"),
        ("[,]", 1, "',' is not expected"),
        ("a[]", 2, "']' is not expected"),
    ],
)
def test_what_is_no_expression_is_refused_with_its_place(text: str, position: int, words: str) -> None:
    with pytest.raises(Refusal) as caught:
        tree(text)
    assert words in caught.value.message
    assert caught.value.position == position


_NAMES = st.sampled_from(["a", "b", "1", "2.5", "'x'", "[a]", "(b)", "len(a)"])
_GRAMMAR = st.recursive(
    _NAMES,
    lambda inner: st.one_of(
        st.tuples(
            inner, st.sampled_from(["+", "*", "-", "/", "==", "<", "in", "not in", "and", "or", "is"]), inner
        ).map(" ".join),
        inner.map(lambda each: f"(not {each})"),
        inner.map(lambda each: f"-({each})"),
        inner.map(lambda each: f"({each})[0]"),
        st.tuples(inner, inner, inner).map(lambda each: f"{each[0]} if ({each[1]}) else {each[2]}"),
    ),
    max_leaves=8,
)


@given(_GRAMMAR)
def test_the_structure_is_pythons_own(text: str) -> None:
    def shape(node: ast.AST) -> object:
        if isinstance(node, ast.Name | ast.Constant):
            return "leaf"
        return type(node).__name__, [
            shape(child) for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr_context)
        ]

    assert shape(tree(text).root) == shape(ast.parse(text.strip(), mode="eval").body)
