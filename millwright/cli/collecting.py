"""`millwright gc`."""

from __future__ import annotations

import asyncio
import json as encoding
from dataclasses import asdict
from typing import Annotated

import typer

from millwright.cli.building import AsJson


def gc(
    runs: Annotated[
        list[str] | None, typer.Argument(help="Runs to remove, finished or not; else what is old.", metavar="RUN")
    ] = None,
    older_than: Annotated[float, typer.Option(min=0, metavar="DAYS", help="Age of what goes.")] = 30,
    thin: Annotated[
        float, typer.Option(min=0, metavar="DAYS", help="Age of finished runs of which only the last state stays.")
    ] = 7,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; else only say what would go.")] = False,
    json: AsJson = False,
) -> None:
    """Say what could go to free disk space: old finished runs, the history of others, what killed processes left.

    With --apply it is removed: runs with their files, zip and checkpoints; of younger ones what led to their end, so
    that they can be shown, verified and replayed, but no longer be forked from, or compared at, an earlier point.
    """
    from millwright.gc import collect, waste
    from millwright.overview import human

    found = asyncio.run(waste(older_than, runs or (), thin))
    freed = asyncio.run(collect(found)) if apply else 0
    if json:
        rows = [asdict(item) for item in found]
        print(encoding.dumps({"waste": rows, "bytes": sum(w.bytes for w in found), "freed": freed}))
        return
    for item in found:
        print(f"{human(item.bytes):>8}  {item.kind} {item.name}  ({item.why})")
    if apply:
        print(f"{human(freed)} freed")
    elif found:
        print(f"{human(sum(w.bytes for w in found))} would be freed; add --apply to do it")
    else:
        print("nothing would go")
