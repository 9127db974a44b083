"""The listener over real HTTP: what every answer says of itself, what it refuses, and many at once."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode, urlsplit

import pytest

from flownb.errors import EnvironmentFault, StoreError, UsageError
from flownb.model import events as ev
from flownb.run.waiting.decisions import audited
from flownb.server.public import PublicListener
from flownb.services.links import link_to
from tests.unit.server.visiting import FORM, Read, Visitor, one_request
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flownb.run.handles.handle import Run
    from flownb.store.contract import Store


class Answer:
    """What came over the wire."""

    def __init__(self, got: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = got.status, got.headers, got.read().decode()


class Served:
    """A listener on a thread of its own."""

    def __init__(self, store: Store, **how: Any) -> None:
        self._store, self._how = store, how
        self._ready, self._done = threading.Event(), asyncio.Event()
        self.port = 0
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        listener = PublicListener(self._store, port=0, **self._how)
        self.port = listener.port
        self._ready.set()
        await self._done.wait()
        await listener.close()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        with contextlib.closing(connection):
            connection.request(method, path, body or None, {"Content-Type": FORM, **headers})
            return Answer(connection.getresponse())


@pytest.fixture
def served(store: Store) -> Iterator[Served]:
    with Served(store) as serving:
        yield serving


def path_of(store: Store, person: str = "anna") -> str:
    return urlsplit(str(link_to(store, one_request(store), person))).path


def test_every_answer_says_that_nothing_of_it_may_be_kept_framed_or_run(
    store: Store, ask: Callable[..., Run], served: Served
) -> None:
    ask()
    path = path_of(store)
    for method, where in (
        ("GET", path), ("HEAD", path), ("POST", path), ("GET", "/"), ("DELETE", path), ("OPTIONS", "*"),
        ("TRACE", path),
        ("GET", "/%00"), ("GET", "/" + "a" * 9_000),
    ):  # fmt: skip
        answer = served.ask(method, where)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy, (method, where)
        assert ("script-src" in policy, "unsafe" in policy, "frame-ancestors 'none'" in policy) == (False, False, True)
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        for name in ("Set-Cookie", "Server", "ETag", "Access-Control-Allow-Origin"):
            assert answer.headers[name] is None
        assert "<script" not in answer.body
    assert served.ask("HEAD", path).body == ""
    assert served.ask("DELETE", path).headers["Allow"] == "GET, HEAD, POST"


def test_no_host_that_a_request_claims_gets_into_an_answer(
    store: Store, ask: Callable[..., Run], served: Served
) -> None:
    ask()
    path = path_of(store)
    hostile = {"Host": "evil.example", "X_Forwarded_Host": "evil.example", "Origin": "https://evil.example"}
    seen = served.ask("GET", path, b"", **hostile)
    assert seen.status == 200
    fields = {**Visitor(store, f"https://x{path}").get().fields, "port": "approved"}
    answer = served.ask("POST", path, urlencode(fields).encode(), **hostile)
    assert (answer.status, answer.headers["Location"]) == (303, path.rpartition("/")[2])
    assert "evil" not in seen.body + answer.body


def test_the_address_that_an_answer_came_from_is_the_proxys_only_where_there_is_one(
    store: Store, ask: Callable[..., Run]
) -> None:
    for behind, address in ((False, "127.0.0.1"), (True, "198.51.100.9")):
        run = ask()
        row = store.approvals()[0]
        path = urlsplit(str(link_to(store, row, "anna"))).path
        fields = {**Visitor(store, f"https://x{path}").get().fields, "port": "approved"}
        with Served(store, behind_proxy=behind) as serving:
            serving.ask("POST", path, urlencode(fields).encode(), X_Real_Ip="198.51.100.9")
        (decided,) = [event for _, event in audited(store, run.id) if isinstance(event, ev.ApprovalDecided)]
        assert decided.address == address


def test_large_bodies_are_refused(store: Store, ask: Callable[..., Run], served: Served) -> None:
    ask()
    assert served.ask("POST", path_of(store), b"x" * 1_500_000).status == 413
    with pytest.raises((ConnectionError, http.client.HTTPException, AssertionError)):
        # More than is read at all: the connection is cut, or refused without a page.
        assert served.ask("POST", path_of(store), b"x" * 6_000_000).status == 303
    assert served.ask("GET", path_of(store)).status == 200
    assert one_request(store).status == "pending"


def test_of_many_who_press_at_once_one_decides_and_all_are_told_who(
    store: Store, ask: Callable[..., Run], served: Served
) -> None:
    run = ask(ports=["escalate"])
    people = [f"p{number}" for number in range(12)]
    forms = []
    for person in people:
        path = path_of(store, person)
        fields = Visitor(store, f"https://x{path}").get().fields
        forms += [(path, urlencode({**fields, "port": port}).encode()) for port in ("approved", "rejected", "escalate")]
    with ThreadPoolExecutor(len(forms)) as pool:
        answers = list(pool.map(lambda form: served.ask("POST", *form), forms))
    assert sorted(answer.status for answer in answers) == [303] + [409] * (len(forms) - 1)
    decided = [event for _, event in audited(store, run.id) if isinstance(event, ev.ApprovalDecided)]
    assert len(decided) == 1
    assert one_request(store).decided_by in people
    for answer in answers:
        if answer.status == 409:
            shown = Read(_page(answer))
            assert decided[0].by in shown.text


def _page(answer: Answer) -> Any:
    from flownb.server.frame import Page
    from flownb.server.markup import Html

    return Page(Html(answer.body), answer.status)


def test_a_fault_of_the_store_is_a_calm_page_and_is_noted(
    store: Store,
    ask: Callable[..., Run],
    served: Served,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ask()
    path = path_of(store)

    def broken(**_: Any) -> Any:
        raise StoreError("the disk of /secret/place is gone")

    monkeypatch.setattr(store, "approvals", broken)
    answer = served.ask("GET", path)
    assert (answer.status, "This did not work" in answer.body, "secret" in answer.body) == (500, True, False)
    assert "the disk of /secret/place is gone" in caplog.text
    assert path.rpartition("/")[2] not in caplog.text  # no token gets into a log


def test_requests_whose_time_is_over_end_without_anybody_looking(store: Store, ask: Callable[..., Run]) -> None:
    ask(timeout=3600)
    with Served(store, clock=lambda: time.time() + 4000):
        wait_for(lambda: one_request(store).status == "expired")


def test_people_are_reminded_of_what_is_due_without_anybody_looking(store: Store, ask: Callable[..., Run]) -> None:
    run = ask(due=3600)
    with Served(store, clock=lambda: time.time() + 4000):
        wait_for(lambda: any(isinstance(event, ev.ApprovalReminded) for _, event in audited(store, run.id)))


def test_where_nobody_can_listen_is_said_in_a_sentence(store: Store) -> None:
    async def listen(host: str, port: int) -> None:
        await PublicListener(store, host=host, port=port).close()

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentFault, match=f"Nothing can listen at 127.0.0.1, port {port}: address already in"):
            asyncio.run(listen("127.0.0.1", port))
    with pytest.raises(UsageError, match="There is no host 'no such host'"):
        asyncio.run(listen("no such host", 0))
    with pytest.raises(UsageError, match="70000 is no port"):
        asyncio.run(listen("127.0.0.1", 70_000))
