"""Seattle's wettest months, from four years of real observations.

From the repository's root:

    flownb run examples.weather:flow
    flownb run examples.weather:flow -p most 12
    flownb run examples/weather.json

If the data breaks a rule, the run goes the other way and says what is wrong, instead of failing.
"""

from __future__ import annotations

from flownb import Flow

flow = Flow("weather", description="The wettest months in Seattle, 2012 to 2015.")
flow.variable("path", type="string", default="examples/data/seattle-weather.csv", description="where the days are")
flow.variable("out", type="string", default="out/wettest_months.parquet", description="where the months go")
flow.variable("most", type="number", default=3, description="how many months to keep")

load = flow.add("files.read", "load", path="{{ path }}", types={"date": "datetime"})
gate = flow.add(
    "control.assert",
    "gate",
    on_fail="port",
    rules=[
        {"columns": ["date", "precipitation", "temp_max", "temp_min"]},
        {"column": "date", "not_null": True, "unique": True},
        {"column": "precipitation", "between": [0, 500]},
        {"name": "the day is warmer than the night", "test": "item.temp_max >= item.temp_min"},
        {"column": "weather", "in": ["drizzle", "fog", "rain", "snow", "sun"]},
    ],
)
load >> gate

months = flow.add(
    "control.transform",
    "months",
    each=True,
    fields=[
        {"name": "month", "value": "item.date[0:7]"},
        {"name": "rain", "value": "item.precipitation"},
        {"name": "warmest", "value": "item.temp_max"},
    ],
)
sums = flow.add(
    "control.aggregate",
    "sums",
    by="month",
    compute=[
        {"name": "rain", "function": "sum", "field": "rain"},
        {"name": "days", "function": "count"},
        {"name": "warmest", "function": "max", "field": "warmest"},
    ],
)
wettest = flow.add("control.sort", "wettest", by="rain", descending=True)
top = flow.add("control.limit", "top", count="{{ most }}")
save = flow.add("files.write", "save", path="{{ out }}")
gate.passed >> months >> sums >> wettest >> top >> save

flow.add("control.transform", "refused", fields={"why": "gate.message"}, after=gate.failed)
