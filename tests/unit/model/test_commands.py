from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from flownb.model import commands
from flownb.model.commands import AnyCommand, Command, Decide, decode, encode

COMMANDS: tuple[type[Command], ...] = get_args(AnyCommand)
VALUES: dict[str, Any] = {"value": {"plain": [1, None]}, "data": [1, {"a": "ü"}]}


@pytest.mark.parametrize("cls", COMMANDS)
def test_every_command_comes_back_equal(cls: type[Command]) -> None:
    fields = {field.name: VALUES.get(field.name, f"the {field.name}") for field in msgspec.structs.fields(cls)}
    command = cls(**fields)
    assert decode(encode(command)) == command
    assert type(decode(encode(command))) is cls


def test_the_vocabulary_is_complete() -> None:
    defined = {each for each in vars(commands).values() if isinstance(each, type) and issubclass(each, Command)}
    assert defined - {Command} == set(COMMANDS)


def test_what_is_no_command_is_refused() -> None:
    for data in (b"", b"{}", b'{"type":"explode"}', b'{"type":"retry_node"}', b'{"type":"pause","by":"\xff"}'):
        with pytest.raises(msgspec.DecodeError):
            decode(data)


def test_a_command_says_who_asks() -> None:
    command = decode(b'{"type":"decide","approval":"a","port":"approved","by":"ada"}')
    assert isinstance(command, Decide)
    assert command.by == "ada"
