"""`ctx` in a process of its own: what it knows came along, what it says and asks goes to the engine."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import InvalidInput
from flownb.run.secrets import text_of
from flownb.services import masking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flownb.run.child.questions import Questions
    from flownb.run.child.wire import Channel


#: Characters of a status that are sent; fewer are shown.
_MOST_SENT: Final = 2_000


class ChildContext:
    """The same face as `NodeContext` has."""

    def __init__(
        self, channel: Channel, questions: Questions, known: dict[str, Any], stopped: Callable[[], bool]
    ) -> None:
        self._channel = channel
        self._stopped = stopped
        self.ask = questions.ask
        self.run_id: str = known["run_id"]
        self.path: str = known["path"]
        self.attempt: int = known["attempt"]
        self.idempotency_key: str = known["idempotency_key"]
        self.raw: Mapping[str, Any] = known["raw"]
        self.trigger: str = known["trigger"]
        self.mode: str = known["mode"]
        self.headless: bool = known["headless"]
        self.names_link: bool = known["names_link"]
        self.store_url: str = known["store_url"]
        self.inputs: Mapping[str, Any] = _Asked(self.ask, "input", known["inputs"])
        self.variables: Mapping[str, Any] = _Asked(self.ask, "variable", known["variables"])
        self.services: Mapping[str, Any] = _Asked(self.ask, "service", known["services"])
        self.references: frozenset[str] = frozenset(known["references"])

    @property
    def resumed(self) -> Any:
        """What came, when the node was parked."""
        return self.ask("resumed")

    @property
    def resume_data(self) -> Any:
        """What the node wanted to have back."""
        return self.ask("resume_data")

    @property
    def payload(self) -> Any:
        """What the trigger says of why it started the run."""
        return self.ask("payload")

    @property
    def error(self) -> Any:
        """The failure because of which the node runs, if it is kept for failures."""
        return self.ask("error")

    @property
    def resume_url(self) -> str:
        """The signed link to the run's page."""
        return str(self.ask("resume_url"))

    @property
    def sources(self) -> Mapping[str, Any]:
        """Of each port that is `many`, the ids of the nodes that its values came from."""
        sources: Mapping[str, Any] = self.ask("sources")
        return sources

    @property
    def logger(self) -> logging.Logger:
        """What it logs is part of the node's output."""
        logger = logging.getLogger(f"flownb.node.{self.path}")
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.INFO)
        return logger

    @property
    def cancelled(self) -> bool:
        """Whether the node was asked to stop."""
        return self._stopped()

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def step(self, name: str, part: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Do a part of the node once: after a crash, a retry or a resume its recorded result comes back."""
        if not callable(part):
            raise InvalidInput(
                f"The step {name!r:.80} of {self.path} takes a function and its arguments, not {part!r:.80}.",
                name="name",
            )
        name, done, value = self.ask("step_begin", name)
        if done:
            return value
        try:
            value = self._plain(name, part(*args, **kwargs))
        except BaseException:
            self.ask("step_end", name)
            raise
        self.ask("step_keep", name, value)
        return value

    def _plain(self, name: str, value: Any) -> Any:
        if inspect.iscoroutine(value):
            value.close()
            raise InvalidInput(
                f"The step {name!r} of {self.path} is async, and nothing awaits it in a process of its own; give it a "
                "plain function.",
                name="name",
            )
        return value

    def step_key(self, name: str) -> str:
        """The idempotency key of a step: the node's, with the name behind it."""
        key: str = self.ask("step_key", name)
        return key

    def secret(self, name: str) -> str:
        """The value of a secret; the engine looks it up, and masks it before this process has it."""
        return text_of(name, None)

    def status(self, text: str) -> None:
        """Show a short text beside the node."""
        self._channel.send(("status", masking.text(str(text))[:_MOST_SENT]))

    def progress(self, share: float) -> None:
        """Show how far the node is, 0 to 1; NaN where that isn't known."""
        try:
            number = float(share)
        except (TypeError, ValueError, OverflowError):
            raise InvalidInput(
                f"progress() of {self.path} takes a share from 0 to 1, not {share!r:.80}.", name="share"
            ) from None
        self._channel.send(("progress", number))

    def heartbeat(self, detail: Any = None) -> None:
        """Say that the node lives, and how far it is: what an attempt after this one finds in `last_heartbeat`."""
        self.ask("heartbeat", detail)

    @property
    def last_heartbeat(self) -> Any:
        """The newest `detail` that an attempt before this one gave; None if none did."""
        return self.ask("last_heartbeat")


class _Asked(Mapping[str, Any]):
    """Values that are asked for when somebody looks, once each."""

    def __init__(self, ask: Callable[..., Any], kind: str, names: list[str]) -> None:
        self._ask, self._kind, self._names = ask, kind, names
        self._known: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            self._known[name] = self._ask(self._kind, name)
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
