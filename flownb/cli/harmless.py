"""Text made fit for a terminal, by the name under which every command knows it."""

from flownb.services.harmless import block, line

__all__ = ["block", "line"]
