"""Starting quickly, for processes that are flownb's own."""

from __future__ import annotations

import sys


def skip_slow_grammar() -> None:
    """Let `import nbformat` cost 0.2 s instead of 1.2 s: call it before anything imports jsonschema.

    jsonschema builds a grammar for a format that notebooks don't have, if `rfc3987_syntax` can be imported, and does
    without if it can't. For the command line's process only: a library must not hide a package from its host.
    """
    if "jsonschema" not in sys.modules:
        sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # None is how an import is refused


def import_papermill() -> None:
    """Import papermill without pyarrow, which it imports to read from HDFS, and which brings numpy: a third of it all.

    For the command line's process only, whose notebooks are files.
    """
    if "papermill.iorw" in sys.modules or "pyarrow" in sys.modules:
        return
    sys.modules["pyarrow"] = None  # type: ignore[assignment]  # None is how an import is refused
    try:
        import papermill.iorw  # noqa: F401
    finally:
        del sys.modules["pyarrow"]
