"""A state of a run as it is now, kept while the run goes on: for those who look back."""

from __future__ import annotations

import copy
from array import array
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from flownb.model.bodies import Block
    from flownb.model.state import RunState

_CONTAINERS: Final = (list, dict, set, bytearray, array)
#: What of a state the fold changes inside of a container; all other values in one are put there and never changed.
_NESTED: Final = ("join_counts", "signals", "steps")


def snapshot(state: RunState) -> RunState:
    """A copy that can be folded on without any effect on the state.

    Values are shared, as nobody changes them. It costs as much as the run has nodes.
    """
    made = copy.copy(state)
    for name in state.FIELDS:
        value = getattr(state, name)
        if isinstance(value, _CONTAINERS):
            setattr(made, name, copy.copy(value))
    for name in _NESTED:
        setattr(made, name, {key: copy.copy(value) for key, value in getattr(state, name).items()})
    made.approvals = {key: {**kept, "votes": list(kept["votes"])} for key, kept in state.approvals.items()}
    made.topology = state.topology.private_copy()
    if state.blocks:
        _copy_blocks(state, made)
    return made


def _copy_blocks(state: RunState, made: RunState) -> None:
    """Rounds count what is left in them, and are known by their loop and by their instances."""
    known: dict[int, Block] = {}

    def copied(block: Block) -> Block:
        found = known.get(id(block))
        if found is None:
            found = known[id(block)] = msgspec.structs.replace(block)
        return found

    made.blocks = {
        loop: {index: copied(each) for index, each in rounds.items()} for loop, rounds in state.blocks.items()
    }
    made.block_of = [copied(each) for each in state.block_of]
    made.finished_blocks = [copied(each) for each in state.finished_blocks]
