"""References in a config, `secret://name` alone or inside other text, replaced without a look at what they give.

They are taken out before the templates of the config are evaluated, and the values put in after: braces in a secret
are no template, and what a template gives is no reference. So data can't ask for a secret by spelling its name.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from flownb.errors import InvalidInput
from flownb.services.secrets import REFERENCE, SCHEME

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet


def take_out(config: Mapping[str, Any], kept: AbstractSet[str], marks: dict[str, str]) -> dict[str, Any]:
    """The config with a mark in the place of each reference; `marks` gets what they stand for.

    Args:
        config: plain data.
        kept: places whose text is taken as it is.
        marks: names of secrets by mark.

    Raises:
        InvalidInput: the name of a secret would have to be computed.
    """
    # No text of the config or of the run's data can have it in it.
    nonce = os.urandom(12).hex()

    def mark(name: str) -> str:
        made = f"\N{SYMBOL FOR SUBSTITUTE}{nonce}:{len(marks)}\N{SYMBOL FOR SUBSTITUTE}"
        marks[made] = name
        return made

    def walk(value: Any, place: str) -> Any:
        if place in kept:
            return value
        if isinstance(value, str):
            made = REFERENCE.sub(lambda match: mark(match[1]), value) if SCHEME in value else value
            if f"{SCHEME}{{{{" in made:
                raise InvalidInput(
                    f"{place}: the name of a secret can't be computed ({value!r:.80}): write it out, or call "
                    "ctx.secret(…) in a function.",
                    name=place,
                )
            return made
        if isinstance(value, dict):
            return {name: walk(each, f"{place}.{name}") for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [walk(each, f"{place}[{number}]") for number, each in enumerate(value)]
        return value

    return {name: walk(value, name) for name, value in config.items()}


def put_in(value: Any, values: Mapping[str, str]) -> Any:
    """The same with the values of the secrets in the place of the marks, wherever the templates have put them."""
    if isinstance(value, str):
        for mark, secret in values.items():
            value = value.replace(mark, secret)
        return value
    if isinstance(value, dict):
        return {put_in(name, values): put_in(each, values) for name, each in value.items()}
    return [put_in(each, values) for each in value] if isinstance(value, list) else value
