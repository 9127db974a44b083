"""Other forms of a workflow, read at the border: what comes in is ours or becomes ours, and the rest is told.

A document that says its `format` is ours. Any other is taken for one of the forms of the five descriptions that flownb
grew from (`seeds.py`); what is not understood there becomes a warning with its place, never a crash.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flownb.model import document as ours
from flownb.model.checker import check_data
from flownb.model.problem import Problem, Severity
from flownb.model.walk import Walk

if TYPE_CHECKING:
    from flownb.graph.dialects.wiring import Keyed
    from flownb.model.workflow import Workflow

#: One of these keys at the top makes a document without a format a workflow of another form.
_SIGNS = frozenset({"nodes", "definition", "connections", "edges"})


def read(document: ours.Source, *, keyed: Keyed | None = None) -> tuple[Workflow | None, list[Problem]]:
    """The workflow of a document in any form that is known, and every problem of it, each with its place.

    Args:
        document: text, bytes, the path of a file, or plain data.
        keyed: whether a `connections` map has its nodes as `target` (with what comes in) or as `source` (with what
            goes out); by default its shape tells.

    The workflow is None where a problem is an error; what was left out or renamed is a warning.

    Raises:
        NotFound: no such file.
    """
    plain, problems = ours.parse(ours.content(document))
    if any(each.severity is Severity.ERROR for each in problems):
        return None, problems
    if not isinstance(plain, Mapping) or "format" in plain or not _SIGNS & set(plain):
        workflow, found = ours.check(plain)
        return workflow, problems + found
    workflow, found = _translated(plain, keyed)
    return workflow, problems + found


def _translated(plain: Mapping[str, Any], keyed: Keyed | None) -> tuple[Workflow | None, list[Problem]]:
    from flownb.graph.dialects.seeds import translate  # a document in our own form needs none of it

    walk = Walk(plain)
    data = check_data(walk, dict(plain) if not isinstance(plain, dict) else plain)
    if walk.problems:
        return None, walk.problems
    translation, findings = translate(data, keyed)
    workflow, problems = ours.check(translation)
    return workflow, [*findings.problems, *map(findings.at_its_origin, problems)]
