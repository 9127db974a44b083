"""`python -m flownb`: the command line."""

from __future__ import annotations

from flownb.cli import main

main()
