"""flownb turns a Jupyter notebook into a durable workflow.

The map of the house; imports point down only, and `make check` proves it:

```
cli/          the command line, one file a group of commands
widgets/ kernel/ server/ testing/   views and doors: they read events and send commands
triggers/     what starts runs
notebook/     notebooks as programs: papermill engine, parameters, results, report
flow.py       Flow, what people write: the builder joined with the engine
run/          the engine: plan purely, act in one place, journal before acting, recover
nodes/        the node types that ship, one file a family
services/ store/   the outside world behind small protocols; the journal and everything durable
graph/        how a workflow is made and checked: builder, node types, registry, validate, picture
expr/         {{ }} and conditions over plain data
model/        what a workflow is, what can be asked, what happened: frozen values, no I/O
errors.py ids.py faults.py imports.py
```

A run flows through the files in this order, and back only as events:
`flow → graph/builder → graph/validate → run/engine → run/plan → run/executor → run/attempt → nodes/* →
store.commit → model/fold.apply → view`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flownb.errors import (
        Conflict,
        DefinitionDrift,
        ExpressionError,
        FlownbError,
        InvalidInput,
        InvalidWorkflow,
        NodeFailed,
        NodeTimeout,
        NotFound,
        RunCancelled,
        RunFailed,
        RunPaused,
        StoreError,
        UsageError,
    )
    from flownb.flow import Flow
    from flownb.graph.nodetype import NodeType, Output, Suspend
    from flownb.model.workflow import Edge, Node, RetryPolicy, Settings, Watch, Workflow
    from flownb.notebook.attach import attach, runs
    from flownb.notebook.home import home
    from flownb.notebook.inbox import inbox
    from flownb.notebook.letters import dead_letters
    from flownb.notebook.results import result, stop
    from flownb.run.bus import emit, on
    from flownb.run.handles.handle import Run
    from flownb.run.secrets import secret

__version__ = "0.1.0.dev0"

__all__ = [
    "Conflict",
    "DefinitionDrift",
    "Edge",
    "ExpressionError",
    "Flow",
    "FlownbError",
    "InvalidInput",
    "InvalidWorkflow",
    "Node",
    "NodeFailed",
    "NodeTimeout",
    "NodeType",
    "NotFound",
    "Output",
    "RetryPolicy",
    "Run",
    "RunCancelled",
    "RunFailed",
    "RunPaused",
    "Settings",
    "StoreError",
    "Suspend",
    "UsageError",
    "Watch",
    "Workflow",
    "attach",
    "dead_letters",
    "emit",
    "home",
    "inbox",
    "on",
    "result",
    "runs",
    "secret",
    "stop",
]

#: Where each public name lives; loaded when it is first asked for, so that `import flownb` costs little.
_PUBLIC = {
    "Conflict": "flownb.errors",
    "DefinitionDrift": "flownb.errors",
    "Edge": "flownb.model.workflow",
    "ExpressionError": "flownb.errors",
    "FlownbError": "flownb.errors",
    "Flow": "flownb.flow",
    "InvalidInput": "flownb.errors",
    "InvalidWorkflow": "flownb.errors",
    "Node": "flownb.model.workflow",
    "NodeFailed": "flownb.errors",
    "NodeTimeout": "flownb.errors",
    "NodeType": "flownb.graph.nodetype",
    "NotFound": "flownb.errors",
    "Output": "flownb.graph.nodetype",
    "RetryPolicy": "flownb.model.workflow",
    "Run": "flownb.run.handles.handle",
    "RunCancelled": "flownb.errors",
    "RunFailed": "flownb.errors",
    "RunPaused": "flownb.errors",
    "Settings": "flownb.model.workflow",
    "StoreError": "flownb.errors",
    "Suspend": "flownb.graph.nodetype",
    "UsageError": "flownb.errors",
    "Watch": "flownb.model.workflow",
    "Workflow": "flownb.model.workflow",
    "attach": "flownb.notebook.attach",
    "dead_letters": "flownb.notebook.letters",
    "emit": "flownb.run.bus",
    "home": "flownb.notebook.home",
    "inbox": "flownb.notebook.inbox",
    "on": "flownb.run.bus",
    "result": "flownb.notebook.results",
    "runs": "flownb.notebook.attach",
    "secret": "flownb.run.secrets",
    "stop": "flownb.notebook.results",
}


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Where a Jupyter server finds what it loads; it is switched on by a file in `etc/jupyter`."""
    return [{"module": "flownb.server.extension"}]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        from flownb.imports import at_once

        value = getattr(at_once(_PUBLIC[name]), name)
        globals()[name] = value
        return value
    if not name.startswith("_"):
        from importlib.machinery import PathFinder

        if PathFinder.find_spec(f"{__name__}.{name}", __path__) is not None:
            from importlib import import_module

            return import_module(f"{__name__}.{name}")
        from difflib import get_close_matches

        near = get_close_matches(name, _PUBLIC, n=2)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise AttributeError(f"flownb has no {name!r}.{hint}")
    raise AttributeError(f"module 'flownb' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
