from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from flownb.model import events as ev
from flownb.model.fold import APPLY
from flownb.model.journal import JsonCodec
from flownb.model.status import (
    STATUS_ALIASES,
    ApprovalStatus,
    NodeStatus,
    RunStatus,
)

#: Lines as the first format wrote them. They are decoded for ever: lines are added here, never changed.
JOURNAL = Path(__file__).parents[2] / "journals" / "events-v1.jsonl"
LINES = JOURNAL.read_text(encoding="utf-8").splitlines()

FAILURE = ev.Failure(type="ValueError", message="no", traceback="Traceback …", error_class="validation")
REASON = ev.Reason(group="gate", message="ok took rejected, not approved", edge="ok.approved->post.after")
VALUES: dict[str, Any] = {
    "at": 1767225600.25,
    "node": "each[3].clean",
    "error": FAILURE,
    "reason": REASON,
    "x": -3,
    "memory": 1_048_576,
    "index": 3,
    "on": False,
    "passed": ("post",),
    "nodes": ("load", "post"),
    "y": 4,
    "attempt": 2,
    "seq": 7,
    "handled": True,
    "compensates": True,
    "undo": ("cancel_hotel", "cancel_flight"),
    "handlers": ("failed",),
    "undoes": True,
    "port": True,
    "delay": 1.5,
    "until": 1767225700.0,
    "expires_at": 1767225700.0,
    "approvers": ("ada", "finance"),
    "approvals_needed": 2,
    "rejections_needed": 3,
    "self_approval": False,
    "due_at": 1767225650.0,
    "remind": 60.0,
    "channels": ("mail", "slack"),
    "to": ("ada",),
    "escalate_to": ("boss",),
    "escalate_at": 1767225660.0,
    "next_at": 1767225660.0,
    "progress": 0.5,
    "ports": ("true", "done"),
    "reset": ("load", "post"),
    "verdicts": {"load.main->post.load": False},
}


def filled(cls: type[ev.Event]) -> ev.Event:
    """An event with a value that is no default in every field."""
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(cls):
        if field.name == "port" and cls is not ev.NodeFailedEvent:
            values[field.name] = "approved"
        elif field.name == "reason" and cls is ev.RunPaused:
            values[field.name] = "human"
        elif field.name == "to" and cls is ev.ApprovalNotified:
            values[field.name] = "ada"
        elif field.name in VALUES:
            values[field.name] = VALUES[field.name]
        elif field.type is str or field.type == str | None:
            values[field.name] = f"the {field.name} · ü"
        else:
            values[field.name] = {"plain": [1, 2.5, None, True, {"deep": "ü"}]}
    return cls(**values)


@pytest.mark.parametrize("name", ev.EVENT_TYPES)
def test_every_event_comes_back_equal_with_all_its_fields(name: str) -> None:
    event, codec = filled(ev.EVENT_TYPES[name]), JsonCodec()
    for field in msgspec.structs.fields(event):
        assert getattr(event, field.name) != field.default
    data = codec.encode(event)
    assert codec.decode(data) == event
    assert type(codec.decode(data)) is type(event)
    assert json.loads(data)["type"] == name == ev.event_type(event)


def test_every_event_of_the_first_format_is_read_for_ever() -> None:
    codec, seen = JsonCodec(), set()
    for line in LINES:
        event = codec.decode(line.encode())
        seen.add(ev.event_type(event))
        assert json.loads(codec.encode(event)) == json.loads(line)
    assert seen == set(ev.EVENT_TYPES) - {"user"}, "a new event needs a line in the golden journal"


def test_the_golden_journal_has_every_field_of_every_event() -> None:
    fields: dict[str, set[str]] = {}
    for line in LINES:
        fields.setdefault(json.loads(line)["type"], set()).update(json.loads(line))
    for name, cls in ev.EVENT_TYPES.items():
        if name != "user":
            assert fields[name] - {"type"} == {field.encode_name for field in msgspec.structs.fields(cls)}, name


def test_a_field_that_a_newer_flownb_added_is_passed_over() -> None:
    assert JsonCodec().decode(b'{"type":"system_info","at":1,"message":"m","since_v9":{}}') == ev.SystemInfo(
        at=1, message="m"
    )


NO_EVENT = [
    b"",
    b"{",
    b"[]",
    b"\xff",
    b'{"type":"nothing","at":1}',
    b'{"type":"system_info"}',
    b'{"type":"system_info","at":1,"message":"\xff"}',
]


@pytest.mark.parametrize("data", NO_EVENT)
def test_what_is_no_event_is_refused(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        JsonCodec().decode(data)


def test_the_fold_knows_every_event_and_no_other() -> None:
    assert set(APPLY) == set(get_args(ev.AnyEvent)) == set(ev.EVENT_TYPES.values())


def test_events_do_not_change() -> None:
    event = ev.SystemInfo(at=1.0, message="m")
    with pytest.raises(AttributeError):
        event.message = "other"  # type: ignore[misc]  # the point of the test


def test_the_seeds_sixteen_names_are_known() -> None:
    seeds = [
        *("workflow_started", "workflow_completed", "workflow_failed", "workflow_paused", "workflow_resumed"),
        *("node_started", "node_completed", "node_failed", "node_skipped"),
        *("desktop_screenshot", "desktop_click", "desktop_type", "desktop_ocr"),
        *("system_error", "system_warning", "system_info"),
    ]
    assert len(seeds) == 16
    for name in seeds:
        assert ev.EVENT_ALIASES[name] in ev.EVENT_TYPES, name
    assert ev.EVENT_ALIASES["workflow_started"] == "run_started"


def test_the_seeds_words_for_statuses_mean_one_of_ours() -> None:
    known = {*RunStatus, *NodeStatus, *ApprovalStatus}
    assert set(STATUS_ALIASES.values()) <= known
    assert not set(STATUS_ALIASES) & known
    # every status word of the seeds (FEATURES: enumerations), in lower case
    seeds = "pending running completed failed success error suspended cancelled paused new skipped started waiting"
    for word in seeds.split():
        assert word in known or STATUS_ALIASES[word] in known
