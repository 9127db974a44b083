"""Instances of people's own classes: back by state alone, with the class found and none of its code run."""

from __future__ import annotations

import collections
import dataclasses
import enum
import functools
import sys
import types
from dataclasses import InitVar, dataclass, field
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import msgspec
import pydantic
import pytest

from flownb.errors import StoreError
from flownb.store import values
from flownb.store.artifacts.memory import MemoryArtifacts

HERE = __name__
T = TypeVar("T")
ran: list[str] = []


class Color(enum.Enum):
    RED = 1
    CRIMSON = 1  # noqa: PIE796  an alias on purpose
    BLUE = (2, "b")


class Level(enum.IntEnum):
    LOW = 1


class Word(enum.StrEnum):
    YES = "yes"


class Right(enum.Flag):
    READ = 1
    WRITE = 2


class Bits(enum.IntFlag):
    ONE = 1
    TWO = 2


@dataclass
class Order:
    id: int
    lines: list[Any] = field(default_factory=list)
    note: str | None = None
    kind: ClassVar[str] = "order"
    start: InitVar[int] = 0

    def __post_init__(self, start: int) -> None:
        ran.append("post_init")


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float = 0.0


@dataclass
class Special(Order):
    rate: float = 0.5


@dataclass
class Late:
    now: int
    later: int = field(init=False)


@dataclass
class Watchful:
    a: int

    def __setattr__(self, name: str, value: Any) -> None:
        ran.append("setattr")
        object.__setattr__(self, name, value)

    def __getattribute__(self, name: str) -> Any:
        ran.append("getattribute")
        return object.__getattribute__(self, name)


@dataclass
class Careful:
    a: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Careful) and other.a == self.a

    __hash__ = None  # type: ignore[assignment]


class Pair(NamedTuple):
    left: Any
    right: Any = None


Old = collections.namedtuple("Old", "a b")  # noqa: PYI024


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    name: str
    amounts: list[float] = []
    _secret: int = pydantic.PrivateAttr(default=1)

    @pydantic.field_validator("name")
    @classmethod
    def check(cls, name: str) -> str:
        ran.append("validator")
        return name

    def model_post_init(self, context: Any, /) -> None:
        super().model_post_init(context)
        ran.append("post_init")


class Root(pydantic.RootModel[list[int]]):
    pass


class Outer:
    @dataclass
    class Inner:
        a: int = 1


@pytest.fixture
def artifacts() -> MemoryArtifacts:
    ran.clear()
    return MemoryArtifacts()


def back(value: Any, artifacts: MemoryArtifacts) -> Any:
    stored = values.store(value, artifacts)
    assert not stored.transient, stored.plain
    ran.clear()
    found = values.load(msgspec.json.decode(msgspec.json.encode(stored.plain)), artifacts)
    assert ran == []
    assert type(found) is type(value)
    return found


def reason(value: Any, artifacts: MemoryArtifacts) -> str:
    stored = values.store(value, artifacts)
    assert stored.transient, stored.plain
    return str(stored.plain["$transient"]["reason"])


# --- enums ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "member",
    [Color.RED, Color.CRIMSON, Color.BLUE, Level.LOW, Word.YES, Right.READ, Right.READ | Right.WRITE, Right(0)],
)
def test_a_member_of_an_enum_is_the_very_one(member: enum.Enum, artifacts: MemoryArtifacts) -> None:
    assert back(member, artifacts) is member


def test_combined_flags_of_numbers_come_back(artifacts: MemoryArtifacts) -> None:
    assert back(Bits.ONE | Bits.TWO, artifacts) == Bits(3)


def test_the_plain_form_of_a_member_names_class_member_and_value(artifacts: MemoryArtifacts) -> None:
    assert values.store(Color.RED, artifacts).plain == {"$enum": {"class": f"{HERE}:Color", "name": "RED", "value": 1}}


def test_an_enum_that_was_changed_since_is_noticed(artifacts: MemoryArtifacts) -> None:
    plain = values.store(Color.RED, artifacts).plain
    plain["$enum"]["value"] = 7
    with pytest.raises(StoreError, match=r"Color\.RED was 7 when it was stored and is 1 now"):
        values.load(plain, artifacts)
    plain["$enum"]["name"] = "GREEN"
    with pytest.raises(StoreError, match=r"Color has no member GREEN any more"):
        values.load(plain, artifacts)


def test_members_may_be_keys(artifacts: MemoryArtifacts) -> None:
    assert back({Color.RED: 1, Point(1.0): {Level.LOW}}, artifacts) == {Color.RED: 1, Point(1.0): {Level.LOW}}


# --- dataclasses ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        Order(1, [float("nan"), (2, {"a"})], start=3),
        Point(1.0, -0.0),
        Special(1, [Point(2.0), Order(2)], rate=0.1),
        Watchful(1),
        Careful(1),
        Outer.Inner(3),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_dataclass_comes_back_without_running_its_code(value: Any, artifacts: MemoryArtifacts) -> None:
    assert repr(back(value, artifacts)) == repr(value)


def test_a_field_that_was_never_set_is_not_set_again(artifacts: MemoryArtifacts) -> None:
    assert vars(back(Late(1), artifacts)) == {"now": 1}


def test_a_dataclass_may_hold_what_goes_to_artifacts(artifacts: MemoryArtifacts) -> None:
    pd: Any = pytest.importorskip("pandas")
    found = back(Order(1, [pd.DataFrame({"a": [1.5]}), bytes(70_000)]), artifacts)
    pd.testing.assert_frame_equal(found.lines[0], pd.DataFrame({"a": [1.5]}))
    assert found.lines[1] == bytes(70_000)


def test_what_a_field_cannot_keep_is_named(artifacts: MemoryArtifacts) -> None:
    assert reason(Order(1, [0, print]), artifacts).startswith("Its part .lines[1] is a function")


def test_attributes_beside_the_fields_are_not_lost_silently(artifacts: MemoryArtifacts) -> None:
    order = Order(1)
    order.colour = "red"  # type: ignore[attr-defined]
    assert "carries 'colour' beside its fields" in reason(order, artifacts)


@dataclass
class Cached:
    a: int

    @functools.cached_property
    def double(self) -> int:
        return 2 * self.a


def test_a_cached_property_counts_once_it_was_read(artifacts: MemoryArtifacts) -> None:
    value = Cached(1)
    assert back(value, artifacts) == value
    assert value.double == 2
    assert "carries 'double'" in reason(value, artifacts)


@dataclass(eq=False)
class Entity:
    a: int


@dataclass
class Contrary:
    a: int

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = None  # type: ignore[assignment]


@dataclass
class Raising:
    a: int

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("not today")

    __hash__ = None  # type: ignore[assignment]


@dataclass
class Ending:
    a: int

    def __del__(self) -> None:
        ran.append("del")


@dataclass
class Failure(Exception):
    a: int


@dataclass
class Holder(Generic[T]):
    a: T


def test_classes_whose_copies_would_not_equal_are_not_stored(artifacts: MemoryArtifacts) -> None:
    assert "equals only itself (eq=False)" in reason(Entity(1), artifacts)
    assert "does not come back equal" in reason(Contrary(1), artifacts)
    assert "raised RuntimeError when it was looked at: RuntimeError('not today')" in reason(Raising(1), artifacts)
    assert "whose __del__ would run" in reason(Ending(1), artifacts)
    assert "can't be made from its fields alone" in reason(Failure(1), artifacts)
    assert "carries '__orig_class__'" in reason(Holder[int](1), artifacts)


def test_a_class_that_is_not_found_by_its_name_is_not_stored(artifacts: MemoryArtifacts) -> None:
    @dataclass
    class Local:
        a: int = 1

    assert "a class made inside a function" in reason(Local(), artifacts)
    impostor = dataclasses.make_dataclass("Order", ["a"])
    impostor.__module__ = HERE
    assert "isn't found again by that name" in reason(impostor(1), artifacts)


# --- named tuples and models ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [Pair(1, [2]), Old(1, Pair(float("nan"))), Pair(Color.RED)])
def test_a_named_tuple_comes_back(value: Any, artifacts: MemoryArtifacts) -> None:
    assert repr(back(value, artifacts)) == repr(value)


def test_a_named_tuple_that_was_changed_since_is_noticed(artifacts: MemoryArtifacts) -> None:
    plain = values.store(Pair(1, 2), artifacts).plain
    plain["$namedtuple"]["fields"] = ["left", "middle"]
    with pytest.raises(StoreError, match="has the new field 'right', which the stored one lacks"):
        values.load(plain, artifacts)


def test_a_model_comes_back_unvalidated_with_all_its_state(artifacts: MemoryArtifacts) -> None:
    value = Model(name="a", more=[1, (2,)])  # type: ignore[call-arg]
    value._secret = 7
    found = back(value, artifacts)
    assert found == value
    assert (found._secret, found.model_extra, found.model_fields_set) == (7, {"more": [1, (2,)]}, {"name", "more"})
    assert back(Model.model_construct(name=5), artifacts).name == 5
    assert back(Root([1, 2]), artifacts) == Root([1, 2])


# --- when the class is another ----------------------------------------------------------------------------------------


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A module whose classes can be defined anew, as cells do."""
    module = types.ModuleType("cell_of_a_notebook")
    monkeypatch.setitem(sys.modules, "cell_of_a_notebook", module)
    return module


def run(cell: types.ModuleType, code: str) -> None:
    exec(f"from dataclasses import dataclass, field\n{code}", vars(cell))


def test_a_missing_class_asks_for_its_cell(cell: types.ModuleType, artifacts: MemoryArtifacts) -> None:
    run(cell, "@dataclass\nclass A:\n    x: int")
    plain = values.store(cell.A(1), artifacts).plain
    del cell.A
    with pytest.raises(
        StoreError, match="there is no class A here; import cell_of_a_notebook, or run the cell that defines it"
    ):
        values.load(plain, artifacts)
    plain["$dataclass"]["class"] = "__main__:Nowhere"
    with pytest.raises(StoreError, match="no class Nowhere here; run the cell that defines it, then try again"):
        values.load(plain, artifacts)


def test_a_class_with_other_fields_says_which(cell: types.ModuleType, artifacts: MemoryArtifacts) -> None:
    run(cell, "@dataclass\nclass A:\n    x: int")
    plain = values.store(cell.A(1), artifacts).plain
    run(cell, "@dataclass\nclass A:\n    x: int\n    y: int = 2")
    with pytest.raises(StoreError, match="A has the new field 'y', which the stored one lacks"):
        values.load(plain, artifacts)
    run(cell, "@dataclass\nclass A:\n    z: int = 2")
    with pytest.raises(StoreError, match="A has the new field 'z'"):
        values.load(plain, artifacts)
    run(cell, "@dataclass\nclass A:\n    pass")
    with pytest.raises(StoreError, match="A has no field 'x' any more"):
        values.load(plain, artifacts)
    run(cell, "class A:\n    pass")
    with pytest.raises(StoreError, match="A is no dataclass any more"):
        values.load(plain, artifacts)
    run(cell, "A = 5")
    with pytest.raises(StoreError, match="A is no class any more"):
        values.load(plain, artifacts)


def test_a_class_defined_anew_with_the_same_fields_is_the_newest(
    cell: types.ModuleType, artifacts: MemoryArtifacts
) -> None:
    code = "@dataclass\nclass A:\n    x: int"
    run(cell, code)
    plain = values.store(cell.A(1), artifacts).plain
    run(cell, code)
    assert values.load(plain, artifacts) == cell.A(1)


def test_nothing_is_imported_to_find_a_class(cell: types.ModuleType, artifacts: MemoryArtifacts) -> None:
    def lazy(name: str) -> Any:
        raise AssertionError(name)

    cell.__getattr__ = lazy  # type: ignore[method-assign]
    for name in ("cell_of_a_notebook:A", "this.antigravity:A", "flownb:Flow", "os:system", "builtins:object", ":", "x"):
        with pytest.raises(StoreError):
            values.load({"$dataclass": {"class": name, "fields": {}}}, artifacts)
    assert "antigravity" not in sys.modules
