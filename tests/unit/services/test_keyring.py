from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from flownb.services.keyring import Keyring

if TYPE_CHECKING:
    import pytest


def installed(monkeypatch: pytest.MonkeyPatch, **backend: Any) -> None:
    """A package `keyring` with this backend."""
    module = SimpleNamespace(get_keyring=lambda: SimpleNamespace(**backend))
    monkeypatch.setitem(sys.modules, "keyring", module)


def test_a_keyring_gives_the_password_of_the_service_flownb(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = {("flownb", "crm"): "the-token"}
    installed(monkeypatch, priority=5, get_password=lambda service, name: passwords.get((service, name)))
    keyring = Keyring()
    assert (keyring.get("crm"), keyring.get("other")) == ("the-token", None)
    assert keyring.looked("other") == "the keyring (`keyring set flownb other` puts it there)"


def test_without_the_package_the_message_has_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    keyring = Keyring()
    assert keyring.get("crm") is None
    assert keyring.looked("crm") == "the keyring (not installed: pip install 'flownb[keyring]')"


def test_a_machine_without_a_keyring_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, priority=0)  # what `keyring.backends.fail` has
    keyring = Keyring()
    assert keyring.get("crm") is None
    assert keyring.looked("crm") == "the keyring (this machine has none that works)"


def test_a_keyring_that_fails_gives_nothing_and_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(service: str, name: str) -> str:
        raise RuntimeError(f"locked: {service} {name}")

    installed(monkeypatch, priority=5, get_password=locked)
    keyring = Keyring()
    assert keyring.get("crm") is None
    assert keyring.looked("crm") == "the keyring (it can't be read: RuntimeError)"
