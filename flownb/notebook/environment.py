"""The environment of a kernel's process."""

from __future__ import annotations

import os


def environment(store_url: str) -> dict[str, str]:
    """The variables of a kernel's process: those of this one, made right for another working directory.

    `PYTHONPATH` entries are made absolute, because the kernel starts in the notebook's folder; `FLOWNB_STORE` says
    where the notebook's own look-ups and shell commands find runs. No id of a run is among them.
    """
    variables = dict(os.environ)
    if path := variables.get("PYTHONPATH"):
        entries = [os.path.abspath(each) if each else os.getcwd() for each in path.split(os.pathsep)]  # noqa: PTH100, PTH109  text in, text out
        variables["PYTHONPATH"] = os.pathsep.join(entries)
    variables["FLOWNB_STORE"] = store_url
    return variables
