"""Notices of headless runs: the process that pauses tells people, and what it could not, a look from cron does."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import msgspec
import pytest

from flownb.store.place import open_store
from tests.integration.test_approvals import flownb
from tests.posting import MailServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flownb.store.notices import Notice

CANARY = "canary-mail-5d7f0c"
PEOPLE = '[people]\nanna = {mail = "anna@example.org"}\n'
FLOW = """
from flownb import Flow

flow = Flow("invoices")
flow.node(lambda: [{"supplier": "Acme", "amount": 900.0}], id="load")
flow.approval("ok", "Post 900 EUR?", preview="load", approvers=["anna"], channel="mail")
"""


@pytest.mark.timeout(200)
def test_a_headless_notebook_tells_people_before_its_process_ends(
    write_notebook: Callable[..., Path], tmp_path: Path, own_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWNB_SECRET_SMTP_PASSWORD", CANARY)
    path = write_notebook(FLOW, "run = flow.run()", "await run")
    with MailServer(user="flows", password=CANARY) as server:
        settings = server.settings(user="flows", password="smtp_password")
        (tmp_path / "settings.toml").write_text(settings + PEOPLE, encoding="utf-8")
        paused = flownb("run", str(path), "-o", str(tmp_path / "out.ipynb"), cwd=tmp_path)
        assert paused.returncode == 75, paused.stderr
        assert server.recipients == ["anna@example.org"]
        (asked,) = open_store(own_store).approvals()
        assert f"flownb approve {asked.id}" in server.mails[0].as_string()
        assert "Acme" in server.mails[0].as_string()
        listed = flownb("approvals", cwd=tmp_path)
        assert "mail to anna was sent at 2" in listed.stdout
        shown = [paused.stdout, paused.stderr, listed.stdout, listed.stderr, server.raw[0].decode()]
    assert not [text for text in shown if CANARY in text]
    written = [each for each in tmp_path.rglob("*") if each.is_file()]
    assert any(each.name.startswith("flownb.db") for each in written)
    assert [each.name for each in written if CANARY.encode() in each.read_bytes()] == []


def test_a_dead_mail_host_holds_up_no_pause_and_cron_tells_people_later(tmp_path: Path, own_store: str) -> None:
    (tmp_path / "shop.py").write_text(FLOW, encoding="utf-8")
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        settings = tmp_path / "settings.toml"
        dead = f'[channels.mail]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\nfrom = "flows@example.org"\n'
        settings.write_text(dead + PEOPLE, encoding="utf-8")
        begun = time.monotonic()
        paused = flownb("run", "shop:flow", cwd=tmp_path)
        assert paused.returncode == 75, paused.stderr
        assert time.monotonic() - begun < 60
        listed = flownb("approvals", cwd=tmp_path)
        assert f"mail to anna failed: 127.0.0.1:{port} can't be reached: " in listed.stdout
        assert "; tried again at 2" in listed.stdout
    store = open_store(own_store)
    (asked,) = store.approvals()
    with MailServer() as server:
        settings.write_text(server.settings() + PEOPLE, encoding="utf-8")
        for notice in asked.notices:  # so that nobody has to wait for the next try
            if notice.next_at is not None:
                assert store.change_notice(notice, _due_now(notice))
        sent = flownb("approvals", "--send", cwd=tmp_path)
        assert (sent.returncode, server.recipients) == (0, ["anna@example.org"]), sent.stderr
        assert sent.stdout.startswith(f"{asked.id}  mail to anna was sent at 2")
        again = flownb("approvals", "--send", cwd=tmp_path)
        assert (again.returncode, again.stdout, len(server.mails)) == (0, "", 1)
    (asked,) = store.approvals()
    assert flownb("approve", asked.id, "--as", "anna", cwd=tmp_path).returncode == 2, "a claim is no approver"


def _due_now(notice: Notice) -> Notice:
    return msgspec.structs.replace(notice, next_at=time.time())
