"""Secrets in the keyring of the desktop: Keychain, Windows' credentials, Secret Service, KWallet."""

from __future__ import annotations

import importlib
from typing import Any, Final

#: Under which they are kept: `keyring set flownb NAME`.
SERVICE: Final = "flownb"
_INSTALL: Final = "pip install 'flownb[keyring]'"


class Keyring:
    """The keyring, if the package is installed and there is one that works."""

    def __init__(self) -> None:
        #: Why it gave nothing, for a message.
        self._why = ""

    def get(self, name: str) -> str | None:
        """The password of the user `name` of the service `flownb`; it may ask the person to unlock the keyring."""
        backend = self._backend()
        if backend is None:
            return None
        try:
            value = backend.get_password(SERVICE, name)
        except Exception as error:  # noqa: BLE001  each keyring has errors of its own: locked, no bus, no desktop
            self._why = f"it can't be read: {type(error).__name__}"
            return None
        self._why = f"`keyring set {SERVICE} {name}` puts it there"
        return value if value is None or isinstance(value, str) else str(value)

    def names(self) -> list[str]:
        """A keyring can't list what it has."""
        return []

    def looked(self, name: str) -> str:
        """Whether there is one."""
        del name
        return f"the keyring ({self._why})" if self._why else "the keyring"

    def _backend(self) -> Any:
        try:
            keyring = importlib.import_module("keyring")
        except ImportError:
            self._why = f"not installed: {_INSTALL}"
            return None
        try:
            backend = keyring.get_keyring()
            alive = getattr(backend, "priority", 0) > 0
        except Exception as error:  # noqa: BLE001  as a desktop's bus that doesn't answer
            self._why = f"it can't be reached: {type(error).__name__}"
            return None
        if not alive:
            self._why = "this machine has none that works"
            return None
        return backend
