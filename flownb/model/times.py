"""Times as people and programs outside read them: ISO 8601 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(seconds: float) -> str:
    """Seconds since 1970 as `2026-11-21T08:00:00.000Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def maybe_iso(seconds: float | None) -> str | None:
    """The same, where there may be no time yet."""
    return None if not seconds else iso(seconds)
