"""What runs ask people, as Python objects: to look at, and to answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from flownb.errors import NotFound, near_names
from flownb.model.times import maybe_iso
from flownb.run.engine import engine
from flownb.run.handles.describe import describe_request
from flownb.run.handles.question import answer_lines, question_lines
from flownb.run.waiting.decisions import decide
from flownb.run.waiting.judging import REJECTED
from flownb.services.harmless import line
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flownb.store.contract import Store
    from flownb.store.requests import ApprovalRow


class Approval:
    """One request, as it stood when it was looked up."""

    def __init__(self, store: Store, row: ApprovalRow, answer: Callable[..., ApprovalRow] | None = None) -> None:
        """A request.

        Args:
            store: where it is.
            row: how it stands.
            answer: `Run.decide` of a handle on its run, so that the run goes on before the call returns.
        """
        self._store, self._row, self._decide = store, row, answer
        self.id = row.id
        self.run = row.run
        self.workflow = row.workflow
        self.node = row.node
        #: `confirmation`, `input`, `decision`, `review`, or `in_doubt`.
        self.kind = row.kind
        #: `pending`, `approved`, `rejected`, `answered`, `expired` or `cancelled`.
        self.status = row.status
        self.question = row.request.question
        self.details = row.request.details
        #: The answers there are.
        self.ports = row.request.ports
        self.form = row.request.form
        #: Seconds since 1970.
        self.created_at = row.created_at
        self.expires_at = row.expires_at
        self.decided_at = row.decided_at
        self.decided_by = row.decided_by
        #: The answer that it got.
        self.port = row.port
        self.comment: str = getattr(row.decision, "comment", "")

    @property
    def data(self) -> Any:
        """What came with the answer."""
        plain = getattr(self._row.decision, "data", None)
        return values.load(plain, self._store.artifacts)

    @property
    def shown(self) -> dict[str, Any]:
        """What is shown beside the question, by name: the values themselves."""
        parts = self._row.request.preview or ()
        return {each["name"]: values.load(each["value"], self._store.artifacts) for each in parts}

    def answer(self, port: str | None = None, *, data: Any = None, comment: str = "", by: str = "") -> Approval:
        """Give an answer, as `run.decide` does; returns the request as it stands then.

        Raises:
            InvalidInput: it has no such port, the data don't fit, or this person may not answer.
            Conflict: it was answered before; the message says by whom and when.
        """
        if self._decide is not None:
            row = self._decide(self.id, port, data=data, comment=comment, by=by)
        else:
            now = engine().now()
            row = decide(self._store, self.run, self.id, port=port, at=now, claim=by, data=data, comment=comment)
            engine().house.look_soon(self._store)
        return Approval(self._store, row, self._decide)

    def approve(self, *, data: Any = None, comment: str = "", by: str = "") -> Approval:
        """Give its usual answer."""
        return self.answer(data=data, comment=comment, by=by)

    def reject(self, *, comment: str = "", by: str = "") -> Approval:
        """Say no."""
        return self.answer(REJECTED, comment=comment, by=by)

    def record(self) -> dict[str, Any]:
        """The request as plain data, as `flownb approvals --json` prints it."""
        return describe_request(self._row)

    def text(self) -> str:
        """The request as a terminal shows it, with the lines that answer it."""
        head = f"{self.id}  {self.status}  {line(self.workflow, 40)}  {self.run}  {line(self.node, 60)}"
        lines = [head, *question_lines(self._row)]
        if self.status == "pending":
            lines += [f"      {each}" for each in answer_lines(self._row.request)]
        elif self.port is not None:
            by = f" by {line(self.decided_by, 60)}" if self.decided_by else ""
            said = f": {line(self.comment, 200)}" if self.comment else ""
            lines.append(f"    {self.port}{by}, {maybe_iso(self.decided_at)}{said}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str | None:
        from flownb.run.hooks import hook

        shown = hook("question")
        return shown(self._row, self._store) if shown is not None else None


class Approvals(Sequence[Approval]):
    """Requests as they stood when the list was made, oldest first; `approvals[id]` finds one by its id or node."""

    def __init__(self, found: Iterable[Approval]) -> None:
        self._found = list(found)

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, index: int | str) -> Approval: ...

    @overload
    def __getitem__(self, index: slice) -> Approvals: ...

    def __getitem__(self, index: int | str | slice) -> Approval | Approvals:
        if isinstance(index, slice):
            return Approvals(self._found[index])
        if isinstance(index, int):
            return self._found[index]
        named = [each for each in self._found if index in (each.id, each.node)]
        if not named:
            known = [name for each in self._found for name in (each.id, each.node)]
            raise NotFound(f"There is no request {index!r} here.{near_names(index, known)}")
        return named[-1]  # a node that asked again: its newest

    @property
    def pending(self) -> Approvals:
        """Those that wait for an answer."""
        return Approvals(each for each in self._found if each.status == "pending")

    def records(self) -> list[dict[str, Any]]:
        """The list as plain data."""
        return [each.record() for each in self._found]

    def __repr__(self) -> str:
        return "\n".join(each.text() for each in self._found) or "Nobody is asked anything."

    def _repr_html_(self) -> str | None:
        if not self._found:
            return "<p>Nobody is asked anything.</p>"
        return "".join(each._repr_html_() or "" for each in self._found)
