"""`millwright memory`: what is remembered, whether it is in order, and how to have it forgotten."""

from __future__ import annotations

import json as encoding
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from millwright.cli import tables
from millwright.cli.building import AsJson
from millwright.cli.worth import worth

if TYPE_CHECKING:
    from tools.memory.memory import Hits

app = typer.Typer(help="What is remembered, and how it is found.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def doctor(json: AsJson = False) -> None:
    """Examine the memory: database, copies on disk, vectors, index. Exit 1 if something does not hold."""
    from tools.memory.health import examine

    health = examine()
    if json:
        print(
            encoding.dumps({**vars(health), "findings": [vars(f) for f in health.findings], "sound": health.sound})
        )
    else:
        _show_health(health)
    if not health.sound:
        raise typer.Exit(1)


@app.command()
def reindex(json: AsJson = False) -> None:
    """Make everything anew that is derived from the database: missing vectors, the vector index, files on disk."""
    from tools.memory.memory import open_memory

    memory = open_memory()
    embedded, counts = memory.reindex(), memory.health().counts
    if json:
        print(encoding.dumps({"embedded": embedded, "embeddings": memory.embedder.name, "counts": counts}))
        return
    print(f"{embedded} texts were embedded anew by {memory.embedder.name}")
    print(_counted(counts))


@app.command()
def stats(json: AsJson = False) -> None:
    """Show how much is remembered, how much of the disk it takes, and whether it helps."""
    from tools.memory.memory import open_memory

    found = open_memory().stats()
    if json:
        print(encoding.dumps(found))
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, count in found.items():
        if isinstance(count, int):
            table.add_row(name, str(count))
    for fingerprint, count in found["spaces"].items():
        table.add_row(f"vectors of {escape(fingerprint)}", str(count))
    for place, size in found["bytes"].items():
        table.add_row(f"{place} on disk", f"{size / 1e6:.1f} MB")
    tables.show(table)
    for line in worth(found):
        print(line)


class _Sought(StrEnum):
    SKILL = "skill"
    WORKFLOW = "workflow"


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="What it should do, or a skill's name.", show_default=False)],
    kind: Annotated[_Sought, typer.Option(help="What to look for.")] = _Sought.SKILL,
    limit: Annotated[int, typer.Option(min=1, help="Most to show.")] = 5,
    tag: Annotated[list[str] | None, typer.Option(help="Only with this tag; repeated: with all of them.")] = None,
    json: AsJson = False,
) -> None:
    """Find the skills that fit a text, or the workflows that wanted such a thing, most fitting first."""
    from millwright.cli import found
    from tools.memory.memory import open_memory

    memory = open_memory()
    hits: Hits[Any]
    if kind is _Sought.SKILL:
        hits = memory.search(text, limit=limit, tags=tag or ())
        rows, table = found.skill_rows(hits), found.skill_table(hits)
    else:
        hits = memory.search_workflows(text, limit=limit, tags=tag or ())
        rows, table = found.workflow_rows(hits), found.workflow_table(hits)
    if json:
        print(encoding.dumps({"hits": rows, "means": hits.means, "degraded": hits.degraded}))
        return
    if hits:
        tables.show(table)
    else:
        print("nothing fits")
    if hits.degraded:
        Console(highlight=False, soft_wrap=True).print(
            f"(compared by {escape(hits.means)}: only words are seen, not what they mean)", style="dim"
        )


@app.command()
def forget(
    what: Annotated[
        str,
        typer.Argument(help="A skill's id, its name for all versions, a workflow or a run.", show_default=False),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: AsJson = False,
) -> None:
    """Delete something from the memory for good, with everything that is derived from it."""
    from tools.errors import UsageError
    from tools.memory.memory import open_memory

    if not yes:
        if json or not sys.stdin.isatty():
            raise UsageError(f"forgetting {what!r} cannot be undone; add --yes to do it")
        typer.confirm(f"Delete {what!r} for good?", abort=True)
    rows = open_memory().forget(what)
    if json:
        print(encoding.dumps({"forgotten": what, "rows": rows}))
    elif not rows:
        print(f"nothing of {what!r} is in the memory")
    else:
        print(f"{what!r} is forgotten: {rows} rows deleted")


def _show_health(health: Any) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for finding in health.findings:
        console.print(f"{finding.state:5} {escape(finding.subject)}: {escape(finding.what)}")
        if finding.mend:
            console.print(f"      {escape(finding.mend)}")
    for rung, why in health.refused.items():
        console.print(f"      not {escape(rung)}: {escape(why)}")
    if health.counts:
        console.print(_counted(health.counts))


def _counted(counts: dict[str, int | None]) -> str:
    places = [f"{place} {'not asked' if count is None else count}" for place, count in counts.items()]
    return f"skills: {', '.join(places)}"
