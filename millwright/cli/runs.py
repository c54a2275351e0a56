"""`millwright runs`: list, show, resume, replay, fork and export."""

from __future__ import annotations

import asyncio
import json as encoding
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from millwright.cli import tables
from millwright.cli.building import AsJson, BaseUrl, MaxCalls, MaxSeconds, MaxTokens, Model, Unconfined, given

app = typer.Typer(help="The runs of this data directory.", no_args_is_help=True, rich_markup_mode=None)
RunId = Annotated[str, typer.Argument(help="A run's id, or the start of it.", show_default=False)]


@app.command("list")
def list_runs(json: AsJson = False) -> None:
    """List the runs, newest first."""
    from millwright.overview import overview

    rows = asyncio.run(overview())
    if json:
        print(encoding.dumps(rows))
        return
    if not rows:
        print("no runs yet; start with: millwright build GOAL, or millwright demo")
        return
    table = tables.table("run", "created", "status", "verdict", "disk", "goal", folded=("goal",))
    for row in rows:
        table.add_row(
            row["id"][:8],
            row["created"][:19],
            row["status"],
            row["verdict"] or "",
            row["disk"],
            escape(row["goal"]),
        )
    tables.show(table)


@app.command()
def show(
    run: RunId, events: Annotated[bool, typer.Option(help="Print every event.")] = False, json: AsJson = False
) -> None:
    """Show a run: its goal, its report so far, its checkpoints."""
    from millwright.overview import described

    found = asyncio.run(described(run))
    if json:
        print(encoding.dumps(found))
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[bold]{found['id']}[/] {found['status']} {found['verdict'] or ''}\n{escape(found['goal'])}\n")
    if found["report"]:
        console.print(escape(Path(found["report"]).read_text(encoding="utf-8")))
    if events:
        from millwright.cli.progress import Progress
        from tools.events import read_events

        for event in read_events(Path(found["directory"]) / "events.jsonl"):
            Progress(console)(event)
    console.print("checkpoints, newest first:")
    for state in found["checkpoints"]:
        console.print(f"  {state['position']:>6}  {state['checkpoint']}  next: {', '.join(state['next']) or '-'}")


@app.command()
def resume(
    run: RunId,
    yes: Annotated[bool, typer.Option("--yes", help="Approve what the run asks.")] = False,
    no: Annotated[bool, typer.Option("--no", help="Refuse what the run asks.")] = False,
    feedback: Annotated[str, typer.Option(help="What to change, with --no.")] = "",
    keep_changes: Annotated[bool, typer.Option(help="Go on with what you changed in the workspace.")] = False,
    discard_changes: Annotated[bool, typer.Option(help="Put Millwright's files back first.")] = False,
    take_over: Annotated[bool, typer.Option(help="Take the run from a process that hangs.")] = False,
    model: Model = None,
    base_url: BaseUrl = None,
    max_calls: MaxCalls = None,
    max_tokens: MaxTokens = None,
    max_seconds: MaxSeconds = None,
    exec_sandbox: Unconfined = None,
    json: AsJson = False,
) -> None:
    """Go on with a run that was suspended, killed, or waits for an answer."""
    from millwright import driving
    from millwright.cli.running import carry_on
    from tools.errors import UsageError

    if (yes and no) or (keep_changes and discard_changes):
        raise UsageError("--yes and --no, or --keep-changes and --discard-changes, exclude each other; give one")
    answer: dict[str, Any] | None = {"approve": yes, "feedback": feedback} if yes or no else None
    settings = given(
        model=model,
        base_url=base_url,
        max_calls=max_calls,
        max_tokens=max_tokens,
        max_seconds=max_seconds,
        sandbox=exec_sandbox,
    )
    carry_on(
        lambda listener: driving.resume(
            run,
            answer=answer,
            changes="keep" if keep_changes else "discard" if discard_changes else "refuse",
            take_over=take_over,
            listener=listener,
            **settings,
        ),
        as_json=json,
    )


@app.command()
def replay(
    source: Annotated[str, typer.Argument(help="A run, a zip or a cassette file.", show_default=False)],
    json: AsJson = False,
) -> None:
    """Run a recorded build again without a model; say where it first differs, if it does."""
    from millwright.cli.running import carry_on
    from millwright.replaying import find_cassette
    from millwright.replaying import replay as play

    carry_on(lambda listener: play(find_cassette(source), listener=listener), as_json=json)


@app.command()
def fork(
    run: RunId,
    at: Annotated[str | None, typer.Option(help="A checkpoint's id or position; the latest by default.")] = None,
    json: AsJson = False,
) -> None:
    """Make a new run that stands where this one stood at a checkpoint, files and all."""
    from millwright import driving

    made = asyncio.run(driving.fork(run, checkpoint=at))
    print(encoding.dumps({"run": made}) if json else f"forked as {made}; go on with: millwright runs resume {made}")


@app.command()
def export(
    run: RunId,
    to: Annotated[Path | None, typer.Option(help="File to write; the run's own zip by default.")] = None,
) -> None:
    """Write the run's zip: code, ledger, events, report, cassette."""
    from millwright.overview import export as write

    print(write(run, to))
