"""A store that fails at the call that a test chooses."""

from __future__ import annotations

import functools
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from flownb.errors import StoreError
from flownb.store.contract import Store
from flownb.testing.crash import Crash, crash

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

How = Literal["before_commit", "after_commit", "ack_lost"]
_HOWS: Final = get_args(How)

#: The calls of the contract, in its order.
CALLS: Final = tuple(
    name
    for part in Store.__mro__
    if part.__module__.startswith("flownb.")
    for name, value in vars(part).items()
    if callable(value) and not name.startswith("_")
)


class FaultyStore:
    """Any store, with a fault at one of its calls; without one it is the store itself.

    ```python
    store = FaultyStore(MemoryStore(), fail=7, how="ack_lost")
    ```

    * `before_commit`: the call does nothing and fails; the disk was full, the lock was held.
    * `after_commit`: the call does its work, and the process dies before it hears so: `Crash`.
    * `ack_lost`: the call does its work and fails all the same; whoever called must not believe that nothing happened.

    `fail_at` chooses anew, `clear` ends all faults. `calls` counts every call by name, `failed` names those that
    failed.
    """

    def __init__(
        self,
        store: Any,
        *,
        fail: int = 0,
        how: How = "before_commit",
        error: BaseException | type[BaseException] | None = None,
        only: Collection[str] = (),
        times: float = 1,
        guard: Callable[[str], None] | None = None,
    ) -> None:
        """Wrap a store.

        Args:
            store: the store beneath.
            fail: which call fails, counted from 1; 0 for none.
            how: what becomes of its work.
            error: what is raised, if not a `StoreError` (after `after_commit` a `Crash`).
            only: the names of the calls that count; by default all.
            times: how many calls in a row fail, from that one on; `float("inf")` for a fault that stays.
            guard: called with the name before each call; what it raises, the caller gets.

        Raises:
            ValueError: no such call, or no such kind of fault.
        """
        self.beneath = store
        self.calls: Counter[str] = Counter()
        self.failed: list[str] = []
        self.durable: bool = store.durable
        self._guard = guard
        self.fail_at(fail, how=how, error=error, only=only, times=times)

    def fail_at(
        self,
        nth: int,
        *,
        how: How = "before_commit",
        error: BaseException | type[BaseException] | None = None,
        only: Collection[str] = (),
        times: float = 1,
    ) -> None:
        """Fail at the nth call from now on; the arguments are those of the class.

        Raises:
            ValueError: no such call, or no such kind of fault.
        """
        if how not in _HOWS:
            raise ValueError(f"A store can't fail {how!r}; it can {', '.join(_HOWS)}.")
        if unknown := [name for name in only if name not in CALLS]:
            raise ValueError(f"A store has no call {unknown[0]!r}. It has: {', '.join(CALLS)}.")
        self._fail, self._how, self._error = nth, how, error
        self._only, self._times = frozenset(only), times
        self._counted = 0

    def clear(self) -> None:
        """No call fails any more."""
        self._fail = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.beneath, name)

    def _call(self, name: str, *args: Any, **keywords: Any) -> Any:
        if self._guard is not None:
            self._guard(name)
        self.calls[name] += 1
        if not self._is_due(name):
            return getattr(self.beneath, name)(*args, **keywords)
        self.failed.append(name)
        if self._how != "before_commit":
            getattr(self.beneath, name)(*args, **keywords)
        error = self._error if self._error is not None else (Crash if self._how == "after_commit" else StoreError)
        where = f"{self.url}: {name} fails here, as its test wants ({self._how})."
        if isinstance(error, Crash) or error is Crash:
            crash(where)
        raise error(where) if isinstance(error, type) else error

    def _is_due(self, name: str) -> bool:
        if not self._fail or (self._only and name not in self._only):
            return False
        self._counted += 1
        return self._fail <= self._counted < self._fail + self._times


def _delegated(name: str) -> Callable[..., Any]:
    @functools.wraps(getattr(Store, name))
    def call(self: FaultyStore, *args: Any, **keywords: Any) -> Any:
        return self._call(name, *args, **keywords)

    return call


for _name in CALLS:  # so that a call which the contract gets later can fail as well
    setattr(FaultyStore, _name, _delegated(_name))
