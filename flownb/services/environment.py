"""Secrets in the variables of the environment."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from flownb.services import masking
from flownb.services.spellings import SHORT

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX: Final = "FLOWNB_SECRET_"


class Environment:
    """`FLOWNB_SECRET_<NAME>`, then the variable that is called exactly like the secret."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = os.environ if variables is None else variables

    def get(self, name: str) -> str | bytes | None:
        """The value; all other secrets of the environment are masked from then on as well."""
        for variable in (variable_of(name), name):
            if (value := self._variables.get(variable)) is not None:
                self._mask_the_others()
                return _as_it_was(value)
        return None

    def names(self) -> list[str]:
        """The names of those with the prefix; of other variables nobody knows whether they are secrets."""
        return [each.removeprefix(PREFIX).lower() for each in self._variables if each.startswith(PREFIX)]

    def looked(self, name: str) -> str:
        """The variables."""
        return f"the environment ({variable_of(name)}, {name})"

    def _mask_the_others(self) -> None:
        """A node that shows its whole environment shows them all."""
        for variable, value in self._variables.items():
            if variable.startswith(PREFIX) and len(value) >= SHORT:
                masking.learn(variable.removeprefix(PREFIX).lower(), _as_it_was(value))


def variable_of(name: str) -> str:
    """The variable with the prefix that holds a secret."""
    return PREFIX + re.sub(r"\W", "_", name).upper()


def _as_it_was(value: str) -> str | bytes:
    """What Python could not decode, as bytes."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return os.fsencode(value)
    return value
