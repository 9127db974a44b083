"""The builders of nodes that split a flow and bring it together again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flownb.errors import UsageError
from flownb.graph.definitions import Definitions
from flownb.model.ports import MAIN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from flownb.graph.refs import NodeRef, Sources
    from flownb.graph.spec import NodeOptions


class Branching(Definitions):
    """Several ways at once, and one way again."""

    def parallel(
        self,
        id: str,  # noqa: A002  the word of the definition, the file and the page
        branches: Sequence[str] | Mapping[str, Any],
        *,
        wait_for: str | int = "all",
        losers: str = "cancel",
        **options: Unpack[NodeOptions],
    ) -> NodeRef:
        """Do several branches at once, and go on when all have ended, or when enough have come.

        ```python
        offers = flow.parallel("offers", ["north", "south"], wait_for="any")
        with offers.north:
            @flow.node
            def ask_north(): ...
        with offers.south:
            @flow.node
            def ask_south(): ...

        @flow.node
        def book(offers): ...          # {"south": …}: the one that came first
        ```

        Its nodes run as `offers[north].ask_north`. What a branch gave comes out at its port, as `offers.south`, and
        at `offers` itself in a table by branch; branches that did not come are absent.

        Args:
            id: its id.
            branches: their names; or for each name what its nodes know as `item`, which may be a template. Without
                one it is what comes in at `main`, else the item of the loop around.
            wait_for: `all` (until every branch has ended; fails when one does), `any`, or how many must come.
            losers: what becomes of branches that it no longer waits for: `cancel`, or `let_go_on` to their end.
            options: as of `node`; retries and caches belong to the nodes inside.
        """
        if isinstance(branches, str) or not branches:
            raise UsageError(f"{id}: a parallel takes the names of its branches in a list, and not {branches!r:.60}.")
        listed = (
            [{"name": name, "item": item} for name, item in branches.items()]
            if isinstance(branches, Mapping)
            else [{"name": name} for name in branches]
        )
        config: dict[str, Any] = {"branches": listed}
        if isinstance(wait_for, int) and not isinstance(wait_for, bool):
            config |= {"wait_for": "count", "count": wait_for}
        else:
            config["wait_for"] = wait_for
        return self.define("control.parallel", id, {**config, "losers": losers}, options)

    def subflow(
        self,
        id: str,  # noqa: A002  as above
        workflow: Definitions | str,
        *,
        values: Mapping[str, Any] | None = None,
        **options: Unpack[NodeOptions],
    ) -> NodeRef:
        """Run another flow as a node of this one; its output is a table of that flow's outputs by node.

        ```python
        bill = flow.subflow("bill", billing, inputs={"order": "load"}, values={"currency": "EUR"})
        ```

        It is a run of its own, `run["bill"].child`, that begins once whatever happens: a retry and a resumption go on
        with it. While it waits for somebody, this run does too; pauses and cancellations reach it.

        Args:
            id: its id.
            workflow: a flow; or `module:flow`, the path of a workflow.json, or the name of a workflow that has run in
                the store before.
            values: inputs of that flow by name, plain data or templates; those that are wired come by `inputs=`.
            options: as of `node`.

        Raises:
            UsageError: it is neither a flow nor text.
        """
        live = workflow if isinstance(workflow, Definitions) else None
        if live is None and not isinstance(workflow, str):
            raise UsageError(f"{id}: a subflow runs a Flow, `module:flow` or a workflow.json, not {workflow!r:.60}.")
        config: dict[str, Any] = {"workflow": live.name if live is not None else workflow}
        if values:
            config["values"] = dict(values)
        return self.define("control.subflow", id, config, options, flow=live)

    def merge(
        self,
        id: str,  # noqa: A002  as above
        *sources: Sources,
        mode: str = "append",
        on: str | Sequence[str] | None = None,
        how: str | None = None,
        **options: Unpack[NodeOptions],
    ) -> NodeRef:
        """Bring branches together; those that did not run are absent.

        ```python
        flow.merge("orders", web.true, shop)                       # lists or frames, one after another
        flow.merge("known", orders, customers, on="customer_id")   # rows that belong together, side by side
        ```

        Args:
            id: its id.
            sources: the nodes and ports.
            mode: `append` (lists and frames one after another), `combine` (dicts, later ones win), `first` (in this
                order) or `by_key`.
            on: the field whose values belong together, or several: frames, or lists of dicts, side by side. A field
                that both have, and that is no key, gets the name of its source behind it the second time.
            how: with `on`, which rows stay: `inner` (those with a partner), `left` (all of the first source) or
                `outer` (all).
            options: as of `node`.
        """
        inputs = dict(options.get("inputs") or {})
        inputs[MAIN] = [*sources, inputs.get(MAIN)]
        config: dict[str, Any] = {"mode": "by_key" if on is not None and mode == "append" else mode}
        if on is not None:
            config["on"] = on if isinstance(on, str) else list(on)
        if how is not None:
            config["how"] = how
        return self.define("control.merge", id, config, {**options, "inputs": inputs})
