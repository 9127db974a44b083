from __future__ import annotations

import subprocess
import sys
from typing import Any, ClassVar

import pytest

from flownb.errors import EnvironmentFault, MissingExtra, NotFound, UsageError
from flownb.graph.nodetype import NodeType
from flownb.graph.registry import BUILT_IN, Registry, registry
from flownb.model.ports import InputPort, NodePorts
from flownb.model.status import Category
from flownb.model.workflow import Node, Workflow


class Rocket(NodeType):
    """Goes up."""

    type: ClassVar[str] = "acme.rocket"
    category: ClassVar[Category] = Category.RESULT


class NotListed(NodeType):
    """Is listed under a wrong name."""

    type: ClassVar[str] = "acme.other"


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_every_type_of_the_table_is_found_under_its_own_name(name: str) -> None:
    assert registry.get(name).type == name


def test_other_names_find_the_same_class() -> None:
    assert registry.get("IfConditionNode") is registry.get("control.condition")
    assert "delay" in registry
    assert "control.dealy" not in registry


def test_an_unknown_name_lists_near_ones() -> None:
    with pytest.raises(NotFound, match=r"There is no node type 'control\.dealy'\. Did you mean 'control\.delay'"):
        registry.get("control.dealy")


@pytest.mark.parametrize("name", ["sql.query", "database-query", "ai.agent"])
def test_a_type_that_is_still_to_come_is_called_so(name: str) -> None:
    with pytest.raises(NotFound, match="This version of flownb does not have the node type"):
        registry.get(name)


def test_a_registered_type_is_found_and_its_newest_class_wins() -> None:
    own = Registry(group="")
    assert own.register(Rocket) is Rocket
    assert own.get("acme.rocket") is Rocket
    newer = type("Rocket", (Rocket,), {})
    own.register(newer)
    assert own.get("acme.rocket") is newer
    assert own.names() == sorted([*BUILT_IN, "acme.rocket"])
    assert "acme.rocket" not in registry


@pytest.mark.parametrize(
    ("thing", "sentence"),
    [
        (int, "is no node type"),
        (type("Nameless", (NodeType,), {}), "has no type id"),
        (type("Thief", (NodeType,), {"type": "python"}), "can't take the name 'python'"),
    ],
)
def test_what_is_no_sound_type_is_refused(thing: Any, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        Registry(group="").register(thing)


def test_a_missing_package_is_named_with_the_command_that_brings_it() -> None:
    own = Registry({"desktop.click": "no_such_package_at_all.mouse:Click"}, group="")
    with pytest.raises(
        MissingExtra, match=r"needs the module 'no_such_package_at_all'.*pip install 'flownb\[desktop\]'"
    ):
        own.get("desktop.click")


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("flownb.ids:nothing", "can't be loaded from flownb.ids:nothing: AttributeError"),
        ("flownb.ids:slug", "should be the node type 'acme.rocket'"),
        (f"{__name__}:NotListed", "calls itself 'acme.other'"),
    ],
)
def test_a_wrong_entry_of_the_table_is_one_sentence(place: str, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or _this())
    with pytest.raises(EnvironmentFault, match=sentence):
        Registry({"acme.rocket": place}, group="").get("acme.rocket")


def _this() -> Any:
    module = type(sys)(__name__)
    module.__dict__["NotListed"] = NotListed
    return module


def test_ports_include_those_that_expressions_make() -> None:
    big = Node(id="big", type="control.condition", config={"test": "total.amount > default(limit, 3)"})
    ports = registry.ports_of(big)
    assert ports.input("total") == InputPort("total", help="named in an expression")
    assert ports.input("limit") == InputPort("limit", required=False, help="named in an expression")
    assert {port.name for port in ports.outputs} == {"main", "true", "false"}


def test_what_is_asked_of_a_workflow_leaves_out_unknown_types() -> None:
    workflow = Workflow(nodes=(Node(id="a", type="control.start"), Node(id="b", type="acme.rocket")))
    assert set(registry.ports(workflow)) == {"a"}
    assert registry.categories(workflow) == {"a": Category.TRIGGER}
    assert isinstance(registry.ports(workflow)["a"], NodePorts)


def test_listing_the_names_imports_no_node_type() -> None:
    code = (
        "import sys; from flownb.graph.registry import registry; registry.names(); "
        "print([name for name in sys.modules if name.startswith('flownb.nodes') or name == 'pydantic'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
