"""Documents in the forms of the five descriptions, of React Flow and of n8n."""

from __future__ import annotations

from typing import Any

#: The first: inputs that name their source, type names of classes, conditions as objects.
S0: dict[str, Any] = {
    "id": "wf-0",
    "nodes": [
        {"id": "hook", "type": "WebhookTriggerNode", "config": {"webhook_url": "/in"}},
        {
            "id": "check",
            "type": "IfConditionNode",
            "config": {"condition": {"type": "greater_than", "left": "{{hook.total}}", "right": 3}},
            "inputs": [{"name": "input", "source_node_id": "hook"}],
        },
        {
            "id": "click",
            "type": "ClickActionNode",
            "config": {"coordinates": {"x": 1, "y": 2}, "click_type": "left"},
            "inputs": [{"name": "coordinates", "source_node_id": "check", "source_output": "true"}],
        },
        {"id": "wait", "type": "DelayNode", "inputs": [{"name": "delay_seconds", "source_node_id": "hook"}]},
    ],
}
#: The second: React Flow's nodes and edges, camel case, the columns of its table of workflows.
S1: dict[str, Any] = {
    "id": "7f0c",
    "name": "Inbox",
    "userId": "u-1",
    "workspaceId": "ws-1",
    "visibility": "team",
    "isTemplate": True,
    "templateCategory": "customer-support",
    "complexity": "advanced",
    "isFeatured": True,
    "downloadCount": 12,
    "rating": "4.5",
    "roiBadge": "10x",
    "isPublished": True,
    "publishedVersion": 3,
    "webhookSecret": "s3cr3t",
    "createdAt": "2026-01-01T00:00:00Z",
    "nodes": [
        {
            "id": "node-1",
            "type": "trigger",
            "position": {"x": 10, "y": 20},
            "data": {"label": "Start"},
            "width": 150,
            "selected": True,
        },
        {
            "id": "node-2",
            "type": "llm-agent",
            "position": {"x": 1, "y": 2},
            "data": {"prompt": "Sum up {{node-1.text}}"},
        },
        {
            "id": "node-3",
            "type": "human-approval",
            "data": {"label": "Fine?", "title": "Send it?"},
            "position": {"x": 5, "y": 6},
        },
        {
            "id": "node-4",
            "type": "custom",
            "data": {"type": "hubspot-add-note", "note": "x"},
            "position": {"x": 7, "y": 8},
        },
    ],
    "edges": [
        {
            "id": "e1",
            "source": "node-1",
            "target": "node-2",
            "sourceHandle": "out",
            "targetHandle": None,
            "animated": True,
        },
        {"id": "e2", "source": "node-2", "target": "node-3", "type": "smoothstep", "data": {"label": "then"}},
        {"id": "e3", "source": "node-3", "target": "node-4", "sourceHandle": "approved", "targetHandle": "in"},
    ],
}
#: The third: a definition inside, edges with outputs and inputs, paths of conditions, retry policies.
S2: dict[str, Any] = {
    "name": "Nightly",
    "description": "what it does",
    "version": 4,
    "status": "active",
    "created_by": "ada",
    "tags": ["night"],
    "definition": {
        "nodes": [
            {"id": "start", "type": "start", "name": "Start", "position": {"x": 0, "y": 0}},
            {
                "id": "ask",
                "type": "prompt_execution",
                "name": "Ask",
                "description": "the model",
                "position": {"x": 1, "y": 2},
                "config": {"prompt_id": "p", "provider_model": "ollama:llama3", "input_mapping": {"a": "b"}},
                "inputs": [{"name": "text", "type": "string", "required": True}],
                "outputs": [{"name": "answer", "type": "string"}],
                "retry_policy": {
                    "max_attempts": 5,
                    "delay_ms": 1500,
                    "backoff_multiplier": 3,
                    "retry_on_errors": ["timeout"],
                },
            },
            {
                "id": "check",
                "type": "CONDITION",
                "name": "Check",
                "position": {"x": 2, "y": 2},
                "config": {"condition": "answer == 'yes'", "true_path": "done", "false_path": "other"},
            },
            {"id": "done", "type": "end", "name": "Done", "position": {"x": 3, "y": 2}, "config": {}},
            {"id": "other", "type": "DATA_TRANSFORM", "name": "Other", "position": {"x": 3, "y": 3}, "config": {}},
        ],
        "edges": [
            {
                "id": "e1",
                "source_node_id": "start",
                "target_node_id": "ask",
                "source_output": "output",
                "target_input": "text",
                "condition": "start.ok",
            },
            {
                "id": "e2",
                "source_node_id": "ask",
                "target_node_id": "check",
                "source_output": "answer",
                "target_input": "input",
            },
            {"id": "e3", "source_node_id": "check", "target_node_id": "done", "source_output": "", "target_input": ""},
        ],
        "variables": [
            {"name": "limit", "type": "number", "default_value": 3, "description": "how many"},
            {"name": "Owner name", "type": "string"},
        ],
        "triggers": [{"type": "manual", "config": {}}, {"type": "schedule", "config": {"cron": "0 3 * * *"}}],
    },
}
#: The fourth: a version as text, tasks with limits, handlers of errors.
S3: dict[str, Any] = {
    "id": "wf",
    "version": "2.1.0",
    "nodes": [
        {"id": "a", "type": "python", "timeout": 30, "resource_limits": {"memory_mb": 512}},
        {"id": "b", "type": "join"},
    ],
    "edges": [{"from": "a", "to": "b"}],
    "variables": {"limit": 3, "who": None},
    "triggers": [{"id": "night", "type": "EVENT", "config": {"event_type": "x", "correlation_key": "k"}}],
    "error_handlers": [
        {"error_type": "timeout", "action": "terminate"},
        {"error": "validation", "strategy": "compensate", "target_node_id": "b"},
        {"error": "execution", "strategy": "retry"},
    ],
}
#: The fifth: subtypes, parameters, and a map of what comes in by type of connection.
S4: dict[str, Any] = {
    "id": "wf_67890",
    "nodes": [
        {
            "name": "Customer Analysis Agent",
            "type": "AI_AGENT_NODE",
            "subtype": "GEMINI_NODE",
            "parameters": {"system_prompt": "You are …", "temperature": 0.3},
        },
        {"name": "Customer Database Tool", "type": "TOOL_NODE"},
        {"name": "Customer Interaction History", "type": "MEMORY_NODE"},
        {"id": "ingest", "name": "Data Ingestion", "type": "ACTION_NODE", "subtype": "HTTP_REQUEST"},
        {"id": "hil", "name": "Sure?", "type": "HUMAN_IN_THE_LOOP_NODE", "subtype": "HIL_DATA_INPUT", "parameters": {}},
    ],
    "connections": {
        "Customer Analysis Agent": {
            "connection_types": {
                "ai_tool": {"connections": [{"node": "Customer Database Tool", "type": "AI_TOOL"}]},
                "ai_memory": {"connections": [{"node": "Customer Interaction History", "type": "AI_MEMORY"}]},
                "main": {"connections": [{"node": "Data Ingestion", "type": "MAIN", "index": 0}]},
            }
        },
        "Sure?": {"connection_types": {"MAIN": {"connections": [{"node": "Customer Analysis Agent", "type": "MAIN"}]}}},
    },
}
#: n8n: connections by their source, an inner list for each output.
N8N: dict[str, Any] = {
    "name": "My workflow",
    "active": True,
    "tags": [{"id": "1", "name": "sales"}],
    "settings": {"executionOrder": "v1", "timezone": "Europe/Berlin"},
    "pinData": {},
    "nodes": [
        {
            "id": "3f1d-…",
            "name": "Get rows",
            "type": "http-request",
            "typeVersion": 4.2,
            "position": [240, 300],
            "parameters": {"url": "https://example.org"},
            "retryOnFail": True,
            "maxTries": 4,
            "waitBetweenTries": 2000,
            "onError": "continueErrorOutput",
            "notes": "slow",
        },
        {"id": "b1", "name": "If", "type": "if", "position": [460, 300], "parameters": {}, "disabled": False},
        {"id": "c1", "name": "Yes", "type": "transform", "position": [680, 200], "onError": "stopWorkflow"},
        {"id": "d1", "name": "No", "type": "transform", "position": [680, 400]},
        {"id": "e1", "name": "Model", "type": "tool", "position": [0, 0]},
    ],
    "connections": {
        "Get rows": {
            "main": [[{"node": "If", "type": "main", "index": 0}], [{"node": "No", "type": "main", "index": 0}]]
        },
        "If": {"main": [[{"node": "Yes", "type": "main", "index": 0}], [{"node": "No", "type": "main", "index": 0}]]},
        "Model": {"ai_languageModel": [[{"node": "Yes", "type": "ai_languageModel", "index": 0}]]},
        "Gone": {"main": [[{"node": "If", "type": "main", "index": 0}]]},
    },
}
ALL: dict[str, dict[str, Any]] = {"S0": S0, "S1": S1, "S2": S2, "S3": S3, "S4": S4, "n8n": N8N}
