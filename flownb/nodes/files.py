"""The nodes that read and write files."""

from __future__ import annotations

import asyncio
import filecmp
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from flownb.errors import InvalidInput
from flownb.graph.nodetype import NodeType
from flownb.model.ports import MAIN, DataType, NodePorts, OutputPort
from flownb.model.status import Category, OnCrash
from flownb.nodes import reading, writing
from flownb.nodes.data import NEEDED, OPTIONAL, given
from flownb.nodes.formats import ColumnType, Format, format_of, separator_of
from flownb.nodes.place import existing, fault, place_of

if TYPE_CHECKING:
    import builtins

    from flownb.graph.nodetype import Context
    from flownb.model.workflow import Node

#: More than this is read only if that was said to be meant.
_MOST_BYTES: Final = 1_000_000_000


class FileConfig(BaseModel):
    """What reading and writing have in common."""

    model_config = ConfigDict(extra="forbid")

    path: str | Path = Field(
        description="The file; relative to `root`, and without one to the working directory of the run."
    )
    root: str | Path | None = Field(
        None,
        description="A folder that the path may not lead out of, not by `..`, not by links: for paths that come from "
        "outside.",
    )
    format: Format | None = Field(None, description="What the file is; by default what its name ends in.")
    encoding: str = Field("utf-8", description="How text is written as bytes.")
    separator: str | None = Field(
        None, min_length=1, max_length=1, description="What separates the cells of a csv file; a comma by default."
    )


class ReadConfig(FileConfig):
    """The config of reading."""

    rows: bool = Field(
        False, description="Give csv and parquet as a list of tables (dicts), not as a DataFrame; cells of csv as text."
    )
    types: dict[str, ColumnType] = Field(
        default_factory=dict,
        description="Of columns of a csv file what they have: text (so that 0123 stays that), integer, number, boolean "
        "or datetime (ISO). Others are guessed.",
    )
    max_bytes: int = Field(_MOST_BYTES, ge=0, description="The largest file that is read.")


class Read(NodeType):
    """Reads a file: csv and parquet as a DataFrame, json as data, text as text, bytes as bytes."""

    type: ClassVar[str] = "files.read"
    title: ClassVar[str] = "Read a file"
    category: ClassVar[Category] = Category.ACTION
    Config: ClassVar[builtins.type[BaseModel] | None] = ReadConfig
    ports: ClassVar[NodePorts] = NodePorts()

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> Any:
        """Read, on a thread."""
        del inputs
        return await asyncio.to_thread(lambda: self._read(ctx.path))

    def _read(self, owner: str) -> Any:
        config: ReadConfig = self.config
        path = place_of(config.path, config.root, owner)
        form = format_of(path, config.format, owner)
        if config.types and (form != "csv" or config.rows):
            raise InvalidInput(
                f"{owner}: `types` are of the columns of a csv file that becomes a DataFrame.", name="types"
            )
        existing(path, owner, config.max_bytes)
        try:
            return self._content(path, form, owner)
        except OSError as error:
            raise fault(error, path, owner, "read") from error

    def _content(self, path: Path, form: Format, owner: str) -> Any:
        config: ReadConfig = self.config
        match form:
            case "csv":
                separator = separator_of(path, config.separator)
                if config.rows:
                    return reading.read_rows_csv(path, separator, config.encoding, owner)
                return reading.read_frame_csv(path, separator, config.encoding, config.types, owner)
            case "parquet":
                return reading.read_parquet(path, owner, rows=config.rows)
            case "json":
                return reading.read_json(path, config.encoding, owner)
            case "text":
                return reading.read_text(path, config.encoding, owner)
            case "bytes":
                return path.read_bytes()


class WriteConfig(FileConfig):
    """The config of writing."""

    data: Any = Field(None, description="What to write, as `{{ report }}`; by default what comes in at `main`.")
    if_exists: Literal["replace", "error"] = Field(
        "replace",
        description="What happens to a file that is there: it is replaced, or the node fails, unless the file has "
        "the very same content.",
    )


class Write(NodeType):
    """Writes a file, whole or not at all, and gives its path and size.

    The content goes to a file beside it, which then takes its name in one step: nobody ever sees half of it, and doing
    it again after a crash does the same.
    """

    type: ClassVar[str] = "files.write"
    title: ClassVar[str] = "Write a file"
    category: ClassVar[Category] = Category.RESULT
    #: Every way of writing that there is leaves the same file when it is done twice.
    on_crash: ClassVar[OnCrash] = OnCrash.RERUN
    Config: ClassVar[builtins.type[BaseModel] | None] = WriteConfig
    ports: ClassVar[NodePorts] = NodePorts((NEEDED,), (OutputPort(MAIN, DataType.OBJECT, help="path, format, size"),))

    @classmethod
    def ports_of(cls, node: Node) -> NodePorts:
        """`main` must be wired, unless `data` says what to write."""
        return NodePorts((OPTIONAL if "data" in node.config else NEEDED,), cls.ports.outputs)

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> Any:
        """Write, on a thread."""
        data = given(self.config, "data", ctx, inputs)
        return await asyncio.to_thread(lambda: self._write(ctx, data))

    def _write(self, ctx: Context, data: Any) -> dict[str, Any]:
        config: WriteConfig = self.config
        path = place_of(config.path, config.root, ctx.path)
        form = format_of(path, config.format, ctx.path)
        try:
            if path.is_dir():
                raise InvalidInput(f"{ctx.path}: {path} is a folder; name a file in it.", name="path")
            path.parent.mkdir(parents=True, exist_ok=True)
            self._replace(path, data, form, ctx)
            return {"path": str(config.path), "format": form, "size": path.stat().st_size}
        except OSError as error:
            raise fault(error, path, ctx.path, "written") from error

    def _replace(self, path: Path, data: Any, form: Format, ctx: Context) -> None:
        beside = _beside(path, ctx)
        try:
            self._fill(beside, data, form, ctx.path)
            self._put(beside, path, ctx)
        finally:
            beside.unlink(missing_ok=True)

    def _fill(self, beside: Path, data: Any, form: Format, owner: str) -> None:
        config: WriteConfig = self.config
        with beside.open("wb") as file:
            match form:
                case "csv":
                    separator = separator_of(Path(config.path), config.separator)
                    writing.write_csv(file, data, separator, config.encoding, owner)
                case "parquet":
                    writing.write_parquet(file, data, owner)
                case "json":
                    writing.write_json(file, data, owner)
                case "text":
                    writing.write_text(file, data, config.encoding, owner)
                case "bytes":
                    writing.write_bytes(file, data, owner)
            file.flush()
            os.fsync(file.fileno())

    def _put(self, beside: Path, path: Path, ctx: Context) -> None:
        """Give the file its name, in one step.

        Raises:
            CancelledError: the node was asked to stop before.
            InvalidInput: there is another file, which must stay.
        """
        if ctx.cancelled:
            raise asyncio.CancelledError
        config: WriteConfig = self.config
        if config.if_exists == "error":
            try:
                os.link(beside, path)  # unlike a replacement, it never takes the place of a file
            except FileExistsError:
                if not filecmp.cmp(beside, path, shallow=False):
                    message = f"{ctx.path}: {path} is there already, with other content; `if_exists` says to leave it."
                    raise InvalidInput(message, name="path") from None
            return
        if path.exists():
            beside.chmod(path.stat().st_mode & 0o777)
        beside.replace(path)


def _beside(path: Path, ctx: Context) -> Path:
    """Where the content is collected; an attempt made again after a crash uses it again, and so leaves no litter."""
    key = hashlib.sha256(f"{ctx.idempotency_key}/{ctx.attempt}/{path.name}".encode()).hexdigest()[:12]
    return path.with_name(f".flownb-{key}.part")
