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
errors.py ids.py faults.py
```

A run flows through the files in this order, and back only as events:
`flow → graph/builder → graph/validate → run/engine → run/plan → run/executor → run/attempt → nodes/* →
store.commit → model/state.apply → view`.
"""

from __future__ import annotations

__version__ = "0.1.0.dev0"
