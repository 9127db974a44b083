"""Workflows that several tests use."""

from __future__ import annotations

from flownb.model.ports import ConnectionType
from flownb.model.status import (
    Complexity,
    FailurePolicy,
    OnCrash,
    OnError,
    TemplateCategory,
    Visibility,
    Where,
    WorkflowStatus,
)
from flownb.model.workflow import (
    Cache,
    Edge,
    ErrorHandler,
    JoinCount,
    Limits,
    Node,
    RetryPolicy,
    Settings,
    Template,
    Trigger,
    Variable,
    Watch,
    Workflow,
)

#: A workflow with a value that is no default in every field.
FULL = Workflow(
    id="w1",
    name="Invoices · Übersicht",
    description="Two\nlines",
    version=3,
    status=WorkflowStatus.ACTIVE,
    tags=("money", "monthly"),
    visibility=Visibility.TEAM,
    created_by="ada",
    owner="grace",
    workspace="books",
    template=Template(
        category=TemplateCategory.SALES,
        complexity=Complexity.ADVANCED,
        featured=True,
        downloads=7,
        rating=4.5,
        badge="10x",
    ),
    variables=(
        Variable(name="path", type="file", default="a.csv"),
        Variable(name="token", secret=True, description="of the API"),
        Variable(name="nothing", default=None),
    ),
    triggers=(Trigger(id="t", type="trigger.schedule", config={"cron": "0 7 * * *"}, enabled=False),),
    nodes=(
        Node(id="load", type="python", name="Load", config={"deep": [1, 2.5, {"a": [None, True, "ü"]}], "empty": {}}),
        Node(
            id="post",
            type="http.request",
            type_version=2,
            parent="load",
            join=JoinCount(2),
            retry=RetryPolicy(attempts=5, delay=0.5, backoff=1, max_delay=9, jitter=0, on=("timeout",)),
            timeout=5,
            heartbeat=2,
            on_error=OnError.FALLBACK,
            fallback={"ok": False},
            on_crash=OnCrash.ASK,
            where=Where.PROCESS,
            cache=Cache(enabled=True, ttl=60),
            limits=Limits(memory_mb=512, cpu_seconds=1.5, resources={"gpu": 1}),
            disabled=True,
            notes="careful",
            pinned=None,
        ),
    ),
    edges=(
        Edge(
            source="load",
            target="post",
            source_port="rows",
            target_port="tool",
            type=ConnectionType.AI_TOOL,
            condition="load > 3",
        ),
        Edge(source="load", target="post", target_port="after"),
    ),
    error_handlers=(ErrorHandler(error="timeout", strategy=OnError.CONTINUE, target="post"),),
    settings=Settings(
        concurrency=4,
        timeout=60,
        failures=FailurePolicy.COLLECT,
        resources={"gpu": 2},
        overlap="queue",
        time_zone="Europe/Berlin",
        budget={"EUR": 1.5},
        watch=Watch(node_seconds=None, run_seconds=60, memory_mb=1000),
    ),
    positions={"post": (120, 40.5), "load": (0, 0)},
)
