"""What people test their flows and node types with, and what flownb tests itself with.

* `check_node` and `FakeContext`: one node type, without an engine.
* `Simulation`: whole runs in virtual time, on one seed, with workers that crash; `VirtualClock` is its clock.
* `crash_at` and `Crash`: dying at a named point of `flownb.faults.POINTS`.
* `humans(approve_all)`: scripted people, who answer what runs ask; `fake_clock` moves the time of runs.
* `fake_channel("mail")`: keeps what people would be told.
* `FakeSecrets`: a service of secrets.
* `FaultyStore`: any store, failing at the call of your choice.
* `check_journal`: the promises that every journal keeps.
"""

from __future__ import annotations

from flownb.testing.channels import FakeChannel, fake_channel
from flownb.testing.check_node import check_node
from flownb.testing.clock import VirtualClock
from flownb.testing.context import FakeContext
from flownb.testing.crash import Crash, crash_at
from flownb.testing.faulty_store import FaultyStore
from flownb.testing.humans import Humans, approve_all, humans, reject_all
from flownb.testing.journal import check_journal
from flownb.testing.secrets import FakeSecrets
from flownb.testing.simulation import Simulation, Worker
from flownb.testing.stuck import Stuck
from flownb.testing.wall import FakeClock, fake_clock

__all__ = [
    "Crash",
    "FakeChannel",
    "FakeClock",
    "FakeContext",
    "FakeSecrets",
    "FaultyStore",
    "Humans",
    "Simulation",
    "Stuck",
    "VirtualClock",
    "Worker",
    "approve_all",
    "check_journal",
    "check_node",
    "crash_at",
    "fake_channel",
    "fake_clock",
    "humans",
    "reject_all",
]
