"""Going on with headless notebooks whose beginning, end or text is not what it was."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flownb.model.events import SystemInfo
from flownb.notebook.resume import resume
from flownb.notebook.runner import execute
from flownb.store.place import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_notebook_that_failed_before_its_flow_starts_it_when_it_is_resumed(
    write_notebook: Any, flow_cell: str, ran: Callable[[], list[str]], tmp_path: Path, own_store: str
) -> None:
    path = write_notebook(
        flow_cell, "n = int(Path('needed.txt').read_text())", "run = flow.run(n=n)", "raise SystemExit(0)", "1 / 0"
    )
    failed = execute(path)
    assert (failed.status, ran()) == ("failed", [])
    (tmp_path / "needed.txt").write_text("5")
    store = open_store(own_store)

    done = resume(store, failed.run_id)

    assert (done.error, done.status, done.message) == (None, "completed", "the notebook left by SystemExit")
    assert ran() == ["one", "two", "three"]  # awaited, though no cell did
    types = [type(each.event).__name__ for each in store.events(done.run_id)]
    assert types[:4] == ["RunStarted", "RunFailedEvent", "RunResumed", "NodeStarted"]
    row = store.row(done.run_id)
    assert row is not None
    assert (row.status, bool(row.definition)) == ("completed", True)

    again = resume(store, done.run_id, output=tmp_path / "report.ipynb")

    assert (again.status, again.exit_code) == ("completed", 0)
    assert json.loads((tmp_path / "report.ipynb").read_text())["metadata"]["flownb"]["run"] == done.run_id
    assert ran() == ["one", "two", "three"]


def test_migrate_executes_the_notebook_as_it_is_now_and_keeps_what_is_committed(
    write_notebook: Any, flow_cell: str, ran: Callable[[], list[str]], own_store: str
) -> None:
    def notebook(last: str, name: str = "counting") -> Path:
        return write_notebook(  # type: ignore[no-any-return]  # a fixture
            ("n = 1", "parameters"), flow_cell.replace("counting", name), "outcome = await flow.run(n=n)", last
        )

    path = notebook("1 / 0")
    failed = execute(path, {"n": 7})
    assert failed.status == "failed"
    store = open_store(own_store)
    notebook("2 / 1", name="another")

    refused = resume(store, failed.run_id, migrate=True)

    assert refused.error is not None
    assert "was the flow 'counting'; the notebook now starts 'another' in its place" in refused.error.message
    notebook("import flownb\nflownb.result('outcome', outcome)")

    done = resume(store, failed.run_id, migrate=True)

    assert (done.error, done.status, done.results) == (None, "completed", {"outcome": {"three": 116}})
    assert ran() == ["one", "two", "three"]


def test_a_migrated_notebook_is_pinned_to_what_it_went_over_to(
    write_notebook: Any, flow_cell: str, ran: Callable[[], list[str]], tmp_path: Path, own_store: str
) -> None:
    cells = [flow_cell, "outcome = await flow.run(n=1)"]
    path = write_notebook(*cells, "1 / 0")
    failed = execute(path)
    store = open_store(own_store)
    fourth = "@flow.node\ndef four(three):\n    return three + int(Path('needed.txt').read_text())"
    write_notebook(flow_cell, fourth, cells[1], "import flownb\nflownb.result('outcome', outcome)")

    again = resume(store, failed.run_id, migrate=True)

    assert again.status == "failed"  # its new node needs a file; but it has moved
    first, row = store.row(failed.run_id), store.row(again.run_id)
    assert first is not None
    assert row is not None
    pinned = store.program(row.program)
    assert pinned is not None
    assert "def four" in pinned.source
    (said,) = [each.event.message for each in store.events(row.id) if isinstance(each.event, SystemInfo)]
    assert "+ node four is new" in said
    write_notebook(*cells, "1 / 0")  # the file is of no concern any more
    (tmp_path / "needed.txt").write_text("5")

    done = resume(store, failed.run_id)

    assert (done.error, done.status) == (None, "completed")
    assert "outcome" in done.results
    assert ran() == ["one", "two", "three"]


def test_a_failed_node_fails_the_notebook_and_runs_again_on_resume(
    write_notebook: Any, ran: Callable[[], list[str]], tmp_path: Path, own_store: str, flow_cell: str
) -> None:
    path = write_notebook(
        flow_cell,
        "@flow.node\ndef fragile(two):\n    ran('fragile')\n    return Path('needed.txt').read_text()",
        "@flow.node\ndef later(fragile):\n    ran('later')\n    return fragile",
        "run = flow.run(n=1)",
        "import flownb\nflownb.result('never mind', 1)",
    )

    failed = execute(path)

    assert (failed.status, failed.exit_code) == ("failed", 1)
    assert failed.error is not None
    assert failed.error.type == "FileNotFoundError"
    (tmp_path / "needed.txt").write_text("x")

    done = resume(open_store(own_store), failed.run_id)

    assert (done.error, done.status, done.results) == (None, "completed", {"never mind": 1})
    lines = ran()
    assert [lines.count(name) for name in ("one", "two", "fragile", "later")] == [1, 1, 2, 1]
