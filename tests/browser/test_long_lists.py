"""Lists of ten thousand: a page is in the browser, and the store is never read as a whole."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.browser.jupyter import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from tests.browser.jupyter import Notebook

FILL = """
import os
os.environ["FLOWNB_STORE"] = os.path.abspath("many-{theme}.db")
import time
import flownb
from flownb.ids import new_run_id
from flownb.model import events as ev
from flownb.store.contract import NewRun, Write
from flownb.store.owner import current_owner
from flownb.store.place import open_store
store, owner, now = open_store(), current_owner(), time.time()
names = ("invoices", "orders", "month end", "reports", "payroll")
leases = [
    store.create_run(NewRun(id=f"run{{n:05}}", workflow=names[n % 5], created_at=now - 60 * (10_000 - n)), owner)[1]
    for n in range(10_000)
]
ends = (
    lambda n: [ev.RunCompleted(at=now)],
    lambda n: [ev.RunFailedEvent(at=now, error=ev.Failure(type="ValueError", message="no"))],
    lambda n: [
        ev.NodeStarted(at=now, node="ok", attempt=1),
        ev.ApprovalRequested(
            at=now - n, node="ok", approval=f"a{{n:05}}", kind="confirmation", question=f"Post invoice {{n}}?",
            ports=("approved", "rejected"),
        ),
        ev.NodeWaiting(at=now, node="ok", waits_for="human", request=f"a{{n:05}}"),
        ev.RunPaused(at=now, reason="human"),
    ],
)
def write(n):
    kind = 2 if n % 10 < {asks} else n % 2
    happened = [ev.RunStarted(at=now - 60, workflow=names[n % 5]), *ends[kind](n)]
    return Write(run=f"run{{n:05}}", fence=leases[n].fence, first=1, events=happened, release=True)
for first in range(0, 10_000, 500):
    store.commit([write(n) for n in range(first, first + 500)])
print("filled")
"""


@pytest.mark.soak
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_ten_thousand_are_shown_searched_and_paged_in_a_moment(
    notebook: Callable[..., Notebook], page: Page, shoot: Callable[[str], None], theme: str
) -> None:
    opened = notebook(FILL.format(theme=theme, asks=8), "flownb.home()", theme=theme)
    opened.run_all()
    home = page.locator(".flownb-home")
    expect(home.locator("[data-run-row]")).to_have_count(25)
    expect(home.locator('[data-filter="pending"]').first).to_contain_text("8\u202f000")
    expect(home.locator('[data-pages="runs"]')).to_contain_text("1 to 25 of 10\u202f000")
    took: dict[str, float] = {}

    def timed(what: str, act: Callable[[], object], shown: Callable[[], object]) -> None:
        begun = time.monotonic()
        act()
        shown()
        took[what] = round(time.monotonic() - begun, 2)

    runs = home.locator('[data-list="runs"]')
    last = runs.get_by_role("button", name="Last page")
    timed("last page", last.click, lambda: expect(runs).to_contain_text("9\u202f976 to 10\u202f000 of 10\u202f000"))
    search = home.locator('[data-search="runs"]')
    timed(
        "search of runs",
        lambda: search.fill("run04242"),
        lambda: expect(runs.locator("[data-run-row]")).to_have_count(1),
    )
    asked = home.locator('[data-search="requests"]')
    requests = home.locator('[data-list="requests"]')
    timed(
        "search of questions", lambda: asked.fill("invoice 7777?"),
        lambda: expect(requests.locator("[data-request]")).to_have_count(1),
    )  # fmt: skip
    search.fill("")
    asked.fill("")
    expect(runs.locator("[data-run-row]")).to_have_count(25)
    expect(requests.locator("[data-request]")).to_have_count(25)
    print(theme, took)
    home.scroll_into_view_if_needed()
    shoot(f"home-many-{theme}")
    requests.get_by_role("button", name="Next page").scroll_into_view_if_needed()
    shoot(f"home-many-pages-{theme}")
    assert max(took.values()) < 20
