"""What happens to a run as a whole."""

from __future__ import annotations

from typing import Any

import msgspec

from flownb.model.events.event import Event, Failure


class RunStarted(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="run_started"):
    """The first event of a run: what it is a run of, and with which inputs (plain form)."""

    workflow: str
    definition: str = ""
    inputs: dict[str, Any] = msgspec.field(default_factory=dict)
    mode: str = "manual"
    trigger: str = "manual"
    #: The run of which this is a part, as a sub-notebook's is.
    parent: str | None = None
    parent_node: str | None = None
    #: Who started it, where it asks people.
    by: str = ""
    #: What the trigger says of why it did (plain form).
    payload: Any = None


class RunPaused(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="run_paused"):
    """Nothing goes on until what `reason` names has come."""

    reason: str
    message: str = ""
    #: When it goes on by itself, for a timer.
    until: float | None = None
    #: The workflow that is to be started because of this status.
    tells: str = ""


class RunResumed(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="run_resumed"):
    """A paused, failed or orphaned run goes on; the nodes in `reset` are pending again."""

    reset: tuple[str, ...] = ()
    #: `command`, `recovered` (its process had died), `decided`, `timer`, `retry`.
    cause: str = "command"
    #: What holds from now on, where `--migrate` changed it, or a notebook's first flow begins only now.
    definition: str = ""
    program: str = ""
    workflow: str = ""
    inputs: dict[str, Any] | None = None
    #: The nodes at whose breakpoints the run stood, and which it passes now.
    passed: tuple[str, ...] = ()


class RunCompleted(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="run_completed"):
    """The run ended well; its outputs are those of its output nodes. `results` come from a notebook."""

    results: dict[str, Any] = msgspec.field(default_factory=dict)
    message: str = ""
    #: The workflow that is to be started because of this status.
    tells: str = ""


class RunFailedEvent(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="run_failed"):
    """The run ended badly: a node failed unhandled, or the notebook did."""

    error: Failure
    node: str | None = None
    #: The workflow that is to be started because of it.
    calls: str = ""
    #: The workflow that is to be started because of this status.
    tells: str = ""


class RunCancelledEvent(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="run_cancelled"):
    """Somebody ended the run."""

    by: str = ""
    #: The workflow that is to be started because of this status.
    tells: str = ""


class RunEnding(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="run_ending"):
    """The nodes of a run have ended, and it is about to end: first what was done is undone, then handlers are told."""

    #: None where the run ends well.
    error: Failure | None = None
    node: str | None = None
    message: str = ""
    #: The compensations to run, one after another.
    undo: tuple[str, ...] = ()
    #: The nodes that handle the failure.
    handlers: tuple[str, ...] = ()


class RunStopping(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="run_stopping"):
    """Somebody, or a node, ends the run while nodes are in flight: nothing starts, and it ends when they have."""

    #: What it ends as: `completed`, `failed` or `cancelled`.
    status: str
    #: The node that ends it; None where somebody cancelled it.
    node: str | None = None
    message: str = ""
    by: str = ""
    #: Whether what the run did is undone first.
    undoes: bool = False


class RunForked(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="run_forked"):
    """The run is a copy of another up to one of its events."""

    source: str
    seq: int


class SignalReceived(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="signal_received"):
    """Somebody handed a named value to the run."""

    name: str
    #: In plain form.
    value: Any = None
    by: str = ""
    #: The nodes that waited for it and get it; without one it is kept for the next that asks.
    nodes: tuple[str, ...] = ()


class VariableSet(Event, frozen=True, gc=False, omit_defaults=True, kw_only=True, tag="variable_set"):
    """A variable has a new value: of the run, or of its workflow as well."""

    name: str
    value: Any
    node: str | None = None
    #: A `VariableScope`; what is set for the workflow is seen by the runs that start later, too.
    scope: str = "run"
    #: Who set it, if no node did; `workflow` where the run took the workflow's value over when it began.
    by: str = ""
