"""Whether the packages are there that a channel needs; looked for, not imported."""

from __future__ import annotations

from importlib.util import find_spec

from flownb.errors import UsageError


def need(module: str, what: str) -> None:
    """See that a module of the extra `notify` can be imported.

    Raises:
        UsageError: it is not installed.
    """
    if find_spec(module) is None:
        raise UsageError(f"{what} needs the package {module}, which is not here: pip install 'flownb[notify]'")
