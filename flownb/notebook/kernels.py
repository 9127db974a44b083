"""Kernels of headless notebooks: which one, started where, and a client that tells it which cell it executes."""

from __future__ import annotations

import contextlib
import os
import queue
import secrets
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from jupyter_core.paths import jupyter_runtime_dir

from flownb.errors import NotFound, UsageError, near_names
from flownb.notebook.document import language_of
from flownb.notebook.warm import warm_kernels
from flownb.store.owner import process_started

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nbformat import NotebookNode

_LANGUAGE: Final = "python"
_DAY: Final = 86_400.0
#: Longer folders leave no room for the name of a socket, which may have 104 characters in all.
_SOCKET_PATH: Final = 60
#: Milliseconds between two attempts to reach the socket of a kernel that is starting, and seconds between two looks at
#: the process of one that ends; the usual tenths of a second are most of what a small notebook takes.
_RECONNECT: Final = 10
_POLL: Final = 0.01
#: Seconds that a starting kernel may take to answer before it is asked again, and to show that it publishes.
_ANSWER, _PUBLISH = 1.0, 0.2
#: The name that stands for "the interpreter that runs flownb".
OWN: Final = ""


class CellClient(AsyncKernelClient):
    """A client whose execute requests carry `next_metadata`, as JupyterLab's carry the cell's id."""

    next_metadata: dict[str, Any] = {}  # noqa: RUF012  a plain attribute: traitlets looks at class attributes

    def execute(  # noqa: PLR0917  the signature of the class that it stands in for
        self,
        code: str,
        silent: bool = False,
        store_history: bool = True,
        user_expressions: dict[str, Any] | None = None,
        allow_stdin: bool | None = None,
        stop_on_error: bool = True,
    ) -> str:
        """Send code to the kernel; returns the id of the message."""
        content = {
            "code": code,
            "silent": silent,
            "store_history": store_history,
            "user_expressions": user_expressions or {},
            "allow_stdin": bool(allow_stdin),
            "stop_on_error": stop_on_error,
        }
        message = self.session.msg("execute_request", content, metadata=self.next_metadata)
        self.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    async def first_answer(self, is_alive: Callable[[], Awaitable[bool]], seconds: float) -> dict[str, Any]:
        """Wait for the kernel to start, and return what it says about itself.

        Unlike `wait_for_ready`, this doesn't wait for silence: who reads messages knows which are answers to what.

        Raises:
            RuntimeError: it ended, or didn't answer in time.
        """
        last = time.monotonic() + seconds
        while True:
            self.kernel_info()
            answer = await _message(self.shell_channel, _ANSWER)
            is_one = answer is not None and answer["msg_type"] == "kernel_info_reply"
            if answer is not None and is_one and await _message(self.iopub_channel, _PUBLISH) is not None:
                self._handle_kernel_info_reply(answer)
                content: dict[str, Any] = answer["content"]
                return content
            if not await is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
            if time.monotonic() > last:
                raise RuntimeError(f"Kernel didn't respond in {seconds:g} seconds")


async def _message(channel: Any, seconds: float) -> dict[str, Any] | None:
    try:
        message: dict[str, Any] = await channel.get_msg(timeout=seconds)
    except queue.Empty:
        return None
    return message


class Kernel(AsyncKernelManager):
    """A kernel by its name, or the interpreter that runs flownb."""

    def __init__(self, name: str) -> None:
        super().__init__(kernel_name=name or "python3", client_factory=CellClient)
        place = Path(jupyter_runtime_dir())
        if os.name == "posix" and len(str(place)) < _SOCKET_PATH:
            with contextlib.suppress(OSError):  # writing the connection file will say it
                place.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.transport = "ipc"  # nobody else on the machine can listen in, as on a port
            sweep(place, time.time())
            self.connection_file = str(place / f"flownb-{os.getpid()}-{secrets.token_hex(6)}.json")
            self.ip = self.connection_file.removesuffix(".json") + "-ipc"
        if name == OWN:
            self._kernel_spec = KernelSpec(
                argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
                display_name="Python 3",
                language=_LANGUAGE,
            )

    def client(self, **kwargs: Any) -> Any:
        """A client that reaches the kernel as soon as it is there."""
        made = super().client(**kwargs)
        made.context.setsockopt(zmq.RECONNECT_IVL, _RECONNECT)
        return made

    async def _async_launch_kernel(self, kernel_cmd: list[str], **kw: Any) -> None:
        """Start the process; one that waits to become a kernel is taken where it can be this one."""
        local = self.provisioner
        if type(local) is LocalProvisioner:
            folder = str(kw.get("cwd") or Path.cwd())
            process = warm_kernels.take(kernel_cmd, kw.get("env") or os.environ, folder)
            if process is not None:
                local.process, local.pid, local.pgid, local.cwd = process, process.pid, process.pid, folder
                self._reconcile_connection_info(local.connection_info)
                return
        await super()._async_launch_kernel(kernel_cmd, **kw)

    async def _async_finish_shutdown(
        self, waittime: float | None = None, pollinterval: float = _POLL, restart: bool = False
    ) -> None:
        await super()._async_finish_shutdown(waittime, pollinterval, restart)

    @property
    def process_id(self) -> int:
        """The id of the kernel's process; 0 where a provisioner runs it somewhere else."""
        return int(getattr(self.provisioner, "pid", None) or 0)

    async def how_it_ended(self) -> str:
        """How the process ended, as far as that is known: the end of a sentence, or empty."""
        code = await self.provisioner.poll() if self.provisioner is not None else None
        if not code:
            return ""
        if code > 0:
            return f" It left with exit status {code}."
        import signal

        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        memory = " The system does that when memory runs out." if name == "SIGKILL" else ""
        return f" It was ended by {name}.{memory}"


def sweep(place: Path, now: float) -> None:
    """Remove the sockets and connection files of runners that were killed more than a day ago.

    Args:
        place: Jupyter's folder for them.
        now: seconds since 1970.
    """
    for path in place.glob("flownb-*-*"):
        pid = path.name.split("-")[1]
        with contextlib.suppress(OSError):
            if pid.isdigit() and path.stat().st_mtime < now - _DAY and process_started(int(pid)) is None:
                path.unlink()


class Choice:
    """Which kernel a notebook gets, and what is to be said about it."""

    def __init__(self, name: str, notice: str = "") -> None:
        self.name = name
        #: A sentence, where the notebook's own kernel isn't there.
        self.notice = notice


def choose(notebook: NotebookNode, asked: str | None, title: str) -> Choice:
    """The kernel for a notebook: the one asked for, else its own if that is installed, else this interpreter.

    Raises:
        NotFound: the one asked for is not installed.
        UsageError: it is not a Python kernel.
    """
    manager = KernelSpecManager()
    if asked is not None:
        try:
            spec = manager.get_kernel_spec(asked)
        except NoSuchKernel:
            known = near_names(asked, manager.find_kernel_specs())
            raise NotFound(f"There is no kernel {asked!r} on this machine.{known}") from None
        _check_language(spec.language or _LANGUAGE, title)
        return Choice(asked)
    _check_language(language_of(notebook), title)
    own = notebook.metadata.get("kernelspec", {}).get("name")
    if own is None or own == "python3":
        return Choice(own or OWN)
    try:
        spec = manager.get_kernel_spec(own)
    except NoSuchKernel:
        notice = f"{title} asks for the kernel {own!r}, which is not installed here; it runs on {sys.executable}."
        return Choice(OWN, notice)
    _check_language(spec.language or _LANGUAGE, title)
    return Choice(own)


def _check_language(language: str, title: str) -> None:
    if language.lower() not in (_LANGUAGE, "ipython"):
        raise UsageError(f"{title} is a notebook in {language}; flownb runs notebooks in Python.")
