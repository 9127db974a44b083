"""Whether what people were asked and answered is recorded as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from flownb.cli.app import json_option, open_existing, say, store_option
from flownb.cli.find import find_run
from flownb.errors import NotFound, UsageError
from flownb.run.waiting.verify import parts_of, verify
from flownb.store.audit import Head


@click.command("verify", epilog="Example: flownb verify out.ipynb")
@click.argument("target", metavar="RUN|NOTEBOOK")
@store_option
@json_option
def verify_command(target: str, store: str | None, *, as_json: bool) -> int:
    """Say whether the audit log of a run is whole: every request, vote, answer, expiry and refusal, in order.

    An entry that was altered, removed or moved is named. An output notebook holds the head of the log, so that with it
    an end that was cut off is found as well. Leaves with 1 where something is wrong, or can't be verified.
    """
    run, heads = _from_notebook(Path(target)) if target.endswith(".ipynb") else (target, {})
    opened = open_existing(store)
    row = find_run(opened, run)
    count = 0
    faults: list[str] = []
    for part in parts_of(opened, row.id):
        found, wrong = verify(opened, part, heads.pop(part, None))
        count, faults = count + found, faults + wrong
    faults += [f"The log of run {each} is gone: the notebook has its head." for each in heads]
    if as_json:
        click.echo(json.dumps({"run": row.id, "entries": count, "faults": faults}))
    elif not faults:
        whole = f"All {count} entries of run {row.id} are what and where they were." if count else ""
        click.echo(whole or f"Nobody was asked anything in run {row.id}: its log is empty.")
    for each in faults:
        say(each)
    return 1 if faults else 0


def _from_notebook(path: Path) -> tuple[str, dict[str, Head]]:
    """The run that an output notebook is the report of, and the heads of its logs.

    Raises:
        NotFound: there is no such file.
        UsageError: it is no output notebook.
    """
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFound(f"There is no notebook {path}.") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} can't be read as a notebook: {error}.") from None
    stamp = document.get("metadata", {}).get("flownb", {}) if isinstance(document, dict) else {}
    if not isinstance(stamp, dict) or not isinstance(stamp.get("run"), str):
        raise UsageError(f"{path} is no output notebook of flownb: its metadata name no run.")
    heads = {}
    for run, head in (stamp.get("audit") or {}).items():
        try:
            heads[run] = Head(int(head["entries"]), str(head["seal"]))
        except (KeyError, TypeError, ValueError):
            raise UsageError(f"{path} names a head of the log of run {run} that is none: {head!r:.80}.") from None
    return stamp["run"], heads
