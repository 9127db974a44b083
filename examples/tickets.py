"""Support tickets: exported twice, open, by urgency; the most urgent ones as a list for the morning.

From the repository's root:

    flownb run examples.tickets:flow
    flownb run examples.tickets:flow -p most 3
    flownb run examples/tickets.json
"""

from __future__ import annotations

from flownb import Flow

flow = Flow("tickets", description="The most urgent open tickets, and how long each customer tier waits.")
flow.variable("path", type="string", default="examples/data/tickets.json", description="where the tickets are")
flow.variable("out", type="string", default="out/tickets_today.json", description="where the list goes")
flow.variable("most", type="number", default=5, description="how many tickets to list")

load = flow.add("files.read", "load", path="{{ path }}")

# The file has a table with a list in it; a ticket that was exported twice counts once, as it is now.
newest = flow.add("control.dedupe", "newest", items="{{ load.tickets }}", by="id", keep="last")
still_open = flow.add(
    "control.filter", "still_open", test={"type": "equals", "left": "{{ item.state }}", "right": "open"}
)
rated = flow.add(
    "control.transform",
    "rated",
    each=True,
    fields=[
        {"name": "id", "value": "item.id"},
        {"name": "line", "value": "{{ item.customer.name }}: {{ item.subject }}"},
        {"name": "tier", "value": "item.customer.tier"},
        {"name": "days", "value": "round(days(last(item.messages).at, load.exported), 1)"},
        {
            "name": "urgency",
            "value": "(3 if item.priority == 'high' else 1) + (2 if item.customer.tier == 'gold' else 0)",
        },
    ],
)
newest >> still_open >> rated

by_urgency = flow.add("control.sort", "by_urgency", by=["urgency", "days"], descending=True)
today = flow.add("control.limit", "today", count="{{ most }}")
save = flow.add("files.write", "save", path="{{ out }}")
rated >> by_urgency >> today >> save

waiting = flow.add(
    "control.aggregate", "waiting", by="tier", compute={"tickets": "count", "longest": "max(days)", "ids": "list(id)"}
)
rated >> waiting
