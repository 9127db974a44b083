"""The builders of what a flow does about failures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flownb.graph.branching import Branching
from flownb.graph.function import function_config, read_signature
from flownb.graph.refs import NodeRef
from flownb.graph.strategies import handler
from flownb.ids import slug
from flownb.model.status import Strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Unpack

    from flownb.graph.function import Signature
    from flownb.graph.spec import NodeOptions
    from flownb.model.workflow import ErrorHandler


class Mending(Branching):
    """Compensations, fallbacks, handlers and strategies."""

    def define(
        self,
        type_: str,
        name: str,
        config: dict[str, Any],
        options: NodeOptions,
        function: tuple[Callable[..., Any], Signature] | None = None,
        *,
        flow: Any = None,
    ) -> NodeRef:
        """Add a node; a plain function that is its compensation or its fallback becomes a node of its own."""
        for option in ("compensation", "fallback"):
            given = options.get(option)
            if callable(given) and not isinstance(given, NodeRef | type):
                options = {**options, option: self._kept(f"{slug(name)}_{option}", given)}  # type: ignore[misc]
        return super().define(type_, name, config, options, function, flow=flow)

    def _kept(self, node_id: str, function: Callable[..., Any]) -> NodeRef:
        signature = read_signature(function, name=node_id)
        return super().define("python", node_id, function_config(function, signature), {}, (function, signature))

    def error_handler(
        self,
        id: str,  # noqa: A002  the word of the definition, the file and the page
        errors: str | Sequence[str] = (),
        *,
        nodes: Sequence[NodeRef | str] = (),
        then: str = "fail",
        **options: Unpack[NodeOptions],
    ) -> NodeRef:
        """What is done when the run fails: this node gives the error, and what follows from it runs before the end.

        ```python
        failed = flow.error_handler("failed")

        @flow.node
        def tell(failed):              # {"type": …, "message": …, "class": …, "node": …, "run": …}
            send(f"{failed['node']}: {failed['message']}")
        ```

        Args:
            id: its id.
            errors: for which classes of errors (`timeout`, `validation`, `execution`, `dependency`) or exceptions; all
                by default.
            nodes: for failures of which nodes; all by default.
            then: whether the run then ends as failed (`fail`), or as completed (`complete`) if this node was.
            options: as of `node`.
        """
        named = [errors] if isinstance(errors, str) else list(errors)
        scope = [each.id if isinstance(each, NodeRef) else slug(each) for each in nodes]
        config = {"errors": named, "nodes": scope, "then": then}
        return self.define("control.error_handler", id, config, options)

    def compensate(
        self,
        id: str,  # noqa: A002  as above
        message: str = "",
        *,
        failed: bool = True,
        **options: Unpack[NodeOptions],
    ) -> NodeRef:
        """Undo what the run did, and end it: the compensations of completed nodes run, the newest first.

        ```python
        flow.compensate("undo", "no car could be had", after=book_car.error)
        ```

        Args:
            id: its id.
            message: why, for people; may be a template.
            failed: end the run as failed, and not as completed.
            options: as of `node`; it is reached by a gate, as `after=book_car.error`.
        """
        config = {"status": "failed" if failed else "completed", "message": message}
        return self.define("control.compensate", id, config, options)

    def on_error(
        self,
        error: str | type[BaseException],
        strategy: str = "stop",
        *,
        attempts: int | None = None,
        delay: float | None = None,
        message: str = "",
        target: NodeRef | str | None = None,
    ) -> None:
        """Say what is done about errors of one class in all nodes that say nothing about it themselves.

        ```python
        flow.on_error("timeout", "retry", attempts=5, delay=2)
        flow.on_error("dependency", "skip", message="the shop is not open yet")
        ```

        Args:
            error: `timeout`, `validation`, `execution`, `dependency`, `any`, or an exception.
            strategy: `retry`, `fail` (or `stop`), `continue`, `skip`, `compensate` or `pause`; the last call for an
                error counts, one for `retry` and one for what comes after the last attempt.
            attempts: attempts in all, for `retry`.
            delay: seconds before the second one.
            message: what people are told beside the error.
            target: a node that starts when the run fails with such an error.
        """
        node = target.id if isinstance(target, NodeRef) else slug(target) if target is not None else None
        made: ErrorHandler = handler(
            self.name, error, strategy=strategy, attempts=attempts, delay=delay, message=message, target=node
        )
        self._changed()
        self._handlers[made.error, made.strategy == Strategy.RETRY] = made
