"""What a picture is told about a run: one record a node, one word an edge, and the figures of the head."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from flownb.model.status import NodeStatus, RunStatus

#: Not settled; settled with a value; a value moves now; will never fire.
EdgeState = Literal["open", "live", "moving", "dead"]


class CardState(msgspec.Struct, frozen=True):
    """What a card says."""

    status: NodeStatus = NodeStatus.PENDING
    #: A few words instead of the status's own; the whole reason is fine, it is cut where it must be.
    text: str = ""
    #: How long it took, or has taken so far.
    seconds: float | None = None
    #: Shown from the second on.
    attempts: int = 0
    #: From 0 to 1, while it runs.
    progress: float | None = None
    #: `cached`, `pinned`, `stale`, `retrying` and `transient` change the icon; any other text is shown as it is.
    badges: tuple[str, ...] = ()


class PictureState(msgspec.Struct, frozen=True):
    """A run at one moment."""

    status: RunStatus | None = None
    #: By node id; a node that is missing is pending.
    nodes: Mapping[str, CardState] = {}
    #: By edge id; an edge that is missing follows from its source's status.
    edges: Mapping[str, EdgeState] = {}
    done: int = 0
    total: int = 0
    seconds: float | None = None
