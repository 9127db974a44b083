"""Answers that race, and processes that are killed around a question: nothing is lost, and no second answer counts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from flownb.model import events as ev
from flownb.run.waiting.verify import verify
from flownb.store.contract import NewRun, Write
from flownb.store.owner import current_owner
from flownb.store.place import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from flownb.store.contract import Store

ANSWERERS = 8

PROGRAM = """
import json, time
from flownb import Flow

flow = Flow("asks")

def effect(name):
    with open("effects", "a") as file:
        file.write(name + chr(10))

@flow.node
def first():
    effect("first")

ok = flow.approval("ok", "Fine?", after=first)

@flow.node(after=ok.approved)
def post():
    effect("post")

run = flow.run(key="k")
while not run.resting:
    time.sleep(0.002)
print(json.dumps([run.status, [each.id for each in run.approvals.pending]]))
"""


def waiting(store: Store, count: int) -> None:
    """Runs that each wait for one answer."""
    owner = current_owner()
    store.register(owner)
    store.put_definition("d", "{}")
    writes = []
    for number in range(count):
        _, lease = store.create_run(NewRun(id=f"r{number:05}", workflow="w", created_at=float(number)), owner)
        assert lease is not None
        asked = ev.ApprovalRequested(
            at=float(number), node="ok", approval=f"a{number:05}", kind="confirmation", question="?",
            ports=("approved", "rejected"), expires_at=time.time() + 5_000,
        )  # fmt: skip
        wait = ev.NodeWaiting(at=1.0, node="ok", waits_for="human", request=asked.approval)
        paused = ev.RunPaused(at=1.0, reason="human")
        writes.append(
            Write(lease.run, lease.fence, 1, (ev.RunStarted(at=1.0, workflow="w"), asked, wait, paused), True)
        )
    store.commit(writes)


def race(tmp_path: Path, count: int) -> None:
    store = open_store(f"sqlite:///{tmp_path}/race.db")
    waiting(store, count)
    go = tmp_path / "go"
    command = [sys.executable, "-m", "tests.crash.answerer", store.url]
    racers = [
        subprocess.Popen([*command, name, str(go)], stdout=subprocess.PIPE, text=True)
        for name in ("timeout", *map(str, range(ANSWERERS)))
    ]
    for each in racers:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    go.touch()
    told = [each.communicate(timeout=500)[0].splitlines() for each in racers]
    assert [each.returncode for each in racers] == [0] * len(racers)
    won = Counter(line.split()[0] for lines in told for line in lines if line.split()[1] == "won")
    rows = store.approvals(pending=False)
    assert {row.id for row in rows} == won.keys()
    assert set(won.values()) == {1}
    answers = {row.id: (row.status, row.port) for row in rows}
    for line in (line for lines in told[1:] for line in lines):
        name, what, *rest = line.split(maxsplit=2)
        if what == "won":
            assert answers[name][1] == rest[0]
        else:
            status, port = answers[name]
            assert ("expired at" if status == "expired" else f"answered already: {port} by") in rest[0]
    for row in rows[:: max(1, count // 20)]:
        assert verify(store, row.run)[1] == []
    assert len(store.receive([row.run for row in rows])) == count


def test_of_eight_answers_and_a_timeout_exactly_one_counts(tmp_path: Path) -> None:
    race(tmp_path, 200)


@pytest.mark.soak
def test_of_eight_answers_and_a_timeout_exactly_one_counts_two_thousand_times(tmp_path: Path) -> None:
    race(tmp_path, 2_000)


# --- killed -----------------------------------------------------------------------------------------------------------


def start(folder: Path, *command: str, fault: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FLOWNB_STORE": f"sqlite:///{folder}/runs.db"}
    if fault:
        environment["FLOWNB_FAULT"] = fault
    arguments = [sys.executable, *(command or ("-c", PROGRAM))]
    return subprocess.run(
        arguments, capture_output=True, text=True, check=False, cwd=folder, env=environment, timeout=60
    )


def until_it_rests(folder: Path, point: str) -> tuple[str, list[str]]:
    """Start the program and kill it at its first commit, then at its second, and so on, until it gets through."""
    for nth in range(1, 20):
        done = start(folder, fault=f"{point}:{nth}")
        if done.returncode == 0:
            status, asked = json.loads(done.stdout)
            return status, asked
        assert done.returncode == -signal.SIGKILL, done.stderr
    raise AssertionError("it never came to rest")


@pytest.mark.parametrize("point", ["tick.after_commit", pytest.param("tick.before_commit", marks=pytest.mark.soak)])
def test_killed_at_every_commit_a_run_asks_once_and_goes_on_once(tmp_path: Path, point: str) -> None:
    status, asked = until_it_rests(tmp_path, point)
    assert (status, len(asked)) == ("paused", 1)

    approve = ("-m", "flownb", "approve", asked[0])
    before = start(tmp_path, *approve, fault="answer.before_commit")
    assert before.returncode == -signal.SIGKILL
    store = open_store(f"sqlite:///{tmp_path}/runs.db")
    assert [row.id for row in store.approvals()] == asked  # nothing of it is there
    after = start(tmp_path, *approve, fault="answer.committed")
    assert after.returncode == -signal.SIGKILL
    again = start(tmp_path, "-m", "flownb", "reject", asked[0])
    assert (again.returncode, "answered already: approved by" in again.stderr) == (1, True)

    assert until_it_rests(tmp_path, point) == ("completed", [])
    effects = Counter((tmp_path / "effects").read_text().split())
    assert effects.keys() == {"first", "post"}
    if point == "tick.after_commit":  # else an effect may have come without its commit, and comes again
        assert set(effects.values()) == {1}
    (run,) = store.rows()
    kinds = Counter(type(record.event) for record in store.events(run.id))
    assert (kinds[ev.ApprovalRequested], kinds[ev.ApprovalDecided]) == (1, 1)
    assert verify(store, run.id) == (3, [])  # asked, answered, refused


def test_an_answer_that_comes_while_the_owner_is_dead_is_taken_by_the_next(tmp_path: Path) -> None:
    program = PROGRAM.replace(
        'run = flow.run(key="k")',
        """
@flow.node
def beside():
    import pathlib
    while not pathlib.Path("go").exists():
        time.sleep(0.01)

run = flow.run(key="k")""",
    )
    environment = {**os.environ, "FLOWNB_STORE": f"sqlite:///{tmp_path}/runs.db"}
    owner = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, env=environment)
    store = open_store(f"sqlite:///{tmp_path}/runs.db")
    while not (asked := store.approvals()):
        time.sleep(0.01)
    owner.kill()
    owner.wait()
    done = start(tmp_path, "-m", "flownb", "approve", asked[0].id)
    assert (done.returncode, f"flownb resume {asked[0].run}" in done.stderr) == (0, True)
    (tmp_path / "go").touch()
    assert json.loads(start(tmp_path, "-c", program).stdout) == ["completed", []]
    assert Counter((tmp_path / "effects").read_text().split()) == {"first": 1, "post": 1}


# --- many at once -----------------------------------------------------------------------------------------------------

MANY = 12
#: Starts runs, answers what is asked (those with an odd number need two votes), and goes on with all that can.
CROWD = """
import sys, time
import flownb
from flownb import Flow
from flownb.errors import Conflict
from flownb.store.place import open_store

flow = Flow("crowd")

def effect(name):
    with open("effects", "a") as file:
        file.write(name + chr(10))

@flow.node
async def first(n: int):
    effect(f"first{n}")
    return n

ok = flow.approval("ok", "Go on with {{ first }}?", after=first, approvals_needed=1 + (VOTES > 1))

@flow.node(after=ok.approved)
async def last(first):
    effect(f"last{first}")
    return first

store = open_store(None)
runs = [flow.run(n=n, key=f"k{n}") for n in range(MANY)]
runs += [run for run in flow.resume() if run.id not in {each.id for each in runs}]
while not all(run.resting for run in runs):
    time.sleep(0.002)
for name in ("anna", "ben")[:VOTES]:
    for run in runs:
        for each in run.approvals.pending:
            try:
                each.approve(by=name)
            except Conflict:
                pass  # this vote was given before the process died
while not all(run.status.ended for run in runs):
    time.sleep(0.002)
"""


@pytest.mark.parametrize(
    ("point", "votes"),
    [
        ("runs.claimed", 1),
        ("tick.after_commit", 1),
        ("answer.committed", 2),
        pytest.param("tick.before_commit", 1, marks=pytest.mark.soak),
        pytest.param("tick.published", 2, marks=pytest.mark.soak),
        pytest.param("answer.before_commit", 2, marks=pytest.mark.soak),
        pytest.param("run.before_finish", 1, marks=pytest.mark.soak),
        pytest.param("run.after_finish", 2, marks=pytest.mark.soak),
    ],
)
def test_killed_around_every_answer_a_crowd_of_runs_loses_none_and_decides_none_twice(
    tmp_path: Path, point: str, votes: int
) -> None:
    """Killed at the first time that it comes by, then at the second, and so on; every life takes up where it was."""
    (tmp_path / "settings.toml").write_text("[approvals]\ntrust_claims = true\n")
    program = CROWD.replace("VOTES", str(votes)).replace("MANY", str(MANY))
    lives = 0
    for nth in (1, 2, 5, 13, 34):
        done = start(tmp_path, "-c", program, fault=f"{point}:{nth}")
        lives += 1
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
    else:
        done = start(tmp_path, "-c", program)
        assert done.returncode == 0, done.stderr
    assert lives > 1, f"nothing was killed at {point}"

    store = open_store(f"sqlite:///{tmp_path}/runs.db")
    rows = list(store.rows())
    assert Counter(row.status for row in rows) == {"completed": MANY}
    effects = Counter((tmp_path / "effects").read_text().split())
    assert effects.keys() == {f"{name}{n}" for name in ("first", "last") for n in range(MANY)}
    if point not in ("tick.before_commit", "run.before_finish"):  # else an effect may have come without its commit
        assert set(effects.values()) == {1}
    for row in rows:
        kinds = Counter(type(record.event) for record in store.events(row.id))
        assert (kinds[ev.ApprovalRequested], kinds[ev.ApprovalDecided]) == (1, 1)
        assert kinds[ev.ApprovalVoted] == (2 if votes > 1 else 0)
        assert kinds[ev.RunCompleted] == 1
        assert verify(store, row.id)[1] == []
    assert store.waiting() == set()
