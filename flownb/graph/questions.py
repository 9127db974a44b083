"""What people write to ask people: four kinds of question, with the same options."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypedDict

from flownb.errors import UsageError, near_names
from flownb.graph.definitions import Definitions
from flownb.graph.refs import NodeRef, PortRef

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from flownb.graph.refs import Sources
    from flownb.graph.spec import NodeOptions
    from flownb.model.status import OnError
    from flownb.model.workflow import JoinCount, RetryPolicy


class AskOptions(TypedDict, total=False):
    """What every question takes."""

    #: What must have happened before: nodes (an order), ports (a gate), ids, and lists of them mixed.
    after: Sources
    #: What is asked about, as `{"main": load}`: it leaves by the port that fires.
    inputs: Mapping[str, Any]
    #: What is shown: a node, an expression as `load`, a list of them, or `{"before": …, "after": …}` for a diff.
    preview: Any
    #: More about the question.
    details: str
    #: What comes with the answer: a pydantic model, a dataclass, or a JSON schema.
    form: Any
    #: Names of users and groups who may answer; everybody, if none is named.
    approvers: str | Sequence[str]
    #: Votes to approve, and votes to reject.
    approvals_needed: int
    rejections_needed: int
    #: Whether who started the run may answer.
    self_approval: bool
    #: Seconds to wait for an answer, or the moment until which. This and all other lengths of time may be texts: `2d`.
    timeout: float | str | timedelta | None
    expires_at: datetime | str | None
    #: What happens then: `expired` (that port fires), `auto_approve`, `auto_reject` or `fail`.
    on_timeout: str
    #: What comes with an automatic answer; of a decision, the option.
    default: Any
    #: Somebody is asked only where this holds, and where the amount is not below a bound.
    condition: str | Mapping[str, Any] | None
    auto_approve_below: float | None
    amount: str | None
    #: Further answers, each a port of its own, as `["escalate"]`.
    ports: Sequence[str]
    #: Whether the data may be changed with the answer.
    edits: bool
    #: Seconds until an answer is due, and between reminders from then on.
    due: float | str | timedelta | None
    remind: float | str | timedelta | None
    #: Through which of the operator's channels people are told, as `mail`, and who, where that is not all approvers.
    channel: str | Sequence[str]
    to: str | Sequence[str]
    #: Who is told as well, and may answer, when it takes too long: after so many seconds, else when it is due.
    escalate_to: str | Sequence[str]
    escalate_after: float | str | timedelta | None
    #: As of `node`.
    name: str
    notes: str
    retry: int | RetryPolicy | Mapping[str, Any] | None
    on_error: str | OnError | None
    join: str | int | Mapping[str, int] | JoinCount | None
    disabled: bool
    parent: NodeRef | str | None


#: What belongs to the node; all else is its config.
_OF_NODE: Final = frozenset({"after", "inputs", "name", "notes", "retry", "on_error", "join", "disabled", "parent"})


class Questions(Definitions):
    """The builders of the nodes that ask people."""

    def approval(
        self,
        id: str,  # noqa: A002  the word of the definition, the file and the page
        question: str,
        **options: Unpack[AskOptions],
    ) -> NodeRef:
        """Ask for a yes or no: its port `approved` fires, or `rejected`, or `expired` when nobody answers in time.

        ```python
        ok = flow.approval("ok", "Post {{ total.amount }} EUR?", after=big.true, preview="load", timeout=86400)

        @flow.node(after=ok.approved)
        def post(total): ...
        ```

        The run goes on with everything else, and is `paused` when nothing else is left; that costs nothing, and
        needs no process. Its output is the record of the answer: `port`, `data`, `comment`, `by`, `at`. What follows
        the node itself, and no port of it, runs whatever the answer is.

        Args:
            id: its id.
            question: what is asked; may be a template.
            options: see `AskOptions`.
        """
        return self._question("human.approval", id, question, options)

    def input(
        self,
        id: str,  # noqa: A002  as above
        question: str,
        fields: Any = None,
        **options: Unpack[AskOptions],
    ) -> NodeRef:
        """Ask for data; its output is what was given, and the port `submitted` fires.

        ```python
        class Posting(BaseModel):
            cost_centre: int = Field(ge=1000)
            day: date

        how = flow.input("how", "Where does it belong?", Posting)
        ```

        An answer that does not fit the form is refused with the field's message, and the question stays.

        Args:
            id: its id.
            question: what is asked; may be a template.
            fields: what is asked for: a pydantic model, a dataclass, or a JSON schema; `form=` means the same.
            options: see `AskOptions`.
        """
        options["form"] = options.get("form") if fields is None else fields
        return self._question("human.input", id, question, options)

    def decision(
        self,
        id: str,  # noqa: A002  as above
        question: str,
        choices: Sequence[str] = (),
        **options: Unpack[AskOptions],
    ) -> NodeRef:
        """Ask which way to go: the port of the chosen option fires.

        ```python
        which = flow.decision("which", "Who is meant by {{ load.0.name }}?", ["first", "second", "neither"])
        which.first >> post
        ```

        Args:
            id: its id.
            question: what is asked; may be a template.
            choices: the options, each a port; `ports=` means the same.
            options: see `AskOptions`.
        """
        options["ports"] = [*choices, *options.get("ports", ())]
        return self._question("human.decision", id, question, options)

    def review(
        self,
        id: str,  # noqa: A002  as above
        question: str,
        **options: Unpack[AskOptions],
    ) -> NodeRef:
        """Ask for a look over data, which the reviewer may change; its output is what came of them.

        ```python
        checked = flow.review("checked", "Are the lines right?", preview="load", edits=True)

        @flow.node(after=checked.approved)
        def post(checked): ...
        ```

        Args:
            id: its id.
            question: what is asked; may be a template.
            options: see `AskOptions`.
        """
        return self._question("human.review", id, question, options)

    def _question(self, type_: str, name: str, question: str, options: AskOptions) -> NodeRef:
        from flownb.graph.form_source import schema_of

        for unknown in options.keys() - AskOptions.__annotations__.keys():
            raise UsageError(
                f"{name}: a question has no option {unknown!r}.{near_names(unknown, AskOptions.__annotations__)}"
            )
        config: dict[str, Any] = {"question": question}
        given: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
        for key, value in given.items():
            if key in _OF_NODE:
                continue
            if key == "form":
                config[key] = schema_of(value, name)
            elif key == "preview":
                config[key] = [_shown(each) for each in value] if isinstance(value, list | tuple) else _shown(value)
            else:
                config[key] = _plain(value)
        of_node: NodeOptions = {key: value for key, value in given.items() if key in _OF_NODE}  # type: ignore[assignment]  # its names are among those of NodeOptions
        return self.define(type_, name, config, of_node)


def _shown(value: Any) -> Any:
    if isinstance(value, NodeRef):
        return value.id
    if isinstance(value, PortRef):
        return value.node
    if isinstance(value, Mapping):
        return {key: _shown(each) for key, each in value.items()}
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple | set | frozenset) else value
