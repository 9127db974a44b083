from __future__ import annotations

import sys

from flownb.run.output.installation import enter, leave


def test_one_stand_in_stands_for_a_stream_however_often_runs_come_and_go() -> None:
    """`print` borrows `sys.stdout`: one that is freed under it could crash the process."""
    before = sys.stdout
    seen = set()
    kept = []
    for _ in range(3):
        enter()
        try:
            seen.add(id(sys.stdout))
            kept.append(sys.stdout)  # so that none has the place of one before it by chance
        finally:
            leave()
        assert sys.stdout is before
    assert len(seen) == 1
