"""Results that are used again: found by what they depend on, in the journals of earlier runs.

The key of a result is the digest of its node's type, config and code (`node_key`) and of the stored forms of its
inputs; of a node with expressions also of the run's variables, which these may read. A result lies in the run that
computed it and goes with it. Off unless a node asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flownb.errors import FlownbError
from flownb.graph.nodetype import Output
from flownb.model import events as ev
from flownb.model.fingerprint import digest_of, node_key
from flownb.store import values

if TYPE_CHECKING:
    from flownb.run.body import Body
    from flownb.run.executor import Execution


class Cache:
    """The cached results of one run at work; only runs that have a node with a cache get one."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._nodes: dict[str, str] = {}
        #: What the results of the nodes in flight will be found by.
        self._keys: dict[int, str] = {}

    def use(self, body: Body) -> bool:
        """Complete a node with the result of an earlier run, if there is one that holds."""
        execution = self._execution
        cache = body.node.cache
        key = self._key(body)
        if cache is None or not cache.enabled or key is None:
            return False
        found = execution.store.cached(key)
        now = execution.engine.now()
        if found is None or (cache.ttl is not None and now - found.event.at > cache.ttl):
            self._keys[body.number] = key
            return False
        event = found.event
        assert isinstance(event, ev.NodeCompleted)
        try:
            verdicts = self._verdicts(body, event)
        except (FlownbError, LookupError):  # an artifact is gone, or a condition fails: the node itself will say so
            self._keys[body.number] = key
            return False
        again = ev.NodeCompleted(
            at=now,
            node=body.path,
            output=event.output,
            ports=event.ports,
            values=event.values,
            verdicts=verdicts,
            source="cache",
        )
        execution.record(again)
        return True

    def keep(self, number: int, completed: ev.NodeCompleted) -> None:
        """Note that a result, which was recorded just now, may be used again."""
        key = self._keys.pop(number, None)
        plain = [completed.output, *completed.values.values()]
        if key is None or any(values.is_transient(each) for each in plain):
            return
        execution = self._execution
        event = ev.ResultCached(at=completed.at, node=completed.node, key=key, seq=execution.state.seq)
        execution.record(event)

    def _key(self, body: Body) -> str | None:
        inputs = self._execution.values.plain_arguments(body)
        if any(values.is_transient(each) for each in inputs.values()):
            return None
        node = self._nodes.get(body.node.id)
        if node is None:
            node = self._nodes[body.node.id] = node_key(body.node)
        state = self._execution.state
        variables = {**state.inputs, **state.variables} if body.reads_variables else None
        return digest_of([node, inputs, variables])

    def _verdicts(self, body: Body, event: ev.NodeCompleted) -> dict[str, bool]:
        execution = self._execution
        if body.number not in execution.state.topology.wires:
            return {}
        decode = execution.values.decode
        ports: dict[str, Any] = {port: decode(each) for port, each in event.values.items()}
        return execution.values.verdicts(body.number, Output(decode(event.output), event.ports, ports))
