"""The `millwright` command. Nothing heavy is imported before the command that needs it runs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from millwright.cli import (
    building,
    collecting,
    comparing,
    doctor,
    factory,
    gym,
    memory,
    pictures,
    proving,
    runs,
    tools,
)
from tools.errors import BudgetExhausted, MillwrightError, StorageFailed, Suspended, UsageError

app = typer.Typer(
    name="millwright",
    help="A crew of LangGraph agents that builds software and proves it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("build")(building.build)
app.command("demo")(building.demo)
app.command("doctor")(doctor.doctor)
app.command("verify")(proving.verify)
app.command("gym")(gym.gym)
app.command("gc")(collecting.gc)
runs.app.command("diff")(comparing.diff)
runs.app.command("bisect")(comparing.bisect)
app.add_typer(runs.app, name="runs")
app.add_typer(factory.app, name="factory")
app.add_typer(tools.app, name="tools")
app.add_typer(memory.app, name="memory")
app.add_typer(pictures.app, name="graph")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(version("millwright"))
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Exit codes: 0 verified, 1 finished but not verified, 2 usage, 3 suspended (resumable)."""


def main() -> None:
    """Run the command line; every error of ours is one sentence and an exit code."""
    try:
        app()
    except MillwrightError as error:
        print(f"millwright: {error}", file=sys.stderr)
        sys.exit(exit_code(error))


def exit_code(error: MillwrightError) -> int:
    """2 for what the person typed, 3 for what can be resumed, 1 for everything else."""
    if isinstance(error, UsageError):
        return 2
    return 3 if isinstance(error, Suspended | StorageFailed | BudgetExhausted) else 1
