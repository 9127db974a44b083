"""What can be said of a question to people, in the words of every kind and under the names of the seeds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, field_validator, model_validator

from flownb.model.ports import AFTER, ERROR, MAIN
from flownb.nodes.durations import Duration

EXPIRED: Final = "expired"
#: What no answer can be called.
TAKEN: Final = (MAIN, ERROR, AFTER, EXPIRED)
#: The names of the field that says what is shown.
PREVIEWS: Final = ("preview", "preview_data", "previewData", "context_data", "contextData")
_PORTS: Final = ("ports", "options", "output_ports")
_MINUTE: Final = 60


def _called(*names: str) -> Any:
    return AliasChoices(*names)


class HumanConfig(BaseModel):
    """The config of every question."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    question: str = Field(
        min_length=1,
        validation_alias=_called("question", "title"),
        description="What is asked, as `Post {{ total.amount }} EUR?`",
    )
    details: str = Field("", validation_alias=_called("details", "message"), description="More about it, if needed.")
    preview: Any = Field(
        None,
        validation_alias=_called(*PREVIEWS),
        description="What is shown beside it: an expression as `load`, a list of them, or `before` and `after` for "
        "their difference.",
    )
    form: dict[str, Any] | None = Field(None, description="What comes with an answer, as JSON schema.")
    approvers: list[str] = Field(
        default_factory=list,
        validation_alias=_called("approvers", "required_approvers", "assigned_user_id", "assignedUserId"),
        description="Who may answer: names of users and groups; everybody, if none is named.",
    )
    approvals_needed: int = Field(
        1, ge=1, validation_alias=_called("approvals_needed", "approval_threshold"), description="Votes to approve."
    )
    rejections_needed: int = Field(
        1, ge=1, validation_alias=_called("rejections_needed", "rejection_threshold"), description="Votes to reject."
    )
    self_approval: bool = Field(True, description="Whether who started the run may answer.")
    timeout: Duration | None = Field(None, gt=0, allow_inf_nan=False, description="Seconds to wait for an answer.")
    timeout_minutes: float | None = Field(None, gt=0, allow_inf_nan=False, description="The same in minutes.")
    expires_at: datetime | None = Field(
        None, validation_alias=_called("expires_at", "expiresAt"), description="Or the moment to wait for."
    )
    on_timeout: Literal["expired", "auto_approve", "auto_reject", "fail"] = Field(
        "expired",
        validation_alias=_called("on_timeout", "timeout_action"),
        description="What happens then: the port `expired` fires, an automatic answer, or the node fails.",
    )
    default: Any = Field(None, description="What comes with an automatic answer; of a decision, the option.")
    condition: str | dict[str, Any] | None = Field(
        None, description="Somebody is asked only where this holds, as `total.amount > 1000`."
    )
    auto_approve_below: float | None = Field(None, description="Nobody is asked where the amount is below this.")
    amount: str | None = Field(None, description="The amount, as `total.amount`; else what comes in at `main`.")
    ports: list[str] = Field(
        default_factory=list,
        validation_alias=_called(*_PORTS),
        description="Further answers, each a port of its own, as `escalate`.",
    )
    edits: bool = Field(False, description="Whether the data may be changed with the answer.")
    due: Duration | None = Field(None, gt=0, allow_inf_nan=False, description="Seconds until an answer is due.")
    remind: Duration | None = Field(
        None, gt=0, allow_inf_nan=False, description="Seconds between reminders from then on."
    )
    channel: list[str] = Field(
        default_factory=list,
        validation_alias=_called("channel", "channels", "channel_type"),
        description="Through which of the operator's channels people are told, as `mail`; besides, it is shown here.",
    )
    to: list[str] = Field(
        default_factory=list, description="Who is told: people, groups, rooms as `#finance`; else all approvers."
    )
    slack_channel: str = Field("", description="The room, where the channel is a chat.")
    escalate_to: list[str] = Field(
        default_factory=list, description="Who is told as well, and may answer, when it takes too long."
    )
    escalate_after: Duration | None = Field(
        None, gt=0, allow_inf_nan=False, description="Seconds until it takes too long; else when it is due."
    )

    @field_validator("approvers", "channel", "to", "escalate_to", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) and value else value or []

    @field_validator("question", "details", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int | float) else value

    @field_validator("ports")
    @classmethod
    def _free_identifiers(cls, ports: list[str]) -> list[str]:
        for number, port in enumerate(ports):
            if not port.isidentifier():
                raise ValueError(f"{port!r} can't be a port: it is called like a variable, of letters, digits and _")
            if port in TAKEN:
                raise ValueError(f"no answer can be called {', '.join(TAKEN)}")
            if port in ports[:number]:
                raise ValueError(f"there are two answers {port!r}")
        return ports

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        times = [self.timeout, self.timeout_minutes, self.expires_at]
        if sum(each is not None for each in times) > 1:
            raise ValueError("give timeout, timeout_minutes or expires_at, one of them")
        if self.on_timeout != EXPIRED and all(each is None for each in times):
            raise ValueError(f"on_timeout is {self.on_timeout!r}, and there is no timeout")
        if self.remind is not None and self.due is None:
            raise ValueError("reminders begin when an answer is due: give due as well")
        if self.escalate_after is not None and not self.escalate_to:
            raise ValueError("escalate_after needs escalate_to: who is told then")
        if self.escalate_to and self.escalate_after is None and self.due is None:
            raise ValueError("escalate_to needs escalate_after, or due: when they are told")
        return self

    @property
    def told(self) -> tuple[str, ...]:
        """Who is told, if not all approvers; a room is called as `#finance`."""
        room = f"#{self.slack_channel.removeprefix('#')}" if self.slack_channel else ""
        return (*self.to, *([room] if room else []))

    @property
    def escalates_in(self) -> float | None:
        """Seconds until others are asked as well."""
        if not self.escalate_to:
            return None
        return self.due if self.escalate_after is None else self.escalate_after

    @property
    def seconds(self) -> float | None:
        """How long it waits."""
        return self.timeout if self.timeout_minutes is None else self.timeout_minutes * _MINUTE


class InputConfig(HumanConfig):
    """The config of a question for data."""

    @model_validator(mode="after")
    def _is_answered_by_data(self) -> Self:
        if self.on_timeout == "auto_reject":
            raise ValueError("an input can't be rejected: on_timeout is expired, auto_approve or fail")
        if self.form is None:
            raise ValueError("an input needs a form: which fields are asked for")
        return self


class DecisionConfig(HumanConfig):
    """The config of a question with several answers."""

    @model_validator(mode="after")
    def _has_options(self) -> Self:
        if len(self.ports) < 2:  # noqa: PLR2004  a choice
            raise ValueError("a decision needs options: two or more names")
        automatic = self.on_timeout == "auto_approve" or self.condition is not None
        automatic = automatic or self.auto_approve_below is not None
        if automatic and self.default not in self.ports:
            raise ValueError(f"`default` must be the option for when nobody is asked or answers: {self.ports}")
        if self.on_timeout == "auto_reject":
            raise ValueError("a decision can't be rejected: on_timeout is expired, auto_approve or fail")
        return self


class ReviewConfig(HumanConfig):
    """The config of a look over something."""


def names_of(config: Mapping[str, Any]) -> list[str]:
    """The answers that a config adds, which may be anything."""
    given = next((config[name] for name in _PORTS if name in config), None)
    return [each for each in given if isinstance(each, str)] if isinstance(given, list | tuple) else []


def form_faults(form: Any) -> list[str]:
    """What is wrong with a form, whatever it is."""
    if form is None or not isinstance(form, Mapping):
        return []  # the type of the field is checked elsewhere
    faults = []
    if form.get("type", "object") != "object" and "$ref" not in form:
        faults.append(f"a form is a table of fields: its type is 'object', and not {form.get('type')!r:.40}.")
    properties = form.get("properties", {})
    if not isinstance(properties, Mapping):
        return [*faults, "the properties of a form are a table: a schema for each field."]
    for name, each in properties.items():
        if not isinstance(each, Mapping | bool):
            faults.append(f"the field {name!r} of the form is {each!r:.40}; it should be a JSON schema.")
        elif isinstance(each, Mapping) and isinstance(each.get("pattern"), str) and not _is_pattern(each["pattern"]):
            faults.append(f"the pattern of the field {name!r} can't be read: {each['pattern']!r:.60}.")
    required = form.get("required", [])
    missing = [name for name in required if name not in properties] if isinstance(required, list) else []
    if missing and form.get("additionalProperties") is False:
        faults.append(f"the form requires {missing[0]!r}, which is none of its fields.")
    return faults


def _is_pattern(text: str) -> bool:
    import re2

    try:
        re2.compile(text)
    except re2.error:
        return False
    return True
