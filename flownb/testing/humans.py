"""People for tests: they answer what runs in this process ask, by a script, as quickly as a run can ask."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Self

from flownb.errors import UsageError
from flownb.model.status import ApprovalStatus, PauseReason
from flownb.run.engine import engine
from flownb.run.handles.approvals import Approval
from flownb.run.waiting import people
from flownb.run.waiting.decisions import decide

if TYPE_CHECKING:
    from flownb.model.state import RunState
    from flownb.run.executor import Execution
    from flownb.store.requests import ApprovalRow

#: What a person says: a port, the data of the usual port, both as a pair, or None to leave it unanswered.
Said = Any
Script = Callable[[Approval], Said] | Mapping[str, Said] | Sequence[Said] | str

_LOOK_SECONDS: Final = 0.002


def approve_all(asked: Approval) -> str:
    """Give every request its usual answer; of a decision, the first option."""
    return asked.ports[0]


def reject_all(asked: Approval) -> str:
    """Say no to everything that can be rejected; give all else its usual answer."""
    return "rejected" if "rejected" in asked.ports else asked.ports[0]


class Humans:
    """Who answers; from when it is made until `leave`, or the end of its `with`."""

    def __init__(self, script: Script = approve_all, *, by: str = "", comment: str = "") -> None:
        """Begin to answer.

        Args:
            script: a function of the request; answers by node; answers in the order of the requests; or one for all.
                An answer is a port, the data for the usual port, a pair of both, or None for no answer.
            by: the name that they give themselves.
            comment: what they say with each answer.

        Raises:
            UsageError: others answer in this process already.
        """
        if people.attending is not None:
            raise UsageError("Scripted people answer in this process already: let them leave() first.")
        self._script, self._by, self._comment = script, by, comment
        #: What they were asked, in order.
        self.asked: list[Approval] = []
        #: What went wrong while they answered: raised where their `with` ends.
        self.errors: list[BaseException] = []
        self._unanswered: set[str] = set()
        self._rest = list(script) if isinstance(script, Sequence) and not isinstance(script, str) else []
        self._queue: queue.SimpleQueue[tuple[Execution, str] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="flownb-humans", daemon=True)
        self._thread.start()
        people.attending = self

    def leave(self) -> None:
        """Answer no more; runs that ask from now on pause.

        Raises:
            BaseException: what a script raised, the first of it.
        """
        if people.attending is self:
            people.attending = None
            self._queue.put(None)
            self._thread.join(5.0)
            home = engine()
            for execution in list(home.executions.values()):
                home.call(home.mark, execution)  # one that was held pauses now
        if self.errors:
            raise self.errors[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    # --- what the engine asks

    def take(self, execution: Execution, approval: str) -> None:
        """A request is about to be committed; on the engine's loop."""
        self._queue.put((execution, approval))

    def hold(self, state: RunState) -> bool:
        """Whether a run that could pause waits for one of these people, who is about to answer."""
        waits = [wait.request for wait in state.waits.values() if wait.waits_for == PauseReason.HUMAN]
        asked = state.approvals
        pending = [name for name in waits if name in asked and asked[name]["status"] == ApprovalStatus.PENDING]
        return any(name not in self._unanswered for name in pending)

    # --- on their thread

    def _serve(self) -> None:
        while (item := self._queue.get()) is not None:
            execution, approval = item
            row = self._committed(execution, approval)
            if row is None:
                continue
            try:
                self._answer(execution, row)
            except BaseException as error:  # noqa: BLE001  raised where it can be heard, by `leave`
                self.errors.append(error)
                self._leave_open(execution, approval)

    def _committed(self, execution: Execution, approval: str) -> ApprovalRow | None:
        while not execution.gone:
            rows = {row.id: row for row in execution.store.approvals(run=execution.run_id)}
            if approval in rows:
                return rows[approval]
            if people.attending is not self:
                return None
            threading.Event().wait(_LOOK_SECONDS)
        return None

    def _answer(self, execution: Execution, row: ApprovalRow) -> None:
        store = execution.store
        asked = Approval(store, row)
        self.asked.append(asked)
        said = self._said(asked)
        if said is None:
            self._leave_open(execution, row.id)
            return
        port, data = _read(said, asked)
        try:
            decide(
                store, row.run, row.id, port=port, at=engine().now(), claim=self._by, data=data,
                comment=self._comment,
            )  # fmt: skip
        finally:
            engine().house.look_soon(store)

    def _said(self, asked: Approval) -> Said:
        script = self._script
        if isinstance(script, str):
            return script
        if isinstance(script, Mapping):
            node = asked.node.rpartition(".")[2]
            return script.get(asked.node, script.get(node))
        if callable(script):
            return script(asked)
        return self._rest.pop(0) if self._rest else None

    def _leave_open(self, execution: Execution, approval: str) -> None:
        self._unanswered.add(approval)
        home = engine()
        if not execution.gone:
            home.call(home.mark, execution)


def _read(said: Said, asked: Approval) -> tuple[str | None, Any]:
    if isinstance(said, str) and (said in asked.ports or asked.form is None):
        return said, None
    if isinstance(said, tuple) and len(said) == len(("port", "data")):
        return str(said[0]), said[1]
    return None, said


def humans(script: Script = approve_all, *, by: str = "", comment: str = "") -> Humans:
    """Let scripted people answer what runs in this process ask, from now on.

    ```python
    with humans(approve_all):
        flow.run().result()

    with humans({"ok": "rejected", "how": {"cost_centre": 4200}}) as people:
        ...
    assert people.asked[0].question == "Post 1500.0 EUR?"
    ```

    In a notebook that is tested, `people = humans(approve_all)` in a cell is enough: its runs wait for no one else.

    Args:
        script: a function of the request, as `approve_all`; answers by node; answers in the order of the requests; or
            one answer for all. An answer is a port, the data for the usual port, a pair of both, or None for no answer.
        by: the name that they give themselves.
        comment: what they say with each answer.

    Raises:
        UsageError: others answer in this process already.
    """
    return Humans(script, by=by, comment=comment)
