"""Breaks documents: changes to their plain data and to their text, as people, tools and attackers make them."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random

WORDS = [
    "",
    "x",
    "nodes",
    "class",
    "a b",
    "é",
    "\x00",
    "\ud800",
    "__proto__",
    "{{ 7*7 }}",
    "../../etc/passwd",
    "9" * 40,
]
NUMBERS = [0, -1, 1, 2**31, 2**53, 2**63, 2**64, 10**400, -(10**30), 1.5, 1e308, float("nan"), float("inf")]
NO_JSON: list[Any] = [b"bytes", {1, 2}, object, 1j, ("a", 1), {1: 2}, {None: 3}]
#: What stands for text that `json.dumps` would not write.
RAW = ["NaN", "-Infinity", "1e999", "9" * 5_000, "01", "'x'", "undefined", "[" * 300 + "]" * 300, '"\\ud800"', "//"]


def deep(levels: int) -> Any:
    value: Any = "deep"
    for level in range(levels):
        value = [value] if level % 2 else {"x": value}
    return value


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything in a document but the document."""
    found = []
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        found.append((*path, key))
        found += places(member, (*path, key))
    return found


class Mutator:
    """Makes one broken document after the other from good ones; the same seed makes the same ones."""

    def __init__(self, random: random.Random, originals: list[dict[str, Any]]) -> None:
        self.random = random
        self.originals = originals
        self.places = [places(each) for each in originals]

    def next(self) -> Any:
        """A document as `decode` takes it: text, bytes or plain data."""
        number = self.random.randrange(len(self.originals))
        data = copy.deepcopy(self.originals[number])
        form = self.random.random()
        for _ in range(self.random.choice([1, 1, 2, 3, 5])):
            self.change(data, self.random.choice(self.places[number]), only_json=form > 0.2)
        if form < 0.2:
            return data
        text = self.written(data)
        if form < 0.6:
            return text
        for _ in range(self.random.choice([1, 1, 2])):
            text = self.scratch(text)
        return text if form < 0.8 else self.spoil(text.encode("utf-8", "surrogatepass"))

    # --- plain data

    def change(self, data: Any, path: tuple[Any, ...], *, only_json: bool) -> None:
        """Break what is at a path, where there still is something."""
        try:
            for key in path[:-1]:
                data = data[key]
            held = data[path[-1]]
        except (KeyError, IndexError, TypeError):
            return
        if not isinstance(data, dict | list):
            return
        self.break_member(data, path[-1], held, only_json=only_json)

    def break_member(self, data: Any, key: Any, held: Any, *, only_json: bool) -> None:
        match self.random.randrange(10):
            case 0:
                del data[key]
            case 1 if isinstance(data, dict):
                data[self.misspelt(key)] = data.pop(key)
            case 2 if isinstance(data, dict):
                data[self.random.choice(WORDS)] = self.value(only_json=only_json)
            case 3 if isinstance(data, list):
                data[key : key + 1] = [held] * self.random.choice([2, 3, 50])
            case 4:
                data[key] = [held]
            case 5:
                data[key] = {self.random.choice(WORDS): held}
            case 6:
                data[key] = str(held)
            case 7 if not only_json and isinstance(held, dict | list):
                (held.append if isinstance(held, list) else lambda value: held.update(self=value))(data)
            case 8 if isinstance(held, int | float):
                data[key] = self.random.choice(NUMBERS)
            case _:
                data[key] = self.value(only_json=only_json)

    def value(self, *, only_json: bool) -> Any:
        kinds: list[Any] = [
            None,
            True,
            self.random.choice(WORDS),
            self.random.choice(NUMBERS),
            "long " * self.random.choice([10, 30_000]),
            deep(self.random.choice([2, 95, 99, 110, 150])),
            [],
            {},
            [None] * self.random.choice([1, 2, 1000]),
            {str(number): number for number in range(self.random.choice([1, 300]))},
        ]
        return self.random.choice(kinds if only_json else kinds + NO_JSON)

    def misspelt(self, key: Any) -> str:
        text = str(key)
        at = self.random.randrange(len(text) + 1)
        return self.random.choice([text[:at] + text[at + 1 :], text[:at] + "e" + text[at:], text.upper(), f" {text}"])

    # --- text

    def written(self, data: Any) -> str:
        if self.random.random() < 0.8:
            return json.dumps(data, indent=self.random.choice([None, 2]), ensure_ascii=self.random.random() < 0.5)
        # An object in which a key comes twice.
        text = json.dumps(data)
        at = text.find("{", self.random.randrange(len(text)))
        end = text.find(":", at)
        if at < 0 or end < 0 or text[at + 1] != '"':
            return text
        return f"{text[: at + 1]}{text[at + 1 : end]}: null, {text[at + 1 :]}"

    def scratch(self, text: str) -> str:
        at = self.random.randrange(len(text) + 1)
        match self.random.randrange(6):
            case 0:
                return text[:at]
            case 1:
                return text[:at] + text[at + self.random.choice([1, 2, 20]) :]
            case 2:
                return text[:at] + self.random.choice([*RAW, *WORDS, ",", "{", "]", '"', "\\", "\ufeff"]) + text[at:]
            case 3:  # in the place of a value
                start = text.find(":", at) + 1
                stop = min((each for each in (text.find(",", start), text.find("}", start)) if each > 0), default=start)
                return text[:start] + self.random.choice(RAW) + text[stop:]
            case 4:
                return "\ufeff" + text
            case _:
                other = self.random.randrange(len(text) + 1)
                return text[: min(at, other)] + text[at:other] * 2 + text[max(at, other) :]

    def spoil(self, data: bytes) -> bytes:
        at = self.random.randrange(len(data) + 1)
        match self.random.randrange(4):
            case 0:
                return data[:at] + bytes([self.random.randrange(256)]) + data[at + 1 :]
            case 1:
                return data.decode("utf-8", "replace").encode("utf-16")
            case 2:
                return data.decode("utf-8", "replace").encode("latin-1", "replace")
            case _:
                return data[:at] + self.random.randbytes(5) + data[at:]
