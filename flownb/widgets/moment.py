"""What changes while a run works, as plain data for a view: all of it, or what is new since the last look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.graph.drawing.cards import ALIASES, KNOWN_BADGES, said
from flownb.graph.drawing.words import clean
from flownb.model.scopes import PARALLEL
from flownb.model.state import COMPLETED
from flownb.model.status import ApprovalStatus, NodeStatus
from flownb.run.handles.depict import card_of, edge_of, rounds_card
from flownb.widgets.brief import brief
from flownb.widgets.questions import MOST, question_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flownb.graph.drawing.state import CardState
    from flownb.model.events import Event
    from flownb.model.state import RunState
    from flownb.model.wires import Wire
    from flownb.run.handles.view import RunView
    from flownb.store.requests import ApprovalRow

#: The browser shows one line of it, and all of it on hover.
_LONGEST: Final = 300
#: Rounds of a loop that get a mark of their own in its head.
_MOST_MARKS: Final = 24


def bar_of(run: RunView) -> dict[str, Any]:
    """What the bar says: status, progress, times, and the command that reaches the run without a browser."""
    state = run.state
    failed = list(run.errors)
    error = run.error
    return {
        "id": run.id,
        "status": str(run.status),
        "reason": str(state.pause_reason or ""),
        "message": clean(state.message, _LONGEST),
        "done": state.done,
        "total": len(state.topology),
        "kept": state.node_status.count(COMPLETED),
        "started": state.started_at,
        "finished": state.finished_at if state.status.ended else None,
        "failed": failed[:20],
        "failures": len(failed),
        "error": None if error is None else {"type": error.type, "message": error.message[:2_000]},
        "error_node": state.error_node or (failed[0] if failed else None),
        "asked": sum(each["status"] == ApprovalStatus.PENDING for each in state.approvals.values()),
        "breakpoints": sorted(state.breakpoints),
        "seq": state.seq,
    }


class Moments:
    """The records of all nodes and edges of a run, made anew only for what has changed."""

    def __init__(self, run: RunView, chosen: Mapping[str, int] | None = None) -> None:
        """Nothing is told yet.

        Args:
            run: at work, or at one of its moments.
            chosen: the round of each loop that its body shows, where somebody chose one.
        """
        self._run = run
        self.chosen = dict(chosen or {})
        #: Breakpoints that were set or cleared while the run rested: it finds them when it goes on.
        self.marks: dict[str, bool] = {}
        #: Answers that a resting run got and nobody has written into its journal yet, by the request.
        self.answers: Mapping[str, ApprovalRow] = {}
        #: The newest round of each loop, found once for so many rounds: edges ask for it once a wire.
        self._newest: dict[int, tuple[Any, int, int]] = {}
        self._nodes: dict[str, dict[str, Any]] = {}
        self._edges: dict[str, str] = {}
        self._bar: dict[str, Any] = {}
        self._questions: dict[str, dict[str, Any]] = {}
        self._read = False

    def path_of(self, key: str) -> str:
        """The path of the node, or of the instance, that a card shows."""
        path: str = self._nodes.get(key, {}).get("path", key)
        return path

    def wire(self, edge: str) -> Wire | None:
        """What an edge of the picture is in the run's graph, in the round that is shown; None where there is none."""
        state = self._run.state
        for leaving in state.topology.leaving:
            for wire in leaving:
                if wire.id == edge and self._is_shown(state, wire.source) and self._is_shown(state, wire.target):
                    return wire
        return None

    def choose(self, loop: str, index: int | None) -> None:
        """Let the body of a loop show one round; None follows the newest."""
        if index is None:
            self.chosen.pop(loop, None)
        else:
            self.chosen[loop] = index
        self._read = False

    def doubt(self) -> None:
        """Look at everything the next time: something may have happened that was not heard."""
        self._read = False

    def whole(self) -> dict[str, Any]:
        """Everything as it is now; what is news to those who were told before stays news."""
        fresh = Moments(self._run, self.chosen)
        fresh.marks, fresh.answers = self.marks, self.answers
        fresh._renew(None)
        told = {"bar": fresh._bar, "nodes": fresh._nodes, "edges": fresh._edges}
        return told | {"questions": fresh._questions}

    def news(self, happened: Iterable[Event] | None) -> dict[str, Any]:
        """What differs from what was told last.

        Args:
            happened: the events since then; None looks at every node.
        """
        nodes, edges, bar, asked = dict(self._nodes), dict(self._edges), self._bar, dict(self._questions)
        try:
            self._renew(happened if self._read else None)
        except BaseException:
            # The engine wrote meanwhile. Nothing of this was told: the next look is at everything, against what was.
            self._nodes, self._edges, self._bar, self._questions = nodes, edges, bar, asked
            self._read = False
            raise
        found: dict[str, Any] = {}
        if self._bar != bar:
            found["bar"] = self._bar
        if changed := {key: each for key, each in self._nodes.items() if nodes.get(key) != each}:
            found["nodes"] = changed
        if moved := {key: each for key, each in self._edges.items() if edges.get(key) != each}:
            found["edges"] = moved
        if fresh := {key: each for key, each in self._questions.items() if asked.get(key) != each}:
            found["questions"] = fresh
        return found

    def _renew(self, happened: Iterable[Event] | None) -> None:
        state = self._run.state
        touched = None if happened is None else self._touched(state, happened)
        bodies = _instances(state)
        flat = range(state.flat) if touched is None else sorted(each for each in touched if each < state.flat)
        for number in flat:
            path = state.topology.paths[number]
            self._nodes[path] = self._told(state, number)
        if touched is None or any(each >= state.flat for each in touched):
            for node_id, rounds in bodies.items():
                self._nodes[node_id] = self._instance(state, rounds)
        self._renew_edges(state, touched)
        self._renew_questions(state)
        self._bar = bar_of(self._run)
        if self.answers:
            open_ = {name for name, each in state.approvals.items() if each["status"] == ApprovalStatus.PENDING}
            self._bar["asked"] = len(open_ - self.answers.keys())
        if self.marks:
            points = set(self._bar["breakpoints"]) - self.marks.keys()
            self._bar["breakpoints"] = sorted(points | {node for node, on in self.marks.items() if on})
        self._read = True

    def _told(self, state: RunState, number: int) -> dict[str, Any]:
        record = _record(state, number, card_of(state, number))
        if number in state.topology.bodies and state.topology.nodes[number].type != PARALLEL:
            record |= self._rounds(state, number)
        return record

    def _touched(self, state: RunState, happened: Iterable[Event]) -> set[int] | None:
        index = state.topology.index
        found: set[int] = set()
        for event in happened:
            path = getattr(event, "node", None)
            if path is None:
                if type(event).__name__ in ("RunResumed", "SignalReceived"):
                    return None
                continue
            number = index.get(path)
            if number is not None:
                found.add(number)
                if number >= state.flat:
                    found.add(state.block_of[number - state.flat].loop)
        return found

    def _renew_edges(self, state: RunState, touched: set[int] | None) -> None:
        topology = state.topology
        numbers = range(len(topology.leaving)) if touched is None else touched
        for number in numbers:
            wires = [*topology.leaving[number], *(topology.entering[number] if touched is not None else ())]
            for wire in wires:
                if self._is_shown(state, wire.source) and self._is_shown(state, wire.target):
                    self._edges[wire.id] = edge_of(state, wire)

    def _renew_questions(self, state: RunState) -> None:
        """Only what is open or has just been answered is told anew."""
        for name, asked in list(state.approvals.items())[-MOST:]:
            kept, row = asked, self.answers.get(name)
            if row is not None and kept["status"] == ApprovalStatus.PENDING:
                kept = {**asked, "status": row.status, "votes": row.votes, "decision": row.decision}
            known = self._questions.get(name)
            stands = (str(kept["status"]), len(kept["votes"]))
            if known is None or (known["status"], len(known["votes"])) != stands:
                self._questions[name] = question_of(kept, self._run.store)

    # --- loops

    def _is_shown(self, state: RunState, number: int) -> bool:
        if number < state.flat:
            return True
        block = state.block_of[number - state.flat]
        once = state.topology.nodes[block.loop].type == PARALLEL or block.index == self._shown_round(state, block.loop)
        return once and self._is_shown(state, block.loop)

    def _shown_round(self, state: RunState, loop: int) -> int | None:
        """The round that a loop's body shows: the chosen one, else the newest one at work, else the newest."""
        blocks = state.blocks.get(loop)
        if not blocks:
            return None
        chosen = self.chosen.get(state.topology.paths[loop])
        if chosen is not None and chosen in blocks:
            return chosen
        known = self._newest.get(loop)
        if known is None or known[0] is not blocks or known[1] != len(blocks):
            known = self._newest[loop] = (blocks, len(blocks), max(blocks))
        return known[2]

    def _rounds(self, state: RunState, number: int) -> dict[str, Any]:
        """What the head of a loop says: how many rounds, how they stand, and which one is shown."""
        blocks = state.blocks.get(number, {})
        marks = [_mark(state, blocks[index].numbers) for index in sorted(blocks)]
        kinds = {kind: marks.count(kind) for kind in ("done", "running", "failed", "waiting")}
        total = len(blocks)
        return {
            "rounds": {
                "total": total,
                "shown": self._shown_round(state, number),
                "marks": marks if total <= _MOST_MARKS else [],
                **kinds,
            }
        }

    def _instance(self, state: RunState, numbers: list[int]) -> dict[str, Any]:
        """The record of a node in a body: of the instance that is shown, else of all."""
        for number in reversed(numbers):
            if self._is_shown(state, number):
                return self._told(state, number) | {"path": state.topology.paths[number]}
        return _record(state, numbers[-1], rounds_card(state, numbers))


def _instances(state: RunState) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number in range(state.flat, len(state.topology)):
        found.setdefault(state.topology.nodes[number].id, []).append(number)
    return found


def _mark(state: RunState, numbers: range) -> str:
    found = {STATUS[state.node_status[number]] for number in numbers}
    for kind in ("failed", "waiting", "running"):
        if kind in found:
            return kind
    return "open" if found == {"open"} else "done" if "open" not in found else "running"


#: By `STATUSES`: pending, running, waiting, completed, failed, skipped, cancelled.
STATUS: Final = ("open", "running", "waiting", "done", "failed", "done", "done")


def _record(state: RunState, number: int, card: CardState) -> dict[str, Any]:
    """What a view shows of one node; empty fields are left out."""
    node = state.topology.nodes[number]
    badges = [ALIASES.get(badge, badge) for badge in card.badges]
    look = next((each for each in KNOWN_BADGES if each in badges and each != "retrying"), str(card.status))
    if number in state.retries and card.status is NodeStatus.RUNNING:
        look = "retrying"
    started, finished = state.node_started[number], state.node_finished[number]
    text = said(card, clean(card.text, _LONGEST))
    if card.status is NodeStatus.COMPLETED and not card.text and look == "completed":
        text = brief(state.output[number]) or text
    record: dict[str, Any] = {"status": str(card.status), "look": look, "text": text}
    if started:
        record["started"] = started
    if finished:
        record["finished"] = finished
    if card.attempts > 1:
        most = node.retry.attempts if node.retry else 0
        record["attempts"] = f"{card.attempts}/{most}" if most >= card.attempts else f"{card.attempts}x"
    if card.progress is not None:
        record["progress"] = min(1.0, max(0.0, card.progress))
    if badges:
        record["badges"] = badges
    return record
