"""Where the built files of the browser half are."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Final

STATIC: Final = Path(__file__).parent / "static"
#: Tokens and parts of every view and page, as they are written; nothing has to be built for it.
LOOK: Final = Path(__file__).parent / "look.css"
SCRIPT: Final = STATIC / "view.js"
STYLE: Final = STATIC / "view.css"
#: Written by the build that could not be made: why.
FAILED: Final = STATIC / "failed.txt"


def missing() -> str:
    """Why there can be no widgets here, as one sentence; empty where there can be."""
    for name in ("ipywidgets", "anywidget"):
        if find_spec(name) is None:
            return f"Live views need {name}: `pip install 'flownb[lab]'`."
    if SCRIPT.is_file() and STYLE.is_file():
        return ""
    why = FAILED.read_text("utf-8").strip() if FAILED.is_file() else "they are built when flownb is installed"
    return f"The browser files of flownb's views are missing ({why}): `python scripts/build_widgets.py` builds them."
