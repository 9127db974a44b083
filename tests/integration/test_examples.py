"""The examples do what they say, as modules and as documents, and the commands in them run."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from flownb.model.document import from_json

if TYPE_CHECKING:
    from flownb import Flow

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.py"))


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Examples are run from the repository's root."""
    monkeypatch.chdir(ROOT)


def flow_of(name: str) -> Flow:
    flow: Flow = importlib.import_module(f"examples.{name}").flow
    return flow


def run(name: str, **inputs: Any) -> Any:
    return flow_of(name).run(store="memory:", display=False, **inputs)


def test_there_are_examples() -> None:
    assert EXAMPLES == ["limits", "orders", "tickets", "weather"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_without_problems_and_its_document_is_the_same_workflow(name: str) -> None:
    flow = flow_of(name)
    assert flow.validate() == []
    path = ROOT / "examples" / f"{name}.json"
    again = f"python -c \"import examples.{name} as m; open('{path}', 'w').write(m.flow.build().to_json())\""
    assert path.read_text(encoding="utf-8") == flow.build().to_json(), (
        f"The module was changed; write it again: {again}"
    )
    assert from_json(path) == flow.build()


def test_orders_are_summed_up_as_pandas_does_it(tmp_path: Path) -> None:
    out, flawed = tmp_path / "sums.csv", tmp_path / "flawed.csv"
    found = run("orders", out=str(out), flawed=str(flawed)).result(20)
    orders = pd.read_csv("examples/data/orders.csv", dtype={"order_id": str})
    broken = orders[orders.price.isna() | (orders.quantity <= 0)]
    assert list(pd.read_csv(flawed, dtype=str).order_id) == list(broken.order_id) == ["00017", "00031", "00044"]
    paid = orders.drop(broken.index).query("status == 'paid'")
    sums = (paid.price * paid.quantity).groupby(paid.region).agg(["size", "sum"]).sort_values("sum", ascending=False)
    saved = pd.read_csv(out)
    assert list(saved.region) == list(sums.index)
    assert list(saved.orders) == list(sums["size"])
    assert list(saved.amount) == pytest.approx(list(sums["sum"]))
    assert found["busy_week"]["text"] == f"A busy week: {round(sums['sum'].sum(), 2)} EUR"
    assert "quiet_week" not in found


def test_a_quiet_week_goes_the_other_way(tmp_path: Path) -> None:
    out, flawed = str(tmp_path / "a.csv"), str(tmp_path / "b.csv")
    found = run("orders", out=out, flawed=flawed, busy_from=1_000_000).result(20)
    assert found["quiet_week"]["text"].startswith("A quiet week: 39 orders")
    assert {"busy_week", "closed"}.isdisjoint(found)


def test_a_broken_order_stops_the_run_with_a_report(tmp_path: Path) -> None:
    rows = (ROOT / "examples/data/orders.csv").read_text().splitlines()
    rows[5] = rows[5].replace("00005", "5")
    (tmp_path / "bad.csv").write_text("\n".join([*rows, rows[3]]))
    done = run("orders", path=str(tmp_path / "bad.csv"), out=str(tmp_path / "out.csv"), flawed=str(tmp_path / "f.csv"))
    with pytest.raises(Exception, match=r"gate: 2 of 5 rules failed on 58 rows") as caught:
        done.result(20)
    assert "- order_id matches ^[0-9]{5}$: 1 row broke it: row 4 ('5')." in str(caught.value)
    assert "- order_id is unique: 1 row broke it: row 57 ('00003', as row 2)." in str(caught.value)
    assert not (tmp_path / "out.csv").exists()


def test_tickets_are_listed_by_urgency_each_once(tmp_path: Path) -> None:
    out = tmp_path / "today.json"
    found = run("tickets", out=str(out), most=4).result(20)
    exported = json.loads((ROOT / "examples/data/tickets.json").read_text(encoding="utf-8"))["tickets"]
    newest = {ticket["id"]: ticket for ticket in exported}
    still_open = {name: ticket for name, ticket in newest.items() if ticket["state"] == "open"}
    assert len(exported) == len(newest) + 1
    listed = json.loads(out.read_text(encoding="utf-8"))
    assert [each["id"] for each in listed] == ["T-006", "T-004", "T-008", "T-009"]
    assert [(each["urgency"], each["days"]) for each in listed] == sorted(
        ((each["urgency"], each["days"]) for each in listed), reverse=True
    )
    tiers = Counter(ticket["customer"]["tier"] for ticket in still_open.values())
    assert {each["tier"]: each["tickets"] for each in found["waiting"]} == tiers


def test_the_wettest_months_are_those_of_the_observations(tmp_path: Path) -> None:
    out = tmp_path / "months.parquet"
    run("weather", out=str(out), most=6).result(20)
    days = pd.read_csv("examples/data/seattle-weather.csv")
    sums = days.groupby(days.date.str[:7].str.replace("/", "-")).precipitation.sum().nlargest(6)
    saved = pd.read_parquet(out)
    assert list(saved.month) == list(sums.index)
    assert list(saved.rain) == pytest.approx(list(sums))


def test_data_that_breaks_a_rule_goes_the_other_way_and_says_why(tmp_path: Path) -> None:
    rows = (ROOT / "examples/data/seattle-weather.csv").read_text().splitlines()
    (tmp_path / "odd.csv").write_text("\n".join([*rows, rows[7], rows[9].replace("rain", "hail")]))
    found = run("weather", path=str(tmp_path / "odd.csv"), out=str(tmp_path / "o.parquet")).result(20)
    assert list(found) == ["refused"]
    assert found["refused"]["why"].startswith(
        "gate: 2 of 6 rules failed on 1,463 rows:\n- date is unique: 2 rows broke it"
    )


def test_primes_are_counted_in_processes_and_a_search_without_end_is_ended_by_its_limit() -> None:
    done = run("limits", below=20_000)
    assert done.result(60) == {"report": "2,262 primes; odd perfect numbers: none found in half a second"}
    assert done["odd_perfect"].why == "it failed, and its fallback is its output"


def _commands(name: str) -> list[str]:
    """The commands in the docstring of an example."""
    return re.findall(r"^    (flownb run .+)$", str(importlib.import_module(f"examples.{name}").__doc__), re.MULTILINE)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_commands_in_an_example_run_from_the_root_of_the_repository(name: str, tmp_path: Path) -> None:
    commands = _commands(name)
    assert {command.split()[2] for command in commands} == {f"examples.{name}:flow", f"examples/{name}.json"}
    for number, command in enumerate(commands):
        words = command.split()[1:]
        for variable in ("out", "flawed"):
            if variable in {each.name for each in flow_of(name).build().variables}:
                words += ["-p", variable, str(tmp_path / f"{number}-{variable}{_ending(name)}")]
        words = [*words, "--json"]
        done = subprocess.run(
            [sys.executable, "-m", "flownb", *words], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["status"] == "completed"


def _ending(name: str) -> str:
    return {"orders": ".csv", "tickets": ".json", "weather": ".parquet"}[name]
