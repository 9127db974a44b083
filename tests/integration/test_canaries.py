"""Ten kinds of secrets through hundreds of flows that leak them in every way: none is found in any byte."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration import canaries

ROOT = Path(__file__).parents[2]
SEED = int(os.environ.get("CANARIES", "0")) or random.randrange(1 << 30)
KINDS = list(canaries.make(0))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, in which nothing may be found; the secrets lie in another one."""
    print(f"CANARIES={SEED}")
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name, value in canaries.make(SEED).items():
        (secrets / name).write_bytes(value)
        (secrets / name).chmod(0o600)
    work = tmp_path / "work"
    (work / ".flownb").mkdir(parents=True)
    (work / "theirs").mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("FLOWNB_SECRETS", str(secrets))
    monkeypatch.setenv("FLOWNB_STORE", f"sqlite:///{work}/.flownb/flownb.db")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return work


def leak(place: Path, kinds: list[str], broken: str = "", shapes: str = "") -> str:
    """Run the program that leaks; returns its last line."""
    code = [sys.executable, "-X", "utf8", str(ROOT / "tests/integration/leaks.py")]
    with (place / "out.txt").open("wb") as out, (place / "err.txt").open("wb") as err:
        subprocess.run(
            [*code, str(place), str(SEED), ",".join(kinds), broken, shapes],
            stdout=out,
            stderr=err,
            check=True,
            timeout=110,
        )
    return (place / "err.txt").read_text().splitlines()[-1]


def take_what_is_theirs(place: Path) -> dict[str, bytes]:
    """What the flows wrote into files of the user's own; taken away, as it may be found there."""
    files = {path.stem: path.read_bytes() for path in (place / "theirs").iterdir()}
    for path in (place / "theirs").iterdir():
        path.unlink()
    return files


@pytest.mark.parametrize("kinds", [KINDS[0::2], KINDS[1::2]], ids=["five kinds", "five more"])
def test_no_secret_is_found_in_what_flows_and_their_reports_leave(place: Path, kinds: list[str]) -> None:
    runs = int(leak(place, kinds).split()[0])
    assert runs >= 100 * len(kinds) / 10
    secrets = {name: value for name, value in canaries.make(SEED).items() if name in kinds}
    theirs = take_what_is_theirs(place)
    assert {name for name, data in theirs.items() if data.strip() == secrets[name].strip()} == set(kinds) - {"binary"}
    report(place)
    assert canaries.search(place, secrets) == []


def report(place: Path) -> None:
    """What all commands tell of the runs, by a process that knows no secret."""
    from flownb.cli.app import app, run_app
    from flownb.notebook.report import html_report, notebook_report
    from flownb.store.place import open_store

    store = open_store()
    told = place / "told"
    told.mkdir()
    for number, row in enumerate(store.rows()):
        if number % 4:
            continue
        (told / f"{row.id}.html").write_text(html_report(store, row.id))
        (told / f"{row.id}.ipynb").write_text(notebook_report(store, row.id))
        (told / f"{row.id}.txt").write_text(repr(store.events(row.id)) + str(store.definition(row.definition)))
        if number < 12:
            with (told / "commands.txt").open("a") as file:
                for command in (["show", row.id], ["show", row.id, "--json"], ["events", row.id], ["logs", row.id]):
                    sys.stdout, before = file, sys.stdout
                    try:
                        run_app(app, command)
                    finally:
                        sys.stdout = before
    store.close()


@pytest.mark.parametrize(
    ("broken", "shapes"),
    [
        ("values", "returned_large_list"),
        ("events", "raised_and_tried_again"),
        ("streams", "printed_in_two_records"),
        ("logs", "logged"),
        ("causes", "raised"),
    ],
)
def test_the_search_finds_them_where_one_place_does_not_mask(place: Path, broken: str, shapes: str) -> None:
    leak(place, ["password"], broken, shapes)
    assert canaries.search(place, {"password": canaries.make(SEED)["password"]})
