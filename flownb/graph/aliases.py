"""Other names for node types: what the five descriptions that flownb grew from called them.

They are accepted where a definition comes in, and nowhere else. Names are compared in kebab case without the words
that only say what kind of class it was, so that `IfConditionNode`, `IF_CONDITION` and `if-condition` are one entry.
"""

from __future__ import annotations

import re
from typing import Final

#: Kebab-case name on the left, our type id on the right.
TYPE_ALIASES: Final[dict[str, str]] = {
    "function": "python",
    "python-function": "python",
    # control
    "start": "control.start",
    "output": "control.output",
    "end": "control.output",
    "result": "control.output",
    "condition": "control.condition",
    "if": "control.condition",
    "if-condition": "control.condition",
    "switch": "control.switch",
    "loop": "control.loop",
    "loop-controller": "control.loop",
    "parallel": "control.parallel",
    "split": "control.parallel",
    "merge": "control.merge",
    "join": "control.merge",
    "delay": "control.delay",
    "wait": "control.delay",
    "set-variable": "control.set_variable",
    "transform": "control.transform",
    "data-transform": "control.transform",
    "filter": "control.filter",
    "split-out": "control.split",
    "aggregate": "control.aggregate",
    "summarize": "control.aggregate",
    "sort": "control.sort",
    "dedupe": "control.dedupe",
    "remove-duplicates": "control.dedupe",
    "limit": "control.limit",
    "assert": "control.assert",
    "error-handler": "control.error_handler",
    "subflow": "control.subflow",
    "stop": "control.stop",
    "wait-for-event": "control.wait_for_event",
    # people
    "human-approval": "human.approval",
    "approval": "human.approval",
    "human-in-the-loop": "human.approval",
    "hil-confirmation": "human.approval",
    "hil-data-input": "human.input",
    "hil-decision": "human.decision",
    "hil-review": "human.review",
    # triggers
    "trigger": "trigger.manual",
    "manual-trigger": "trigger.manual",
    "webhook-trigger": "trigger.webhook",
    "schedule-trigger": "trigger.schedule",
    "cron": "trigger.schedule",
    "cron-trigger": "trigger.schedule",
    "event-trigger": "trigger.event",
    # the outside world
    "http-request": "http.request",
    "api-call": "http.request",
    "webhook": "http.webhook",
    "database-query": "sql.query",
    "database": "sql.query",
    "email": "mail.send",
    "web-search": "search.web",
    "hubspot-create-contact": "hubspot.create_contact",
    "hubspot-update-deal": "hubspot.update_deal",
    "hubspot-add-note": "hubspot.add_note",
    "hubspot-search-contacts": "hubspot.search_contacts",
    "action": "service.action",
    "service-action": "service.action",
    "run-code": "code.run",
    "filesystem-read": "files.read",
    "filesystem-write": "files.write",
    "filesystem-watch": "files.watch",
    "filesystem-bridge": "files.bridge",
    "filesystem": "files.bridge",
    "notebook": "notebook.run",
    # AI
    "prompt-execution": "ai.prompt",
    "prompt": "ai.prompt",
    "llm-agent": "ai.agent",
    "agent": "ai.agent",
    "ai-agent": "ai.agent",
    "context-aware-llm": "ai.agent",
    "gemini": "ai.agent",
    "openai": "ai.agent",
    "claude": "ai.agent",
    "llama": "ai.agent",
    "ollama": "ai.agent",
    "ai-router-agent": "ai.agent",
    "ai-task-analyzer": "ai.agent",
    "ai-data-integrator": "ai.agent",
    "ai-report-generator": "ai.agent",
    "tool": "ai.tool",
    "ai-tool": "ai.tool",
    "memory": "ai.memory",
    "ai-memory": "ai.memory",
    # the desktop
    "click-action": "desktop.click",
    "desktop-click": "desktop.click",
    "type-text-action": "desktop.type",
    "desktop-type": "desktop.type",
    "screenshot": "desktop.screenshot",
    "desktop-screenshot": "desktop.screenshot",
    "ocr": "desktop.ocr",
    "ocr-result": "desktop.ocr",
    "desktop-ocr": "desktop.ocr",
    "live-desktop": "interface.live_desktop",
    "interface.live-desktop": "interface.live_desktop",
}

#: Every type id that the design names; a registry says of those it lacks that they are still to come.
NAMED: Final[frozenset[str]] = frozenset(
    f"{family}.{name}"
    for family, names in {
        "control": "start output condition switch loop parallel merge delay set_variable transform filter split "
        "aggregate sort dedupe limit decision_table assert subflow wait_for_event error_handler respond stop",
        "code": "run",
        "human": "approval input decision review",
        "trigger": "manual schedule webhook event file error status",
        "http": "request webhook",
        "sql": "query",
        "mail": "send",
        "search": "web",
        "hubspot": "create_contact update_deal add_note search_contacts",
        "ai": "prompt agent tool memory",
        "desktop": "screenshot click type key scroll drag wait_for ocr find assert launch",
        "interface": "live_desktop",
        "files": "read write watch bridge",
        "service": "action",
        "notebook": "run",
    }.items()
    for name in names.split()
) | {"python"}

#: The extra that brings what a family of types needs.
EXTRAS: Final[dict[str, str]] = {"ai": "ai", "desktop": "desktop", "interface": "desktop", "mail": "notify"}

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_KIND = re.compile(r"(?:-node)?(?:-executor)?(?:-v\d+)?$")


def canonical_type(name: str) -> str:
    """Our id for a node type that may go by another name; a name that nobody knows comes back as it is."""
    if name in NAMED:
        return name
    kebab = re.sub(r"[\s_]+", "-", _HUMP.sub("-", name)).strip("-").lower()
    return TYPE_ALIASES.get(kebab) or TYPE_ALIASES.get(_KIND.sub("", kebab)) or name
