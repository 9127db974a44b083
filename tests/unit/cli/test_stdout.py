from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from flownb.cli.stdout import guarded_stdout

if TYPE_CHECKING:
    import pytest


def test_for_people_everything_goes_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    with guarded_stdout(as_json=False) as print_document:
        print("from a module")
        print_document("the result")
    assert capsys.readouterr() == ("from a module\nthe result\n", "")


def test_for_programs_stdout_has_the_document_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with guarded_stdout(as_json=True) as print_document:
        print("from a module")
        print_document("{}")
    print("after")
    assert capsys.readouterr() == ("{}\nafter\n", "from a module\n")


def test_children_and_the_c_library_are_kept_away_as_well() -> None:
    program = """
import os, subprocess, sys
from flownb.cli.stdout import guarded_stdout
print("before", flush=True)
with guarded_stdout(as_json=True) as print_document:
    print("module")
    subprocess.run(["echo", "child"])
    os.write(1, b"raw\\n")
    print_document("{}")
print("after")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "before\n{}\nafter\n"
    assert sorted(done.stderr.split()) == ["child", "module", "raw"]


def test_a_reader_who_has_gone_is_no_error() -> None:
    program = """
import sys
from flownb.cli.stdout import guarded_stdout
with guarded_stdout(as_json=True) as print_document:
    sys.stdin.readline()
    print_document("x" * 1_000_000)
sys.exit(7)
"""
    child = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdout is not None
    child.stdout.close()
    child.stdout = None
    _, err = child.communicate(b"go\n", timeout=30)
    assert (child.returncode, err) == (7, b"")
