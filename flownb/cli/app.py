"""The group of all commands: its help is a table, so that no command is loaded to list it."""

from __future__ import annotations

import contextlib
import gc
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from flownb import __version__
from flownb.cli.stdout import silence
from flownb.errors import EnvironmentFault, FlownbError, NotFound, RunCancelled, RunFailed, RunPaused, UsageError
from flownb.imports import at_once
from flownb.services.harmless import block

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Command, where it lives, its line in the help.
_COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "run": ("flownb.cli.run", "Run a notebook, a workflow file or a flow of a module."),
    "resume": ("flownb.cli.run", "Go on with a run that was paused, failed or killed."),
    "runs": ("flownb.cli.runs", "List runs, newest first."),
    "show": ("flownb.cli.runs", "Show a run and each of its nodes."),
    "events": ("flownb.cli.runs", "Print the journal of a run."),
    "logs": ("flownb.cli.runs", "Print what the nodes of a run printed."),
    "pause": ("flownb.cli.control", "Let a run start nothing more."),
    "cancel": ("flownb.cli.control", "End a run now."),
    "retry": ("flownb.cli.control", "Start a failed node again."),
    "skip": ("flownb.cli.control", "End a node as skipped."),
    "dead-letters": ("flownb.cli.dead_letters", "List what failed and waits; run it again, or drop it."),
    "signal": ("flownb.cli.signal", "Hand a signal to a run."),
    "variables": ("flownb.cli.variables", "List and set what workflows remember between runs."),
    "fork": ("flownb.cli.fork", "Go back in a run, and on from there as another one."),
    "approvals": ("flownb.cli.approve", "List what runs ask people."),
    "approve": ("flownb.cli.approve", "Answer what a run asks."),
    "reject": ("flownb.cli.approve", "Say no to what a run asks."),
    "link": ("flownb.cli.serve", "Print a signed link to what a run asks."),
    "serve": ("flownb.cli.serve", "Show what runs ask as web pages, and take answers."),
    "verify": ("flownb.cli.verify", "Say whether the record of what people answered is whole."),
    "validate": ("flownb.cli.check", "Say everything that is wrong with a workflow."),
    "graph": ("flownb.cli.check", "Draw a workflow as PNG, SVG or Mermaid text."),
    "report": ("flownb.cli.check", "Write the report of a run as HTML or notebook."),
    "rm": ("flownb.cli.house", "Delete a run."),
    "gc": ("flownb.cli.house", "Delete old runs and what nothing names any more."),
    "doctor": ("flownb.cli.doctor", "Look whether everything is in order."),
    "demo": ("flownb.cli.demo", "See a run survive a kill, on a real notebook."),
}

#: How a failure maps to an exit status; the first that fits.
_STATUS: Final[tuple[tuple[type[BaseException], int], ...]] = (
    (RunPaused, 75),
    (RunFailed, 1),
    (RunCancelled, 1),
    (UsageError, 2),
    (EnvironmentFault, 1),
    (FlownbError, 1),
)


class Commands(click.Group):
    """A group that loads a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of the help."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, loaded now; an unknown name gets the near ones from `resolve_command`."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module = at_once(_COMMANDS[cmd_name][0])
        gc.freeze()  # what is imported stays to the end: nothing of anybody's is there yet
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which names are near."""
        from flownb.errors import near_names

        if args and not args[0].startswith("-") and args[0] not in _COMMANDS:
            raise click.UsageError(f"There is no command {args[0]!r}.{near_names(args[0], _COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table, without loading any command."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Example: flownb run report.ipynb -p month 2026-10",
)
@click.version_option(__version__, prog_name="flownb")
def app() -> None:
    """Run notebooks as durable workflows, look at their runs, and go on with them."""


def store_option(function: Any) -> Any:
    """`--store URL`, on every command."""
    return click.option(
        "--store",
        metavar="URL",
        help="Where runs are kept, as sqlite:///runs.db; else FLOWNB_STORE, else the nearest .flownb/.",
    )(function)


def json_option(function: Any) -> Any:
    """`--json`: stdout has nothing but JSON."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON and nothing else.")(function)


def run_app(command: click.Command, args: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status; every expected failure is one sentence on stderr."""
    try:
        result = command.main(args=args, prog_name="flownb", standalone_mode=False)
        status = result if isinstance(result, int) else 0
        sys.stdout.flush()
    except click.exceptions.Exit as left:
        status = left.exit_code
    except (click.Abort, KeyboardInterrupt):
        status = 130
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx is not None else "", err=True)
        status = error.exit_code
    except click.ClickException as error:
        hint = (
            f" `{error.ctx.command_path} --help` shows how."
            if isinstance(error, click.UsageError) and error.ctx
            else ""
        )
        say(f"{error.format_message()}{hint}")
        status = error.exit_code
    except FlownbError as error:
        say(str(error))
        status = next(status for kind, status in _STATUS if isinstance(error, kind))
    except BrokenPipeError:
        silence(sys.stdout)  # the reader has seen enough, as with `| head`
        status = 0
    return status


def say(text: str) -> None:
    """A sentence for people, on stderr, so that it never mixes with JSON."""
    with contextlib.suppress(OSError):  # nobody listens: what was done counts all the same
        click.echo(f"flownb: {block(text)}", err=True)


def open_existing(url: str | None) -> Any:
    """The store, for commands that only look: one that isn't there is not made.

    Raises:
        NotFound: there is none.
    """
    from flownb.store.place import open_store

    try:
        return open_store(url, create=False)
    except NotFound as error:
        raise NotFound(f"{error} Nothing has run here yet; `flownb run` makes one.") from None
