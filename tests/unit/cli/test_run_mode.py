from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.cli.conftest import Told

MODULE = """
from flownb import Flow

flow = Flow("asking")
flow.add("control.transform", "said", fields={"mode": "run.mode"})
"""


def test_the_mode_is_what_was_asked_for(own_store: str, cli: Callable[..., Told], module: Callable[[str], str]) -> None:
    target = f"{module(MODULE)}:flow"
    for given, mode in (((), "production"), (("--mode", "test"), "test")):
        document = cli("run", target, "--json", *given).json
        assert (document["mode"], document["outputs"]) == (mode, {"said": {"mode": mode}})
    assert "is not one of 'test', 'manual', 'production'" in cli("run", target, "--mode", "loud").err
