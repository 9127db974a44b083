"""The node that brings branches together again."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from flownb.errors import InvalidInput
from flownb.graph.nodetype import NodeType
from flownb.model.ports import MAIN, InputPort, NodePorts
from flownb.model.status import Category
from flownb.nodes.cell import Unordered, comparable
from flownb.nodes.items import items_of

if TYPE_CHECKING:
    import builtins
    from collections.abc import Sequence

    from flownb.graph.nodetype import Context


class MergeConfig(BaseModel):
    """The config of a merge."""

    model_config = ConfigDict(extra="forbid")

    mode: Literal["append", "combine", "first", "by_key"] = Field(
        "append",
        description="`append`: lists and frames one after another, single values collected; `combine`: tables into "
        "one, later ones win; `first`: the first that came, in the order of the edges; `by_key`: rows that agree in "
        "the fields `on` side by side.",
    )
    on: str | list[str] = Field(
        default_factory=list, description="With `by_key`: the field whose values belong together, or several."
    )
    how: Literal["inner", "left", "outer"] = Field(
        "inner",
        description="With `by_key`: which rows stay: those with a partner in every branch (`inner`), all of the first "
        "branch (`left`), or all (`outer`).",
    )

    @model_validator(mode="after")
    def _has_its_key(self) -> Self:
        if (self.mode == "by_key") != bool(self.on):
            raise ValueError("`on` names the fields of a merge by_key, which needs it")
        return self

    @property
    def keys(self) -> list[str]:
        """The fields whose values belong together."""
        return [self.on] if isinstance(self.on, str) else self.on


class Merge(NodeType):
    """Brings branches together again; those that did not run are absent."""

    type: ClassVar[str] = "control.merge"
    title: ClassVar[str] = "Merge"
    category: ClassVar[Category] = Category.LOGIC
    Config: ClassVar[builtins.type[BaseModel] | None] = MergeConfig
    ports: ClassVar[NodePorts] = NodePorts(
        (InputPort(MAIN, many=True, help="the branches, in the order of the edges"),)
    )

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> Any:
        """Give what the mode makes of the values.

        Raises:
            TypeError: a value is of no kind that the mode takes.
            InvalidInput: a row lacks a key, or keys can't be compared.
        """
        config: MergeConfig = self.config
        values = inputs[MAIN]
        sources = [*ctx.sources.get(MAIN, ()), *(f"branch_{n + 1}" for n in range(len(values)))][: len(values)]
        match config.mode:
            case "first":
                return values[0]
            case "combine":
                return _combined(values, sources)
            case "append":
                return await _appended(values)
            case "by_key":
                return await asyncio.to_thread(_by_key, ctx.path, values, sources, config)


def _combined(values: list[Any], sources: list[str]) -> dict[str, Any]:
    combined: dict[str, Any] = {}
    for source, value in zip(sources, values, strict=True):
        if not isinstance(value, Mapping):
            raise TypeError(
                f"A merge combines tables (dicts), and {source} gave a {type(value).__name__}. "
                "Use the mode 'append' to collect the values."
            )
        combined.update(value)
    return combined


async def _appended(values: list[Any]) -> Any:
    pandas = sys.modules.get("pandas")  # where it was never imported, no value is a frame
    for kind in (pandas.DataFrame, pandas.Series) if pandas else ():
        if all(isinstance(value, kind) for value in values):
            return await asyncio.to_thread(pandas.concat, values, ignore_index=True)  # type: ignore[union-attr]
    collected: list[Any] = []
    for value in values:
        if isinstance(value, list | tuple):
            collected.extend(value)
        else:
            collected.append(value)
    return collected


# --- by key -----------------------------------------------------------------------------------------------------------


def _by_key(path: str, values: list[Any], sources: list[str], config: MergeConfig) -> Any:
    pandas = sys.modules.get("pandas")
    frames = [pandas is not None and isinstance(value, pandas.DataFrame) for value in values]
    for source, value, is_frame in zip(sources, values, frames, strict=True):
        if is_frame != frames[0] or not (is_frame or isinstance(value, list | tuple)):
            raise TypeError(
                f"{path} merges by_key, which takes DataFrames or lists of dicts, all of one kind; {source} gave a "
                f"{type(value).__name__}, and {sources[0]} a {type(values[0]).__name__}."
            )
    joined = values[0]
    for source, value in zip(sources[1:], values[1:], strict=True):
        join = _joined_frames if frames[0] else _joined_lists
        joined = join((f"{path}: {sources[0]}", joined), (f"{path}: {source}", value), source, config)
    return joined


def _joined_frames(left: tuple[str, Any], right: tuple[str, Any], source: str, config: MergeConfig) -> Any:
    for owner, frame in (left, right):
        for name in config.keys:
            items_of(frame, owner).field(name)  # says what is there, where it is missing
    try:
        return left[1].merge(right[1], on=config.keys, how=config.how, suffixes=("", f"_{source}"))
    except (ValueError, TypeError) as error:
        raise InvalidInput(f"{right[0]} can't be merged by {', '.join(config.keys)}: {error}", name="on") from error


def _joined_lists(
    left: tuple[str, Any], right: tuple[str, Any], source: str, config: MergeConfig
) -> list[dict[str, Any]]:
    ours, theirs = list(left[1]), list(right[1])
    names = dict.fromkeys(name for row in ours for name in row)
    renamed = {
        name: name if name in config.keys or name not in names else f"{name}_{source}" for row in theirs for name in row
    }
    found: dict[Any, list[int]] = {}
    for place, key in enumerate(_keys_of(*right, config.keys)):
        found.setdefault(key, []).append(place)
    rows: list[dict[str, Any]] = []
    partners: set[int] = set()
    for row, key in zip(ours, _keys_of(*left, config.keys), strict=True):
        places = found.get(key, [])
        partners.update(places)
        rows += [{**row, **_renamed(theirs[place], renamed, config.keys)} for place in places]
        if not places and config.how != "inner":
            rows.append(dict(row))
    if config.how == "outer":
        rows += [
            {renamed[name]: each for name, each in row.items()}
            for place, row in enumerate(theirs)
            if place not in partners
        ]
    every = dict.fromkeys([*names, *renamed.values()])
    return [{name: row.get(name) for name in every} for row in rows]


def _renamed(row: Mapping[str, Any], renamed: Mapping[str, str], keys: Sequence[str]) -> dict[str, Any]:
    return {renamed[name]: each for name, each in row.items() if name not in keys}


def _keys_of(owner: str, rows: Any, keys: Sequence[str]) -> list[tuple[Any, ...]]:
    """What each row has in the fields, in a form in which equal ones are equal."""
    items = items_of(rows, owner)
    columns = [items.field(name) for name in keys]
    try:
        return [tuple(comparable(column[place]) for column in columns) for place in range(len(items))]
    except Unordered as error:
        raise items.refuse(f"its rows can't be merged by {', '.join(keys)}: {error}.") from None
