"""What a node gets as `ctx`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from flownb.errors import near_names
from flownb.ids import attempt_key
from flownb.run.capture import node_logger

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator, Mapping

    from flownb.run.attempt import Attempt


class Services(dict[str, Any]):
    """Services by name; a missing one says what there is and how to give it."""

    def __missing__(self, name: str) -> Any:
        raise KeyError(
            f"There is no service {name!r}.{near_names(name, self)} "
            f"Give it to the flow, Flow(…, services={{{name!r}: …}}), or to a run, flow.run(services={{{name!r}: …}})."
        )


class _Live:
    """A read-only view of values that are decoded when somebody looks."""

    def __init__(self, keys: Callable[[], Any], get: Callable[[str], Any]) -> None:
        self._keys, self._get = keys, get

    def __getitem__(self, name: str) -> Any:
        if name not in self._keys():
            raise KeyError(f"There is no {name!r}.{near_names(name, self._keys())}")
        return self._get(name)

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or `default`."""
        return self._get(name) if name in self._keys() else default

    def __contains__(self, name: object) -> bool:
        return name in self._keys()

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys())

    def __len__(self) -> int:
        return len(self._keys())

    def keys(self) -> Any:
        """The names."""
        return self._keys()

    def items(self) -> list[tuple[str, Any]]:
        """Names and values."""
        return [(name, self._get(name)) for name in self._keys()]


class NodeContext:
    """One attempt's view of its run; made only for bodies that ask for it."""

    def __init__(self, attempt: Attempt, raw: Mapping[str, Any]) -> None:
        execution = attempt.execution
        self._attempt = attempt
        self.run_id: str = execution.run_id
        self.path: str = attempt.path
        self.attempt: int = attempt.number_of_try
        self.idempotency_key: str = attempt_key(execution.run_id, attempt.path)
        self.services: Services = execution.services
        self.raw = raw
        self.inputs = _Live(execution.state.inputs.keys, execution.input_value)
        self.variables = _Live(execution.state.variables.keys, execution.variable_value)
        self.resumed: Any = attempt.resumed
        self.resume_data: Any = attempt.resume_data
        self.headless: bool = execution.headless
        #: The store's address, for nodes that start runs of their own.
        self.store_url: str = execution.store.url
        #: The callable of the config, where the builder was given one.
        self.function = attempt.body.call

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
        return time.time()

    def status(self, text: str) -> None:
        """Show a short text beside the node."""
        self._attempt.say(text=str(text)[:200])

    def progress(self, share: float) -> None:
        """Show how far the node is, 0 to 1."""
        self._attempt.say(progress=min(1.0, max(0.0, float(share))))
