"""Ten kinds of secrets in notebooks: what cells and nodes show of them is saved and recorded without them."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration import canaries

if TYPE_CHECKING:
    from pathlib import Path

SEED = int(os.environ.get("CANARIES", "0")) or random.randrange(1 << 30)

USE = """
import base64, html, json, logging, os, sys
import flownb
from IPython.display import HTML, JSON, display
KINDS = sorted(os.listdir(os.environ["FLOWNB_SECRETS"]))

def value_of(kind):
    return flownb.secret(kind, binary=True).decode("latin-1") if kind == "binary" else flownb.secret(kind)

VALUES = {kind: value_of(kind) for kind in KINDS}
"""
SHOW = """
for kind, value in VALUES.items():
    print(kind, value, [value])
    for letter in value[:200]:
        print(letter, end="", flush=len(value) < 100)
    print(value[200:])
    sys.stderr.write(value[:10]); sys.stderr.flush(); sys.stderr.write(value[10:] + "\\n")
    display(HTML(f"<b>{html.escape(value)}</b>"), JSON({"token": value}), {value: base64.b64encode(value.encode())})
    logging.getLogger("cell").error("with %s", value)
VALUES
"""
SHELL = """
!cat "$FLOWNB_SECRETS/api_key" "$FLOWNB_SECRETS/long" "$FLOWNB_SECRETS/key"
os.system('cat "$FLOWNB_SECRETS/url"')
print(VALUES["password"][:-1], end="")
"""
FLOW = """
flow = flownb.Flow("inner")

@flow.node
def use(given: str, token="secret://api_key"):
    print(token, VALUES)
    return {"token": token, "all": VALUES, "given": len(given)}

run = flow.run(given=token)
await run
print(run.outputs, run["use"].log)
flownb.result("everything", VALUES)
"""
FAIL = """
def connect(token):
    raise ConnectionError(f"401 {token}", VALUES)

connect(VALUES["container"])
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, in which nothing may be found; the secrets lie in another one."""
    print(f"CANARIES={SEED}")
    (tmp_path / "secrets").mkdir()
    for name, value in canaries.make(SEED).items():
        (tmp_path / "secrets" / name).write_bytes(value)
        (tmp_path / "secrets" / name).chmod(0o600)
    work = tmp_path / "work"
    (work / ".flownb").mkdir(parents=True)
    monkeypatch.chdir(work)
    monkeypatch.setenv("FLOWNB_SECRETS", str(tmp_path / "secrets"))
    monkeypatch.setenv("FLOWNB_STORE", f"sqlite:///{work}/.flownb/flownb.db")
    monkeypatch.setenv("IPYTHONDIR", str(work / "ipython"))
    return work


def call(place: Path, name: str, *command: str) -> int:
    """Run a command; what it says goes where it is looked at."""
    # With it, ipykernel leaves what programs write to the terminal where it is, and out of the cells.
    environment = {each: value for each, value in os.environ.items() if each != "PYTEST_CURRENT_TEST"}
    with (place / f"{name}.txt").open("wb") as said:
        return subprocess.run(
            [sys.executable, "-m", *command],
            stdout=said,
            stderr=subprocess.STDOUT,
            env=environment,
            check=False,
            timeout=100,
        ).returncode


@pytest.mark.parametrize("how", ["headless", "papermill"])
def test_no_secret_is_found_in_what_an_executed_notebook_leaves(place: Path, write_notebook: Any, how: str) -> None:
    notebook = write_notebook(("token = ''", "parameters"), USE, SHOW, SHELL, FLOW, FAIL)
    given = ["-p", "token", "secret://api_key"]
    if how == "headless":
        status = call(place, "said", "flownb", "run", str(notebook), "-o", "out.ipynb", *given)
    else:
        status = call(place, "said", "papermill", str(notebook), "out.ipynb", "--log-output", *given)
    assert status == 1
    executed = (place / "out.ipynb").read_text()
    assert "ConnectionError" in executed
    assert '"***"' in executed or "'***'" in executed
    assert "secret://api_key" in executed
    for row in (place / "said.txt").read_text().splitlines():
        if row.startswith("flownb: `flownb resume "):
            run = row.split()[3].rstrip("`")
            call(place, "report", "flownb", "report", run, "-o", "report.html")
            call(place, "show", "flownb", "show", run, "--json")
            call(place, "logs", "flownb", "logs", run)
    assert how == "papermill" or (place / "report.html").exists()
    assert canaries.search(place, canaries.make(SEED)) == []


def test_the_search_finds_them_where_the_kernel_does_not_mask(place: Path, write_notebook: Any) -> None:
    off = "import flownb.notebook.masking\nflownb.notebook.masking.mask_kernel = lambda: None"
    notebook = write_notebook(off, USE, "print(VALUES['password'])")
    assert call(place, "said", "flownb", "run", str(notebook), "-o", "out.ipynb") == 0
    assert canaries.search(place, canaries.make(SEED))


def test_a_notebook_in_a_flow_gets_the_reference_and_looks_it_up_itself(
    place: Path, write_notebook: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = write_notebook(
        ("token = ''\nother = ''", "parameters"),
        "import flownb\nflownb.result('given', [token, other])\nflownb.result('size', len(flownb.secret(token)))",
        name="child.ipynb",
    )
    program = f"""
from flownb import Flow
flow = Flow("parent")
flow.variable("token", type="string", default="secret://api_key")
flow.add("notebook.run", "child", path={str(child)!r}, output="child.ipynb",
         parameters={{"token": "{{{{ token }}}}", "other": "secret://password"}})
print(flow.run(display=False).result())
"""
    (place / "parent.py").write_text(program)
    assert call(place, "said", "parent") == 0
    secrets = canaries.make(SEED)
    size = len(secrets["api_key"])
    assert (place / "said.txt").read_text().strip() == str(
        {"child": {"given": ["secret://api_key", "secret://password"], "size": size}}
    )
    assert canaries.search(place, secrets) == []
