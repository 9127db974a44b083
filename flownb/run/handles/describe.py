"""A run, its nodes and its events as plain documents: what `--json`, REST and reports show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from flownb.model import events as ev
from flownb.model.events import NodeEvent, event_type
from flownb.model.state import COMPLETED, FAILED, STATUSES
from flownb.model.status import RunStatus
from flownb.model.times import iso, maybe_iso
from flownb.run.handles.told import describe_notices
from flownb.run.handles.why import why
from flownb.run.recovery.recover import read_state, require_row
from flownb.run.waiting.decisions import answered
from flownb.store import values

if TYPE_CHECKING:
    from flownb.model.events import ApprovalDecided, ApprovalExpired, ApprovalRequested, ApprovalVoted, Failure, Record
    from flownb.model.state import RunState
    from flownb.store.contract import RunRow, Store
    from flownb.store.requests import ApprovalRow


def describe_row(row: RunRow) -> dict[str, Any]:
    """A line of `flownb runs --json`."""
    return {
        "id": row.id,
        "workflow": row.workflow,
        "status": row.status,
        "pause_reason": row.pause_reason,
        "key": row.key,
        "mode": row.mode,
        "trigger": row.trigger,
        "created_at": iso(row.created_at),
        "finished_at": maybe_iso(row.finished_at if RunStatus(row.status).ended else None),
    }


def describe_event(record: Record) -> dict[str, Any]:
    """A line of `flownb events --json`: number, time and type first, then the event's own fields."""
    event = record.event
    fields: dict[str, Any] = msgspec.to_builtins(event)
    fields.pop("type", None)
    fields.pop("at", None)
    node = fields.pop("node", None)
    head: dict[str, Any] = {"seq": record.seq, "at": iso(event.at), "type": event_type(event)}
    if isinstance(event, NodeEvent) or node is not None:
        head["node"] = node
    return head | fields


def describe(store: Store, run_id: str) -> dict[str, Any]:
    """The document of `flownb show --json`.

    Raises:
        NotFound: no such run.
    """
    row = require_row(store, run_id)
    return describe_state(row, read_state(store, row), store)


def describe_state(row: RunRow, state: RunState, store: Store | None = None) -> dict[str, Any]:
    """The same for a state that was read already; with `store`, the runs of the notebook beneath are listed."""
    # The state is read after the row, and may be ahead of it: it alone is shown.
    ended = state.finished_at if state.status.ended else None
    document: dict[str, Any] = {
        "id": row.id,
        "workflow": row.workflow,
        "version": state.topology.workflow.version,
        "definition_hash": state.definition or row.definition,
        "status": str(state.status),
        "pause_reason": str(state.pause_reason) if state.pause_reason is not None else None,
        "mode": row.mode,
        "trigger": row.trigger,
        "key": row.key,
        "created_at": iso(row.created_at),
        "started_at": maybe_iso(state.started_at),
        "finished_at": maybe_iso(ended),
        "duration_ms": _milliseconds(state.started_at, ended),
        "inputs": dict(state.inputs),
        "outputs": dict(state.results or state.outputs()),
        "error": describe_failure(state.error, state.error_node),
        "nodes": {path: describe_node(state, number) for number, path in enumerate(state.topology.paths)},
        "approvals": [describe_approval(each) for each in _asked(state, store)],
    }
    if row.parent is not None:
        document["parent"] = row.parent
        document["parent_node"] = state.parent_node
    if state.forked_from is not None:
        document["forked_from"] = {"run": state.forked_from.source, "seq": state.forked_from.seq}
    if store is not None and (forks := store.forks(row.id)):
        document["forks"] = [{"run": run, "seq": seq} for run, seq in forks.items()]
    if store is not None and row.kind == "notebook":
        document["runs"] = [describe_row(each) for each in store.rows(group=row.id) if each.id != row.id]
    return document


def describe_node(state: RunState, number: int) -> dict[str, Any]:
    """One entry of `nodes`; `steps` is there where the node has taken some, `child` where it has begun a run."""
    plain = state.output[number]
    started, finished = state.node_started[number], state.node_finished[number]
    failed = state.failures.get(number)
    reason = state.reasons.get(number)
    completed = state.node_status[number] == COMPLETED
    document = {
        "status": str(STATUSES[state.node_status[number]]),
        "type": state.topology.nodes[number].type,
        "attempts": state.attempts[number],
        "ports": list(state.ports.get(number, ())),
        "started_at": maybe_iso(started),
        "finished_at": maybe_iso(finished if finished and started else None),
        "duration_ms": _milliseconds(started or None, finished or None),
        "reason": reason.message if reason is not None else None,
        "error": describe_failure(failed.error if failed is not None else None, None),
        "output": plain if completed else None,
        "artifact": values.artifact_of(plain) if completed else None,
        "why": why(state, number),
        "input_digests": input_digests(state, number),
        "output_digest": values.digest_of(plain) if completed else None,
        "memory_mb": _megabytes(state.memory.get(number)),
    }
    if number in state.children:
        document["child"] = state.children[number]
    if number in state.steps:
        document["steps"] = dict(state.steps[number])
    return document


def describe_failure(failure: Failure | None, node: str | None) -> dict[str, Any] | None:
    """An error as `type`, `message`, `class`, `traceback` and, for a run, `node`."""
    if failure is None:
        return None
    document: dict[str, Any] = {
        "type": failure.type,
        "message": failure.message,
        "class": failure.error_class,
        "traceback": failure.traceback,
        "recoverable": failure.recoverable,
    }
    if failure.advice:
        document["advice"] = failure.advice
    return document | ({"node": node} if node is not None else {})


def _asked(state: RunState, store: Store | None) -> list[dict[str, Any]]:
    """The requests of a run; an answer that its owner has not taken yet is shown as well."""
    asked = dict(state.approvals)
    for row in answered(store, state) if store is not None else ():
        asked[row.id] = asked[row.id] | {"status": row.status, "decision": row.decision}
    return list(asked.values())


def describe_request(row: ApprovalRow) -> dict[str, Any]:
    """A line of `flownb approvals --json`."""
    request, decision = row.request, row.decision
    return {
        "id": row.id,
        "run": row.run,
        "workflow": row.workflow,
        "node": row.node,
        "kind": row.kind,
        "status": row.status,
        "question": request.question,
        "created_at": iso(row.created_at),
        "expires_at": maybe_iso(row.expires_at),
        "due_at": maybe_iso(request.due_at),
        "ports": list(request.ports),
        "details": request.details,
        "preview": [{**each, "value": values.preview_of(each["value"])} for each in request.preview or ()],
        "form": request.form,
        "edits": request.edits,
        "approvers": list(request.approvers),
        "approvals_needed": request.approvals_needed,
        "rejections_needed": request.rejections_needed,
        "votes": [_vote(each) for each in row.votes],
        "decided_by": row.decided_by,
        "decided_at": maybe_iso(row.decided_at),
        "port": row.port,
        **_beside(decision),
        "notices": describe_notices(row),
    }


def _vote(vote: ApprovalVoted) -> dict[str, Any]:
    return {"by": vote.by, "at": iso(vote.at), "port": vote.port, "comment": vote.comment, **_who(vote)}


def _who(said: ApprovalVoted | ApprovalDecided) -> dict[str, Any]:
    """The real identity, and what was claimed beside it."""
    return {"user": said.user or said.by, "claim": said.claim or None, "via": said.via or None}


def _beside(decision: ApprovalDecided | ApprovalExpired | None) -> dict[str, Any]:
    if decision is None:
        return {"data": None, "comment": None, "user": None, "claim": None, "via": None}
    if isinstance(decision, ev.ApprovalExpired):
        return {"data": decision.data, "comment": decision.action, "user": None, "claim": None, "via": None}
    return {"data": decision.data, "comment": decision.comment, **_who(decision)}


def describe_approval(kept: dict[str, Any]) -> dict[str, Any]:
    """One entry of `approvals`."""
    request: ApprovalRequested = kept["request"]
    decision: ApprovalDecided | ApprovalExpired | None = kept.get("decision")
    return {
        "id": request.approval,
        "node": request.node,
        "kind": request.kind,
        "status": kept["status"],
        "question": request.question,
        "created_at": iso(request.at),
        "expires_at": maybe_iso(request.expires_at),
        "decided_by": decision.by if isinstance(decision, ev.ApprovalDecided) else None,
        "decided_at": iso(decision.at) if decision is not None else None,
        "port": decision.port or None if decision is not None else None,
        **_beside(decision),
        "votes": [_vote(each) for each in kept.get("votes", ())],
    }


def input_digests(state: RunState, number: int) -> dict[str, str | list[str | None] | None]:
    """The digests of what a node was given, by parameter; None for what is known in memory only."""
    found: dict[str, str | list[str | None] | None] = {}
    for argument in state.topology.arguments[number]:
        live = [
            wire
            for wire in argument.wires
            if state.node_status[wire.source] in (COMPLETED, FAILED) and state.edge_is_live(wire)
        ]
        digests = [
            values.digest_of(state.port_values.get(wire.source, {}).get(wire.port or "", state.output[wire.source]))
            for wire in live
        ]
        if argument.many:
            found[argument.name] = [*digests]
        elif digests:
            found[argument.name] = digests[0]
    for name in state.topology.from_inputs(number):
        if name in state.inputs and name not in found:
            found[name] = values.digest_of(state.inputs[name])
    return found


def _megabytes(size: int | None) -> float | None:
    return None if size is None else round(size / 1_048_576, 1)


def _milliseconds(start: float | None, end: float | None) -> int | None:
    # By the wall clock, which somebody may have set back meanwhile: nothing takes less than no time.
    return None if start is None or end is None else max(0, round((end - start) * 1000))
