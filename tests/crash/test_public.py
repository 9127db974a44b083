"""The public listener is killed around an answer: nothing is lost, and a form that is sent again counts once."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from flownb.model import events as ev
from flownb.run.waiting.verify import verify
from flownb.services.links import link_to
from flownb.store.place import open_store
from tests.crash.test_approvals import start
from tests.unit.server.visiting import FORM, Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest


@contextlib.contextmanager
def listening(folder: Path, fault: str = "") -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A listener in a process of its own, and its port."""
    environment = {**os.environ, "FLOWNB_STORE": f"sqlite:///{folder}/runs.db", "PYTHONUNBUFFERED": "1"}
    if fault:
        environment["FLOWNB_FAULT"] = fault
    command = [sys.executable, "-m", "flownb", "serve", "--public", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as served:
        assert served.stdout is not None
        port = urlsplit(served.stdout.readline().split()[2]).port
        try:
            yield served, port or 0
        finally:
            served.kill()


def post(port: int, path: str, form: bytes) -> int:
    """The status of the answer; 0 where there was none, because the listener died."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        try:
            connection.request("POST", path, form, {"Content-Type": FORM})
            return connection.getresponse().status
        except (ConnectionError, http.client.HTTPException):
            return 0


def test_killed_before_and_after_the_commit_of_an_answer_the_form_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWNB_PUBLIC_URL", "https://flows.example.org")
    status, (asked,) = json.loads(start(tmp_path).stdout)
    assert status == "paused"
    store = open_store(f"sqlite:///{tmp_path}/runs.db")
    (row,) = store.approvals()
    url = str(link_to(store, row, "anna"))
    path, form = urlsplit(url).path, Visitor(store, url).get().fields
    approve = urlencode({**form, "port": "approved"}).encode()
    with listening(tmp_path, "answer.before_commit:1") as (served, port):
        assert post(port, path, approve) == 0
        assert served.wait(30) == -signal.SIGKILL
    assert [each.id for each in store.approvals()] == [asked]  # nothing of it is there
    with listening(tmp_path, "answer.committed:1") as (served, port):
        assert post(port, path, approve) == 0
        assert served.wait(30) == -signal.SIGKILL
    with listening(tmp_path) as (_, port):
        assert post(port, path, urlencode({**form, "port": "rejected"}).encode()) == 409
        assert post(port, path, approve) == 409
    (row,) = store.approvals(pending=False)
    assert (row.status, row.decided_by) == ("approved", "anna")
    assert json.loads(start(tmp_path).stdout) == ["completed", []]
    assert Counter((tmp_path / "effects").read_text().split()) == {"first": 1, "post": 1}
    decided = [each.event for each in store.events(row.run) if isinstance(each.event, ev.ApprovalDecided)]
    assert [(each.by, each.via) for each in decided] == [("anna", "link")]
    assert verify(store, row.run) == (4, [])  # asked, answered, refused twice
