"""`flownb.home`: what waits for people and what runs there are, in one view of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flownb.notebook.attach import RunList, runs
from flownb.notebook.inbox import Inbox, inbox
from flownb.store.lists import RunFilter
from flownb.store.place import store_of

if TYPE_CHECKING:
    from flownb.store.contract import Store


class Home:
    """A store as it stood when this was made; in a notebook it is live."""

    def __init__(self, store: Store) -> None:
        #: Where the runs are.
        self.store = store
        #: What runs ask people.
        self.inbox: Inbox = inbox(store)
        #: The newest runs.
        self.runs: RunList = runs(store)
        #: How many runs there are, by status.
        self.counts: dict[str, int] = store.count_runs(RunFilter())

    def __repr__(self) -> str:
        if not self.runs:
            return (
                f"Nothing has run in {self.store.url} yet. Write a node and start it:\n"
                '  flow = flownb.Flow("first")\n  @flow.node\n  def hello(): return "hello"\n  flow.run()'
            )
        counted = ", ".join(f"{count:,} {status}" for status, count in sorted(self.counts.items()))
        return f"{sum(self.counts.values()):,} runs in {self.store.url}: {counted}\n{self.inbox.text()}\n{self.runs!r}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        from flownb.run.hooks import hook

        del include, exclude
        shown = hook("home")
        return {"text/plain": repr(self)} if shown is None else shown(self)


def home(store: Any = None) -> Home:
    """What waits for people, and the runs of a store: live in a notebook, with a way into each run.

    ```python
    flownb.home()
    flownb.home().counts   # {"completed": 41, "paused": 2}
    ```

    Args:
        store: a URL or an open store; else `FLOWNB_STORE`, else the nearest `.flownb/`.
    """
    return Home(store_of(store))
