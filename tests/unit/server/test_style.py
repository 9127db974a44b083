"""The style sheet: one for both themes, that loads nothing."""

from __future__ import annotations

import base64
import hashlib
import re

from flownb.server.frame import nowhere
from flownb.server.public import headers
from flownb.server.style import style


def test_dark_is_what_the_readers_system_says_and_has_the_views_own_colours() -> None:
    sheet = style()
    assert "data-jp-theme-light" not in sheet
    dark = sheet.partition("@media (prefers-color-scheme: dark) {\n.fnb {")[2].partition("}")[0]
    light = sheet.partition("}")[0]
    names = set(re.findall(r"(--fnb-[a-z0-9-]+):", dark))
    assert {"--fnb-ink-2", "--fnb-waiting", "--fnb-completed", "--fnb-on-accent"} <= names
    assert names <= set(re.findall(r"(--fnb-[a-z0-9-]+):", light))


def test_it_loads_nothing_and_can_end_nothing() -> None:
    assert not re.search(r"url\(|@import|expression|</", style())
    assert style().count("{") == style().count("}")


def test_the_policy_of_each_answer_allows_this_sheet_and_no_other() -> None:
    (inside,) = re.findall(r"<style>(.*?)</style>", nowhere().body, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}';" in headers()["Content-Security-Policy"]
