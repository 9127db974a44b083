from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from flownb.services import masking

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    """A process that knows no secret, before and after."""
    factory = logging.getLogRecordFactory()
    masking.forget()
    yield
    masking.forget()
    logging.setLogRecordFactory(factory)
