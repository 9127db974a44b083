"""What the process of a node may ask the engine: all that `ctx` knows and that did not come along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flownb.errors import UsageError
from flownb.run.child.wire import Parcel, pack
from flownb.run.context import NodeContext
from flownb.run.secrets import resolve
from flownb.run.steps import Steps

if TYPE_CHECKING:
    from flownb.run.attempt import Attempt


class Answers:
    """The answers of one attempt; on its worker thread."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._context = NodeContext(attempt)

    def known(self) -> dict[str, Any]:
        """What comes along from the start: plain, small, and the names of the rest."""
        ctx = self._context
        return {
            "run_id": ctx.run_id,
            "path": ctx.path,
            "attempt": ctx.attempt,
            "idempotency_key": ctx.idempotency_key,
            "raw": dict(ctx.raw),
            "trigger": ctx.trigger,
            "mode": ctx.mode,
            "headless": ctx.headless,
            "names_link": ctx.names_link,
            "store_url": ctx.store_url,
            "inputs": list(ctx.inputs),
            "variables": list(ctx.variables),
            "services": list(ctx.services),
            "references": sorted(ctx.references),
        }

    def answer(self, name: str, asked: Parcel) -> tuple[str, Parcel]:
        """The answer to one question, or the error that it gives."""
        try:
            if name == "step_end":
                self._steps().end(*asked.open())
                return "value", pack(None)
            value = self._find(name, *asked.open())
        except Exception as error:  # noqa: BLE001  it is raised where somebody asked
            return "raise", pack_error(error)
        try:
            return "value", pack(value)
        except Exception as error:  # noqa: BLE001  as above
            return "raise", pack_error(self._unsendable(name, asked, value, error))

    def _find(self, name: str, *args: Any) -> Any:  # noqa: PLR0911  a table of cases
        ctx = self._context
        match name, args:
            case (("input" | "variable" | "service"), (key,)):
                return getattr(ctx, f"{name}s")[key]
            case (("resumed" | "resume_data" | "last_heartbeat" | "error" | "payload" | "resume_url"), ()):
                return getattr(ctx, name)
            case "sources", ():
                return {port: list(each) for port, each in ctx.sources.items()}
            case "secret", (secret,):
                return resolve(secret, ctx.services)
            case (("step_key" | "heartbeat"), (given,)):
                return getattr(ctx, name)(given)
            case "step_begin", (step,):
                return self._begin(step)
            case "step_keep", (step, value):
                return self._keep(step, value)
        raise UsageError(f"{ctx.path} asked for {name!r}, which this version of flownb has not.")

    def _begin(self, name: str) -> tuple[str, bool, Any]:
        """The step's name as recorded, whether it was done before, and what it gave then."""
        steps = self._steps()
        name = steps.begin(name)
        plain = steps.recorded(name)
        if plain is steps.NOTHING:
            return name, False, None
        steps.end(name)
        return name, True, steps.load(plain)

    def _keep(self, name: str, value: Any) -> None:
        """Come back when it is committed."""
        try:
            self._steps().keep(name, value).result()
        finally:
            self._steps().end(name)

    def _steps(self) -> Steps:
        attempt = self._attempt
        if attempt.steps is None:
            attempt.steps = Steps(attempt)
        return attempt.steps

    def _unsendable(self, name: str, asked: Parcel, value: Any, error: Exception) -> UsageError:
        what = f"the {name} {asked.open()[0]!r}" if name in ("input", "variable", "service") else f"the {name}"
        return UsageError(
            f"{self._attempt.path} runs in a process of its own, and {what}, a {type(value).__qualname__}, can't be "
            f"sent there ({type(error).__name__}: {error}). Make it inside the function, or let the node run on a "
            "thread (where='thread')."
        )


def pack_error(error: Exception) -> Parcel:
    """An error as a parcel; one that has no pickle as its text."""
    try:
        return pack(error)
    except Exception:  # noqa: BLE001  whatever its own methods do
        return pack(UsageError(f"{type(error).__name__}: {error}"))
