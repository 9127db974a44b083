"""What is held back of a node's output: lines that are still being overwritten, and what is beyond the limit.

A progress bar writes one line a hundred times: what it shows now and then and what it leaves is kept. Of a flood the
beginning is kept, a piece now and then, and the end; where something is missing, one line says how much.
"""

from __future__ import annotations

import codecs
from collections import deque
from typing import Any, Final

#: Characters that are kept of the end of a flood, and of a piece in between.
_TAIL: Final = 20_000
_SAMPLE: Final = 2_000
#: Seconds between two looks at a line that is overwritten, and between two pieces of a flood; both grow with the age of
#: the output, so that a journal grows with its logarithm: what goes on for a day needs no second-hand.
_LINE_SECONDS: Final = 1.0
_LINE_SHARE: Final = 1 / 300
_SAMPLE_SECONDS: Final = 10.0
_SAMPLE_SHARE: Final = 1 / 20
_MOST_LINE: Final = 2_000


def settled(text: str) -> str:
    """A text as a terminal leaves it: of a line that was overwritten from its start, the last state."""
    if "\r" not in text:
        return text
    lines = []
    for line in text.split("\n"):
        left = line.rstrip("\r")
        lines.append(left.rpartition("\r")[2])
    return "\n".join(lines)


class Held:
    """Of one attempt, under the lock of its buffer."""

    def __init__(self) -> None:
        #: By stream: the line that is being overwritten, and whether it was shown as it is now.
        self._lines: dict[str, str] = {}
        self._shown: dict[str, bool] = {}
        self._tail: deque[tuple[str, str]] = deque()
        self._tail_size = 0
        self._gone_lines = 0
        self._gone_letters = 0
        #: Whether what was dropped last ended within a line.
        self._cut_within_line = False
        #: Whether what was shown last, or kept of the beginning, ends within a line.
        self._line_is_open = False
        self._began: float | None = None
        self._line_due = 0.0
        self._sample_due = 0.0
        self._decoders: dict[str, codecs.IncrementalDecoder] = {}

    # --- what comes in ------------------------------------------------------------------------------------------------

    def decode(self, stream: str, data: bytes) -> str:
        """Bytes as text; half of a character waits for its other half."""
        decoder = self._decoders.get(stream)
        if decoder is None:
            decoder = self._decoders[stream] = codecs.getincrementaldecoder("utf-8")("replace")
        return decoder.decode(data)

    def settle(self, stream: str, text: str) -> str:
        """What of a text is settled; a last line that was overwritten, and may be again, is kept here."""
        before = self._lines.pop(stream, None)
        if before is None and "\r" not in text:
            return text
        head, newline, line = ((before or "") + text).rpartition("\n")
        if newline:
            # What was shown of its first line before stands in the journal, and is overwritten there too.
            overwrites = "\r" in head.partition("\n")[0].rstrip("\r")
            head = ("\r" if overwrites else "") + settled(head + newline)
        if "\r" not in line:
            return head + line
        body = line.rstrip("\r")
        if "\r" not in body:  # it goes on with what stands there, and only what comes next overwrites it
            self._lines[stream], self._shown[stream] = "\r", True
            return head + body
        line = "\r" + body.rpartition("\r")[2][:_MOST_LINE] + line[len(body) :]
        self._lines[stream] = line
        if line != before:
            self._shown[stream] = False
        return head

    def overflow(self, stream: str, text: str, start: int) -> None:
        """Take what is beyond the limit: the text from `start` on."""
        if start:
            self._line_is_open = text[start - 1] != "\n"
        size = len(text) - start
        if size > _TAIL:
            cut = len(text) - _TAIL
            self._count(text, start, cut)
            text = text[cut:]
        else:
            text = text[start:]
        self._tail.append((stream, text))
        self._tail_size += len(text)
        while self._tail_size - len(self._tail[0][1]) >= _TAIL:
            self._drop(len(self._tail[0][1]))

    def _drop(self, letters: int) -> None:
        """Let go of the first letters of the first piece."""
        stream, text = self._tail[0]
        self._tail_size -= letters
        self._count(text, 0, letters)
        if letters < len(text):
            self._tail[0] = (stream, text[letters:])
        else:
            self._tail.popleft()

    def _count(self, text: str, start: int, end: int) -> None:
        if end > start:
            self._gone_lines += text.count("\n", start, end)
            self._gone_letters += end - start
            self._cut_within_line = text[end - 1] != "\n"

    # --- what goes out ------------------------------------------------------------------------------------------------

    def waits(self) -> bool:
        """Whether there is something to show later."""
        return bool(self._tail) or not all(self._shown[stream] for stream in self._lines)

    def due(self, now: float, *, last: bool, room: bool) -> list[tuple[str, str]]:
        """What is to be shown by now.

        Args:
            now: by a clock that goes on evenly, in seconds.
            last: it is the end: all that is left.
            room: whether the limit is not reached.
        """
        if self._began is None:
            self._began = now
            self._sample_due = now + _SAMPLE_SECONDS
        shown = []
        if last:
            for stream, decoder in self._decoders.items():
                if rest := decoder.decode(b"", final=True):
                    shown.append((stream, rest))
        if last or (room and now >= self._line_due):
            for stream, line in self._lines.items():
                if not self._shown[stream]:
                    shown.append((stream, line))
                    self._shown[stream] = True
                    self._line_due = now + max(_LINE_SECONDS, (now - self._began) * _LINE_SHARE)
        if self._tail and (last or now >= self._sample_due):
            shown += self._end_of_flood(_TAIL if last else _SAMPLE)
            self._sample_due = now + max(_SAMPLE_SECONDS, (now - self._began) * _SAMPLE_SHARE)
        return shown

    def _end_of_flood(self, most: int) -> list[tuple[str, str]]:
        """The end of what is beyond the limit, from the beginning of a line on if it can be, and what is missing."""
        tail = self._tail
        while (excess := self._tail_size - most) > 0 and len(tail[0][1]) <= excess:
            self._drop(len(tail[0][1]))
        if excess > 0 or (self._gone_letters and self._cut_within_line):
            first = tail[0][1]
            line = first.find("\n", max(0, excess)) + 1
            self._drop(line if 0 < line < len(first) or (line and len(tail) > 1) else max(0, excess))
        pieces = list(tail)
        if self._gone_letters:
            lines = f"{self._gone_lines:,} lines, " if self._gone_lines else ""
            start = "\n" if self._line_is_open else ""
            pieces.insert(0, (pieces[0][0], f"{start}… {lines}{self._gone_letters:,} characters are left out …\n"))
        self._line_is_open = not pieces[-1][1].endswith("\n")
        tail.clear()
        self._tail_size = self._gone_lines = self._gone_letters = 0
        return pieces


#: A stream, a text, and a mimebundle where something was displayed.
Part = tuple[str, str, dict[str, Any] | None]
