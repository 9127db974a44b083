"""Ports, the types of what passes through them, and the 13 types of connection."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The port of ordinary data flow; an edge that names no source port leaves from here.
MAIN: Final = "main"
#: The port that fires instead of all others when a node fails and somebody listens.
ERROR: Final = "error"
#: The reserved target port of edges that carry order and no data.
AFTER: Final = "after"


class DataType(StrEnum):
    """What a port carries."""

    ANY = "any"
    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    OBJECT = "object"
    ARRAY = "array"
    FILE = "file"
    IMAGE = "image"
    COORDINATES = "coordinates"
    SCREENSHOT = "screenshot"
    OCR_RESULT = "ocr_result"
    DATAFRAME = "dataframe"

    def accepts(self, other: DataType) -> bool:
        """Whether a value of type `other` may arrive at a port of this type."""
        return self is other or DataType.ANY in (self, other) or other in _WIDER.get(self, ())


_WIDER: Final[dict[DataType, tuple[DataType, ...]]] = {
    DataType.IMAGE: (DataType.SCREENSHOT,),
    DataType.FILE: (DataType.IMAGE, DataType.SCREENSHOT, DataType.STRING),
    DataType.OBJECT: (DataType.COORDINATES, DataType.OCR_RESULT),
    DataType.ARRAY: (DataType.OCR_RESULT, DataType.DATAFRAME),
}


class ConnectionType(StrEnum):
    """The 13 types of connection; all but `main` wire a part into an AI node."""

    MAIN = "main"
    AI_AGENT = "ai_agent"
    AI_CHAIN = "ai_chain"
    AI_DOCUMENT = "ai_document"
    AI_EMBEDDING = "ai_embedding"
    AI_LANGUAGE_MODEL = "ai_language_model"
    AI_MEMORY = "ai_memory"
    AI_OUTPUT_PARSER = "ai_output_parser"
    AI_RETRIEVER = "ai_retriever"
    AI_RERANKER = "ai_reranker"
    AI_TEXT_SPLITTER = "ai_text_splitter"
    AI_TOOL = "ai_tool"
    AI_VECTOR_STORE = "ai_vector_store"


class InputPort(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where data comes in: one parameter of a node."""

    name: str
    type: DataType = DataType.ANY
    #: Without a live edge and without a default the node can't run.
    required: bool = True
    #: Takes several edges; the values arrive as a list, dead ones absent.
    many: bool = False
    #: May stay without an edge; but where there is one, `required` means that it must be live.
    unwired: bool = False
    connection: ConnectionType = ConnectionType.MAIN
    help: str = ""


class OutputPort(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where data goes out; a finished node fires some of its ports."""

    name: str = MAIN
    type: DataType = DataType.ANY
    connection: ConnectionType = ConnectionType.MAIN
    help: str = ""


_ERROR_PORT: Final = OutputPort(ERROR, DataType.OBJECT, help="what is recorded of the failure")


class NodePorts(msgspec.Struct, frozen=True):
    """The ports of one node, as its type and its config make them."""

    inputs: tuple[InputPort, ...] = ()
    outputs: tuple[OutputPort, ...] = (OutputPort(),)
    #: Takes inputs of any other name as well, as a function with `**kwargs` does.
    open: bool = False
    #: What every node has beside its outputs; a type may say what comes out of it.
    error: OutputPort = _ERROR_PORT

    def input(self, name: str) -> InputPort | None:
        """The input port of that name."""
        return next((port for port in self.inputs if port.name == name), None)

    def output(self, name: str) -> OutputPort | None:
        """The output port of that name; `error` is there on every node."""
        if name == ERROR:
            return self.error
        return next((port for port in self.outputs if port.name == name), None)


def misfit(value: Any, type_: str) -> str:
    """What a value must be, where plain data is clearly something else; hints are otherwise taken as hints."""
    cls = type(value)
    fits = _PLAIN_TYPES.get(type_)
    if fits is None or cls in fits[0] or cls not in (str, int, float, bool, list, dict):
        return ""
    return fits[1]


_PLAIN_TYPES: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    DataType.NUMBER: ((int, float, bool), "a number"),
    DataType.BOOLEAN: ((bool, int), "True or False"),
    DataType.ARRAY: ((list,), "a list"),
    DataType.OBJECT: ((dict,), "a dict"),
}
