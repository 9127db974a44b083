"""`flownb run TARGET --help`: beside the options, the inputs of that target."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from flownb.errors import FlownbError
from flownb.services.harmless import line

if TYPE_CHECKING:
    from flownb.model.workflow import Variable
    from flownb.notebook.parameters import Parameter

_ARGUMENTS = "flownb.arguments"


class Input(msgspec.Struct, frozen=True):
    """One input as a help text shows it."""

    name: str
    type: str
    #: How the default reads; None where a value must be given.
    default: str | None
    help: str = ""


class TargetCommand(click.Command):
    """A command whose help lists the inputs of the target that stands beside `--help`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the arguments for the help, which click prints before it has read them."""
        ctx.meta[_ARGUMENTS] = list(args)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options, then the inputs."""
        super().format_options(ctx, formatter)
        target = self._target(ctx)
        if target is None:
            return
        with formatter.section(f"Inputs of {line(target, 80)}, by -p NAME VALUE"):
            try:
                found = inputs_of(target, Path.cwd())
            except FlownbError as error:
                formatter.write_text(line(str(error), 500))
                return
            if found:
                formatter.write_dl([(f"{each.name} ({each.type})", _told(each)) for each in found])
            else:
                formatter.write_text("It takes none.")

    def _target(self, ctx: click.Context) -> str | None:
        arguments = [each for each in ctx.meta.get(_ARGUMENTS, ()) if each not in ctx.help_option_names]
        try:
            options, _, _ = self.make_parser(ctx).parse_args(args=arguments)
        except click.UsageError:
            return None
        found = options.get("target")
        return found if isinstance(found, str) else None


def _told(each: Input) -> str:
    start = "required" if each.default is None else f"default {line(each.default, 60)}"
    return f"{start}; {line(each.help, 200)}" if each.help else start


def inputs_of(text: str, directory: Path) -> list[Input]:
    """The inputs that a target takes, in order; a notebook is read and not run.

    Raises:
        NotFound: no such target.
        UsageError: it can't be read or imported.
    """
    from flownb.notebook.programs import parse_target, workflow_of

    target = parse_target(text, directory)
    if target.kind != "notebook":
        return [_of_variable(each) for each in workflow_of(text, directory).variables]
    from flownb.notebook.document import read_notebook
    from flownb.notebook.parameters import read

    return [_of_parameter(each) for each in read(read_notebook(target.path), target.path.name)]


def _of_variable(each: Variable) -> Input:
    return Input(each.name, each.type, None if each.required else repr(each.default), each.description)


def _of_parameter(each: Parameter) -> Input:
    return Input(each.name, each.type or "any", None if each.required else each.default_text, each.help)
