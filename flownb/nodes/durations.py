"""A length of time in the config of a node: seconds, or a text as `1h 30m`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from flownb.errors import InvalidInput
from flownb.model.durations import as_seconds


def _read(value: Any) -> Any:
    try:
        return as_seconds(value)
    except InvalidInput as error:
        raise ValueError(error.message) from None


Duration = Annotated[float, BeforeValidator(_read)]
