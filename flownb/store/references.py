"""Which artifacts plain data names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.store.artifacts.contract import ArtifactStore

#: What was put within this time may be about to be named by an event, so it is spared.
GRACE_SECONDS: Final = 3600.0


def artifacts_needed(plain: Any) -> Iterator[str]:
    """The digests of the artifacts without which plain data can't be restored."""
    for each in _dicts(plain):
        reference = each.get("$artifact")
        if isinstance(reference, dict) and isinstance(digest := reference.get("digest"), str):
            yield digest


def artifacts_named(plain: Any) -> Iterator[str]:
    """Whatever in plain data may be the digest of an artifact, pictures of transient values among them.

    More rather than less: what is named here is kept from being deleted.
    """
    for each in _dicts(plain):
        for name in ("digest", "png", "thumbnail"):
            if isinstance(digest := each.get(name), str):
                yield digest


def _dicts(plain: Any) -> Iterator[dict[str, Any]]:
    """Every dict in plain data, without recursion, because the data may be deep."""
    todo = [plain]
    while todo:
        each = todo.pop()
        if isinstance(each, dict):
            yield each
            todo.extend(each.values())
        elif isinstance(each, (list, tuple)):
            todo.extend(each)


def is_older(artifacts: ArtifactStore, digest: str, moment: float) -> bool:
    """Whether an artifact was last put before a moment (seconds since 1970); not where it is gone meanwhile."""
    try:
        return artifacts.written_at(digest) < moment
    except NotFound:
        return False
