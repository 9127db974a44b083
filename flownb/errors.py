"""Every error that flownb raises, in one tree; the branch says whose fault it is.

```
FlownbError
├── UsageError              yours: the call or the file is wrong; nothing was changed
│   ├── InvalidWorkflow       a definition with problems, all of them in `.problems`
│   ├── InvalidInput          an input or parameter: unknown, missing or of the wrong type
│   ├── ExpressionError       text in {{ }} or a condition
│   ├── NotFound              no such run, node, file or approval
│   ├── Conflict              a key or a run that is in use for something else
│   └── DefinitionDrift       the program is not the one that the run was started with
├── NodeError               the node's: what a node's own code did
│   ├── NodeFailed            it raised; the original is the cause
│   ├── NodeDied              its process ended before it returned: a signal, a limit, an exit
│   └── NodeTimeout           it took longer than its timeout
├── RunError                how a run ended
│   ├── RunFailed             a node failed and nothing handled it
│   ├── RunCancelled          somebody cancelled it
│   └── RunPaused             it waits; `.result()` can't go on by itself
├── EnvironmentFault        the world's: disk, database, kernel, missing package
│   ├── StoreError            the store can't be opened, read or written
│   │   ├── StoreLocked         another process holds it longer than the busy timeout
│   │   ├── StoreFull           the disk is full
│   │   ├── StoreFaulty         the disk reports a fault
│   │   ├── StoreReadOnly       the place can't be written
│   │   ├── StoreCorrupt        the file is no healthy flownb store
│   │   ├── StoreTooNew         a newer flownb wrote it
│   │   ├── StoreOnNetwork      the place is a network file system
│   │   └── Fenced              another process owns the run now; nothing was written
│   ├── KernelDied            the kernel of a headless notebook went away
│   └── MissingExtra          an optional package is not installed
└── InternalError           ours: please report it
```

The message names the thing, what was found and expected, and the way out. The fields stay readable on the
instance, and every error survives pickling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


class FlownbError(Exception):
    """The root of the tree: catch it to catch everything that flownb raises on purpose.

    Keyword arguments become fields of the instance (`error.node`, `error.problems` …).
    """

    def __init__(self, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields
        for name, value in fields.items():
            setattr(self, name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by message and fields; the default would lose the keywords."""
        return _rebuild, (type(self), self.message, self.fields)


def _rebuild(cls: type[FlownbError], message: str, fields: dict[str, Any]) -> FlownbError:
    return cls(message, **fields)


class UsageError(FlownbError):
    """The call or the file is wrong; nothing was changed."""


class InvalidWorkflow(UsageError):
    """A definition with problems; `.problems` lists all of them, in reading order."""

    problems: list[Any]


class InvalidInput(UsageError):
    """An input or a parameter that is unknown, missing or of the wrong type; `.name` is its name."""


class ExpressionError(UsageError):
    """Text in `{{ }}` or a condition that can't be read or evaluated; `.position` is the place in `.text`."""

    text: str
    position: int


class NotFound(UsageError):
    """No such run, node, file or approval; the message lists the near names."""


class Conflict(UsageError):
    """A key or a run that is in use for something else."""


class DefinitionDrift(UsageError):
    """The program is not the one that the run was started with; `.difference` is readable text."""

    difference: str


class NodeError(FlownbError):
    """What a node's own code did; `.node` is its path, `.attempt` counts from 1."""


class NodeFailed(NodeError):
    """A node raised; the original exception is the cause where this process still has it."""


class NodeDied(NodeError):
    """A node's process ended before it returned.

    `.signal` is the signal that ended it, `.exit_status` its status where it ended by itself, `.limit` the limit that
    it broke: `memory_mb`, `cpu_seconds` or `processes`.
    """

    signal: int | None
    exit_status: int | None
    limit: str


class NodeTimeout(NodeError):
    """A node took longer than its timeout; `.timeout` is in seconds."""


class RunError(FlownbError):
    """How a run ended; `.run` is its id."""


class RunFailed(RunError):
    """A node failed and nothing handled it; `.node` is its path, `.error` what is recorded of it."""


class RunCancelled(RunError):
    """Somebody cancelled the run; `.by` says who, where known."""


class RunPaused(RunError):
    """The run waits for something that this call can't give it; `.reason` is the pause reason."""


class EnvironmentFault(FlownbError):
    """The world's fault: disk, database, kernel, a missing package."""


class StoreError(EnvironmentFault):
    """The store can't be opened, read or written; `.place` is where it is."""

    #: Whether the same call may go through a while later, without anybody's doing in this process.
    passes = False


class StoreLocked(StoreError):
    """Another process holds the store for longer than the busy timeout."""

    passes = True


class StoreFull(StoreError):
    """The disk that holds the store, or a quota on it, is full."""

    passes = True


class StoreFaulty(StoreError):
    """The disk that holds the store reports a fault."""

    passes = True


class StoreReadOnly(StoreError):
    """The place can't be written."""


class StoreCorrupt(StoreError):
    """The file is no healthy flownb store."""


class StoreTooNew(StoreError):
    """A newer flownb wrote the store; this one must not touch it."""


class StoreOnNetwork(StoreError):
    """The place is a network file system, where SQLite's locks can't be trusted."""


class Fenced(StoreError):
    """Another process owns the run now: the write was refused and changed nothing; `.runs` names them."""


class KernelDied(EnvironmentFault):
    """The kernel of a headless notebook went away; `.cell` says where it was."""


class MissingExtra(EnvironmentFault):
    """An optional package is not installed; the message holds the command that installs it."""


class InternalError(FlownbError):
    """A fault of flownb itself: please report it."""


def near_names(name: str, known: Iterable[str], *, most: int = 3) -> str:
    """The end of a sentence about an unknown name: ` Did you mean 'load'?`, or the list of what there is.

    Returns an empty text when nothing is known at all.
    """
    names = sorted({str(each) for each in known})
    import difflib  # only for a message

    close = difflib.get_close_matches(str(name), names, n=most, cutoff=0.6)
    if close:
        return " Did you mean " + " or ".join(repr(each) for each in close) + "?"
    if not names:
        return ""
    shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")  # noqa: PLR2004
    return f" There is: {shown}."
