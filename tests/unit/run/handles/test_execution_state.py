from __future__ import annotations

import json

from flownb import Flow
from flownb.store.memory import MemoryStore


def test_the_state_of_a_run_is_plain_data_in_the_common_form() -> None:
    flow = Flow("shaped")
    flow.node(lambda n=2: n * 2, id="twice")
    flow.set_variable("keep", "kept", "{{ twice }}")
    flow.node(lambda: 1 / 0, id="bad", on_error="skip")
    flow.node(lambda twice: 1 / (twice - 4), id="worse", on_error="error_port")
    flow.node(lambda e: e["type"], id="told", inputs={"e": flow["worse"].error})
    run = flow.run(store=MemoryStore(), display=False)
    run.result(10)
    state = run.execution_state
    assert json.loads(json.dumps(state)) == state
    assert set(state) == {"global", "nodes", "variables", "trigger"}
    assert state["global"] == {"n": 2}
    assert state["variables"] == {"n": 2, "kept": 4}
    assert state["trigger"]["type"] == "manual"
    assert state["trigger"]["timestamp"].endswith("Z")
    assert state["nodes"]["twice"]["output"] == 4
    meta = state["nodes"]["worse"]["meta"]
    assert (meta["status"], meta["error"]) == ("failed", "division by zero")
    assert meta["startedAt"] <= meta["completedAt"]
    assert state["nodes"]["bad"]["meta"]["status"] == "skipped"
