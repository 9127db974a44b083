"""A program that leaks its secrets in every way that people do; run as a script: FOLDER SEED KINDS BROKEN SHAPES."""

from __future__ import annotations

import base64
import dataclasses
import json
import linecache
import logging
import sys
import threading
import time
import traceback
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
import pandas as pd

import flownb
from flownb import Flow, RetryPolicy
from flownb.model.events import NodeOutput
from flownb.run import bus
from tests.integration import canaries

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.graph.nodetype import Context

NOTHING: dict[str, str] = {}
SHAPES: dict[str, Callable[[Flow, str], None]] = {}


def shape(add: Callable[[Flow, str], None]) -> Callable[[Flow, str], None]:
    """One way to leak: adds nodes that do it to a flow, for the secret of a name."""
    SHAPES[add.__name__] = add
    return add


def value_of(name: str) -> str:
    """The secret as text, as people make one of bytes."""
    return flownb.secret(name, binary=True).decode("latin-1") if name == "binary" else flownb.secret(name)


@dataclasses.dataclass
class Login:
    user: str
    token: str
    raw: bytes = b""


class Client:
    def __init__(self, token: str) -> None:
        self.token = token

    def __repr__(self) -> str:
        return f"<Client {self.token} of {'many ' * 60}{self.token}>"


def returns(flow: Flow, make: Callable[[str, str], Any], name: str, **options: Any) -> None:
    def give() -> Any:
        return make(value_of(name), name)

    flow.node(give, **options)

    def show(give: Any) -> str:
        print(give)
        return f"{give!r:.2000}"

    flow.node(show)


def does(flow: Flow, act: Callable[..., Any], name: str, **options: Any) -> None:
    def leak(ctx: Context) -> Any:
        return act(value_of(name), ctx)

    flow.node(leak, **options)


# --- returned ---------------------------------------------------------------------------------------------------------

RETURNED: dict[str, Callable[[str, str], Any]] = {
    "text": lambda value, _: value,
    "inside_text": lambda value, _: f"Authorization: Bearer {value}; path=/",
    "in_a_dict": lambda value, _: {"a": {"token": value, value: [1, 2], f"x-{value}": None}},
    "in_containers": lambda value, _: [(value,), {value}, frozenset({value, "b"}), [[value.encode()]]],
    "bytes": lambda value, name: flownb.secret(name, binary=True) + b" and more",
    "dataclass": lambda value, _: Login("ann", value, value.encode()),
    "frame": lambda value, _: pd.DataFrame({"t": [value, "b"], value: [1, 2]}, index=[value, "z"]),
    "series": lambda value, _: pd.Series([[value], {"k": value}], name=value),
    "array": lambda value, _: np.array([value, "other"] * 3),
    "objects": lambda value, _: np.array([{"k": value}, None], dtype=object),
    "long_text": lambda value, _: "filler " * 200_000 + value + " filler" * 1_000,
    "large_list": lambda value, _: [f"row {number} {value * (number % 9999 == 0)}" for number in range(30_000)],
    "large_bytes": lambda value, name: bytes(100_000) + flownb.secret(name, binary=True) + bytes(1_000),
    "base64": lambda value, _: [base64.b64encode(before + value.encode()) for before in (b"", b"u:", b"me:")],
    "basic_auth": lambda value, _: "Basic " + base64.b64encode(f"user:{value}".encode()).decode(),
    "hexadecimal": lambda value, _: [value.encode().hex(), value.encode().hex(":"), value.encode().hex().upper()],
    "url": lambda value, _: [f"https://x/?t={quote(value)}&u={quote(value, safe='')}", quote(value).lower()],
    "json_text": lambda value, _: json.dumps({"outer": json.dumps({"token": value})}),
    "client": lambda value, _: Client(value),
    "ports": lambda value, _: flownb.Output({"token": value}),
}


def _returned(name: str) -> Callable[[Flow, str], None]:
    def add(flow: Flow, secret: str) -> None:
        returns(flow, RETURNED[name], secret)

    add.__name__ = f"returned_{name}"
    return shape(add)


for _name in RETURNED:
    _returned(_name)


# --- written and said -------------------------------------------------------------------------------------------------


@shape
def printed(flow: Flow, name: str) -> None:
    def act(value: str, _: Context) -> None:
        print("the token is", value, [value], file=sys.stderr)
        print(value[:9], end="", flush=True)
        print(value[9:])
        for letter in value:
            sys.stdout.write(letter)
        print(value[:-1], end="")

    does(flow, act, name)


@shape
def printed_in_two_records(flow: Flow, name: str) -> None:
    def act(value: str, ctx: Context) -> None:
        def recorded() -> int:
            return sum(isinstance(record.event, NodeOutput) for record in flownb.attach(ctx.run_id).events(1))

        for piece in ("begin " + value[:9], value[9:18], value[18:]):
            before, until = recorded(), time.monotonic() + 0.4
            print(piece, end="", flush=True)
            while recorded() == before and time.monotonic() < until:  # what might become a secret is held back
                time.sleep(0.01)

    does(flow, act, name)


@shape
def printed_in_lines(flow: Flow, name: str) -> None:
    def act(value: str, _: Context) -> None:
        for number, line in enumerate(value.splitlines()):
            print(f"{number:3} | {line}")

    does(flow, act, name)


@shape
def printed_by_a_thread(flow: Flow, name: str) -> None:
    def act(value: str, _: Context) -> None:
        thread = threading.Thread(target=lambda: print("from a thread:", value))
        thread.start()
        thread.join()

    does(flow, act, name)


@shape
def printed_beyond_the_limit(flow: Flow, name: str) -> None:
    def act(value: str, _: Context) -> None:
        print("y" * 499_990 + value)
        print("x" * 100_000)
        print(value)

    does(flow, act, name)


@shape
def logged(flow: Flow, name: str) -> None:
    def act(value: str, ctx: Context) -> None:
        ctx.logger.info("with %s and %r", value, {"k": value})
        logging.getLogger("library").warning("connecting with " + value)  # noqa: G003  as people do
        try:
            print(NOTHING[value])
        except KeyError:
            logging.getLogger("library").exception("it failed")
        warnings.warn(f"deprecated: {value}", stacklevel=1)

    does(flow, act, name)


@shape
def said(flow: Flow, name: str) -> None:
    def act(value: str, ctx: Any) -> None:
        ctx.status(f"logging in with {value}")
        ctx.progress(0.5)
        ctx.heartbeat({"token": value})
        ctx.status("z" * 190 + value)

    does(flow, act, name)


@shape
def in_a_step(flow: Flow, name: str) -> None:
    def act(value: str, ctx: Context) -> Any:
        return ctx.step("login", lambda: {"session": value, "n": 1})

    does(flow, act, name)


# --- raised -----------------------------------------------------------------------------------------------------------


@shape
def raised(flow: Flow, name: str) -> None:
    def act(value: str, _: Context) -> None:
        raise ValueError(f"401: {value} was refused", value, {"token": value})

    does(flow, act, name)


@shape
def raised_far_behind(flow: Flow, name: str) -> None:
    def act(value: str, _: Context) -> None:
        raise ValueError("w" * 19_995 + value)

    does(flow, act, name)


@shape
def raised_with_causes(flow: Flow, name: str) -> None:
    def act(value: str, _: Context) -> None:
        try:
            print(NOTHING[value])
        except KeyError as error:
            error.add_note(f"with {value}")
            raise ExceptionGroup("several", [ValueError(value), OSError(2, value, value)]) from error

    does(flow, act, name)


@shape
def raised_from_a_line_that_holds_it(flow: Flow, name: str) -> None:
    def act(value: str, _: Context) -> None:
        source = f"raise RuntimeError({value!r} + 1 * '')\n"
        file = f"<made for {name}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        exec(compile(source, file, "exec"))

    does(flow, act, name)


@shape
def raised_and_tried_again(flow: Flow, name: str) -> None:
    def act(value: str, ctx: Context) -> str:
        if ctx.attempt < 3:
            raise ConnectionError(f"no route to https://{value}@host")
        return "done"

    does(flow, act, name, retry=RetryPolicy(attempts=3, delay=0))


@shape
def raised_and_handled(flow: Flow, name: str) -> None:
    def act(value: str, _: Context) -> None:
        raise ValueError(f"bad {value}")

    does(flow, act, name)

    def after(error: dict[str, Any]) -> dict[str, Any]:
        print(error)
        return error

    flow.node(after)
    flow.edge("leak", "after", source_port="error", target_port="error")


@shape
def raised_and_skipped(flow: Flow, name: str) -> None:
    def act(value: str, _: Context) -> None:
        raise ValueError(f"bad {value}")

    does(flow, act, name, on_error="skip")


@shape
def in_a_process(flow: Flow, name: str) -> None:
    def leak(ctx: Any) -> None:
        value = value_of(name)
        print("in a process:", value)
        ctx.status(value)
        logging.getLogger("library").error("in a process: %s", value)
        raise ValueError(value)

    flow.node(leak, where="process")


# --- given ------------------------------------------------------------------------------------------------------------


@shape
def as_an_input(flow: Flow, name: str) -> None:
    def leak(token: str = f"secret://{name}") -> list[str]:
        print(token)
        return [token, token[::-1] * 0]

    flow.node(leak)


@shape
def in_expressions(flow: Flow, name: str) -> None:
    flow.variable("token", type="string", default=f"secret://{name}")
    fields = {"header": "Bearer {{ token }}", "size": "len(token)", "first": "upper(token)"}
    flow.add("control.transform", "made", fields=fields)
    check = flow.condition("check", "token == 'guess' or len(token) > 3")
    flow.add("control.transform", "wrong", fields={"sum": "token + 1"}, after=check.true)


@shape
def in_a_config(flow: Flow, name: str) -> None:
    flow.add("files.read", "read", path=f"/no/such/folder/{{{{ run.id }}}}-secret://{name}/x.json")


@shape
def as_the_content_of_a_file_of_theirs(flow: Flow, name: str) -> None:
    flow.add("files.write", "write", path=f"theirs/{name}.txt", format="text", data=f"secret://{name}")


@shape
def in_a_variable_and_a_decision(flow: Flow, name: str) -> None:
    def act(value: str, ctx: Context) -> Any:
        return flownb.Suspend(waits_for="timer", until=ctx.now() + 1e6, data={"token": value})

    does(flow, act, name)


# --- the program ------------------------------------------------------------------------------------------------------


def give(flow: Flow, heard: list[str]) -> Any:
    """Run a flow, and show what people show of it."""
    run = None
    try:
        run = flow.run(display=False)
        print(run.result(timeout=30))
    except Exception:
        traceback.print_exc()
        logging.getLogger("program").exception("the flow %s failed", flow.name)
    if run is not None:
        print(run, run.error, [node.log for node in run])
    heard.append(repr(run and run.outputs))
    return run


def main(folder: Path, seed: int, kinds: list[str], broken: str, shapes: str) -> None:
    """Run every shape whose name begins like `shapes` for each kind."""
    logging.basicConfig(filename=folder / "program.log", level=logging.DEBUG)
    secrets = canaries.make(seed)
    BREAK[broken]()
    heard: list[str] = []
    runs = 0
    with flownb.on("*", lambda event: heard.append(repr(event))), flownb.on("node_completed", _failing_handler):
        for kind in kinds:
            for name, add in SHAPES.items():
                if not name.startswith(shapes):
                    continue
                flow = Flow(f"{name} {kind}")
                add(flow, kind)
                run = give(flow, heard)
                runs += run is not None
                if run is not None and name == "in_a_variable_and_a_decision":
                    run.resume()
                    run.set("token", value_of(kind))
                    run.cancel()
        bus.drain()
    (folder / "heard.txt").write_text("\n".join(heard))
    assert set(secrets) >= set(kinds)
    print(f"{runs} runs", file=sys.stderr)


def _failing_handler(event: Any) -> None:
    if event.node == "give":
        raise ValueError(f"a handler of theirs: {flownb.secret('api_key')}")


# --- what it would be without -----------------------------------------------------------------------------------------


def put(owner: Any, name: str, value: Any) -> None:
    """Put something in the place of what is there."""
    assert hasattr(owner, name)
    setattr(owner, name, value)


def _break_values() -> None:
    from flownb.run import outcome
    from flownb.store import values

    put(values, "_store_masked", lambda value, artifacts, _: values._store(value, artifacts))
    put(outcome, "masked_output", lambda _, output: output)


def _break_events() -> None:
    from flownb.run import failure
    from flownb.services import masking

    put(masking.Masker, "struct", lambda _, struct: struct)
    put(failure, "masking", SimpleNamespace(text=str, known=None))


def _break_streams() -> None:
    from flownb.services.masking import Masker

    put(Masker, "stream", lambda _, text, last=False: (text, ""))


def _break_logs() -> None:
    from flownb.services import log_records

    put(log_records, "mask_log_records", lambda _: None)


def _break_causes() -> None:
    from flownb.run import aftermath

    put(aftermath, "masked_cause", lambda error, *_: error)


#: Each choke point, turned off; the search must find that.
BREAK: dict[str, Callable[[], None]] = {
    "": lambda: None,
    "values": _break_values,
    "events": _break_events,
    "streams": _break_streams,
    "logs": _break_logs,
    "causes": _break_causes,
}

if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3].split(","), *sys.argv[4:])
