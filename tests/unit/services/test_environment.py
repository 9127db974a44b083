from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flownb.services import masking
from flownb.services.environment import Environment

if TYPE_CHECKING:
    import pytest


def test_the_prefix_goes_before_the_bare_name() -> None:
    found = Environment({"FLOWNB_SECRET_CRM_TOKEN_2": "prefixed", "crm.token-2": "bare", "OPENAI_API_KEY": "sk-1"})
    assert found.get("crm.token-2") == "prefixed"
    assert found.get("OPENAI_API_KEY") == "sk-1"
    assert found.get("openai_api_key") is None


def test_only_names_with_the_prefix_are_told() -> None:
    assert Environment({"FLOWNB_SECRET_CRM": "x", "PATH": "/bin"}).names() == ["crm"]


def test_a_node_that_shows_its_environment_shows_no_other_secret() -> None:
    variables = {"FLOWNB_SECRET_ONE": "the-first-secret", "FLOWNB_SECRET_TWO": "the-second-secret"}
    assert Environment(variables).get("one") == "the-first-secret"
    assert "the-second-secret" not in masking.text(str(variables))


def test_bytes_that_are_no_text_come_as_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environb, b"FLOWNB_SECRET_BIN", b"\xff\xfe\x80binary")
    assert Environment().get("bin") == b"\xff\xfe\x80binary"
