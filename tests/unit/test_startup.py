"""What a fresh process loads until its first result: each of these costs every start of every notebook and command."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

#: Slow to import, and not needed by a first run of plain functions.
HEAVY = (
    *("IPython", "PIL", "click", "cloudpickle", "cronsim", "ipykernel", "jupyter_client", "nbclient", "nbformat"),
    *("networkx", "numpy", "pandas", "papermill", "pyarrow", "pydantic", "re2", "rich", "traitlets", "watchfiles"),
    *("concurrent.futures.process", "difflib", "email", "http", "importlib.metadata", "importlib.resources"),
    *("multiprocessing", "sqlite3", "tempfile", "urllib.request", "xml", "yaml", "zoneinfo"),
)
#: Needed by a run, not by the definition of a flow.
OF_THE_ENGINE = ["apsw", "asyncio", "logging", "ssl", "subprocess"]
FLOW = """
from flownb import Flow
flow = Flow("first")
flow.node(lambda: 1, id="a")
@flow.node
def b(a):
    return a + 1
@flow.node
async def c(b):
    return b + 1
"""
LIST = """
import sys
from flownb.cli import main
from flownb.store.place import open_store
open_store("sqlite:///first.db")
sys.argv[1:] = ["runs", "--store", "sqlite:///first.db"]
try:
    main()
except SystemExit as left:
    assert not left.code
"""
STAGES = {
    "import flownb": ("import flownb", [*HEAVY, *OF_THE_ENGINE, "msgspec", "inspect", "ast"]),
    "a flow of three functions": (FLOW, [*HEAVY, *OF_THE_ENGINE]),
    "a run in memory": (FLOW + "assert flow.run(store='memory:').result() == {'c': 3}", [*HEAVY, "apsw"]),
    "a run in SQLite": (FLOW + "assert flow.run(store='sqlite:///first.db').result() == {'c': 3}", HEAVY),
    "the list of runs": (LIST, [*(name for name in HEAVY if name != "click"), "asyncio", "ssl"]),
    "the help of the command line": (
        "import sys; sys.argv[1:] = ['--help']\nfrom flownb.cli import main\ntry: main()\nexcept SystemExit: pass",
        [*(name for name in HEAVY if name != "click"), *OF_THE_ENGINE, "msgspec", "json"],
    ),
}


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_heavy_is_loaded_by(stage: str, tmp_path: Path) -> None:
    code, forbidden = STAGES[stage]
    script = tmp_path / "first.py"
    script.write_text(f"{code}\nimport sys; print('LOADED', *[name for name in {forbidden} if name in sys.modules])")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV_", "FLOWNB_"))}
    ended = subprocess.run(
        [sys.executable, "-B", str(script)],
        cwd=tmp_path,
        env=clean,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1].split()[1:] == []


def test_the_collector_is_as_before_after_an_import() -> None:
    code = (
        "import gc, flownb; flownb.Flow; assert gc.isenabled(); gc.disable()\n"
        "flownb.Workflow; assert not gc.isenabled(); gc.enable()\n"
        "from flownb.imports import at_once\n"
        "try: at_once('flownb.nothing')\nexcept ModuleNotFoundError: assert gc.isenabled()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_module_of_the_package_is_found_without_an_import_of_its_own() -> None:
    code = "import flownb, sys; assert flownb.expr.evaluate('1 + 1', {}) == 2; assert 'difflib' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
