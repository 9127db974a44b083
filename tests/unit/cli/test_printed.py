from __future__ import annotations

from flownb.cli.printed import Printed


def test_pieces_become_lines_when_the_line_ends() -> None:
    printed = Printed()
    assert printed.add("load", "rea") == []
    assert printed.add("load", "ding\nand ") == ["reading"]
    assert printed.end("load") == ["and "]
    assert printed.end("load") == []


def test_nodes_do_not_mix() -> None:
    printed = Printed()
    printed.add("a", "from a")
    assert printed.add("b", "from b\n") == ["from b"]
    assert printed.nodes() == ["a"]


def test_lines_are_made_harmless() -> None:
    assert Printed().add("a", "x\x1b[2J\n") == ["x\\x1b[2J"]
