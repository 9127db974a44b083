"""What a run does, shown while it does it: made of its events and of nothing else.

On a terminal the nodes in flight stand below and those that ended scroll away above; elsewhere each event of a node is
a line. Both write to stderr, and neither ever stops the run: a display that can't write is quiet from then on.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

from flownb.cli.look import SIGNS, length, waiting_text
from flownb.cli.printed import Printed
from flownb.model import events as ev
from flownb.services.harmless import block, line
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flownb.model.events import Event, Record

_MOST_TEXT: Final = 100
#: Seconds between two lines about the progress of one node, where lines can't be overwritten.
_SECONDS_BETWEEN: Final = 5.0
_MOST_SHOWN: Final = 8
_ENDS: Final = (ev.NodeCompleted, ev.NodeFailedEvent, ev.NodeSkipped, ev.NodeCancelled, ev.NodeWaiting, ev.NodeRetrying)


class Display(Protocol):
    """Takes the events of runs as they come."""

    def show(self, records: Sequence[Record]) -> None:
        """Show events, in order; many at once where many came at once."""
        ...

    def say(self, text: str) -> None:
        """Show a sentence."""
        ...

    def note(self, text: str) -> None:
        """Show where things stand, in place of the last note."""
        ...

    def close(self) -> None:
        """Leave nothing behind but lines."""
        ...


class Silent:
    """Shows nothing."""

    def show(self, records: Sequence[Record]) -> None:
        """Show events: not here."""

    def say(self, text: str) -> None:
        """Show a sentence: not here."""

    def note(self, text: str) -> None:
        """Show where things stand: not here."""

    def close(self) -> None:
        """Nothing to do."""


class Entry:
    """One line about a node: what became of it."""

    __slots__ = ("node", "seconds", "status", "text")

    def __init__(self, node: str, status: str, text: str = "", seconds: float | None = None) -> None:
        self.node = line(node, 60)
        self.status = status
        self.text = line(text, _MOST_TEXT)
        self.seconds = seconds

    def __str__(self) -> str:
        sign = SIGNS[self.status][0]
        taken = f"{length(self.seconds):>7}" if self.seconds is not None else " " * 7
        return f"{sign} {self.node:<20} {self.status:<10} {taken}  {self.text}".rstrip()


class Story:
    """Makes entries of events: when nodes began, and which of them are in flight."""

    def __init__(self) -> None:
        self.in_flight: dict[str, float] = {}
        self.texts: dict[str, str] = {}
        self.ended = 0
        self._printed = Printed()

    def printed(self, event: Event) -> list[str]:
        """The lines that nodes printed, each with its node; before an end, also a line that has no end."""
        node = getattr(event, "node", None) or ""
        if isinstance(event, ev.NodeOutput):
            lines = self._printed.add(node, event.text)
        elif isinstance(event, _ENDS):
            lines = self._printed.end(node)
        else:
            return []
        return [f"{line(node, 60)}: {text}" for text in lines]

    def entry(self, event: Event) -> Entry | None:
        """The line that an event has; most have none."""
        entry: Entry | None = None
        match event:
            case ev.NodeStarted(node=node, attempt=attempt):
                if attempt == 1 or node not in self.in_flight:
                    self.in_flight[node] = event.at
                entry = Entry(node, "running", f"attempt {attempt}" if attempt > 1 else "")
            case ev.NodeRetrying(node=node):
                why = f"{event.error.type}: {event.error.message}"
                entry = Entry(node, "retrying", f"in {length(event.delay)}, attempt {event.attempt} failed: {why}")
            case ev.NodeProgress(node=node):
                share = f"{event.progress:.0%} " if event.progress is not None else ""
                self.texts[node] = line(f"{share}{event.text}", _MOST_TEXT)
            case ev.NodeWaiting(node=node):
                entry = self._leave(node, "waiting", waiting_text(event.waits_for), event.at)
            case ev.NodeCompleted(node=node):
                entry = self._end(node, "completed", _came_out(event), event.at)
            case ev.NodeFailedEvent(node=node):
                entry = self._end(node, "failed", f"{event.error.type}: {event.error.message}", event.at)
            case ev.NodeSkipped(node=node) | ev.NodeCancelled(node=node):
                status = "skipped" if isinstance(event, ev.NodeSkipped) else "cancelled"
                entry = self._end(node, status, event.reason.message, event.at)
        return entry

    def _end(self, node: str, status: str, text: str, at: float) -> Entry:
        self.ended += 1
        return self._leave(node, status, text, at)

    def _leave(self, node: str, status: str, text: str, at: float) -> Entry:
        began = self.in_flight.pop(node, None)
        self.texts.pop(node, None)
        return Entry(node, status, text, None if began is None else at - began)


def _came_out(event: ev.NodeCompleted) -> str:
    ports = f"→ {', '.join(event.ports)} " if event.ports else ""
    source = f"({event.source}) " if event.source else ""
    return f"{source}{ports}{values.preview(event.output, _MOST_TEXT) if event.output is not None else ''}"


def sentence_of(record: Record) -> str:
    """What an event of the run, not of a node, has to say; empty for most."""
    match record.event:
        case ev.RunStarted(workflow=workflow):
            return f"Run {record.run} of {line(workflow, 100)} starts."
        case ev.RunResumed(reset=reset, cause=cause):
            why = ", because its process was gone" if cause == "recovered" else ""
            again = f"; begun again: {line(', '.join(reset), 200)}" if reset else ""
            return f"Run {record.run} goes on{why}{again}."
        case ev.SystemWarning(message=message) | ev.SystemError(message=message) | ev.SystemInfo(message=message):
            return block(message)
    return ""


class Lines:
    """A line an event, for logs and pipes."""

    def __init__(self) -> None:
        self._story = Story()
        self._told: dict[str, float] = {}
        self._broken = False

    def show(self, records: Sequence[Record]) -> None:
        """Print the lines of the events that have one."""
        if lines := [text for record in records for text in self._lines(record)]:
            self._print("\n".join(lines))

    def _lines(self, record: Record) -> Iterator[str]:
        event = record.event
        stamp = time.strftime("%H:%M:%S", time.localtime(event.at))
        if text := sentence_of(record):
            yield f"{stamp} {text}"
        for text in self._story.printed(event):
            yield f"{stamp} | {text}"
        if (entry := self._story.entry(event)) is not None:
            yield f"{stamp} {entry}"
        if isinstance(event, ev.NodeProgress) and event.at - self._told.get(event.node, 0.0) >= _SECONDS_BETWEEN:
            self._told[event.node] = event.at
            yield f"{stamp} {Entry(event.node, 'running', self._story.texts[event.node])}"

    def say(self, text: str) -> None:
        """Print a sentence."""
        self._print(f"{time.strftime('%H:%M:%S')} {block(text)}")

    def note(self, text: str) -> None:
        """Print where things stand: not here, where nothing can be taken back."""

    def close(self) -> None:
        """Nothing to do."""

    def _print(self, text: str) -> None:
        if self._broken:
            return
        try:
            print(text, file=sys.stderr, flush=True)
        except OSError:
            self._broken = True


class Live:
    """Nodes that ended scroll away above; below, what is at work and how far the run is."""

    def __init__(self, total: int | None = None) -> None:
        from rich.console import Console
        from rich.live import Live as RichLive

        self._story = Story()
        self._total = total
        self._began = time.monotonic()
        self._note = ""
        self._broken = False
        console = Console(stderr=True, highlight=False)
        # What else is printed goes by: nodes are captured, and the command prints after the display is closed.
        self._live = RichLive(
            console=console,
            get_renderable=self._below,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def show(self, records: Sequence[Record]) -> None:
        """Print what ended and what was said; what is in flight is drawn below."""
        from rich.text import Text

        if lines := [text for record in records for text in self._lines(record)]:
            self._print(Text("\n").join(lines))  # at once: each print draws the lower part anew

    def _lines(self, record: Record) -> Iterator[Any]:
        if text := sentence_of(record):
            yield self._text(text)
        for text in self._story.printed(record.event):
            yield self._text(f"| {text}", "bright_black")
        entry = self._story.entry(record.event)
        if entry is not None and entry.status != "running":
            yield self._line(entry)

    def say(self, text: str) -> None:
        """Print a sentence."""
        self._print(self._text(block(text)))

    def note(self, text: str) -> None:
        """Show where things stand, in the last line."""
        self._note = line(text, _MOST_TEXT)

    def close(self) -> None:
        """Take the lower part away."""
        if not self._broken:
            try:
                self._live.stop()
            except OSError:
                self._broken = True

    def _print(self, text: Any) -> None:
        if self._broken:
            return
        try:
            self._live.console.print(text, soft_wrap=True)
        except OSError:
            self._broken = True

    def _text(self, text: str, style: str = "") -> Any:
        from rich.text import Text

        return Text(text, style=style)

    def _line(self, entry: Entry) -> Any:
        from rich.text import Text

        sign, colour = SIGNS[entry.status]
        taken = f"{length(entry.seconds):>7}" if entry.seconds is not None else " " * 7
        text = Text(f"{sign} ", style=colour)
        text.append(f"{entry.node:<20} ", style="default")
        text.append(f"{entry.status:<10} ", style=colour)
        text.append(f"{taken}  ", style="default")
        text.append(entry.text, style="bright_black" if entry.status != "failed" else "red")
        return text

    def _below(self) -> Any:
        from rich.text import Text

        now = time.time()
        flight = list(self._story.in_flight.items())
        shown = Text(no_wrap=True, overflow="ellipsis")
        for node, began in flight[:_MOST_SHOWN]:
            text = self._story.texts.get(node, "")
            shown.append("◐ ", style="blue")
            shown.append(f"{line(node, 60):<20} running    {length(now - began):>7}  {text}\n")
        if len(flight) > _MOST_SHOWN:
            shown.append(f"… and {len(flight) - _MOST_SHOWN} more at work\n", style="bright_black")
        of = f" of {self._total}" if self._total is not None else ""
        parts = [f"{self._story.ended}{of} nodes" if self._total or self._story.ended else "", self._note]
        shown.append(" · ".join([*filter(None, parts), length(time.monotonic() - self._began)]), style="bold")
        return shown


def display_for(*, quiet: bool = False, total: int | None = None) -> Display:
    """The display that fits where stderr goes.

    Args:
        quiet: show nothing, because somebody reads JSON.
        total: how many nodes there are, where that is known.
    """
    if quiet:
        return Silent()
    return Live(total) if sys.stderr.isatty() else Lines()
