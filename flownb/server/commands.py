"""What is asked of runs over HTTP, carried out in their store: whoever has the run finds it there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import InvalidInput, NotFound, UsageError, near_names
from flownb.model import commands as cmd
from flownb.model.status import RunStatus
from flownb.run.recovery.recover import require_row
from flownb.run.waiting.decisions import decide
from flownb.run.waiting.judging import REJECTED, standing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flownb.store.contract import RunRow, Store

#: The commands that need no node.
_PLAIN: Final[Mapping[str, Callable[..., cmd.Command]]] = {
    "pause": cmd.Pause,
    "resume": cmd.Resume,
    "cancel": cmd.Cancel,
    "step": cmd.Step,
}
_OF_NODE: Final[Mapping[str, Callable[..., cmd.Command]]] = {"retry": cmd.RetryNode, "skip": cmd.SkipNode}
#: What can be asked of a run, as routes name it.
NAMES: Final = (*_PLAIN, *_OF_NODE, "breakpoint")
#: Those that the command line has as well.
_LINES: Final = ("pause", "resume", "cancel", "retry", "skip")
_MOST_ID: Final = 100


def command(store: Store, run: str, name: str, body: Mapping[str, Any], by: str) -> dict[str, Any]:
    """Leave a command for whoever has the run.

    Args:
        store: where the run is.
        run: its id.
        name: one of `NAMES`.
        body: `node` where the command is about one, `on` of a breakpoint, and `id`, by which a click that comes by two
            ways is obeyed once.
        by: who asks.

    Raises:
        NotFound: no such run.
        InvalidInput: something is missing.
        UsageError: nobody has the run; the message names the line that goes on with it.
    """
    row = require_row(store, run)
    asked = _command(name, body, by)
    owner = store.owner_of(row.id)
    if isinstance(asked, cmd.SetBreakpoint | cmd.ClearBreakpoint) and not RunStatus(row.status).ended:
        store.send(row.id, asked)  # a run that rests finds it when it goes on
    elif owner is None or not owner[1]:
        raise UsageError(_nobody(row, name, body))
    else:
        store.send(row.id, asked)
    return _answer(row, f"{name} was left for the process that has the run.")


def _command(name: str, body: Mapping[str, Any], by: str) -> cmd.Command:
    ask, node = body.get("id", ""), body.get("node")
    if not isinstance(ask, str) or len(ask) > _MOST_ID:
        raise InvalidInput(f"The id of a click is a text of {_MOST_ID} characters at most.", name="id")
    if name in _PLAIN:
        return _PLAIN[name](by=by, ask=ask)
    if not isinstance(node, str) or not node:
        raise InvalidInput(f"{name} needs the `node` that it is about.", name="node")
    if name == "breakpoint":
        return (cmd.SetBreakpoint if body.get("on", True) else cmd.ClearBreakpoint)(node=node, by=by, ask=ask)
    return _OF_NODE[name](node=node, by=by, ask=ask)


def _nobody(row: RunRow, name: str, body: Mapping[str, Any]) -> str:
    if row.status in (RunStatus.COMPLETED, RunStatus.CANCELLED):
        return f"Run {row.id} is {row.status}; it can't be asked for that any more."
    node = f" {body['node']}" if name in _OF_NODE else ""
    line = f"`flownb {name} {row.id}{node}`" if name in _LINES else f"`flownb resume {row.id}`"
    return f"Run {row.id} is {row.status} and nobody is at work on it; in a terminal {line} does it."


def approve(store: Store, run: str, body: Mapping[str, Any], claim: str) -> dict[str, Any]:
    """Answer what a run asks.

    Args:
        store: where the run is.
        run: its id.
        body: `approval` (the id; may be left out where the run asks one thing), `port`, or `approved` as true or
            false, `data` and `comment`.
        claim: the name of whoever answers, as the server knows it.

    Raises:
        NotFound: no such run or request.
        InvalidInput: the answer can't be taken.
        Conflict: it was answered before; the message says by whom and when.
    """
    row = require_row(store, run)
    approval = body.get("approval") or _only(store, row.id)
    port, comment = _port(body), body.get("comment") or ""
    if not isinstance(approval, str) or not isinstance(comment, str):
        raise InvalidInput("`approval` and `comment` are texts.", name="approval")
    data = body.get("data", body.get("resume_data"))
    after = decide(store, row.id, approval, port=port, at=time.time(), claim=claim, data=data, comment=comment)
    said = f"{after.node}: {after.port}." if after.port else f"{after.node}: your answer is counted; {standing(after)}."
    return _answer(row, said) | {"approval": after.id, "port": after.port, "resumedFromNodeId": after.node}


def _port(body: Mapping[str, Any]) -> str | None:
    port = body.get("port", body.get("output_port"))
    if port is None and body.get("approved") is False:
        return REJECTED
    if port is not None and not isinstance(port, str):
        raise InvalidInput(f"`port` is the name of an answer, not {port!r:.60}.", name="port")
    return port


def _only(store: Store, run: str) -> str:
    found = store.approvals(run=run)
    if len(found) == 1:
        return found[0].id
    if not found:
        raise NotFound(f"Run {run} asks nobody anything.", run=run)
    ids = [row.id for row in found]
    raise UsageError(f"Run {run} asks {len(ids)} things; name one as `approval`.{near_names('', ids)}")


def _answer(row: RunRow, message: str) -> dict[str, Any]:
    return {"success": True, "run": row.id, "executionId": row.id, "status": row.status, "message": message}
