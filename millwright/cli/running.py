"""Carrying a build from the command line: progress while it runs, the outcome when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape

from millwright.cli.building import not_an_option
from millwright.cli.progress import Progress
from tools.errors import MillwrightError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from millwright.driving import Result
    from tools.storage import Record

    Build = Callable[[Callable[[Record], None] | None], Coroutine[Any, Any, Result]]


def carry_on(work: Build, *, as_json: bool, leave: bool = True) -> Result:
    """Run a build, show its progress, print what came of it, and exit with its code.

    Raises:
        typer.Exit: with 0, 1 or 3 (when `leave`).
    """
    console = Console(stderr=False, highlight=False, soft_wrap=True)
    progress = None if as_json else Progress(console)
    try:
        result = asyncio.run(_until_told(work(progress)))
        while result.question is not None and not as_json and sys.stdin.isatty():
            result = _asked(console, result)
    except ValidationError as error:
        raise not_an_option(error) from error
    except MillwrightError as error:
        if as_json:
            print(json.dumps({"status": "failed", "error": type(error).__name__, "message": str(error)}))
        raise
    if as_json:
        print(json.dumps({**asdict(result), "exit_code": result.exit_code}))
    else:
        _tell(console, result)
    if leave:
        raise typer.Exit(result.exit_code)
    return result


async def _until_told(work: Coroutine[Any, Any, Result]) -> Result:
    """Carry the work; SIGTERM ends it as Ctrl+C does."""
    task = asyncio.current_task()
    assert task is not None
    with contextlib.suppress(NotImplementedError):  # Windows has no such signal
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work


def _asked(console: Console, result: Result) -> Result:
    """Put the run's question to the person at the terminal, and go on with the answer."""
    from millwright import driving

    assert result.question is not None
    for assignment in result.question.get("assignments", []):
        paths = ", ".join(assignment["paths"])
        console.print(f"  [bold]{assignment['id']}[/] {escape(assignment['title'])} [dim]{escape(paths)}[/]")
    said = typer.prompt(f"{result.question['question']} [y/n, or what to change]").strip()
    yes = said.lower() in ("y", "yes")
    feedback = "" if said.lower() in ("y", "yes", "n", "no") else said
    return asyncio.run(
        driving.resume(result.run, answer={"approve": yes, "feedback": feedback}, listener=Progress(console))
    )


def _tell(console: Console, result: Result) -> None:
    if result.status == "waiting":
        console.print(f"\n[yellow]waiting[/] {escape(result.why)}")
        console.print(f"answer with: millwright runs resume {result.run} --yes, or --no --feedback TEXT")
    elif result.status == "suspended":
        console.print(f"\n[yellow]suspended[/] {escape(result.why)}")
        console.print(f"nothing is lost; go on with: millwright runs resume {result.run}")
    else:
        _tell_finished(console, result)


def _tell_finished(console: Console, result: Result) -> None:
    report = Path(result.report)
    if report.is_file():
        console.print()
        text = report.read_text(encoding="utf-8")
        console.print(Markdown(text) if console.is_terminal else escape(text))
    console.print("[bold]files[/]")
    root = Path(result.workspace)
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        console.print(f"  {escape(str(path.relative_to(root)))} [dim]{path.stat().st_size} bytes[/]")
    colour = "green" if result.verdict == "PASS" else "red"
    console.print(f"\n[bold {colour}]{result.verdict}[/]  run {result.run}")
    console.print(f"  workspace {escape(result.workspace)}")
    console.print(f"  report    {escape(result.report)}")
    if result.archive:
        console.print(f"  zip       {escape(result.archive)}")
    if result.branch:
        console.print(f"  branch    {escape(result.branch)}")
