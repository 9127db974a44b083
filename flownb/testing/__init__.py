"""What people test their flows and node types with, and what flownb tests itself with."""

from __future__ import annotations

from flownb.testing.check_node import check_node
from flownb.testing.context import FakeContext

__all__ = ["FakeContext", "check_node"]
