"""The store in this process's memory: `MemoryStore`; each file here is one part of it."""

from flownb.store.memory.store import MemoryStore

__all__ = ["MemoryStore"]
