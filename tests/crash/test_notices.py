"""Processes that are killed while they tell people of a request, and several that do it at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from flownb.run.waiting.notices import CLAIM_SECONDS, deliver
from flownb.run.waiting.verify import verify
from flownb.store.place import open_store
from tests.posting import MailServer
from tests.unit.run.waiting.test_notices import requested

if TYPE_CHECKING:
    from pathlib import Path

PEOPLE = '[people]\nanna = {mail = "anna@example.org"}\nben = {mail = "ben@example.org"}\n'

ASKS = """
import time
from flownb import Flow

flow = Flow("asks")
flow.approval("ok", "Fine?", approvers=["anna", "ben"], channel="mail")
run = flow.run(key="k", display=False)
while not run.resting:
    time.sleep(0.002)
print(run.status)
"""

SENDS = """
import sys, time
from pathlib import Path
from flownb.run.waiting.lookout import look_over
from flownb.store.place import open_store

store = open_store()
print("ready", flush=True)
while not Path("go").exists():
    time.sleep(0.001)
print(len(look_over(store, time.time)))
"""


def child(program: str, folder: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    "point", ["tick.after_commit:2", "tick.published:2", "notice.claimed:1", "notice.claimed:2", "notice.sent:1"]
)
def test_whatever_the_point_of_death_everybody_is_told(point: str, own_store: str, tmp_path: Path) -> None:
    with MailServer() as server:
        (tmp_path / "settings.toml").write_text(server.settings() + PEOPLE, encoding="utf-8")
        killed = child(ASKS, tmp_path, FLOWNB_FAULT=point)
        told = killed.communicate(timeout=60)
        assert killed.returncode == -signal.SIGKILL, told
        store = open_store(own_store)
        assert len(store.approvals()) == 1
        before = Counter(server.recipients)
        deliver(store, time.time)  # what was claimed might be at work, and is left alone
        assert sum(Counter(server.recipients).values()) <= 2
        deliver(store, lambda: time.time() + CLAIM_SECONDS + 1)
        after = Counter(server.recipients)
        assert set(after) == {"anna@example.org", "ben@example.org"}
        most = 2 if point == "notice.sent:1" else 1
        assert max(after.values()) == most, "only what was sent, and not noted, comes twice"
        assert len({mail["Message-ID"] for mail in server.mails}) == 2
        assert before <= after
        assert store.next_notice() is None
        (row,) = store.approvals()
        assert verify(store, row.run)[1] == []


def test_a_process_that_comes_to_the_end_has_told_everybody(own_store: str, tmp_path: Path) -> None:
    with MailServer() as server:
        server.slow = 0.3
        (tmp_path / "settings.toml").write_text(server.settings() + PEOPLE, encoding="utf-8")
        ended = child(ASKS, tmp_path)
        told = ended.communicate(timeout=60)
        assert (ended.returncode, told[0].strip()) == (0, "paused"), told
        assert sorted(server.recipients) == ["anna@example.org", "ben@example.org"]
        assert open_store(own_store).next_notice() is None


def test_of_processes_that_look_at_once_one_delivers(own_store: str, tmp_path: Path) -> None:
    store = open_store(own_store)
    runs = [requested(store) for _ in range(20)]
    with MailServer() as server:
        (tmp_path / "settings.toml").write_text(server.settings() + PEOPLE, encoding="utf-8")
        children = [child(SENDS, tmp_path) for _ in range(3)]
        for each in children:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        (tmp_path / "go").touch()
        ended = [each.communicate(timeout=60) for each in children]
        assert sum(int(out) for out, _ in ended) == 2 * len(runs), ended
        got = Counter((mail["Message-ID"], mail["To"]) for mail in server.mails)
        assert set(got.values()) == {1}
        assert len(got) == 2 * len(runs)
