"""The notebook that this kernel executes headless, where it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flownb.run.session import Session
    from flownb.store.contract import Owner, Store


class Here:
    """The notebook that this kernel executes."""

    def __init__(self, session: Session, store: Store, parameters: dict[str, Any], owner: Owner) -> None:
        self.session = session
        self.store = store
        #: Values in plain form, as `flownb.notebook.travel` writes them.
        self.parameters = parameters
        self.owner = owner


_here: Here | None = None


def here() -> Here | None:
    """The notebook that this kernel executes headless; None in any other process."""
    return _here


def settle_down(home: Here) -> None:
    """Make this kernel the execution of that notebook."""
    global _here  # noqa: PLW0603  one notebook a kernel
    _here = home
