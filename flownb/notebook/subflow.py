"""A flow as a node of another: inputs in, outputs out, a run of its own beneath."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

from flownb.errors import FlownbError, NotFound, near_names
from flownb.graph.nodetype import NodeType
from flownb.model.document import from_json
from flownb.model.ports import MAIN, DataType, InputPort, NodePorts, OutputPort
from flownb.model.problem import Problem, Severity
from flownb.model.status import Category, OnCrash
from flownb.notebook.beneath import value_of
from flownb.notebook.programs import Loaded, load, parse_target, workflow_of
from flownb.run.definition import Definition
from flownb.run.request import Request, check_inputs

if TYPE_CHECKING:
    import builtins
    from collections.abc import Mapping

    from flownb.graph.nodetype import Context
    from flownb.model.workflow import Node, Workflow
    from flownb.store.contract import Store

_FIELDS: Final = ("workflow", "values")
#: Runs of a workflow that are looked through for its newest definition.
_MOST_LOOKED_AT: Final = 20


class SubflowConfig(BaseModel):
    """The config of a subflow."""

    model_config = ConfigDict(extra="forbid")

    workflow: str = Field(
        min_length=1,
        description="What is run: `module:flow`, the path of a workflow.json, or the name of a workflow that has run "
        "in this store before, whose newest definition is taken.",
    )
    values: dict[str, Any] = Field(
        default_factory=dict, description="Inputs of the flow by name; inputs of the node win over them."
    )


class Subflow(NodeType):
    """Runs another flow beneath this one; its output is a table of that flow's outputs by node.

    Inputs have the names of the flow's inputs. It is a run of its own, begun with the attempt's idempotency key: it
    begins once however often the node does, and what was committed in it never runs again. While it is paused the node
    is parked; a pause and a cancellation of this run reach it.
    """

    type: ClassVar[str] = "control.subflow"
    title: ClassVar[str] = "Subflow"
    category: ClassVar[Category] = Category.LOGIC
    on_crash: ClassVar[OnCrash] = OnCrash.RERUN
    passes_references: ClassVar[bool] = True
    Config: ClassVar[builtins.type[BaseModel] | None] = SubflowConfig
    ports: ClassVar[NodePorts] = NodePorts(
        (), (OutputPort(MAIN, DataType.OBJECT, help="the flow's outputs by node"),), open=True
    )

    @classmethod
    def ports_of(cls, node: Node) -> NodePorts:
        """An input for each of the flow's, as far as it can be read now; others stay possible."""
        declared = _readable(node.config.get("workflow"))
        inputs = tuple(
            InputPort(each.name, required=False, unwired=True, help=each.description)
            for each in (declared.variables if declared else ())
            if each.name not in _FIELDS
        )
        return NodePorts(inputs, cls.ports.outputs, open=True)

    @classmethod
    def check(cls, node: Node) -> list[Problem]:
        """The problems of the config, and a word about a file that isn't there yet."""
        problems = super().check(node)
        target = node.config.get("workflow")
        if problems or not isinstance(target, str) or not _is_path(target) or Path(target).is_file():
            return problems
        there = [each.name for each in Path(target).parent.glob("*.json")]
        message = f"There is no workflow {target} in {Path.cwd()}.{near_names(Path(target).name, there)}"
        place = "config.workflow"
        return [Problem(message, Severity.WARNING, node=node.id, place=place, code="missing_workflow")]

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> Any:
        """Run the flow, or go on with its run.

        Raises:
            RunFailed: it failed; the message names the flow, the node and the run.
            InvalidInput: an input is unknown, missing or ill-typed.
            NotFound: there is no such flow.
        """
        config: SubflowConfig = self.config
        given = {**config.values, **{name: each for name, each in inputs.items() if name not in _FIELDS}}
        own = set(inputs) - set(config.values) - self._only_named(ctx)
        live = getattr(ctx, "flow", None)

        def make(store: Store) -> Request:
            loaded = (
                Loaded(live.definition(), live.services, live.defaults)
                if live is not None
                else _loaded(config.workflow, store)
            )
            known = {each.name for each in loaded.definition.workflow.variables}
            wanted = {
                name: each for name, each in given.items() if name in known or name in own or name in config.values
            }
            return Request(
                definition=loaded.definition,
                store=store,
                inputs=check_inputs(loaded.definition, wanted, loaded.defaults),
                services=loaded.services,
                target=config.workflow,
            )

        child = await ctx.beneath(make)
        return value_of(child.workflow, child)

    @staticmethod
    def _only_named(ctx: Context) -> set[str]:
        """Inputs that are there because an expression of the config names them."""
        from flownb.graph.references import references_of
        from flownb.model.workflow import Node as NodeRecord

        return set(references_of(NodeRecord(id="it", type=Subflow.type, config=dict(ctx.raw)), Subflow).names)


def _is_path(target: str) -> bool:
    return "{{" not in target and target.endswith(".json")


def _readable(target: Any) -> Workflow | None:
    """The flow of a target as far as it can be looked at without importing anything; None where it can't."""
    if not isinstance(target, str) or not _is_path(target):
        return None
    try:
        return workflow_of(target, Path.cwd())
    except FlownbError:
        return None


def _loaded(target: str, store: Store) -> Loaded:
    """What is to be run.

    Raises:
        NotFound: no such file, module, flow or recorded workflow.
    """
    if _is_path(target) or (":" in target and not target.isidentifier()):
        return load(parse_target(target, Path.cwd()))
    return Loaded(Definition(_recorded(target, store)))


def _recorded(name: str, store: Store) -> Workflow:
    """The newest definition of a workflow by its name or its id."""
    for row in store.rows(workflow=name, limit=_MOST_LOOKED_AT):
        document = store.definition(row.definition) if row.definition else None
        if document is not None:
            return from_json(document)
    known: Mapping[str, None] = {row.workflow: None for row in store.rows(limit=200)}
    raise NotFound(
        f"No workflow {name!r} has run in {store.url}, so its definition is not known.{near_names(name, known)} "
        "Give module:flow, the path of a workflow.json, or a Flow to flow.subflow(…).",
        name=name,
    )
