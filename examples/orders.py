"""Orders of a shop: read, checked, summed up by region, and a week called busy or quiet.

From the repository's root:

    flownb run examples.orders:flow
    flownb run examples.orders:flow -p busy_from 20000
    flownb run examples/orders.json
"""

from __future__ import annotations

from flownb import Flow

flow = Flow("orders", description="Orders of a shop: read, checked, summed up by region.")
flow.variable("path", type="string", default="examples/data/orders.csv", description="where the orders are")
flow.variable("out", type="string", default="out/orders_by_region.csv", description="where the sums go")
flow.variable("flawed", type="string", default="out/orders_flawed.csv", description="where flawed orders go")
flow.variable("busy_from", type="number", default=8000, description="from which sum on a week is busy")

# A number with leading zeros stays text; other columns are guessed.
load = flow.add("files.read", "load", path="{{ path }}", types={"order_id": "text", "postcode": "text"})

# Flawed orders don't stop the run: they go to a file of their own.
sound = flow.add("control.filter", "sound", test="item.price != none and item.quantity > 0", rest=True)
keep = flow.add("files.write", "keep_flawed", path="{{ flawed }}")
load >> sound
sound.rest >> keep

# Whatever breaks one of these rules stops it, with a report that names every broken rule.
gate = flow.add(
    "control.assert",
    "gate",
    rules=[
        {"column": "order_id", "unique": True, "matches": "^[0-9]{5}$"},
        {"column": "price", "between": [0, 1000]},
        {"column": "status", "in": ["paid", "open", "cancelled"]},
        {"min_rows": 1},
    ],
)
paid = flow.add("control.filter", "paid", test="item.status == 'paid'")
priced = flow.add(
    "control.transform", "priced", each=True, keep=True, fields={"amount": "round(item.price * item.quantity, 2)"}
)
sound >> gate >> paid >> priced

regions = flow.add(
    "control.aggregate",
    "regions",
    by="region",
    compute=[
        {"name": "orders", "function": "count"},
        {"name": "amount", "function": "sum", "field": "amount"},
    ],
)
ranked = flow.add("control.sort", "ranked", by="amount", descending=True)
save = flow.add("files.write", "save", path="{{ out }}")
total = flow.add("control.aggregate", "total", compute={"amount": "sum(amount)", "orders": "count"})
priced >> regions >> ranked >> save
priced >> total

week = flow.switch("week", {"busy": "total.amount >= busy_from", "quiet": "total.orders > 0"})
flow.add(
    "control.transform", "busy_week", after=week.busy, fields={"text": "A busy week: {{ round(total.amount, 2) }} EUR"}
)
flow.add(
    "control.transform", "quiet_week", after=week.quiet, fields={"text": "A quiet week: {{ total.orders }} orders"}
)
flow.add("control.transform", "closed", after=week.default, fields={"text": "'Nothing was sold.'"})
