"""The pure half of a flow: functions and settings in, a `Workflow` out. No engine, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias, overload

import msgspec

from flownb.errors import UsageError
from flownb.graph.aliases import canonical_type
from flownb.graph.definitions import DefinitionWarning
from flownb.graph.function import check_outputs, function_config, read_signature
from flownb.graph.mending import Mending
from flownb.graph.questions import Questions
from flownb.graph.refs import NodeRef
from flownb.graph.spec import OPTION_NAMES, NodeOptions, with_forms
from flownb.model.durations import is_length
from flownb.model.status import VariableScope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Unpack

    from flownb.graph.refs import PortRef, Sources
    from flownb.model.status import OnCrash, OnError, Where
    from flownb.model.workflow import Cache, JoinCount, Limits, RetryPolicy

__all__ = ["Builder", "DefinitionWarning"]

Function: TypeAlias = "Callable[..., Any]"


class Builder(Mending, Questions):
    """What people write a flow with: a method for each kind of node.

    In a function, a parameter that names a node is an edge, one that names none is an input of the flow, and `ctx` is
    the context of the run.
    """

    @overload
    def node(
        self, fn: Function, /, *, id: str | None = None, ports: Sequence[str] = (), **options: Unpack[NodeOptions]
    ) -> NodeRef: ...

    @overload
    def node(
        self, fn: None = None, /, *, id: str | None = None, ports: Sequence[str] = (), **options: Unpack[NodeOptions]
    ) -> Callable[[Function], NodeRef]: ...

    def node(
        self,
        fn: Function | None = None,
        /,
        *,
        id: str | None = None,  # noqa: A002  the word of the definition, the file and the page
        name: str = "",
        after: Sources = None,
        inputs: Mapping[str, Any] | None = None,
        input_mapping: Mapping[str, Any] | None = None,
        output_mapping: Mapping[str, Any] | None = None,
        ports: Sequence[str] = (),
        retry: int | RetryPolicy | Mapping[str, Any] | None = None,
        timeout: float | str | timedelta | None = None,
        heartbeat: float | str | timedelta | None = None,
        on_error: str | OnError | None = None,
        fallback: Any = msgspec.UNSET,
        compensation: NodeRef | Function | str | None = None,
        strategies: Any = None,
        on_crash: str | OnCrash | None = None,
        where: str | Where | None = None,
        join: str | int | Mapping[str, int] | JoinCount | None = None,
        cache: float | Cache | Mapping[str, Any] | None = None,
        limits: Limits | Mapping[str, Any] | None = None,
        input_schema: Mapping[str, Any] | None = None,
        output_schema: Any = None,
        disabled: bool = False,
        notes: str = "",
        parent: NodeRef | PortRef | str | None = None,
    ) -> NodeRef | Callable[[Function], NodeRef]:
        """Make a node of a function; a decorator with and without parentheses.

        Args:
            fn: a function, plain or async.
            id: its id; the function's name by default.
            name: what people read.
            after: what must have happened before it: nodes (an order), ports (a gate), ids, and lists of them mixed.
            inputs: the node or port for a parameter that is not called like it.
            input_mapping: for parameters, expressions that make them, as `{"limit": "load.rows * 2"}`.
            output_mapping: for variables of the run, expressions that make them of the output, as
                `{"total": "output.amount"}`.
            ports: names of ports beside `main`, which the function chooses by returning an `Output`.
            retry: attempts in all, or a policy.
            timeout: seconds for one attempt; these and all lengths of time also as texts, `90s`, `1h 30m`, `PT4H`.
            heartbeat: the longest time in which an attempt may say nothing by `ctx.heartbeat()`, status, progress or
                step, in seconds; then it fails.
            on_error: stop (what the others do then is `Settings.failures`), continue, skip, error_port, fallback,
                compensate or pause.
            fallback: what it completes with when it has failed, a value, or a node or function that then runs in its
                place; implies `on_error="fallback"`.
            compensation: the node or function that undoes what this one did, when a run is undone.
            strategies: what is done about single classes of errors or exceptions, before `retry` and `on_error`:
                `{"timeout": {"strategy": "retry", "attempts": 5}, "dependency": "skip"}`.
            on_crash: rerun, ask or fail, for a node in flight when the process died.
            where: of a plain function: "thread"; "process", which can be limited and is ended with all that it has
                started; or "main", the main thread, which serves it while it waits for a run or its loop is idle. Async
                functions run on the engine's loop.
            join: "all", "any", or how many of its gates and orders must be live.
            cache: True, seconds, or a policy: whether an earlier output may be used again.
            limits: what it may use: `{"memory_mb": 500, "cpu_seconds": 60}` with where="process", and named resources
                as `{"resources": {"gpu": 1}}` anywhere; how many there are of each, `Settings.resources` says.
            input_schema: what its inputs must look like, by their names: pydantic models, dataclasses, TypedDicts, or
                JSON Schema (with `columns` for a DataFrame). Parameters annotated so need no more. A value is looked at
                when it comes in, and one that doesn't fit fails the node without a retry.
            output_schema: the same for what it returns, or a dict by the names of its ports.
            disabled: let its input pass instead of running it.
            notes: for people; the docstring's first line by default.
            parent: the loop or the branch that it lies in, where it is not defined in a `with` of that.

        Raises:
            UsageError: the function can't be a node, or an option has no such value; nothing was added.
        """
        options: NodeOptions = {
            "name": name, "after": after, "retry": retry, "timeout": timeout, "heartbeat": heartbeat,
            "on_error": on_error, "on_crash": on_crash, "where": where, "join": join, "cache": cache, "limits": limits,
            "input_schema": input_schema or {}, "output_schema": output_schema,
            "disabled": disabled, "notes": notes, "inputs": inputs or {}, "parent": parent, "strategies": strategies,
            "compensation": compensation, "input_mapping": input_mapping, "output_mapping": output_mapping,
        }  # fmt: skip
        if fallback is not msgspec.UNSET:
            options["fallback"] = fallback

        def define(function: Function) -> NodeRef:
            plain = function.function if isinstance(function, NodeRef) and function.function else function
            node_id = id or str(getattr(plain, "__name__", ""))
            if id is None and not node_id.isidentifier():
                raise UsageError(f"{plain!r:.80} has no name that could be the node's id: give one with `id=`.")
            signature = read_signature(plain, name=node_id)
            config = function_config(plain, signature, check_outputs(node_id, ports))
            return self.define("python", node_id, config, with_forms(plain, options), (plain, signature))

        return define if fn is None else define(fn)

    def condition(
        self,
        id: str,  # noqa: A002  as above
        test: str | Mapping[str, Any] | Function,
        **options: Unpack[NodeOptions],
    ) -> NodeRef:
        """A question with the ports `true` and `false`; exactly one of them fires.

        Args:
            id: its id.
            test: an expression as `total.amount > 1000`, a condition as an object, or a function whose parameters are
                wired like a node's. Nodes that an expression names are waited for.
            options: as of `node`.
        """
        if callable(test):
            signature = read_signature(test, name=id)
            return self.define("control.condition", id, function_config(test, signature), options, (test, signature))
        return self.define("control.condition", id, {"test": test if isinstance(test, str) else dict(test)}, options)

    def switch(
        self,
        id: str,  # noqa: A002  as above
        cases: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        value: Any = msgspec.UNSET,
        mode: str = "first",
        **options: Unpack[NodeOptions],
    ) -> NodeRef:
        """A choice of many ways: a port for each case, and `default` for when none holds.

        Args:
            id: its id.
            cases: for each port an expression or a condition as an object, tried in this order. With `value`, what it
                must be for the port, or a list of what it may be. Or a list of cases as the definition has them.
            value: what is compared, as `{{ order.tier }}`.
            mode: whether the `first` case that holds fires, or `all` that do.
            options: as of `node`.
        """
        compares = value is not msgspec.UNSET
        if isinstance(cases, Mapping):
            cases = [_case(id, port, wanted, compares=compares) for port, wanted in cases.items()]
        config = {"cases": [dict(each) for each in cases], "mode": mode} | ({"value": value} if compares else {})
        return self.define("control.switch", id, config, options)

    def code(
        self,
        id: str,  # noqa: A002  as above
        code: str,
        **options: Unpack[NodeOptions],
    ) -> NodeRef:
        """Python text that runs in a process of its own, with nothing of this one in it.

        ```python
        flow.code("net", "round(total / 1.2, 2)", limits={"memory_mb": 512, "cpu_seconds": 10}, timeout=30)
        ```

        Args:
            id: its id.
            code: nodes and declared inputs that it names are there under their names, and making use of one waits for
                it; in a loop `item` and `index`. What it assigns to `result`, or the value of its last line, comes out.
            options: as of `node`.
        """
        return self.define("code.run", id, {"code": code}, options)

    def delay(
        self,
        id: str,  # noqa: A002  as above
        wait: float | timedelta | datetime | str | None = None,
        *,
        seconds: float | str | None = None,
        until: datetime | str | None = None,
        **options: Unpack[NodeOptions],
    ) -> NodeRef:
        """Wait, and pass on what came in.

        Args:
            id: its id.
            wait: seconds, a timedelta or a text as `1h 30m`; or the moment, as a datetime or ISO text.
            seconds: the same by name; may be a template.
            until: the moment by name; may be a template. Without an offset it is the machine's local time.
            options: as of `node`.
        """
        given = {"wait": wait, "seconds": seconds, "until": until}
        named = [(name, each) for name, each in given.items() if each is not None]
        if len(named) != 1:
            found = " and ".join(name for name, _ in named) or "neither"
            raise UsageError(f"{id}: a delay takes seconds or until, one of them, and {found} is given.")
        name, value = named[0]
        match value:
            case timedelta():
                config: dict[str, Any] = {"seconds": value.total_seconds()}
            case datetime():
                config = {"until": value.isoformat()}
            case _:
                moment = isinstance(value, str) and not is_length(value)
                config = {name if name != "wait" else "until" if moment else "seconds": value}
        return self.define("control.delay", id, config, options)

    def loop(
        self,
        id: str,  # noqa: A002  as above
        over: Any = None,
        *,
        condition: str | Mapping[str, Any] | None = None,
        count: int | str | None = None,
        first: Any = None,
        concurrency: int | None = None,
        max_iterations: int | None = None,
        errors: str | None = None,
        **options: Unpack[NodeOptions],
    ) -> NodeRef:
        """Repeat a part of the flow: `with flow.loop("each", over="load.rows") as each:` and the nodes of its body.

        Nodes inside may have the parameters `item` and `index`, wait for one another, and use everything outside. They
        run as `each[0].clean`, `each[1].clean` …; what the last of them gives comes out at `each` as a list, in order.

        Args:
            id: its id.
            over: what to go through: an expression, a node, or a list.
            condition: go on while it holds, instead; it knows `item` (the result of the round before), `index` and
                `results`.
            count: do so many rounds, instead: a number or an expression.
            first: the `item` of the first round of a loop with a condition.
            concurrency: rounds at once; by default as many as the run has room for.
            max_iterations: fail beyond so many rounds; 100,000 by default, with a condition 1,000.
            errors: `fail` (no round begins after one has failed, and the loop fails) or `collect` (all are done; what
                failed is None in the results, and is listed at the port `error`). By default `collect` where `error` is
                wired.
            options: as of `node`; retries and caches belong to the nodes inside.
        """
        kinds = {"for_each": over, "while": condition, "count": count}
        given = [kind for kind, value in kinds.items() if value is not None]
        if len(given) != 1:
            found = " and ".join({"for_each": "over", "while": "condition"}.get(each, each) for each in given) or "none"
            raise UsageError(f"{id}: a loop takes over, condition or count, one of them, and {found} is given.")
        config: dict[str, Any] = {
            "kind": given[0],
            "over": over.id if isinstance(over, NodeRef) else over,
            "condition": condition,
            "count": count,
            "first": first,
            "concurrency": concurrency,
            "max_iterations": max_iterations,
            "errors": errors,
        }
        return self.define("control.loop", id, {k: v for k, v in config.items() if v is not None}, options)

    def map(
        self,
        fn: Function | None = None,
        /,
        *,
        over: Any,
        id: str | None = None,  # noqa: A002  as above
        concurrency: int | None = None,
        errors: str | None = None,
        **options: Unpack[NodeOptions],
    ) -> Any:
        """Call a function for each item of a list, each call a node of its own: a loop with one node inside.

        ```python
        @flow.map(over="load.rows", concurrency=8)
        def clean(item): ...
        ```

        The loop has the function's name, its calls are `clean[0].clean_item`, `clean[1].clean_item` …

        Args:
            fn: takes `item`, and whatever else a node takes.
            over: what to go through: an expression, a node, or a list.
            id: the loop's id; the function's name by default.
            concurrency: calls at once.
            errors: as of `loop`.
            options: as of `node`, for the calls.
        """

        def define(function: Function) -> NodeRef:
            name = id or str(getattr(function, "__name__", ""))
            loop = self.loop(name, over, concurrency=concurrency, errors=errors)
            with loop:
                self.node(function, id=f"{loop.id}_item", **options)
            return NodeRef(self, loop.id, function)

        return define if fn is None else define(fn)

    def set_variable(
        self,
        id: str,  # noqa: A002  as above
        variable: str,
        value: Any,
        *,
        scope: str = VariableScope.RUN,
        **options: Unpack[NodeOptions],
    ) -> NodeRef:
        """Set a variable: expressions see it as `variables.name`, functions as `ctx.variables["name"]`.

        Args:
            id: its id.
            variable: its name.
            value: plain data, or a template as `{{ total.amount }}`.
            scope: `run`, or `workflow`: runs that start later begin with it.
            options: as of `node`; nodes that read the variable come after this one, by `after=`.
        """
        config = {"name": variable, "value": value} | ({} if scope == VariableScope.RUN else {"scope": str(scope)})
        return self.define("control.set_variable", id, config, options)

    def stop(
        self,
        id: str,  # noqa: A002  as above
        message: str = "",
        *,
        failed: bool = False,
        **options: Unpack[NodeOptions],
    ) -> NodeRef:
        """End the run when it is come to; nothing more starts, and what is in flight is asked to stop.

        Args:
            id: its id.
            message: why, for people; may be a template.
            failed: end it as failed, and not as completed.
            options: as of `node`; a stop is reached by a gate, as `after=big.false`.
        """
        config = {"status": "failed" if failed else "completed", "message": message}
        return self.define("control.stop", id, config, options)

    def wait_for_event(
        self,
        id: str,  # noqa: A002  as above
        event: str,
        *,
        seconds: float | str | timedelta | None = None,
        **options: Unpack[NodeOptions],
    ) -> NodeRef:
        """Wait for `run.signal(event, value)` or `flownb signal RUN EVENT VALUE`; its output is the value.

        Args:
            id: its id.
            event: the name of the signal; may be a template, as `paid-{{ order.id }}`.
            seconds: how long to wait, as 90 or `1h 30m`; then its port `timeout` fires, or it fails where nothing is
                wired to that.
            options: as of `node`.
        """
        config: dict[str, Any] = {"event": event}
        if seconds is not None:
            config["timeout"] = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
        return self.define("control.wait_for_event", id, config, options)

    def add(self, type: str, id: str, /, **config: Any) -> NodeRef:  # noqa: A002  the words of the definition
        """A node of any type.

        Args:
            type: `family.name`, or another name for it.
            id: its id.
            config: what its type needs, together with the options of `node`, which go to the node.
        """
        canonical = canonical_type(type)
        own = OPTION_NAMES - _WAITS if canonical.startswith("human.") else OPTION_NAMES
        options: Any = {name: config.pop(name) for name in list(config) if name in own}
        return self.define(canonical, id, config, options)


#: Options that mean something else where people are asked: how long they have.
_WAITS: Final = frozenset({"timeout"})


def _case(owner: str, port: str, wanted: Any, *, compares: bool) -> dict[str, Any]:
    """A case of a switch as it stands in the definition.

    Raises:
        UsageError: it is neither an expression nor a condition, and no value is compared.
    """
    if compares:
        return (
            {"port": port, "one_of": list(wanted)}
            if isinstance(wanted, list | tuple)
            else {"port": port, "equals": wanted}
        )
    if not isinstance(wanted, str | Mapping):
        raise UsageError(
            f"{owner}: the case {port!r} is {wanted!r:.60}; it is an expression as 'total > 1000' or a condition as an "
            "object. To compare a value with it, give `value=` as well."
        )
    return {"port": port, "when": wanted if isinstance(wanted, str) else dict(wanted)}
