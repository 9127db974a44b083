"""`flownb serve --public` and `flownb link`: how links are made, and where they lead."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pytest

from flownb.services.links import Link, LinkKind, read
from flownb.store.place import open_store
from tests.unit.cli.test_approve import ask
from tests.unit.server.visiting import FORM, Read
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.run.handles.handle import Run

__all__ = ["ask"]


@pytest.fixture(autouse=True)
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWNB_PUBLIC_URL", "https://flows.example.org")


def test_a_link_is_printed_for_a_person_or_for_whoever_has_it(
    cli: Any, ask: Callable[..., Run], own_store: str
) -> None:
    (asked,) = ask().approvals
    for person in ("anna", ""):
        told = cli("link", asked.id[:6], *(["--for", person] if person else []))
        assert (told.status, told.err) == (0, "")
        url = told.out.strip()
        assert url.startswith("https://flows.example.org/a/")
        link = read(open_store(own_store).keys, LinkKind.ANSWER, url.rpartition("/")[2], time.time())
        assert isinstance(link, Link)
        assert (link.approval, link.person) == (asked.id, person)
    told = cli("link", "--inbox", "--for", "anna")
    assert told.out.startswith("https://flows.example.org/inbox/")


def test_what_gets_no_link_is_said_in_a_sentence(
    cli: Any, ask: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    (asked,) = ask().approvals
    for arguments, why in (
        ((), "Give the id of one question, or --inbox"),
        ((asked.id, "--inbox"), "Give the id of one question, or --inbox"),
        (("nope12",), "There is no request 'nope12'"),
        (("--inbox",), "name the person"),
        ((asked.id, "--for", "a\x1b[2J"), "is no name"),
    ):
        told = cli("link", *arguments)
        assert (told.status, told.out) == (2, ""), told
        assert why in told.err
        assert "\x1b" not in told.err
    monkeypatch.setenv("FLOWNB_PUBLIC_URL", "flows.example.org")
    assert "which is no address of a web page" in cli("link", asked.id).err
    monkeypatch.delenv("FLOWNB_PUBLIC_URL")
    told = cli("link", asked.id)
    assert (told.status, "no public address is set" in told.err, "settings.toml" in told.err) == (2, True, True)


def test_a_link_to_what_was_answered_says_so(cli: Any, ask: Callable[..., Run]) -> None:
    (asked,) = ask().approvals
    cli("reject", asked.id)
    told = cli("link", asked.id)
    assert (told.status, "is rejected: the link will say so" in told.err) == (0, True)


def test_serve_says_what_is_wrong(cli: Any) -> None:
    assert "--public" in cli("serve").err
    assert cli("serve").status == 2
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = cli("serve", "--public", "--port", str(port))
    assert (told.status, f"Nothing can listen at 127.0.0.1, port {port}: address already in use" in told.err) == (
        1,
        True,
    )
    told = cli("serve", "--public", "--port", "0", "--host", "no such host")
    assert (told.status, "There is no host" in told.err) == (2, True)
    assert "names no store" in cli("serve", "--public", "--store", "x").err
    assert "dies with its process" in cli("serve", "--public", "--store", "memory:").err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_listens_until_it_is_stopped_and_leaves_with_130(
    ask: Callable[..., Run], cli: Any, number: signal.Signals
) -> None:
    run = ask()
    (asked,) = run.approvals
    command = [sys.executable, "-m", "flownb", "serve", "--public", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as served:
        assert served.stdout is not None
        said = served.stdout.readline()
        assert said.startswith("Listening at http://127.0.0.1:")
        assert "https://flows.example.org" in served.stdout.readline()
        port = urlsplit(said.split()[2]).port
        path = urlsplit(cli("link", asked.id, "--for", "anna").out.strip()).path
        connection = http.client.HTTPConnection("127.0.0.1", port or 0, timeout=20)
        connection.request("GET", path)
        shown = connection.getresponse().read().decode()
        fields = {**_read(shown).fields, "port": "approved"}
        connection.request("POST", path, urlencode(fields), {"Content-Type": FORM})
        assert connection.getresponse().status == 303
        assert run.result(5) == {"post": "yes"}  # the kernel that has the run goes on with what another process took
        served.send_signal(number)
        out, err = served.communicate(timeout=20)
        connection.close()
    assert (served.returncode, err, out) == (130, "flownb: No longer listening.\n", "")
    wait_for(lambda: served.poll() is not None)


def _read(page: str) -> Read:
    from flownb.server.frame import Page
    from flownb.server.markup import Html

    return Read(Page(Html(page)))
