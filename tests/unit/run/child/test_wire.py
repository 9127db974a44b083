"""What goes between the engine and a node's process arrives as it was sent, large buffers without a copy on the way."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow
from flownb.run.child.wire import Channel, Closed, Parcel, pack

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    one, other = (Channel(end) for end in socket.socketpair())
    yield one, other
    one.close()
    other.close()


def test_messages_arrive_whole_and_in_order(ends: tuple[Channel, Channel]) -> None:
    one, other = ends
    sent: list[tuple[Any, ...]] = [("a", 1), ("b", {"x": [1, 2]}, None), ("c", "ö" * 1000)]
    for message in sent:
        one.send(message)
    assert [other.receive() for _ in sent] == sent


def test_many_threads_may_send_at_once(ends: tuple[Channel, Channel]) -> None:
    one, other = ends
    threads = [threading.Thread(target=one.send, args=(("n", number, "x" * 50_000),)) for number in range(20)]
    for thread in threads:
        thread.start()
    assert {other.receive()[1] for _ in threads} == set(range(20))
    for thread in threads:
        thread.join()


def test_a_large_buffer_is_no_part_of_the_pickle(ends: tuple[Channel, Channel]) -> None:
    one, other = ends
    numpy = pytest.importorskip("numpy")
    value = {"array": numpy.arange(3_000_000.0), "name": "large"}
    parcel = pack(value)
    assert len(parcel.data) < 1_000
    sending = threading.Thread(target=one.send, args=(("value", parcel),))
    sending.start()
    kind, taken = other.receive()
    sending.join()
    opened = taken.open()
    assert (kind, opened["name"]) == ("value", "large")
    assert (opened["array"] == value["array"]).all()
    opened["array"][0] = 5.0  # it is the taker's own


def test_an_end_that_is_gone_is_told_from_a_message(ends: tuple[Channel, Channel]) -> None:
    one, other = ends
    one.close()
    with pytest.raises(Closed):
        other.receive()
    with pytest.raises(Closed):
        other.send(("x", Parcel(b"1" * 10_000_000, [])))


def test_half_a_message_is_none() -> None:
    near, far = socket.socketpair()
    far.sendall(b"\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x64half")
    far.close()
    with near, pytest.raises(Closed):
        Channel(near).receive()


def test_a_node_that_a_function_uses_goes_along_as_its_function() -> None:
    flow = Flow("helpers")

    @flow.node
    def helper(number: int) -> int:
        return number + 1

    def body() -> int:
        return int(helper(41))

    parcel = pack(body)
    assert b"flownb.flow" not in parcel.data
    assert parcel.open()() == 42
