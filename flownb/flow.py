"""`Flow`: what people write. The builder makes the definition; `run` hands it to the engine."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from flownb.errors import InvalidInput, InvalidWorkflow, UsageError, near_names
from flownb.graph.builder import Builder
from flownb.graph.refs import NodeRef, sources
from flownb.imports import at_once
from flownb.model.problem import Severity
from flownb.model.status import CALLING_STATUSES, Durability, RunMode
from flownb.run.hooks import hook
from flownb.run.session import current as current_session

if TYPE_CHECKING:
    from flownb.graph.picture import Picture
    from flownb.graph.refs import Sources
    from flownb.graph.registry import Registry
    from flownb.model.problem import Problem
    from flownb.model.workflow import Settings, Workflow
    from flownb.run.definition import Definition
    from flownb.run.handles.handle import Run
    from flownb.run.workflow_variables import WorkflowVariables

# The engine and the stores are imported by the first run: asyncio alone takes as long as all else that a notebook
# needs to define a flow.

_MOST_SHOWN = 10
_ENGINE = "flownb.run.start"


class Flow(Builder):
    """A workflow in the making, and the way to run it.

    ```python
    flow = Flow("invoices")

    @flow.node
    def load(path: str):            # a parameter that names no node is an input of the flow
        return pd.read_csv(path)

    @flow.node
    def total(load):                # a parameter that names a node is an edge
        return float(load.amount.sum())

    run = flow.run(path="data/invoices.csv")
    ```
    """

    def __init__(
        self,
        name: str,
        *,
        description: str = "",
        services: Mapping[str, Any] | None = None,
        settings: Settings | None = None,
        registry: Registry | None = None,
    ) -> None:
        """An empty flow.

        Args:
            name: what lists and pictures call it.
            description: what it is for.
            services: objects that nodes find in `ctx.services`; `run(services=…)` puts others in their place.
            settings: concurrency, timeout and so on, for every run.
            registry: the node types it knows, if not the usual ones.
        """
        hook_up = hook("origin") if _in_ipython() else None
        super().__init__(
            name,
            description=description,
            settings=settings,
            registry=registry,
            origin=hook_up or (lambda: None),
        )
        self.services: dict[str, Any] = dict(services or {})
        #: Outputs that take the place of running a node, by its id.
        self.pins: dict[str, Any] = {}
        #: Flows that are started because of runs of this one, by why; as long as it is there, they are.
        self._told: dict[str, Flow | str] = {}
        #: The ids of the nodes before which a run halts.
        self.breakpoints: dict[str, None] = {}
        self._definition: tuple[Workflow, Definition] | None = None

    def definition(self) -> Definition:
        """The flow made ready to run; made once, until the flow changes.

        Raises:
            InvalidWorkflow: the flow has problems; the message lists them, `.problems` holds them all.
        """
        workflow = self.build()
        if self._definition is None or self._definition[0] is not workflow:
            from flownb.run.definition import Definition

            raise_problems(self.name, self.validate())
            self._definition = (workflow, Definition(workflow, self.functions, self.registry, self.flows))
        return self._definition[1]

    def validate(self) -> list[Problem]:
        """Everything that is wrong, at once, and what is wrong with the flows that its subflows run."""
        found = super().validate()
        seen = {id(self)}
        stack = [(name, each) for name, each in self.flows.items()]
        while stack:
            name, each = stack.pop()
            if id(each) not in seen:
                seen.add(id(each))
                found += [_beneath(name, problem) for problem in Builder.validate(each)]
                stack += [(f"{name}.{inner}", other) for inner, other in each.flows.items()]
        return found

    def breakpoint(self, node: str | NodeRef, *, on: bool = True) -> None:
        """Halt before a node in every run that somebody starts here, or no more; headless runs ignore it.

        The run is then paused; `run.step()` runs one node, `run.resume()` goes on.
        """
        name = self[node.id if isinstance(node, NodeRef) else node].id
        if on:
            self.breakpoints[name] = None
        else:
            self.breakpoints.pop(name, None)

    def forget(self, node: str | NodeRef | None = None, *, store: Any = None) -> int:
        """Let cached results of this flow be used no more, of one node or of all; returns how many there were.

        Args:
            node: whose; all nodes' by default.
            store: as of `run`.
        """
        from flownb.store.place import store_of

        name = None if node is None else self[node.id if isinstance(node, NodeRef) else node].id
        return store_of(store).forget_cached(self.name, name)

    def on_failure(self, workflow: Flow | str) -> None:
        """Start another workflow whenever a run of this one has failed; `trigger.error` in it tells what is known.

        ```python
        alert = Flow("alert")
        failed = alert.add("trigger.error", "failed")

        @alert.node
        def tell(failed):          # {"run": …, "workflow": …, "error": {…}, "last_node": …}
            send(f"{failed['workflow']}: {failed['error']['message']}")

        flow.on_failure(alert)
        ```

        It is started once for each failure, also where the process dies before it could: by the next that looks. Runs
        that are started so start no others.

        Args:
            workflow: a flow of this process, which only this process can start; or `module:flow` or a workflow file,
                which is started in a process of its own.
        """
        from flownb.run.calls import know

        name = know(workflow) if isinstance(workflow, Flow) else workflow
        self._told["error"] = workflow
        self.settings = msgspec.structs.replace(self.settings, error_workflow=name)
        self._changed()

    def on_status(self, status: str | Iterable[str], workflow: Flow | str) -> None:
        """Start another workflow whenever a run of this one comes to a status; `trigger.status` in it tells of the run.

        ```python
        report = Flow("report")
        done = report.add("trigger.status", "done")

        @report.node
        def tell(done):            # {"run": …, "workflow": …, "status": "completed", "outputs": {…}, …}
            send(f"{done['workflow']} took {done['duration_ms']} ms")

        flow.on_status("completed", report)
        ```

        Expressions see the same as `trigger.payload`. Each change starts it once, also where the process dies before
        it could: the next that looks does it. Runs that are started so start no others.

        Args:
            status: `completed`, `failed`, `cancelled` or `paused`, or several of them. Each starts one workflow: the
                one that was named last.
            workflow: as of `on_failure`.

        Raises:
            UsageError: there is no such status, or none that others can be started for.
        """
        from flownb.run.calls import know

        given = (status,) if isinstance(status, str) else tuple(status)
        for each in given:
            if each not in CALLING_STATUSES:
                near = near_names(str(each), CALLING_STATUSES)
                raise UsageError(f"{self.name} can't start a workflow because a run is {each!r}.{near}")
        name = know(workflow) if isinstance(workflow, Flow) else workflow
        self._told |= dict.fromkeys(given, workflow)
        on_status = {**self.settings.on_status, **dict.fromkeys(given, name)}
        self.settings = msgspec.structs.replace(self.settings, on_status=on_status)
        self._changed()

    def pin(self, node: str | NodeRef, value: Any) -> None:
        """Use a value instead of running a node, in every run that somebody starts here; headless runs ignore it.

        Args:
            node: which.
            value: its output; an `Output` to choose ports as well.
        """
        self.pins[self[node.id if isinstance(node, NodeRef) else node].id] = value

    def unpin(self, node: str | NodeRef | None = None) -> None:
        """Run a node again, or all of them."""
        if node is None:
            self.pins.clear()
        else:
            self.pins.pop(node.id if isinstance(node, NodeRef) else node, None)

    def variables(self, *, store: Any = None) -> WorkflowVariables:
        """The variables that outlive runs of this flow, to look at and to set: `flow.variables()["count"] = 3`.

        Args:
            store: as of `run`.
        """
        from flownb.run.workflow_variables import WorkflowVariables
        from flownb.store.place import store_of

        return WorkflowVariables(store_of(store), self.name, self.build().variables)

    def view(self, *, dark: bool = False) -> Picture:
        """A picture of the flow as it is defined now; it shows itself in a notebook."""
        from flownb.graph.picture import draw

        workflow = self.build()
        return draw(
            workflow, categories=self.registry.categories(workflow), ports=self.registry.ports(workflow), dark=dark
        )

    def run(
        self,
        inputs: Mapping[str, Any] | None = None,
        /,
        *,
        store: Any = None,
        key: str | None = None,
        until: str | NodeRef | None = None,
        from_: str | NodeRef | None = None,
        only: Sources = None,
        durability: str | None = None,
        services: Mapping[str, Any] | None = None,
        display: bool = True,
        **kw: Any,
    ) -> Run:
        """Start a run and return at once; `await run` or `run.result()` waits for its end.

        Args:
            inputs: inputs by name, for names that collide with the arguments below.
            store: a URL, a path or an open store; else `FLOWNB_STORE`, else the nearest `.flownb/`.
            key: an idempotency key: at most one run is ever started with it in a store.
            until: run only what this node needs, and the node.
            from_: run this node and what follows from it; of the rest, what is not stale is taken from the newest
                earlier run.
            only: run these nodes alone, on the outputs of the newest earlier run.
            durability: `process` (survives a kill -9, the default) or `power` (the plug as well).
            services: objects for `ctx.services`, before those of the flow.
            display: in a notebook, show the run under the cell.
            **kw: inputs by name.

        Raises:
            InvalidWorkflow: the flow has problems.
            InvalidInput: an input is unknown, missing or given twice.
            Conflict: the key belongs to another target or other inputs.
            StoreError: the store can't be opened or written.
        """
        given = _by_name(inputs)
        if twice := sorted(given.keys() & kw.keys()):
            raise InvalidInput(f"The input {twice[0]!r} is given twice.", name=twice[0])
        if _ENGINE not in sys.modules:
            at_once(_ENGINE, "flownb.run.definition", "flownb.run.request", "flownb.store.place")
        from flownb.run.request import Request, check_inputs
        from flownb.run.start import start
        from flownb.store.place import open_store, store_of

        session = current_session()
        opened = open_store(session.store_url) if session is not None else store_of(store)
        request = Request(
            definition=self.definition(),
            store=opened,
            inputs=check_inputs(self.definition(), given | kw, self.defaults),
            given=frozenset(given | kw),
            services={**self.services, **(services or {})},
            key=key,
            until=until.id if isinstance(until, NodeRef) else until,
            from_=from_.id if isinstance(from_, NodeRef) else from_,
            only=tuple(dict.fromkeys(each.node for each in sources(only, self, "only"))),
            pins=dict(self.pins),
            breakpoints=tuple(self.breakpoints),
            mode=RunMode.MANUAL,
            power=_power(durability),
            session=session,
            soon=True,
        )
        interactive = session is None and _in_ipython()
        if interactive and (pin := hook("program")) is not None:
            request.program = pin(opened)
        run = start(request)
        if interactive and (started := hook("started")) is not None:
            started(run)
        if display and _in_ipython():
            _show(run)
        return run

    def resume(
        self, *, store: Any = None, services: Mapping[str, Any] | None = None, durability: str | None = None
    ) -> list[Run]:
        """Go on with every run of the flow that can, and return at once; handles on those runs.

        A run can go on whose question is answered or whose time has come, and one whose process died. Those that still
        wait, that failed, that a living process has, or that were started with another definition, are left.

        ```python
        for run in flow.resume():
            run.result()
        ```

        Args:
            store: as of `run`.
            services: objects for `ctx.services`, before those of the flow.
            durability: as of `run`.

        Raises:
            InvalidWorkflow: the flow has problems.
            StoreError: the store can't be opened or written.
        """
        if _ENGINE not in sys.modules:
            at_once(_ENGINE, "flownb.run.definition", "flownb.run.request", "flownb.store.place")
        from flownb.run.recovery.unfinished import resume_all
        from flownb.run.request import Request
        from flownb.store.place import store_of

        given = {**self.services, **(services or {})}
        request = Request(definition=self.definition(), store=store_of(store), services=given, power=_power(durability))
        return resume_all(request)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        del include, exclude
        picture = self.view()
        return {"text/plain": picture.text(), "image/png": picture.png()}


def _beneath(name: str, problem: Problem) -> Problem:
    """A problem of the flow that a subflow runs."""
    top = name.partition(".")[0]
    return msgspec.structs.replace(problem, message=f"{name}: {problem.message}", node=top, place=None)


def raise_problems(name: str, problems: list[Problem]) -> None:
    """Raise if a problem is an error.

    Raises:
        InvalidWorkflow: with all problems, the first ten in the message.
    """
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    if not errors:
        return
    shown = "\n".join(f"- {problem}" for problem in errors[:_MOST_SHOWN])
    more = f"\n… and {len(errors) - _MOST_SHOWN} more" if len(errors) > _MOST_SHOWN else ""
    count = "a problem" if len(errors) == 1 else f"{len(errors)} problems"
    raise InvalidWorkflow(f"{name} has {count}:\n{shown}{more}", problems=problems)


def _show(run: Run) -> None:
    """Show the run under its cell; a picture that can't be drawn harms no run."""
    try:
        show = hook("display")
        if show is not None:
            show(run)
    except Exception as error:  # noqa: BLE001  views are the last thing that may fail a run
        warnings.warn(f"Run {run.id} can't be shown: {type(error).__name__}: {error}", stacklevel=3)


def _by_name(inputs: object) -> dict[str, Any]:
    if inputs is None:
        return {}
    if not isinstance(inputs, Mapping):
        raise InvalidInput(
            f"Inputs are given by name, as flow.run(path=…) or flow.run({{'path': …}}), not as {inputs!r:.60}.",
            name="inputs",
        )
    return dict(inputs)


def _power(durability: str | None) -> bool:
    try:
        return Durability(durability or Durability.PROCESS) is Durability.POWER
    except ValueError:
        raise UsageError(f"durability is {durability!r}; it can be 'process' or 'power'.") from None


def _in_ipython() -> bool:
    module = sys.modules.get("IPython")
    return module is not None and module.get_ipython() is not None
