"""Serving pages to people who have no notebook, and making the links that lead there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING, Final

import click

from flownb.cli.app import open_existing, say, store_option
from flownb.cli.approve import find_request
from flownb.cli.interrupts import interrupted_by_term
from flownb.errors import UsageError
from flownb.services.harmless import line

if TYPE_CHECKING:
    from flownb.store.contract import Store

_STOPPED: Final = 130
_HERE: Final = ("127.0.0.1", "localhost", "::1")


@click.command("serve", epilog="Example: flownb serve --public --port 8642")
@click.option("--public", is_flag=True, help="The pages behind signed links: questions, lists, runs.")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="HOST", help="Where to listen.")
@click.option("--port", default=8642, show_default=True, metavar="N", help="0 takes any that is free.")
@store_option
def serve_command(host: str, port: int, store: str | None, *, public: bool) -> int:
    """Show what runs ask people as web pages, and take their answers, until Ctrl-C.

    A page opens with a signed link, as in a mail, or as `flownb link` makes one; opening it decides nothing. The links
    begin with the public address that `[public] url` in .flownb/settings.toml or FLOWNB_PUBLIC_URL says. This listener
    speaks plain HTTP: let a proxy with a certificate stand before it, and set `[public] behind_proxy = true`.
    """
    if not public:
        raise UsageError("`flownb serve` needs to know what: --public serves the pages behind signed links.")
    from flownb.store.place import open_store

    opened = open_store(store)
    if not opened.durable:
        raise UsageError(f"{opened.url} dies with its process, so nobody else has runs in it: serve a store on disk.")
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    with interrupted_by_term(), contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(opened, host, port))
    say("No longer listening.")
    return _STOPPED


async def _serve(store: Store, host: str, port: int) -> None:
    from flownb.server.public import PublicListener
    from flownb.services.settings import section, settings_of

    behind = section(settings_of(store), "public").get("behind_proxy") is True
    listener = PublicListener(store, host=host, port=port, behind_proxy=behind)
    try:
        _tell(store, listener.host, listener.port)
        await asyncio.Event().wait()
    finally:
        await listener.close()


def _tell(store: Store, host: str, port: int) -> None:
    """Where it listens, and how links get there."""
    from flownb.services.links import how_to_set, public_url

    shown = f"[{host}]" if ":" in host else host
    click.echo(f"Listening at http://{shown}:{port} for {store.url}. Ctrl-C ends it.")
    url = public_url(store)
    if url is None:
        click.echo(f"Messages have no links: {how_to_set(store)}")
    else:
        click.echo(f"Links begin with {url}: whatever answers there has to lead here. `flownb link ID` makes one.")
    if host not in _HERE:
        click.echo(
            "This is plain HTTP at an address that others reach: let a proxy with a certificate stand before it."
        )


@click.command("link", epilog="Example: flownb link 5e1c --for anna")
@click.argument("approval_id", metavar="[ID]", required=False)
@click.option("--for", "person", default="", metavar="PERSON", help="Whose answer it counts as; else anybody's.")
@click.option("--inbox", is_flag=True, help="To all that the person may answer.")
@store_option
def link_command(approval_id: str | None, person: str, store: str | None, *, inbox: bool) -> None:
    """Print a signed link to what a run asks, good for one answer; with --inbox, to all that a person may answer.

    Whoever has the link answers as that person: send it to nobody else.
    """
    from flownb.services.links import how_to_set, inbox_link, link_to

    if inbox == (approval_id is not None):
        raise UsageError("Give the id of one question, or --inbox with --for PERSON.")
    opened = open_existing(store)
    if approval_id is not None:
        row = find_request(opened, approval_id)
        if row.status != "pending":
            say(f"{line(row.node, 60)} in run {row.run} is {row.status}: the link will say so.")
        url = link_to(opened, row, person, now=time.time())
    else:
        url = inbox_link(opened, person, now=time.time())
    if url is None:
        raise UsageError(f"There is no link: {how_to_set(opened)}")
    click.echo(url)
