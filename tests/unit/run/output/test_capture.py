"""The buffer of a node: bounded, in order, from any thread."""

from __future__ import annotations

import sys
import threading
import tracemalloc

from flownb.run.output import capture
from flownb.run.output.capture import LIMIT, MOST_DISPLAYS, MOST_RECORD, Buffer


def everything(buffer: Buffer) -> list[tuple[str, str]]:
    return [(stream, text) for stream, text, _ in buffer.take(0.0, last=True)]


def test_neighbours_of_one_stream_are_joined_and_the_order_is_kept() -> None:
    buffer = Buffer()
    for stream, text in [("stdout", "a"), ("stdout", "b\n"), ("stderr", "e"), ("stdout", "c"), ("log", "l\n")]:
        assert buffer.write(stream, text)
    assert everything(buffer) == [("stdout", "ab\n"), ("stderr", "e"), ("stdout", "c"), ("log", "l\n")]


def test_the_engine_is_woken_once_until_it_has_taken() -> None:
    wakes: list[int] = []
    buffer = Buffer(lambda: wakes.append(1))
    for _ in range(1_000):
        buffer.write("stdout", "x")
    assert len(wakes) == 1
    buffer.take(0.0)
    buffer.write("stdout", "y")
    assert len(wakes) == 2


def test_a_record_is_not_larger_than_a_tenth_of_a_megabyte() -> None:
    buffer = Buffer()
    buffer.write("stdout", "x" * (3 * MOST_RECORD + 5))
    assert [len(text) for _, text in everything(buffer)] == [MOST_RECORD] * 3 + [5]


def test_what_is_more_than_may_be_taken_at_once_stays_pending() -> None:
    buffer = Buffer()
    pieces = [f"{number:05}\n" * 1_000 for number in range(50)]
    for piece in pieces:
        buffer.write("stdout", piece)
    rounds: list[str] = []
    while buffer.pending:
        rounds.append("".join(text for _, text, _ in buffer.take(0.0, 50_000)))
    assert "".join(rounds) == "".join(pieces)
    assert max(map(len, rounds)) <= 50_000
    assert len(rounds) == 7


def test_a_flood_keeps_its_beginning_its_end_and_one_line_between() -> None:
    buffer = Buffer()
    for number in range(100_000):
        buffer.write("stdout", f"line {number}\n")
    lines = "".join(text for _, text in everything(buffer)).splitlines()
    notes = [number for number, line in enumerate(lines) if "are left out" in line]
    assert len(notes) == 1
    assert lines[0] == "line 0"
    assert lines[-1] == "line 99999"
    before, after = int(lines[notes[0] - 1].split()[1]), int(lines[notes[0] + 1].split()[1])
    assert f"… {after - before - 1:,} lines, " in lines[notes[0]]
    assert LIMIT * 0.95 < sum(len(line) + 1 for line in lines) < LIMIT + 25_000


def test_no_way_of_writing_makes_it_large() -> None:
    tracemalloc.start()
    try:
        buffer = Buffer()
        for _ in range(40_000):
            buffer.write("stdout", "a")
            buffer.write("stderr", "b")
        assert tracemalloc.get_traced_memory()[0] < 4_000_000
    finally:
        tracemalloc.stop()


def test_after_the_end_nothing_is_taken() -> None:
    buffer = Buffer()
    buffer.write("stdout", "in time\n")
    assert everything(buffer) == [("stdout", "in time\n")]
    assert not buffer.write("stdout", "late\n")
    assert not buffer.display({"text/plain": "late"}, "late", 4)
    assert buffer.parts is None


def test_many_threads_lose_nothing() -> None:
    buffer = Buffer()

    def write(number: int) -> None:
        for line in range(1_000):
            buffer.write("stdout", f"{number} {line}\n")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = "".join(text for _, text in everything(buffer)).splitlines()
    for number in range(8):
        assert [line for line in lines if line.startswith(f"{number} ")] == [f"{number} {n}" for n in range(1_000)]


def test_a_finalizer_may_print_while_its_thread_prints() -> None:
    buffer = Buffer()

    class Prints:
        def __del__(self) -> None:
            buffer.write("stdout", "bye\n")

    class Text(str):  # noqa: SLOT000  it lives for a line
        def __contains__(self, key: object) -> bool:
            _ = Prints()
            del _
            return False

    assert buffer.write("stdout", Text("hello\n"))
    assert sorted("".join(text for _, text in everything(buffer)).split()) == ["bye", "hello"]


def test_displays_are_bounded_and_one_of_the_same_name_takes_the_place_of_the_last() -> None:
    buffer = Buffer()
    for number in range(5):
        buffer.display({"text/plain": str(number)}, f"{number}\n", 1, "bar")
    assert buffer.take(0.0) == [("display", "4\n", {"text/plain": "4"})]
    for number in range(2 * MOST_DISPLAYS):
        buffer.display({"text/plain": str(number)}, f"{number}\n", 1)
    shown = buffer.take(0.0, last=True)
    assert len([each for each in shown if each[2] is not None]) == MOST_DISPLAYS - 5
    assert shown[-1] == ("display", "… what else was displayed is left out …\n", None)


def test_text_that_is_no_unicode_is_spelt_out() -> None:
    buffer = Buffer()
    buffer.write("stdout", "file \udcff\n")
    assert everything(buffer) == [("stdout", "file \\udcff\n")]
    assert capture.writable("fine ü") == "fine ü"
    assert sys.getsizeof(Buffer()) < 150
