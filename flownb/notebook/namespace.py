"""A value into the namespace of the notebook, as a variable."""

from __future__ import annotations

import sys
from typing import Any


def assign(name: str, value: Any) -> bool:
    """Give a variable of the interactive namespace a value; False where this process has no such namespace."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    namespace = getattr(shell, "user_ns", None)
    if not isinstance(namespace, dict):
        return False
    namespace[name] = value
    return True
