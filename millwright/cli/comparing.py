"""`millwright runs diff` and `millwright runs bisect`."""

from __future__ import annotations

import asyncio
import json as encoding
from dataclasses import asdict
from typing import Annotated

import typer

from millwright.cli.building import AsJson, Unconfined

Where = Annotated[str, typer.Argument(help="RUN, RUN@POSITION or RUN@CHECKPOINT.", show_default=False)]


def diff(a: Where, b: Where) -> None:
    """Show how the files of two runs, or of two points of one, differ. Exit codes: 0 equal, 1 different."""
    from millwright.comparing import difference, point

    text = difference(asyncio.run(point(a)), asyncio.run(point(b)))
    print(text, end="")
    raise typer.Exit(1 if text else 0)


def bisect(
    run: Annotated[str, typer.Argument(help="A run's id, or the start of it.", show_default=False)],
    check: Annotated[str, typer.Option(metavar="CMD", help="The command; it passes with exit code 0.")],
    seconds: Annotated[float, typer.Option(min=0.1, help="Most seconds for one run of the command.")] = 120,
    exec_sandbox: Unconfined = None,
    json: AsJson = False,
) -> None:
    """Find the checkpoint at which a command begins to fail. Exit codes: 0 found, 1 it passes at the end."""
    from millwright import comparing

    unconfined = exec_sandbox == "off"
    found = asyncio.run(comparing.bisect(run, check, sandbox="off" if unconfined else "require", seconds=seconds))
    print(encoding.dumps(asdict(found)) if json else told(found, check))
    raise typer.Exit(1 if found.bad is None else 0)


def told(found: object, check: str) -> str:
    """A bisection as a person reads it."""
    from millwright.comparing import Bisection

    assert isinstance(found, Bisection)
    tried = f"{found.tried} of {found.points} different states were tried"
    if found.bad is None or found.failure is None:
        return f"`{check}` passes at the end, at {found.good}; there is nothing to find"
    failure = found.failure
    output = (failure.stdout + failure.stderr).strip()
    where = f"`{check}` fails from {found.bad} on, which {found.bad.node} left behind ({tried})"
    if found.good is None:
        where = f"`{check}` passes nowhere; it fails from {found.bad} on ({tried})"
    before = (
        f"\nit passes at {found.good}; see: millwright runs diff {found.good} {found.bad}" if found.good else ""
    )
    return f"{where}{before}\n\nexit code {failure.exit_code}\n{output}".rstrip()
