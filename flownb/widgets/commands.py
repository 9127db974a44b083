"""What a page can ask of a run: the commands, as messages; whatever is odd in one is passed over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.run.asks import asked_as

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flownb.run.handles.handle import Run


def obey(run: Run, message: Mapping[str, Any]) -> bool:
    """Send the command to the run that a message asks for; False where it asks for none.

    Raises:
        FlownbError: the run refuses; the message says why.
    """
    ask, click = message.get("ask"), message.get("id")
    if ask not in _PLAIN and ask not in _OF_NODE and ask != "decide":
        return False
    if isinstance(click, str) and click in run.state.asked:
        return True  # it came by the server before the kernel was free to hear it
    with asked_as(click):
        if ask == "decide":
            _decide(run, message)
        elif ask in _PLAIN:
            _PLAIN[ask](run)
        elif isinstance(node := message.get("node"), str):
            _OF_NODE[ask](run, node, message)
    return True


def _decide(run: Run, message: Mapping[str, Any]) -> None:
    """Answer a question; as whoever the operating system says that the kernel runs for."""
    approval, port, comment = (message.get(name) for name in ("approval", "port", "comment"))
    if isinstance(approval, str) and isinstance(port, str):
        said = comment if isinstance(comment, str) else ""
        run.decide(approval, port=port, data=message.get("data"), comment=said)


_PLAIN: Final[dict[Any, Callable[[Run], Any]]] = {
    "pause": lambda run: run.pause(),
    "resume": lambda run: run.resume(),
    "cancel": lambda run: run.cancel(),
    "step": lambda run: run.step(),
}
_OF_NODE: Final[dict[Any, Callable[[Run, str, Mapping[str, Any]], None]]] = {
    "retry": lambda run, node, _: run.retry(node),
    "skip": lambda run, node, _: run.skip(node),
    "breakpoint": lambda run, node, message: run.breakpoint(node, on=bool(message.get("on"))),
}
