from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from flownb.model.document import decode, encode
from flownb.model.fingerprint import definition_hash
from tests.property.strategies import json_data, texts, workflows

if TYPE_CHECKING:
    from flownb.model.workflow import Workflow


def exactly(value: Any) -> Any:
    """Plain data with the types told apart: `==` takes 1, 1.0 and True for the same."""
    if isinstance(value, dict):
        return {key: exactly(each) for key, each in value.items()}
    if isinstance(value, list):
        return [exactly(each) for each in value]
    return (type(value), repr(value))


@given(workflows)
def test_a_workflow_comes_back_exactly(workflow: Workflow) -> None:
    text = encode(workflow)
    again, problems = decode(text)
    assert problems == []
    assert again == workflow
    assert encode(again) == text
    assert definition_hash(again) == definition_hash(workflow)
    for one, two in zip(workflow.nodes, again.nodes, strict=True):
        assert exactly(one.config) == exactly(two.config)
        assert exactly(one.pinned) == exactly(two.pinned)


@given(workflows)
def test_the_text_is_one_that_any_json_reader_reads_and_bytes_do_as_well(workflow: Workflow) -> None:
    text = encode(workflow)
    plain = json.loads(text)
    assert decode(plain)[0] == decode(text.encode())[0] == workflow
    assert list(plain) == sorted(plain)


@given(json_data)
def test_any_plain_data_gets_a_verdict(data: Any) -> None:
    workflow, problems = decode(data) if not isinstance(data, str) else decode(json.dumps(data))
    assert (workflow is None) == bool(problems)
    assert all(each.place for each in problems)


@given(st.binary(max_size=200) | texts)
def test_any_text_or_bytes_get_a_verdict(data: str | bytes) -> None:
    workflow, problems = decode(data)
    assert workflow is not None or problems
    assert all(each.place and str(each).isprintable() for each in problems)
