"""`flownb.dead_letters`: what failed and waits for somebody, to be taken up again or dropped."""

from __future__ import annotations

import time
from html import escape
from typing import TYPE_CHECKING, Any

from flownb.notebook.attach import attach
from flownb.run.handles.resting import at_hand
from flownb.run.recovery.letters import ask_again, describe_letter, drop, letter_id
from flownb.run.recovery.recover import require_row
from flownb.store.place import store_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flownb.model.events import Failure
    from flownb.run.handles.handle import Run
    from flownb.store.contract import Store
    from flownb.store.letters import DeadLetter


class Letter:
    """One node that failed, and that nobody has taken care of."""

    def __init__(self, letter: DeadLetter, store: Store) -> None:
        self._letter, self._store = letter, store

    @property
    def id(self) -> str:
        """What it is called by: the idempotency key of its node."""
        return letter_id(self._letter)

    @property
    def run(self) -> str:
        """The id of its run."""
        return self._letter.run

    @property
    def workflow(self) -> str:
        """The workflow's name."""
        return self._letter.workflow

    @property
    def node(self) -> str:
        """The node's path."""
        return self._letter.node

    @property
    def error(self) -> Failure:
        """What is recorded of the failure."""
        return self._letter.event.error

    def retry(self) -> Run:
        """Run the node again, with what was skipped because of it, under the same idempotency key.

        Returns its run, which goes on.

        Raises:
            UsageError: the run is final, or its program is not at hand here.
            Conflict: the run was undone.
        """
        return _retry(self._store, self.run, [self.node])

    def drop(self) -> None:
        """Take it off the list; the run stays as it is.

        Raises:
            Conflict: the run is at work.
        """
        drop(self._store, self.run, [self.node], at=time.time(), by="you")

    def __repr__(self) -> str:
        return f"{self.id}  {self.workflow}  {self.error.text}"


class DeadLetters:
    """The list as it stood when it was made, oldest first."""

    def __init__(self, letters: Sequence[DeadLetter], store: Store) -> None:
        self._letters = [Letter(each, store) for each in letters]
        self._raw = list(letters)
        self._store = store

    def __len__(self) -> int:
        return len(self._letters)

    def __iter__(self) -> Iterator[Letter]:
        return iter(self._letters)

    def __getitem__(self, index: int) -> Letter:
        return self._letters[index]

    def retry(self) -> list[Run]:
        """Run all of them again; returns their runs, which go on. `Letter.retry` says what it raises."""
        return [_retry(self._store, run, nodes) for run, nodes in self._by_run().items()]

    def drop(self) -> None:
        """Take all of them off the list."""
        for run, nodes in self._by_run().items():
            drop(self._store, run, nodes, at=time.time(), by="you")

    def _by_run(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for each in self._letters:
            found.setdefault(each.run, []).append(each.node)
        return found

    def records(self) -> list[dict[str, Any]]:
        """The list as plain data, as `flownb dead-letters --json` prints it."""
        return [describe_letter(each, require_row(self._store, each.run).status) for each in self._raw]

    def __repr__(self) -> str:
        return "\n".join(map(repr, self._letters)) or f"no dead letters in {self._store.url}"

    def _repr_html_(self) -> str:
        cells = [(each.id, each.workflow, each.node, each.error.text) for each in self._letters]
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in cells)
        head = "".join(f"<th>{name}</th>" for name in ("id", "workflow", "node", "error"))
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _retry(store: Store, run_id: str, nodes: Sequence[str]) -> Run:
    run = at_hand(store, run_id) or attach(run_id, store)
    if not ask_again(store, run_id, nodes, by="you"):
        run.resume()
    return run


def dead_letters(store: Any = None, *, workflow: str | None = None, run: str | None = None) -> DeadLetters:
    """Nodes that failed and that nobody has taken care of, oldest first.

    ```python
    for letter in flownb.dead_letters(workflow="invoices"):
        print(letter.node, letter.error.message)
        letter.retry()
    ```

    Args:
        store: a URL or an open store; else `FLOWNB_STORE`, else the nearest `.flownb/`.
        workflow: only those of this workflow.
        run: only those of this run.
    """
    opened: Store = store_of(store)
    letters = [each for each in opened.dead_letters(run) if workflow in (None, each.workflow)]
    return DeadLetters(letters, opened)
