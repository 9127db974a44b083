"""What higher layers do for a run when they are there: found by name, never imported.

`display` shows a run in a cell, `bundle` makes its mimebundle, `inbox`, `runs` and `home` make those of lists, `view`
is what `run.view()` gives, `question` the HTML of what it asks, `origin` says which cell is being executed, `program`
pins what an interactive kernel executed and `started` notes which call started a run, `resume` carries on a run whose
program is not at hand in this process and `call` starts a workflow because a run failed, `displays` catches what nodes
display, `mask` keeps secrets out of what a kernel sends, `main_loop` is the loop that serves the main thread of a
kernel, `assign` makes a variable in a notebook's namespace. Another package may take one over through the entry point
group `flownb.views`.

`shows` takes over where a run that goes on is the value of a cell, so that its end is what is saved.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.metadata import EntryPoint

_OWN: Final[dict[str, str]] = {
    "display": "flownb.notebook.display:show",
    "bundle": "flownb.notebook.display:bundle",
    "inbox": "flownb.widgets.lists.display:inbox",
    "runs": "flownb.widgets.lists.display:runs",
    "home": "flownb.widgets.lists.display:home",
    "view": "flownb.widgets.views:view",
    "shows": "flownb.widgets.display:shows",
    "question": "flownb.notebook.question:question_html",
    "program": "flownb.notebook.cells:pin",
    "started": "flownb.notebook.cells:started",
    "origin": "flownb.notebook.cells:origin",
    "displays": "flownb.notebook.displays:catch",
    "resume": "flownb.notebook.resume:in_process_of_its_own",
    "call": "flownb.notebook.calling:in_process_of_its_own",
    "main_loop": "flownb.notebook.main_loop:kernel_loop",
    "assign": "flownb.notebook.namespace:assign",
    "mask": "flownb.notebook.masking:mask_kernel",
}


@cache
def hook(name: str) -> Callable[..., Any] | None:
    """The function of that name, or None where nobody offers it."""
    if (point := _offered().get(name)) is not None:
        loaded: Callable[..., Any] = point.load()
        return loaded
    if name not in _OWN:
        return None
    module, _, attribute = _OWN[name].partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    return found


@cache
def _offered() -> dict[str, EntryPoint]:
    """What other packages offer, by name; looked for once, which takes milliseconds."""
    from importlib.metadata import entry_points

    return {point.name: point for point in entry_points(group="flownb.views")}
