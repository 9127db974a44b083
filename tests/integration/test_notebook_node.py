"""A notebook as a node of a flow, in real kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from flownb import Flow
from flownb.errors import RunFailed
from flownb.store.place import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_its_output_is_what_the_notebook_returned(
    write_notebook: Any, tmp_path: Path, own_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_notebook(
        ("n = 1\nname = 'x'\nlabel = ''", "parameters"),
        "import flownb",
        "flownb.result('double', n * 2)\nflownb.result('name', name)\nflownb.result('label', label)",
        name="child.ipynb",
    )
    flow = Flow("parent")

    @flow.node
    def n(word: str) -> int:
        return 21 * bool(word)

    @flow.node
    def total() -> dict[str, str]:
        return {"name": "july"}

    flow.add(
        "notebook.run",
        "child",
        path="child.ipynb",
        parameters={"name": "{{ total.name }}", "label": "{{ word }}"},
        output="out/child.ipynb",
        inputs={"n": n},
    )

    @flow.node
    def last(child: dict[str, Any]) -> Any:
        return child["double"]

    run = flow.run(word="hello", store=own_store)
    outputs = run.result(60)

    assert outputs == {"last": 42}
    assert run["child"].output == {"double": 42, "name": "july", "label": "hello"}
    assert (tmp_path / "out" / "child.ipynb").exists()
    store = open_store(own_store)
    row = store.find_key(f"{run.id}:child")
    assert row is not None
    assert run["child"].child == row.id
    assert (row.parent, row.kind, row.status, row.trigger) == (run.id, "notebook", "completed", "flow")
    started = store.events(row.id)[0].event
    assert (started.parent, started.parent_node) == (run.id, "child")  # type: ignore[attr-defined]  # it is RunStarted


def test_a_failed_notebook_is_named_with_its_cell_and_gone_on_with_when_the_node_is_retried(
    *,
    write_notebook: Any, flow_cell: str, ran: Callable[[], list[str]], tmp_path: Path, own_store: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    write_notebook(
        flow_cell,
        "outcome = await flow.run(n=1)",
        "needed = Path('needed.txt').read_text()",
        "import flownb\nflownb.result('three', outcome['three'])",
        name="child.ipynb",
    )
    flow = Flow("parent")
    flow.add("notebook.run", "child", path="child.ipynb")
    run = flow.run(store=own_store)

    with pytest.raises(RunFailed) as caught:
        run.result(60)

    message = str(caught.value)
    store = open_store(own_store)
    row = store.find_key(f"{run.id}:child")
    assert row is not None
    assert "child.ipynb failed: FileNotFoundError: In cell 3 (needed = Path('needed.txt').read_text())" in message
    assert f"its run is {row.id}" in message

    (tmp_path / "needed.txt").write_text("x")
    assert run.resume().result(60) == {"child": {"three": 104}}
    assert ran() == ["one", "two", "three"]


def test_what_is_wrong_with_it_is_said_without_a_kernel(
    write_notebook: Any, tmp_path: Path, own_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_notebook(("n = 1", "parameters"), name="child.ipynb")
    flow = Flow("parent")
    flow.add("notebook.run", "gone", path="chlid.ipynb")
    problems = flow.validate()
    flow.add("notebook.run", "child", path="child.ipynb", parameters={"m": 1}, on_error="continue")

    assert [each.code for each in problems] == ["missing_notebook"]
    assert "Did you mean 'child.ipynb'?" in problems[0].message
    run = flow.run(store=own_store)
    with pytest.raises(RunFailed, match=r"There is no notebook .*chlid\.ipynb"):
        run.result(60)
