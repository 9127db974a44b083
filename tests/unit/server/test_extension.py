"""flownb in a Jupyter server: what it answers, to whom, and of which stores."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import threading
import tomllib
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import flownb
from flownb import Flow
from flownb.store.contract import NewRun
from flownb.store.owner import current_owner
from flownb.store.place import open_store
from tests.waiting import wait_for

pytest.importorskip("jupyter_server")

from flownb.server import handlers
from flownb.server.extension import ROUTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb import Run

TOKEN = "a-token"


class Server:
    """A Jupyter server on a thread of its own."""

    def __init__(self, root: Path) -> None:
        from jupyter_server.serverapp import ServerApp
        from tornado.httpserver import HTTPServer

        self._ready = threading.Event()
        self.port = 0

        async def serve() -> None:
            app = ServerApp()
            app.init_signal = lambda: None  # signals are the main thread's
            app.initialize(
                [
                    f"--ServerApp.root_dir={root}", "--ServerApp.port=0", "--ServerApp.allow_root=True",
                    f"--IdentityProvider.token={TOKEN}", "--ServerApp.jpserver_extensions=flownb=True",
                    "--ServerApp.log_level=CRITICAL",
                ],
                find_extensions=False,
                new_httpserver=False,
            )  # fmt: skip
            self.app, self._loop, self._stop = app, asyncio.get_running_loop(), asyncio.Event()
            http = HTTPServer(app.web_app)
            http.listen(0, "127.0.0.1")
            (found,) = http._sockets.values()
            self.port = found.getsockname()[1]
            self._ready.set()
            await self._stop.wait()
            http.stop()
            await app._cleanup()

        self._thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        self._thread.start()
        wait_for(lambda: self._ready.is_set() or not self._thread.is_alive(), 60)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(20)

    def ask(
        self, path: str, body: Any = None, *, method: str = "", headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status and answer of a request; with a token, unless headers are given."""
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/flownb/api/{path}",
            data=data,
            method=method or ("GET" if data is None else "POST"),
            headers={"Authorization": f"token {TOKEN}"} if headers is None else headers,
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                text = error.read()
            return error.code, json.loads(text) if text.startswith(b"{") else text


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def server(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on a folder, without anybody's settings."""
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("FLOWNB_STORE", raising=False)
        for name in ("CONFIG", "DATA", "RUNTIME"):
            patched.setenv(f"JUPYTER_{name}_DIR", str(tmp_path_factory.mktemp(name.lower())))
        patched.setattr("threading.excepthook", threading.excepthook)
        made = Server(root)
    yield made
    made.stop()


@pytest.fixture
def place(root: Path) -> str:
    """The store of the served folder."""
    return f"sqlite:///{root}/.flownb/flownb.db"


@pytest.fixture
def run(place: str) -> Run:
    """A run that asks."""
    flow = Flow("shop")
    flow.approval("ok", "Post 3 EUR?")
    started = flow.run(store=place, display=False)
    wait_for(lambda: started.status == "paused")
    return started


def test_no_route_answers_without_a_token_and_none_is_without_authorization(server: Server) -> None:
    methods = ("get", "post", "put", "patch", "delete", "head")
    walked = 0
    for _, handler in ROUTES:
        assert handler.auth_resource == "flownb"
        for name in methods:
            if name in vars(handler):
                source = inspect.getsource(vars(handler)[name])
                assert "@web.authenticated\n" in source
                assert "@authorized\n" in source
                walked += 1
    assert walked == len(ROUTES)
    for path, method in [
        ("runs", "GET"), ("runs/r1", "GET"), ("runs/r1/events", "GET"), ("approvals", "GET"),
        ("runs/r1/approve", "POST"), ("runs/r1/pause", "POST"), ("workflow-executions", "GET"),
    ]:  # fmt: skip
        status, _ = server.ask(path, b"{}" if method == "POST" else None, method=method, headers={})
        assert status == 403, path


def test_every_route_asks_the_authorizer_about_flownb(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def refuse(_: Any, __: Any, action: str, resource: str) -> bool:
        asked.append((action, resource))
        return False

    monkeypatch.setattr(server.app.authorizer, "is_authorized", refuse)
    for path in ("runs", "runs/r1", "runs/r1/events", "approvals"):
        assert server.ask(path)[0] == 403
    for path in ("runs/r1/approve", "runs/r1/cancel"):
        assert server.ask(path, {})[0] == 403
    assert asked == [("read", "flownb")] * 4 + [("write", "flownb")] * 2


def test_a_post_by_cookie_needs_the_xsrf_token(server: Server) -> None:
    status, said = server.ask("runs/r1/pause?token=wrong", {}, headers={"Cookie": "_xsrf=2|a|b|1"})
    assert status == 403
    assert "_xsrf" in str(said) or "Forbidden" in str(said)


def test_runs_events_and_requests_are_read(server: Server, run: Run, place: str) -> None:
    status, said = server.ask(f"runs?status=paused&text={run.id}")
    assert status == 200
    assert [each["id"] for each in said["runs"]] == [run.id]
    assert said["meta"]["total"] == 1
    status, said = server.ask(f"runs/{run.id}?store={place}")
    assert (said["id"], said["status"]) == (run.id, "paused")
    status, said = server.ask(f"workflow-executions/{run.id}/events?after=1&limit=2")
    assert [each["seq"] for each in said["events"]] == [2, 3]
    status, said = server.ask("workflows/approvals")
    assert run.approvals[0].id in {each["id"] for each in said["approvals"]}


def test_an_answer_is_recorded_once(server: Server, run: Run, place: str) -> None:
    (asked,) = run.approvals
    body = {"store": place, "approval": asked.id, "port": "approved", "comment": "by POST", "id": "click-1"}
    status, said = server.ask(f"runs/{run.id}/approve", body)
    assert (status, said["success"], said["port"]) == (200, True, "approved")
    wait_for(lambda: run.status == "completed")
    assert run.approvals[0].comment == "by POST"
    status, said = server.ask(f"runs/{run.id}/approve", body)
    assert (status, said["error"]) == (409, "Conflict")


def test_a_rejection_may_come_in_the_words_of_others(server: Server, run: Run) -> None:
    status, said = server.ask(f"workflows/executions/{run.id}/approve", {"approved": False, "comment": "no"})
    assert (status, said["port"], said["executionId"]) == (200, "rejected", run.id)


def test_a_command_is_left_for_the_process_that_has_the_run(server: Server, place: str) -> None:
    store = open_store(place)
    owner = current_owner()
    store.create_run(NewRun(id="alive", workflow="shop", created_at=1.0), owner)
    status, said = server.ask("runs/alive/retry", {"store": place, "node": "load", "id": "click-2"})
    assert (status, said["success"]) == (200, True)
    (message,) = store.receive(["alive"])
    command: Any = message.command
    assert (command.node, command.ask) == ("load", "click-2")


def test_a_command_that_nobody_takes_is_refused_with_the_line_that_does_it(server: Server, run: Run) -> None:
    status, said = server.ask(f"runs/{run.id}/cancel", {})
    assert (status, said["error"]) == (409, "UsageError")
    assert f"`flownb cancel {run.id}`" in said["message"]


@pytest.mark.parametrize(
    "store",
    ["memory:", "sqlite:////etc/passwd.db", "sqlite:///{root}/../other/.flownb/flownb.db", "sqlite:///{root}/x.db"],
)
def test_other_stores_are_refused(server: Server, root: Path, store: str) -> None:
    status, said = server.ask("runs/r1/pause", {"store": store.format(root=root)})
    assert (status, said["error"]) == (403, "UnknownStore")


def test_a_link_out_of_the_folder_is_another_store(server: Server, root: Path, tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/.flownb/flownb.db")
    (root / "linked").symlink_to(tmp_path)
    status, _ = server.ask("runs/r1/pause", {"store": f"sqlite:///{root}/linked/.flownb/flownb.db"})
    assert status == 403


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("runs/none/pause", {}, 404),
        ("runs/none/approve", {}, 404),
        ("runs/none", None, 404),
        ("runs/none/events", None, 404),
        ("runs?status=done-ish", None, 400),
        ("runs?limit=-1", None, 400),
        ("runs?offset=1e9", None, 400),
        ("runs/none/pause", b"[1]", 400),
        ("runs/none/pause", b"{", 400),
        ("runs/none/pause", b'{"x": NaN}', 400),
        ("runs/none/pause", b"[" * 100_000, 400),
        ("runs/none/pause", b'{"store": "nowhere"}', 409),
        ("runs/none/explode", {}, 404),
    ],
)
def test_what_makes_no_sense_is_refused(server: Server, run: Run, path: str, body: Any, status: int) -> None:
    assert server.ask(path, body)[0] == status


def test_a_retry_needs_a_node(server: Server, run: Run) -> None:
    status, said = server.ask(f"runs/{run.id}/retry", {"node": 7})
    assert (status, said["error"]) == (400, "InvalidInput")


def test_all_handlers_are_ours() -> None:
    assert all(issubclass(handler, handlers.Handler) for _, handler in ROUTES)


def test_it_is_switched_on_by_a_file_that_is_installed_with_flownb() -> None:
    root = Path(__file__).parents[3]
    shared = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert shared["shared-data"]["kernel_ext/etc"] == "etc"
    file = root / "kernel_ext" / "etc" / "jupyter" / "jupyter_server_config.d" / "flownb.json"
    assert json.loads(file.read_text()) == {"ServerApp": {"jpserver_extensions": {"flownb": True}}}
    (point,) = flownb._jupyter_server_extension_points()
    assert hasattr(importlib.import_module(point["module"]), "_load_jupyter_server_extension")
