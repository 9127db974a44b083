"""Data that may be changed with an answer, as fields of a page, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flownb.server.fields import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flownb.server.markup import Html
    from flownb.store.contract import Store
    from flownb.store.requests import ApprovalRow


class Edits:
    """Nothing may be changed."""

    @classmethod
    def of(cls, row: ApprovalRow, store: Store) -> Edits:
        """What may be changed of what a request is about."""
        del row, store
        return cls()

    def begin(self) -> dict[str, str]:
        """What its fields hold at first."""
        return {}

    def html(self, filled: Mapping[str, str], faults: Sequence[str]) -> Html | None:
        """The fields."""
        del filled, faults
        return None

    def own(self, faults: Iterable[str]) -> list[str]:
        """The faults that are not about these data."""
        return list(faults)

    def read(self, posted: Mapping[str, str]) -> Any:
        """The data as they were changed; `NOTHING` where they were not."""
        del posted
        return NOTHING
