"""A context without an engine."""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import TYPE_CHECKING, Any

from flownb.graph.nodetype import Child, Round
from flownb.graph.references import mentions
from flownb.ids import step_key
from flownb.services.secrets import as_text, is_reference, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from flownb.graph.nodetype import Context


class FakeContext:
    """What a node gets while it runs, with everything that a test wants to set or to look at.

    The clock stands still until a test sets `time`; statuses, progress, heartbeats and steps are kept in lists.
    """

    def __init__(
        self,
        *,
        path: str = "node",
        inputs: Mapping[str, Any] | None = None,
        variables: Mapping[str, Any] | None = None,
        services: Mapping[str, Any] | None = None,
        raw: Mapping[str, Any] | None = None,
        sources: Mapping[str, Sequence[str]] | None = None,
        resumed: Any = None,
        resume_data: Any = None,
        last_heartbeat: Any = None,
        secrets: Mapping[str, str] | None = None,
        time: float = 1_700_000_000.0,
    ) -> None:
        self.run_id = "testrun"
        self.path = path
        self.attempt = 1
        self.idempotency_key = f"{self.run_id}:{path}"
        self.logger = logging.getLogger(f"flownb.testing.{path}")
        self.services: Mapping[str, Any] = services or {}
        self.secrets: Mapping[str, str] = secrets or {}
        self.references = frozenset(name for name, value in (inputs or {}).items() if is_reference(value))
        self.raw: Mapping[str, Any] = raw or {}
        self.inputs: Mapping[str, Any] = inputs or {}
        self.variables: Mapping[str, Any] = variables or {}
        self.trigger = "manual"
        self.mode = "test"
        self.payload: Any = None
        self.sources: Mapping[str, Sequence[str]] = sources or {}
        self.resumed = resumed
        self.resume_data = resume_data
        self.error: Mapping[str, Any] | None = None
        self.round: Mapping[str, Any] = {}
        self.wired_ports: frozenset[str] = frozenset()
        self.headless = True
        self.names_link = mentions(self.raw, "resume_url")
        self.resume_url = f"https://flows.example.org/r/{self.run_id}"
        self.time = time
        self.cancelled = False
        self.last_heartbeat = last_heartbeat
        self.statuses: list[str] = []
        self.shares: list[float] = []
        self.heartbeats: list[Any] = []
        self.steps: dict[str, Any] = {}

    def secret(self, name: str) -> str:
        """The secret that the test has given; nothing is masked.

        Raises:
            NotFound: it has given none of that name.
        """
        return as_text(name, resolve(name, self.secrets, learn=lambda _name, _value: None))

    def status(self, text: str) -> None:
        """Keep the text in `statuses`."""
        self.statuses.append(text)

    def progress(self, share: float) -> None:
        """Keep the share in `shares`; a run would cut what is beyond 0 and 1.

        Raises:
            ValueError: it is not from 0 to 1.
        """
        if not 0 <= share <= 1 and share == share:  # noqa: PLR0124  NaN: how far it is isn't known
            raise ValueError(f"progress() takes a share from 0 to 1, not {share!r}.")
        self.shares.append(share)

    def heartbeat(self, detail: Any = None) -> None:
        """Keep the detail in `heartbeats`."""
        self.heartbeats.append(detail)

    def now(self) -> float:
        """The time that the test has set."""
        return self.time

    def step(self, name: str, part: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Run the part, or give what it gave before; where a loop runs, something to await, as in a run."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            if name not in self.steps:
                self.steps[name] = part(*args, **kwargs)
            return self.steps[name]
        return self._awaited(name, part, args, kwargs)

    async def iterate(
        self,
        begin: Callable[[Sequence[Round]], Iterator[Any]],
        width: int | None,
        *,
        fail_fast: bool,
        enough: Callable[[Sequence[Round]], bool] | None = None,
        let_go_on: bool = False,
    ) -> list[Round]:
        """Do the rounds of a loop whose body gives back the item; all branches of a parallel."""
        del width, fail_fast, enough, let_go_on
        rounds: list[Round] = []
        for index, item in enumerate(begin(rounds)):
            rounds.append(Round(index, item, value=item, ended=True, came=True))
        return rounds

    async def beneath(self, make: Callable[[Any], Any]) -> Child:
        """Run what is asked for in a store in memory, to its end."""
        from flownb.run.start import start
        from flownb.store.place import open_store

        run = start(make(open_store("memory:")))
        outputs = await run
        return Child(run=run.id, workflow=run.workflow, status=str(run.status), outputs=outputs)

    def began(self, run: str, workflow: str) -> None:
        """Nothing is recorded."""

    async def _awaited(
        self, name: str, part: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Any:
        if name not in self.steps:
            value = part(*args, **kwargs)
            self.steps[name] = await value if inspect.isawaitable(value) else value
        return self.steps[name]

    def step_key(self, name: str) -> str:
        """The node's key, with the name behind it."""
        return step_key(self.run_id, self.path, name)


if TYPE_CHECKING:
    _: Context = FakeContext()
