"""The processes below one are known, counted and ended together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import pytest

from flownb.run.child import tree
from tests.unit.run.where.test_process import is_alive
from tests.waiting import wait_for

pytestmark = pytest.mark.skipif(not tree.KNOWN, reason="Linux tells a process about others")

#: Makes children, and one that has left its session and its parent, before it ends them all and says what there was.
SCRIPT = """
import json, os, subprocess, sys, time
from flownb.run.child import linux, tree
linux.adopt_orphans()
children = [subprocess.Popen(["sleep", "600"]) for _ in range(3)]
read, write = os.pipe()
if not os.fork():
    os.setsid()
    if not os.fork():
        os.write(write, str(os.getpid()).encode())
        time.sleep(600)
    os._exit(0)
daemon = int(os.read(read, 20))
while tree.parent(daemon) != os.getpid():
    time.sleep(0.01)
found = tree.below(os.getpid())
used = tree.usage(found)
tree.end_all(os.getpid(), 0)
print(json.dumps({"found": found, "daemon": daemon, "memory": used.memory, "left": tree.below(os.getpid())}))
"""


def test_daemons_are_found_and_all_are_ended() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=30)
    said = json.loads(done.stdout)
    assert said["daemon"] in said["found"]
    assert len([pid for pid in said["found"] if pid != said["daemon"]]) >= 3
    assert said["memory"] > 0
    assert said["left"] == []
    assert not any(is_alive(pid) for pid in said["found"])


def test_what_one_thread_has_started_is_told_from_the_rest() -> None:
    child = subprocess.Popen(["sleep", "600"])
    try:
        mine = tree.children_of_thread(threading.get_native_id())
        assert child.pid in mine
        seen: list[list[int]] = []
        thread = threading.Thread(target=lambda: seen.append(tree.children_of_thread(threading.get_native_id())))
        thread.start()
        thread.join()
        assert seen == [[]]
    finally:
        child.kill()
        child.wait()


def test_a_process_is_known_by_its_number_and_its_birth() -> None:
    born = tree.birth(os.getpid())
    assert born is not None
    assert born == tree.birth(os.getpid())
    assert born <= tree.ticks_ago(0)
    child = subprocess.Popen(["true"])
    child.wait()
    wait_for(lambda: tree.birth(child.pid) is None)
    assert tree.below(child.pid) == []
    assert tree.session(child.pid) == 0
