"""The node that is a function of the author's: what `@flow.node` makes."""

from __future__ import annotations

from typing import ClassVar

from flownb.model.status import Category
from flownb.nodes.function import FunctionNode


class PythonNode(FunctionNode):
    """Calls a Python function with the values of its parameters; what it returns is the node's output.

    To choose among extra ports, the function returns an `Output`.
    """

    type: ClassVar[str] = "python"
    title: ClassVar[str] = "Python function"
    category: ClassVar[Category] = Category.ACTION
