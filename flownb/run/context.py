"""What a node gets as `ctx`."""

from __future__ import annotations

import threading
from collections import ChainMap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import near_names
from flownb.ids import attempt_key
from flownb.model.ports import MAIN
from flownb.run.output.capture import node_logger
from flownb.run.remedies import error_for
from flownb.run.secrets import text_of
from flownb.run.steps import Steps

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator, Sequence

    from flownb.graph.nodetype import Child, Round
    from flownb.run.attempt import Attempt


#: Two threads of one node may take its first step at the same time.
_making: Final = threading.Lock()


class Services(dict[str, Any]):
    """Services by name; a missing one says what there is and how to give it."""

    def __missing__(self, name: str) -> Any:
        raise KeyError(
            f"There is no service {name!r}.{near_names(name, self)} "
            f"Give it to the flow, Flow(…, services={{{name!r}: …}}), or to a run, flow.run(services={{{name!r}: …}})."
        )


class _Live(Mapping[str, Any]):
    """A read-only view of values that are decoded when somebody looks."""

    def __init__(self, plain: Mapping[str, Any], get: Callable[[str], Any]) -> None:
        self._plain, self._get = plain, get

    def __getitem__(self, name: str) -> Any:
        if name not in self._plain:
            raise KeyError(f"There is no {name!r}.{near_names(name, self._plain)}")
        return self._get(name)

    def __contains__(self, name: object) -> bool:
        return name in self._plain

    def __iter__(self) -> Iterator[str]:
        return iter(self._plain)

    def __len__(self) -> int:
        return len(self._plain)


class _Variables(ChainMap[str, Any]):
    """What the run has set, before its inputs."""

    def __missing__(self, name: str) -> Any:
        raise KeyError(f"There is no variable {name!r}.{near_names(name, self)}")


class NodeContext:
    """One attempt's view of its run; made only for bodies that ask for it."""

    def __init__(self, attempt: Attempt) -> None:
        execution = attempt.execution
        self._attempt = attempt
        self.run_id: str = execution.run_id
        self.path: str = attempt.path
        self.attempt: int = attempt.number_of_try
        self.idempotency_key: str = attempt_key(execution.run_id, attempt.path)
        self.services: Mapping[str, Any] = execution.services
        self.raw: Mapping[str, Any] = attempt.body.node.config
        self.trigger: str = execution.state.trigger
        self.mode: str = execution.state.mode
        self.payload: Any = execution.state.payload
        self.inputs: Mapping[str, Any] = _Live(execution.state.inputs, execution.input_value)
        self.variables: Mapping[str, Any] = _Variables(
            _Live(execution.state.variables, execution.variable_value),  # type: ignore[arg-type]  # only read
            self.inputs,  # type: ignore[arg-type]
        )
        #: Inside a loop: `item` and `index`.
        self.round: Mapping[str, Any] = execution.values.round(attempt.number)
        self.resumed: Any = attempt.resumed
        self.resume_data: Any = attempt.resume_data
        #: Of a compensation, a fallback and a handler: the failure because of which it runs; else None.
        self.error: Mapping[str, Any] | None = error_for(execution, attempt.number)
        self.headless: bool = execution.headless
        self.names_link: bool = attempt.body.names_link
        #: The inputs that are references to secrets, and become values where an expression reads them.
        self.references: frozenset[str] = frozenset() if attempt.body.type.passes_references else execution.references
        #: The flow that a subflow runs, where it is at hand.
        self.flow: Any = execution.definition.flows.get(attempt.body.node.id)
        #: The store's address, for nodes that start runs of their own.
        self.store_url: str = execution.store.url

    @property
    def sources(self) -> Mapping[str, Sequence[str]]:
        """Of each port that is `many`, the ids of the nodes that its values came from."""
        return self._attempt.execution.values.sources(self._attempt.body)

    @property
    def wired_ports(self) -> frozenset[str]:
        """The names of the ports that edges leave from."""
        leaving = self._attempt.execution.state.topology.leaving[self._attempt.number]
        return frozenset(wire.port or MAIN for wire in leaving)

    async def iterate(
        self,
        begin: Callable[[Sequence[Round]], Iterator[Any]],
        width: int | None,
        *,
        fail_fast: bool,
        enough: Callable[[Sequence[Round]], bool] | None = None,
        let_go_on: bool = False,
    ) -> list[Round]:
        """Do the rounds of a loop or the branches of a parallel; for their nodes only."""
        from flownb.run.loops import Rounds

        return await Rounds(self._attempt, begin, width, fail_fast=fail_fast, enough=enough, let_go_on=let_go_on).all()

    async def beneath(self, make: Callable[[Any], Any]) -> Child:
        """Begin a run beneath this one, or go on with the one that an attempt before has begun; once it rests."""
        from flownb.run.children import conduct

        store = self._attempt.execution.store
        return await conduct(self._attempt, lambda: make(store))

    def began(self, run: str, workflow: str) -> None:
        """Say which run the node has begun by other means; from any thread."""
        from flownb.run.children import Children

        attempt = self._attempt
        execution = attempt.execution
        execution.engine.call(lambda: Children.of(execution).began(attempt, run, workflow))

    @property
    def resume_url(self) -> str:
        """The signed link to the run's page, where whoever holds it sees what it asks, and answers.

        Raises:
            NotFound: no public address is set.
        """
        from flownb.services.links import needed_run_link  # few runs need it

        return needed_run_link(self._attempt.execution.store, self.run_id, now=self.now())

    @property
    def logger(self) -> logging.Logger:
        """What it logs is part of the node's output."""
        return node_logger(self.path)

    @property
    def cancelled(self) -> bool:
        """Whether the node was asked to stop."""
        return self._attempt.asked_to_stop

    def now(self) -> float:
        """Seconds since 1970."""
        return self._attempt.execution.engine.now()

    def step(self, name: str, part: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Do a part of the node once: after a crash, a retry or a resume its recorded result comes back.

        In an async function `await ctx.step("charge", charge, order)`; elsewhere it blocks and returns the value, in
        both cases when the result is committed.

        Args:
            name: what it is remembered by; each step of an attempt has its own.
            part: a function, plain or async. What it returns must have a stored form.
            *args: its arguments.
            **kwargs: more of them.

        Raises:
            InvalidInput: the name was used before, or the value has no stored form.
        """
        return self._steps().do(name, part, args, kwargs)

    def step_key(self, name: str) -> str:
        """The idempotency key of a step: the node's, with the name behind it."""
        return self._steps().key(name)

    def _steps(self) -> Steps:
        attempt = self._attempt
        if attempt.steps is None:
            with _making:
                attempt.steps = attempt.steps or Steps(attempt)
        return attempt.steps

    def secret(self, name: str) -> str:
        """The value of a secret, by its name or its reference; from then on it is masked wherever this process writes.

        Raises:
            NotFound: there is none of that name; the message says where it was looked for.
            UsageError: it is empty, or no text.
        """
        return text_of(name, self.services)

    def status(self, text: str) -> None:
        """Show a short text beside the node."""
        self._attempt.speaker().status(text)

    def progress(self, share: float) -> None:
        """Show how far the node is, 0 to 1; NaN where that isn't known."""
        self._attempt.speaker().progress(share)

    def heartbeat(self, detail: Any = None) -> None:
        """Say that the node lives, and how far it is.

        Call it as often as you like: it is recorded about once a second. Within `heartbeat=` seconds, if the node has
        that option, the next must follow, or the attempt fails.

        Args:
            detail: from where an attempt after this one could go on, as a page or an offset: a small storable value.
                It finds it in `last_heartbeat`.

        Raises:
            InvalidInput: `detail` is large, or has no stored form.
        """
        self._attempt.speaker().beat(detail)

    @property
    def last_heartbeat(self) -> Any:
        """The newest `detail` that an attempt before this one gave, in this process or another; None if none did."""
        return self._attempt.execution.values.decode(self._attempt.speaker().before)
