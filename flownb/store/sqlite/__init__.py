"""The store in a SQLite file: `SqliteStore`; each file here is one part of it."""

from flownb.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
