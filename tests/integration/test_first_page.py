"""The flow of the design's first page, in every way: what comes of it depends on the invoices and the answer alone."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from flownb.model import events as ev
from flownb.run.waiting.verify import verify
from flownb.store.place import open_store
from tests.integration.test_approvals import FLOW, flownb
from tests.integration.test_interactive import Front
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from flownb.store.contract import Store
    from flownb.store.requests import ApprovalRow

WAYS = ("headless", "resume", "approve --resume", "owner", "interactive")
CASES = ("small", "approved", "rejected", "expired")
SECONDS = 60.0
#: Long enough for a process to come to the question and to be looked at.
EXPIRES = 3.0


@pytest.fixture
def front(tmp_path: Path) -> Iterator[Front]:
    made = Front(tmp_path)
    yield made
    made.close()


def flow_for(case: str) -> str:
    return FLOW.replace('preview="load"', f'preview="load", timeout={EXPIRES if case == "expired" else 3_000}')


def only_question(store: Store) -> ApprovalRow:
    def ask() -> list[ApprovalRow]:
        return [row for row in store.approvals(pending=False) if row.decision is None]

    asked: ApprovalRow = wait_for(ask, SECONDS)[0]
    assert asked.request.question == "Post 1400.0 EUR from 2 invoices?"
    return asked


def let_expire(asked: ApprovalRow) -> None:
    assert asked.expires_at is not None
    time.sleep(max(0.0, asked.expires_at - time.time()))


def check(store: Store, case: str, folder: Path) -> None:
    """What came of it, and that nothing was done or decided twice."""
    (run,) = store.rows()
    assert run.status == "completed"
    events = [record.event for record in store.events(run.id)]
    posts = case in ("small", "approved")
    assert (folder / "ran.txt").read_text().split() == ["load", "total", *(["post"] if posts else [])]
    outputs = {event.node: event.output for event in events if isinstance(event, ev.NodeCompleted)}
    skipped = {event.node: event.reason for event in events if isinstance(event, ev.NodeSkipped)}
    if posts:
        assert outputs["post"] == ("posted 600.0" if case == "small" else "posted 1400.0")
    else:
        assert "ok" in skipped["post"].message
    assert ("ok" in skipped) is (case == "small")
    rows = store.approvals(pending=False)
    assert [row.status for row in rows] == ([] if case == "small" else [case])
    kinds = [type(event) for event in events]
    asked, ended = int(case != "small"), kinds.count(ev.ApprovalDecided) + kinds.count(ev.ApprovalExpired)
    assert (kinds.count(ev.ApprovalRequested), ended) == (asked, asked)
    assert kinds.count(ev.RunCompleted) == 1
    assert verify(store, run.id)[1] == []


def played(front: Front, case: str, folder: Path, store: Store) -> None:
    front.run(f"amount = {100.0 if case == 'small' else 900.0}")
    assert front.run(flow_for(case)).get("evalue") is None
    assert front.run("run = flow.run(amount=amount)").get("evalue") is None
    if case != "small":
        asked = only_question(store)
        assert front.value("6 * 7") == "42"
        if case == "expired":
            let_expire(asked)
        else:
            assert flownb("approve" if case == "approved" else "reject", asked.id, cwd=folder).returncode == 0
    wait_for(lambda: next(iter(store.rows())).status == "completed", SECONDS)


def executed(path: Path, way: str, case: str, store: Store) -> None:
    folder = path.parent
    waits = ["--wait"] if way == "owner" else []
    command = [sys.executable, "-m", "flownb", "run", str(path), "-o", str(folder / "out.ipynb"), *waits]
    running = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if way != "owner":
        _, err = running.communicate(timeout=SECONDS)
        assert running.returncode == (0 if case == "small" else 75), err
    if case != "small":
        asked = only_question(store)
        if case == "expired":
            let_expire(asked)
        more = ["--resume"] if way == "approve --resume" else []
        told = flownb("reject" if case == "rejected" else "approve", asked.id, *more, cwd=folder)
        if way == "owner" and case == "expired":  # its owner may have been quicker, and may have ended
            assert told.returncode != 0
        elif case == "expired":
            assert (told.returncode, "expired at 2" in told.stderr) == (1, True)
        else:
            assert told.returncode == 0, told.stderr
        if way in ("resume", "headless") or (case == "expired" and way != "owner"):
            done = flownb("resume", asked.run, cwd=folder)
            assert done.returncode == 0, done.stderr
    if way == "owner":
        _, err = running.communicate(timeout=SECONDS)
        assert running.returncode == 0, err


#: Each case once; the others are for a long night.
SHORT = {("headless", "small"), ("resume", "expired"), ("approve --resume", "rejected"), ("interactive", "approved")}
TABLE = [
    pytest.param(way, case, marks=[] if (way, case) in SHORT else [pytest.mark.soak])
    for way in WAYS
    for case in CASES
    if (way, case) == ("headless", "small") or way != "headless"
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("way", "case"), TABLE)
def test_what_comes_of_it_depends_on_the_invoices_and_the_answer(
    request: pytest.FixtureRequest, tmp_path: Path, own_store: str, way: str, case: str
) -> None:
    store = open_store(own_store)
    if way == "interactive":
        played(request.getfixturevalue("front"), case, tmp_path, store)
    else:
        write: Callable[..., Path] = request.getfixturevalue("write_notebook")
        amount = 100.0 if case == "small" else 900.0
        path = write((f"amount = {amount}", "parameters"), flow_for(case), "run = flow.run(amount=amount)")
        executed(path, way, case, store)
    check(store, case, tmp_path)
