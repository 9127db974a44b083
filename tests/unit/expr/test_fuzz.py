from __future__ import annotations

import os
import random
import secrets
import time
from typing import Any

import pytest

from flownb.errors import ExpressionError
from flownb.expr import compile_condition, compile_expression, compile_template
from flownb.expr.functions import TABLE
from tests.unit.expr.attacks import ATTACKS
from tests.unit.expr.test_attacks import DATA, is_plain, touched

SEEDS = [text for texts in ATTACKS.values() for text in texts] + [
    "order.total > 1000 and customer.tier == 'gold'",
    "{{ order.total }} > 10 or not default(order.nope, false)",
    "Post {{ order.total }} from {{ len(lines) }} by {{ order.a|upper|default('x') }}",
    "sorted(lines)[::-1][0] + lines.0 - lines[-1] * 2 // 3 % 4 / 5",
    "'yes' if 1 < order.total <= 20 != 3 else 'no'",
    "{'a': [1, 2.5, true, null], 'b': {'c': order}}.b.c.total",
    "matches(order.a, '^[a-z]+$') and date(now()) >= '2026-01-01'",
    "join(split(replace('a-b', '-', ' ')), ', ')|strip",
    "round(sum([number('1.5'), int('2'), abs(-3)]), 1) in [6.5]",
    "coalesce(nope, order.nope, first([]), keys(order)|last)",
    "days(shift('2026-05-01', 1, 12), '2026-06-01') is not none",
]
OPERATORS = ["+", "-", "*", "/", "//", "%", "==", "!=", "<", "<=", ">", ">=", "and", "or", "in", "not in", "is"]
TOKENS = [
    *TABLE,
    *DATA,
    *OPERATORS,
    *("total", "_private", "0", "1", "-1", "2.5", "1e308", "99999", "'a'", '"b"', "''", "true", "false", "none"),
    *("(", ")", "[", "]", "{", "}", "{{", "}}", ",", ":", ".", "|", "**", "=", ":=", "not", "if", "else", "for"),
    *("\x00", "\ud800", "\u200b", "ª", "\\", "\n", " ", "'", '"', "lambda", "f'"),
]


#: What the last net says, under which nothing should ever fall.
UNFORESEEN = "This can't be evaluated:"
_GOOD = ["order", "order.total", "order.a", "lines", "lines.0", "text", "order.a", "a"]


def changed(text: str, source: random.Random) -> str:
    """The text with one change of the kinds that typing, pasting and attacking make."""
    place = source.randint(0, len(text))
    end = min(len(text), place + source.randint(1, 8))
    before, cut, after = text[:place], text[place:end], text[end:]
    other = source.choice(SEEDS)
    return source.choice(
        (
            before + source.choice(TOKENS) + cut + after,
            before + after,
            before + cut * source.randint(2, 40) + after,
            before + other[source.randint(0, len(other)) :],
            before + chr(source.randint(0, 127)) + after,
            before + chr(source.randint(0, 0x10FFFF)) + after,
            f"{source.choice([*TABLE])}({text})",
            f"({text}) {source.choice(TOKENS)} ({other})",
        )
    )


def mutated(text: str, source: random.Random) -> str:
    """The text with a few changes."""
    for _ in range(source.randint(1, 6)):
        text = changed(text, source)
    return text[:2_500]


def invented(source: random.Random) -> str:
    """Random tokens, half of them in an order that may mean something."""
    if source.random() < 0.2:
        return source.choice(("", " ")).join(source.choices(TOKENS, k=source.randint(1, 40)))
    return phrase(source, source.randint(1, 5))


def phrase(source: random.Random, depth: int) -> str:
    """A random expression that can be read, mostly."""
    if depth <= 0:
        return source.choice(
            [
                *DATA,
                *_GOOD,
                *_GOOD,
                *_GOOD,
                "1",
                "2.5",
                "-7",
                "'a'",
                "''",
                "'2026-05-01'",
                "true",
                "none",
                "[]",
                "{}",
                "99999",
            ]
        )

    def part() -> str:
        return phrase(source, depth - source.randint(1, 2))

    name = source.choice([*TABLE])
    return source.choice(
        (
            lambda: f"{part()}.{source.choice(['total', 'a', '0', '-1', 'nope', '__class__'])}",
            lambda: f"({part()})[{part()}]",
            lambda: f"({part()})[{part()}:{part()}]",
            lambda: f"({part()}) {source.choice(OPERATORS)} ({part()})",
            lambda: f"({part()}) < ({part()}) == ({part()})",
            lambda: f"{name}({', '.join(part() for _ in range(source.choice((0, 1, 1, 1, 2, 2, 3))))})",
            lambda: f"({part()})|{name}",
            lambda: f"not ({part()})",
            lambda: f"-({part()})",
            lambda: f"({part()}) if ({part()}) else ({part()})",
            lambda: f"[{part()}, {part()}]",
            lambda: f"{{'a': {part()}, {part()}: 1}}",
        )
    )()


CONDITIONS = ["equals", "greater_than", "in", "contains", "matches", "between", "exists", "empty", "nonsense"]


def leaf(source: random.Random) -> Any:
    return source.choice(
        [1, "x", None, True, [1], "{{ order.total }}", "{{ model }}", "{{ nope }}", mutated("{{ a }}", source)]
    )


def condition(source: random.Random, depth: int = 3) -> Any:
    """A random condition as an object, often with something wrong in it."""
    choice = source.random()
    if depth == 0 or choice < 0.4:
        name = source.choice(CONDITIONS)
        keys = source.sample(["left", "right", "text", "search", "low", "high", "odd"], source.randint(0, 3))
        return {
            "type": name,
            "left": leaf(source),
            **({"right": leaf(source)} if choice < 0.3 else {}),
            **{key: leaf(source) for key in keys if choice < 0.1},
        }
    if choice < 0.9:
        return {source.choice(["and", "or"]): [condition(source, depth - 1) for _ in range(source.randint(0, 3))]}
    return source.choice([{"not": condition(source, depth - 1)}, None, 5, [], {}, {"and": 1}, mutated("a > 1", source)])


def check(given: Any, compile_it: Any) -> None:
    started = time.thread_time()
    failure = None
    try:
        compiled = compile_it(given)
        value = compiled.evaluate(DATA)
    except ExpressionError as error:
        failure = error
    assert time.thread_time() - started < 1
    if failure:
        assert 0 <= failure.position <= len(failure.text)
        assert UNFORESEEN not in failure.message
    else:
        assert compiled.lone is not None or is_plain(value)
    assert touched == []


def fuzz(count: int) -> None:
    seed = int(os.environ.get("FLOWNB_SEED", secrets.randbits(32)))
    print(f"seed {seed}: replay with FLOWNB_SEED={seed}")
    source = random.Random(seed)
    touched.clear()
    for number in range(count):
        text = mutated(source.choice(SEEDS), source) if number % 2 else invented(source)
        given: Any = text
        compile_it = source.choice((compile_expression, compile_expression, compile_condition, compile_template))
        if number % 10 == 0:
            given, compile_it = condition(source), compile_condition
        elif compile_it is compile_template and source.random() < 0.7:
            given = f"{source.choice(['', 'It is '])}{{{{ {text} }}}}"
        try:
            check(given, compile_it)
        except BaseException:
            print(f"FLOWNB_SEED={seed}, number {number}: {compile_it.__name__}({given!r})")
            raise


def test_five_thousand_texts_give_plain_data_or_the_one_error() -> None:
    fuzz(5_000)


@pytest.mark.soak
def test_fifty_thousand_texts_give_plain_data_or_the_one_error() -> None:
    fuzz(50_000)
