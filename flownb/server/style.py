"""The style sheet of the public pages: the look of the views, dark where the reader's system is, and the pages' own."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Final

from flownb.errors import InternalError
from flownb.widgets.bundle import LOOK

_OWN: Final = Path(__file__).parent / "page.css"
#: The dark theme, as the views find it: by what JupyterLab says of its own.
_DARK: Final = re.compile(r'^body\[data-jp-theme-light="false"\] \.fnb \{\n(.*?)^\}\n', re.DOTALL | re.MULTILINE)
_COMMENT: Final = re.compile(r"/\*.*?\*/\n?", re.DOTALL)


@cache
def style() -> str:
    """The sheet as it stands in each page, which needs nothing else.

    Raises:
        InternalError: the look has no dark theme where it is looked for.
    """
    look, found = _DARK.subn(
        lambda match: f"@media (prefers-color-scheme: dark) {{\n.fnb {{\n{match[1]}}}\n}}\n", LOOK.read_text("utf-8")
    )
    if found != 1:
        raise InternalError(f"{LOOK} has {found} dark themes; the public pages need one.")
    return _COMMENT.sub("", f"{look}\n{_OWN.read_text('utf-8')}").strip()


@cache
def digest() -> str:
    """What a page's content security policy says of the sheet: this one and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()}'"
