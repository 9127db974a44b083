"""The nodes that ask people: for a yes or no, for data, for a choice, for a look over something.

A node asks once, is parked, and costs nothing until somebody answers, wherever that is. Its own output is the record
of the answer (`port`, `data`, `comment`, `by`, `at`), or for input and review what was given; the port that fires
carries the data, else what came in at `main`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from flownb.errors import InvalidInput, NodeTimeout
from flownb.graph.form import faults_in
from flownb.graph.form_source import schema_of_value, with_changes
from flownb.graph.nodetype import Ask, Expression, NodeType, Output, Preview, Suspend
from flownb.graph.references import names_in
from flownb.model.ports import MAIN, InputPort, NodePorts, OutputPort
from flownb.model.problem import Problem, Severity
from flownb.model.status import Category, PauseReason
from flownb.model.times import iso
from flownb.nodes.control import passing
from flownb.nodes.human_channels import channel_problems
from flownb.nodes.human_config import (
    EXPIRED,
    PREVIEWS,
    TAKEN,
    DecisionConfig,
    HumanConfig,
    InputConfig,
    ReviewConfig,
    form_faults,
    names_of,
)
from flownb.nodes.human_preview import evaluate, previews, truth
from flownb.nodes.scope import scope
from flownb.store.forms.same import same

if TYPE_CHECKING:
    import builtins
    from collections.abc import Iterator, Mapping

    from pydantic import BaseModel

    from flownb.graph.nodetype import Context
    from flownb.model.workflow import Node

#: What the data that may be changed are called, where nothing else shows them.
DATA: Final = "data"
_PASSING: Final = InputPort(MAIN, many=True, unwired=True, help="leaves by the port that fires")


class HumanNode(NodeType):
    """What the four kinds of question have in common."""

    category: ClassVar[Category] = Category.INTERFACE
    Config: ClassVar[builtins.type[BaseModel] | None] = HumanConfig
    #: What the request is called.
    kind: ClassVar[str]
    #: The answers that every node of the kind has, the usual one first, with what they mean.
    answers: ClassVar[tuple[tuple[str, str], ...]] = ()
    #: Whether the node's own output is what was given, and not the record of the answer.
    gives_data: ClassVar[bool] = False

    @classmethod
    def ports_of(cls, node: Node) -> NodePorts:
        """The answers of the kind, those that the config adds, and `expired`."""
        own = [name for name in names_of(node.config) if name not in TAKEN and name not in dict(cls.answers)]
        return cls._ports(dict.fromkeys(own))

    @classmethod
    def _ports(cls, own: Mapping[str, Any]) -> NodePorts:
        answers = (*cls.answers, *((name, "fires when this is the answer") for name in own))
        main = OutputPort(MAIN, help="what was given" if cls.gives_data else "the record of the answer")
        fired = tuple(OutputPort(name, help=text) for name, text in answers)
        return NodePorts((_PASSING,), (main, *fired, OutputPort(EXPIRED, help="fires when nobody answered in time")))

    @classmethod
    def dead_ports(cls, node: Node) -> tuple[str, ...]:
        """Without a timeout nothing expires, and with an automatic answer another port fires then."""
        timed = any(node.config.get(name) is not None for name in ("timeout", "timeout_minutes", "expires_at"))
        usual = node.config.get("on_timeout", node.config.get("timeout_action", EXPIRED)) == EXPIRED
        return () if timed and usual else (EXPIRED,)

    @classmethod
    def expressions_in(cls, config: Mapping[str, Any]) -> Iterator[Expression]:
        """What is shown, the condition, and the amount."""
        for name in ("condition", "amount"):
            if isinstance(config.get(name), str) or (name == "condition" and isinstance(config.get(name), dict)):
                yield Expression(name, config[name])
        for name in PREVIEWS:
            shown = config.get(name)
            parts: list[tuple[str, Any]] = [(name, shown)]
            if isinstance(shown, list):
                parts = [(f"{name}[{number}]", each) for number, each in enumerate(shown)]
            for place, each in parts:
                if isinstance(each, str) and each:
                    yield Expression(place, each)
                elif isinstance(each, dict) and set(each) == {"before", "after"}:
                    yield from (Expression(f"{place}.{end}", each[end]) for end in each if isinstance(each[end], str))

    @classmethod
    def check(cls, node: Node) -> list[Problem]:
        """The problems of the config, and of what the fields mean together."""
        problems = super().check(node)
        if node.cache is not None and node.cache.enabled:
            problems.append(
                Problem(
                    f"{node.id} asks a person: an answer counts once, and is never taken from a cache.",
                    node=node.id,
                    place="cache",
                    hint="Take the cache away.",
                    code="cached_answer",
                )
            )
        for fault in form_faults(node.config.get("form")):
            problems.append(Problem(f"{node.id}: {fault}", node=node.id, place="config.form", code="bad_form"))
        if not problems:
            problems += cls._odd(node)
        return problems

    @classmethod
    def _odd(cls, node: Node) -> Iterator[Problem]:
        """What is no mistake in a field but can't have been meant."""
        if node.timeout is not None:
            yield Problem(
                f"{node.id}: the node's own timeout of {node.timeout:g} s is for asking, which takes no time; how long "
                "people have is the field `timeout` of its config.",
                severity=Severity.WARNING,
                node=node.id,
                place="timeout",
                code="asking_timeout",
            )
        approvers = node.config.get("approvers")
        needed = node.config.get("approvals_needed", 1)
        if isinstance(approvers, list) and approvers and isinstance(needed, int) and needed > len(set(approvers)):
            yield Problem(
                f"{node.id} needs {needed} approvals and names {len(set(approvers))} who may give one; that is enough "
                "only if some of the names are groups.",
                severity=Severity.WARNING,
                node=node.id,
                place="config.approvals_needed",
                code="few_approvers",
            )
        yield from channel_problems(node)

    # --- asking -------------------------------------------------------------------------------------------------------

    async def execute(self, ctx: Context, inputs: dict[str, Any]) -> Any:
        """Ask, and be parked; with the answer, fire its port.

        Raises:
            NodeTimeout: nobody answered in time, and the config says that this is a failure.
            InvalidInput: what is to be asked makes no sense with the values that came.
        """
        config: HumanConfig = self.config
        if isinstance(ctx.resumed, dict) and "port" in ctx.resumed:
            return self._answered(ctx, inputs, ctx.resumed)
        names = scope(ctx, inputs)
        skipped = self._not_needed(names, inputs)
        if skipped:
            usual = self._usual()
            came = {"port": usual, "data": config.default, "comment": skipped, "by": "", "at": ctx.now()}
            return self._answered(ctx, inputs, came | {"action": "not_needed"})
        return self._ask(ctx, inputs, names)

    def _usual(self) -> str:
        config: HumanConfig = self.config
        return str(config.default) if self.kind == "decision" else self.answers[0][0]

    def _not_needed(self, names: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
        """Why nobody has to be asked; empty where somebody has."""
        config: HumanConfig = self.config
        if config.condition is not None and not truth(config.condition, names):
            return "nobody was asked: the condition does not hold"
        if config.auto_approve_below is not None:
            amount = self._amount(names, inputs)
            if isinstance(amount, bool) or not isinstance(amount, int | float):
                raise InvalidInput(
                    f"auto_approve_below compares a number, and the amount is {amount!r:.60}.", name="amount"
                )
            if amount < config.auto_approve_below:
                return f"nobody was asked: {amount:g} is below {config.auto_approve_below:g}"
        return ""

    def _amount(self, names: Mapping[str, Any], inputs: Mapping[str, Any]) -> Any:
        """What is compared: as the config says, else what came in, else the one thing that the condition names."""
        config: HumanConfig = self.config
        if config.amount is not None:
            return evaluate(config.amount, names)
        if not inputs.get(MAIN) and config.condition is not None:
            used, _ = names_in(config.condition, bare=True)
            if len(used) == 1:
                return names[next(iter(used))]
        return passing(inputs)

    def _ask(self, ctx: Context, inputs: Mapping[str, Any], names: Mapping[str, Any]) -> Suspend:
        config: HumanConfig = self.config
        now = ctx.now()
        shown = previews(config.preview, names)
        edits = None
        if config.edits:
            subject = self._subject(inputs, names)
            if not shown or not same(shown[0].value, subject):  # who changes the data sees them, before all else
                shown = [Preview(DATA, subject), *shown]
            edits = schema_of_value(subject)
            if edits is None:
                raise InvalidInput(
                    f"{ctx.path}: the data can't be changed by people; set edits to false.", name="edits"
                )
        ask = Ask(
            kind=self.kind,
            question=config.question,
            details=config.details,
            ports=self._all_answers(),
            preview=tuple(shown),
            form=config.form,
            approvers=tuple(config.approvers),
            approvals_needed=config.approvals_needed,
            rejections_needed=config.rejections_needed,
            expiry_port=self._expiry_port(),
            default=self._default_data(),
            self_approval=config.self_approval,
            edits=edits,
            due_at=None if config.due is None else now + config.due,
            remind=config.remind,
            channels=tuple(config.channel),
            to=config.told,
            escalate_to=tuple(config.escalate_to),
            escalate_at=None if config.escalates_in is None else now + config.escalates_in,
        )
        return Suspend(waits_for=PauseReason.HUMAN, until=self._until(now), ask=ask)

    def _all_answers(self) -> tuple[str, ...]:
        config: HumanConfig = self.config
        return (*dict(self.answers), *(name for name in config.ports if name not in dict(self.answers)))

    def _until(self, now: float) -> float | None:
        config: HumanConfig = self.config
        if config.expires_at is not None:
            return max(now, config.expires_at.timestamp())
        return None if config.seconds is None else now + config.seconds

    def _expiry_port(self) -> str:
        config: HumanConfig = self.config
        match config.on_timeout:
            case "auto_approve":
                return self._usual()
            case "auto_reject":
                return "rejected"
            case "fail":
                return ""
            case _:
                return EXPIRED

    def _default_data(self) -> Any:
        config: HumanConfig = self.config
        if self.kind == "decision":
            return None
        if config.form is None:
            return config.default
        return faults_in(config.form, {} if config.default is None else config.default)[0]

    def _subject(self, inputs: Mapping[str, Any], names: Mapping[str, Any]) -> Any:
        """The data that the question is about: what comes in at `main`, else the first thing that is shown."""
        config: HumanConfig = self.config
        if inputs.get(MAIN):
            return passing(inputs)
        shown = previews(config.preview, names)
        return shown[0].value if shown else None

    # --- with the answer ----------------------------------------------------------------------------------------------

    def _answered(self, ctx: Context, inputs: Mapping[str, Any], came: Mapping[str, Any]) -> Output:
        config: HumanConfig = self.config
        port, data = str(came["port"]), came["data"]
        if not port:
            waited = config.seconds or 0.0
            raise NodeTimeout(f"Nobody answered {ctx.path} in time.", node=ctx.path, timeout=waited)
        given = data if config.form is not None else None
        subject = self._subject(inputs, scope(ctx, inputs)) if config.edits or self.gives_data else None
        if config.edits:
            changed = data
            if config.form is not None:
                changed = data.get("edited") if isinstance(data, dict) else None
            subject = with_changes(subject, changed)
            given = subject if config.form is None else {**(given or {}), "edited": subject}
        elif self.kind == "review":
            given = subject if given is None else given
        record = {
            "port": port,
            "data": data,
            "comment": came["comment"],
            "by": came["by"],
            "at": iso(came["at"]),
            "action": came["action"],
        }
        passed = given if given is not None else passing(inputs, record)
        return Output(given if self.gives_data else record, ports=(port,), values={port: passed})


class Approval(HumanNode):
    """Asks for a yes or no: `approved` or `rejected` fires, and nothing behind the other runs."""

    type: ClassVar[str] = "human.approval"
    title: ClassVar[str] = "Approval"
    kind: ClassVar[str] = "confirmation"
    answers: ClassVar[tuple[tuple[str, str], ...]] = (
        ("approved", "fires when it is approved"),
        ("rejected", "fires when it is rejected"),
    )
    ports: ClassVar[NodePorts] = NodePorts(
        (_PASSING,),
        (
            OutputPort(MAIN, help="the record of the answer"),
            OutputPort("approved", help="fires when it is approved"),
            OutputPort("rejected", help="fires when it is rejected"),
            OutputPort(EXPIRED, help="fires when nobody answered in time"),
        ),
    )


class InputNode(HumanNode):
    """Asks for data, by a form; its output is what was given."""

    type: ClassVar[str] = "human.input"
    title: ClassVar[str] = "Input"
    kind: ClassVar[str] = "input"
    Config: ClassVar[builtins.type[BaseModel] | None] = InputConfig
    gives_data: ClassVar[bool] = True
    answers: ClassVar[tuple[tuple[str, str], ...]] = (("submitted", "fires when the data are there"),)
    ports: ClassVar[NodePorts] = NodePorts(
        (_PASSING,),
        (
            OutputPort(MAIN, help="what was given"),
            OutputPort("submitted", help="fires when the data are there"),
            OutputPort(EXPIRED, help="fires when nobody answered in time"),
        ),
    )


class Decision(HumanNode):
    """Asks which way to go: the port of the chosen option fires."""

    type: ClassVar[str] = "human.decision"
    title: ClassVar[str] = "Decision"
    kind: ClassVar[str] = "decision"
    Config: ClassVar[builtins.type[BaseModel] | None] = DecisionConfig
    ports: ClassVar[NodePorts] = NodePorts(
        (_PASSING,),
        (
            OutputPort(MAIN, help="the record of the answer"),
            OutputPort(EXPIRED, help="fires when nobody answered in time"),
        ),
    )


class Review(HumanNode):
    """Asks for a look over something, which the reviewer may change; its output is what came of it."""

    type: ClassVar[str] = "human.review"
    title: ClassVar[str] = "Review"
    kind: ClassVar[str] = "review"
    Config: ClassVar[builtins.type[BaseModel] | None] = ReviewConfig
    gives_data: ClassVar[bool] = True
    answers: ClassVar[tuple[tuple[str, str], ...]] = (
        ("approved", "fires when it is good, or was made so"),
        ("rejected", "fires when it is not"),
    )
    ports: ClassVar[NodePorts] = NodePorts(
        (_PASSING,),
        (
            OutputPort(MAIN, help="what came of it"),
            OutputPort("approved", help="fires when it is good, or was made so"),
            OutputPort("rejected", help="fires when it is not"),
            OutputPort(EXPIRED, help="fires when nobody answered in time"),
        ),
    )
