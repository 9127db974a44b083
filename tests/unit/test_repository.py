"""The repository checks its own promises: what README, locks, bounds and the map say is so."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from flownb import faults

ROOT = Path(__file__).parents[2]
PYPROJECT = ROOT / "pyproject.toml"
PROJECT = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))
LOCKS = {"requirements.lock": ("data", "test"), "requirements-lab.lock": ("data", "lab", "browser")}
SOURCES = sorted((ROOT / "flownb").rglob("*.py"))

#: "About 400 lines": what is longer is listed with the reason why it is one noun and can't be two files.
ABOUT_400 = 440
LONG_FILES: dict[str, str] = {}
#: Functions of 50 lines and more (docstring apart), as `file.py:name`, each with its reason.
LONG_FUNCTIONS: dict[str, str] = {}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def committed_texts() -> dict[str, str]:
    """Every file that git knows and that is text, by its name."""
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is no clone, so nothing is committed")
    texts = {}
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if name and path.is_file():
            data = path.read_bytes()
            if b"\0" not in data:
                texts[name] = data.decode(errors="replace")
    return texts


# --- dependencies ---------------------------------------------------------------------------------------------------


def groups() -> dict[str, list[str]]:
    """The requirements of pyproject.toml by where they stand; the core under `core`."""
    return {
        "core": PROJECT["project"]["dependencies"],
        "requires": PROJECT["build-system"]["requires"],
        **PROJECT["project"]["optional-dependencies"],
        **PROJECT["dependency-groups"],
    }


BOUNDS = sorted({text for group in groups().values() for text in group if not text.startswith("flownb[")})


@pytest.mark.parametrize("requirement", BOUNDS)
def test_every_bound_has_its_reason_beside_it(requirement: str) -> None:
    lines = [line for line in read(PYPROJECT).splitlines() if f'"{requirement}"' in line]
    assert lines
    for line in lines:
        reason = line.rpartition(f'"{requirement}"')[2].partition("#")[2]
        assert len(reason.split()) >= 3, f"say why: {line.strip()}"


def test_every_dependency_has_a_lower_bound() -> None:
    assert [text for text in BOUNDS if not any(spec.operator == ">=" for spec in Requirement(text).specifier)] == []


def pins(lock: str) -> dict[str, list[Requirement]]:
    """The pins of a lock by name; a name has several where systems differ."""
    found: dict[str, list[Requirement]] = {}
    for line in read(ROOT / lock).splitlines():
        if line and line[0] not in " #":
            pin = Requirement(line.removesuffix("\\"))
            found.setdefault(canonicalize_name(pin.name), []).append(pin)
    return found


def asked(extras: tuple[str, ...]) -> set[str]:
    """The requirements of the core, of these extras and of what builds flownb."""
    texts = {text for group in ("core", "requires", "build", *extras) for text in groups()[group]}
    return {text for text in texts if not text.startswith("flownb[")}


@pytest.mark.parametrize(("lock", "extras"), LOCKS.items())
def test_locks_satisfy_the_bounds(lock: str, extras: tuple[str, ...]) -> None:
    pinned = pins(lock)
    for text in asked(extras):
        wanted = Requirement(text)
        found = pinned.get(canonicalize_name(wanted.name))
        assert found, f"{text} is not in {lock}: run `make lock`"
        for pin in found:
            (exactly,) = pin.specifier
            assert wanted.specifier.contains(Version(exactly.version)), f"{pin} breaks {text}: run `make lock`"


def test_locks_agree_so_that_one_environment_takes_both() -> None:
    first, second = (
        {name: {str(pin.specifier) for pin in found} for name, found in pins(lock).items()} for lock in LOCKS
    )
    assert {name: (first[name], second[name]) for name in first.keys() & second if first[name] != second[name]} == {}


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_hold_names_versions_and_hashes_and_no_addresses(lock: str) -> None:
    pin = r"[a-z0-9.-]+==[\w.+!]+( ; [^\\/]+)? \\"
    digest = r"    --hash=sha256:[0-9a-f]{64}( \\)?"
    lines = [line for line in read(ROOT / lock).splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(f"{pin}|{digest}", line)] == []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        assert line.endswith("\\") == following.startswith("    --hash")


# --- what is committed ----------------------------------------------------------------------------------------------


def test_no_committed_file_names_a_registry_or_somebodys_home() -> None:
    # In pieces, so that this file doesn't name them either.
    hosts = [
        ".".join(parts) for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("yarnpkg", "com"))
    ]
    # ada is nobody: tests of paths need a user.
    homes = [rf"(?<![\w.]){re.escape('/' + folder + '/')}(?!ada\b)\w" for folder in ("root", "home", "Users")]
    forbidden = re.compile("|".join([*map(re.escape, hosts), *homes]))
    found = {
        f"{name}:{number}: {line.strip()[:80]}"
        for name, text in committed_texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if forbidden.search(line)
    }
    assert found == set()


def test_no_committed_file_is_what_a_run_or_a_build_leaves_behind() -> None:
    left = re.compile(
        r"(^|/)(\.venv|\.cache|\.flownb|__pycache__|node_modules|\.ipynb_checkpoints)/|\.pyc$|\.db(-wal|-shm)?$"
    )
    assert [name for name in committed_texts() if left.search(name)] == []


# --- the map --------------------------------------------------------------------------------------------------------


def test_files_are_short() -> None:
    lengths = {name_of(path): len(read(path).splitlines()) for path in SOURCES}
    assert {name: length for name, length in lengths.items() if length > 800} == {}
    assert {name for name, length in lengths.items() if length > ABOUT_400} == LONG_FILES.keys()


def test_functions_are_short() -> None:
    long = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(read(path))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
                length = (body[-1].end_lineno or 0) - body[0].lineno + 1
                if length >= 50:
                    long[f"{name_of(path)}:{node.name}"] = length
    assert long.keys() == LONG_FUNCTIONS.keys(), long


def test_nothing_inside_imports_through_the_facade() -> None:
    inside = {path.stem if path.suffix else path.name for path in (ROOT / "flownb").iterdir()} | {"__version__"}
    through = {
        f"{name_of(path)}:{node.lineno}: {alias.name}"
        for path in SOURCES
        for node in ast.walk(ast.parse(read(path)))
        if isinstance(node, ast.ImportFrom) and node.module == "flownb" and not node.level
        for alias in node.names
        if alias.name not in inside
    }
    assert through == set()


def test_no_drawer_for_whatever() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
    assert [
        name_of(path) for path in SOURCES if drawers & {part.strip("_") for part in path.with_suffix("").parts}
    ] == []


def test_every_layer_that_exists_is_in_the_contract() -> None:
    layers = PROJECT["tool"]["importlinter"]["contracts"][0]
    listed = {part.strip(" ()") for layer in layers["layers"] for part in layer.split(":")}
    children = {path.parent.name for path in (ROOT / "flownb").glob("*/__init__.py")}
    children |= {path.stem for path in (ROOT / "flownb").glob("*.py")} - {"__init__"}
    assert layers["exhaustive"] is True
    assert children <= listed


def test_every_fault_point_is_reached_somewhere_and_no_other() -> None:
    reached = {point for path in SOURCES for point in re.findall(r'\breach\(\s*"([\w.]+)"', read(path))}
    assert reached <= faults.POINTS.keys()
    parts = ("run/executor.py", "store/artifacts/files.py", "notebook/engine.py")
    if not all((ROOT / "flownb" / part).exists() for part in parts):
        pytest.skip("the parts that reach the points are not there yet")
    assert reached == faults.POINTS.keys()


def test_importing_flownb_loads_nothing_heavy() -> None:
    heavy = ("pydantic", "pandas", "numpy", "networkx", "openai", "papermill", "IPython", "PIL", "rich", "pyarrow")
    code = f"import sys, flownb; print(*[name for name in {heavy} if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout.strip() == ""


# --- commands -------------------------------------------------------------------------------------------------------


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):(?!=)", read(ROOT / "Makefile"), re.MULTILINE))


def test_make_alone_lists_every_target_with_a_line() -> None:
    listed = subprocess.run(["make", "-s"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    lines = dict(line.removeprefix("make ").split(maxsplit=1) for line in listed.splitlines())
    assert lines.keys() == make_targets() - {"setup"}
    assert {"help", "demo", "test", "lab", "check", "bench", "soak", "lock", "clean"} <= lines.keys()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_the_commands_of_the_pages_are_make_targets(page: str) -> None:
    text = read(ROOT / page)
    code = [*re.findall(r"`([^`\n]+)`", text), *"".join(text.split("```")[1::2]).splitlines()]
    named = {found[1] for line in code if (found := re.match(r"\s*make ([a-z]+)\b", line))}
    assert named
    assert named <= make_targets()


def test_continuous_integration_is_make_test() -> None:
    run = ROOT / ".ci" / "run"
    assert run.stat().st_mode & 0o111
    assert read(run).splitlines()[-1] == "make test"
    assert (ROOT / "Makefile").read_text().count("\ntest: check ") == 1


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_within_the_repository_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", read(ROOT / page))
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []
