"""The expression language: `{{ }}` in text, and conditions, over plain data.

Small and safe by construction: Python's own parser reads a line of placeholders that we make from our own tokens, and a
whitelist of its nodes is compiled to closures over plain data (dict, list, str, numbers, bool, None). No attribute of a
value is ever looked up. Whatever the text and the data, the outcome is plain data or an `ExpressionError` with `.text`
and `.position`, within 50 ms and 20 MB; only a lone name hands on the very value that the data has under it.

```
tokens → parse → compile → paths, closures, operators, functions (clock, pattern) → plain, text
                           access, frame: what may be seen of a value
expression, template, condition, check: the public faces     limits, refusal: the bounds, and how it fails
```

The functions are listed in `functions.py`, the operators of conditions as objects in `condition.py`.
"""

from __future__ import annotations

from flownb.expr.check import Finding, check
from flownb.expr.condition import compile_condition
from flownb.expr.expression import Condition, Data, Expression, compile_expression, evaluate
from flownb.expr.template import Template, compile_template, render

__all__ = [
    "Condition",
    "Data",
    "Expression",
    "Finding",
    "Template",
    "check",
    "compile_condition",
    "compile_expression",
    "compile_template",
    "evaluate",
    "render",
]
