from __future__ import annotations

from typing import Any

import pytest

from flownb.errors import InvalidInput
from flownb.notebook.results import Stopped, result, stop


def test_outside_of_a_notebook_a_result_does_nothing() -> None:
    result("x", object())


@pytest.mark.parametrize("name", ["", None, 5])
def test_a_result_needs_a_name(name: Any) -> None:
    with pytest.raises(InvalidInput, match="The name of a result is"):
        result(name, 1)


def test_stop_is_no_error_that_a_cell_would_catch() -> None:
    with pytest.raises(Stopped, match="no data") as caught:
        stop("no data")

    assert not isinstance(caught.value, Exception)
    assert caught.value._render_traceback_() == ["Stopped: no data"]
