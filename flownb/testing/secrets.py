"""A service of secrets for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.services.secrets import Source


class FakeSecrets:
    """Secrets that a test sets, and who asked for which: `flow.run(services={"secrets": FakeSecrets(crm="…")})`.

    What it gives is masked in this process as any other secret is, until the process ends.
    """

    def __init__(self, values: Mapping[str, str | bytes] | None = None, /, **more: str | bytes) -> None:
        self.values: dict[str, str | bytes] = {**(values or {}), **more}
        #: The names that were asked for, in order.
        self.asked: list[str] = []

    def get(self, name: str) -> str | bytes | None:
        """The value that the test has set."""
        self.asked.append(name)
        return self.values.get(name)

    def names(self) -> list[str]:
        """The names that it has."""
        return list(self.values)

    def looked(self, name: str) -> str:
        """Where it was looked for."""
        del name
        return "the secrets of the test"


if TYPE_CHECKING:
    _: Source = FakeSecrets()
