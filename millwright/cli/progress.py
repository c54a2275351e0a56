"""The live progress of a run in the terminal: who does what, files as they land, blockers, the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from tools.storage import Record


class Progress:
    """Prints a line for each event that a person wants to see."""

    def __init__(self, console: Console) -> None:
        """Print to `console`."""
        self._console = console

    def __call__(self, event: Any) -> None:
        """Show one event; kinds that say nothing to a person are passed over."""
        line = _LINES.get(event.get("event", ""))
        text = line(event) if line else None
        if text:
            self._console.print(f"[dim]{event['at'][11:19]}[/] {text}")


def _plan(e: Record) -> str:
    lines = [f"[bold cyan]manager[/]    {escape(e['summary'])}"]
    for a in e["assignments"]:
        after = f" after {', '.join(a['depends_on'])}" if a["depends_on"] else ""
        after = f" for {a['retry_for']}" if a["retry_for"] else after
        lines.append(
            f"           {a['sequence']:>3} {a['id']} [bold]{a['role']}[/] {escape(', '.join(a['paths']))}{after}"
        )
    return "\n".join(lines)


def _started(e: Record) -> str:
    again = f", attempt {e['attempt'] + 1}" if e["attempt"] else ""
    return f"[bold blue]{e['role']:<10}[/] {e['assignment']} {escape(e['title'])}{again}"


def _file(e: Record) -> str:
    actor, path = e["actor"], e["target"] or e["path"]
    flag = f" [yellow]runs on {e['executes_on']}[/]" if e.get("executes_on") else ""
    return f"[green]file[/]       {actor['assignment']} {e['op']} {escape(path)} [dim]{e['size']} bytes[/]{flag}"


def _finished(e: Record) -> str:
    if e["status"] == "finished":
        return f"[blue]{e['role']:<10}[/] {e['assignment']} done: {escape(e['summary'])}"
    return f"[red]{e['role']:<10}[/] {e['assignment']} failed: {escape(e['failure'])}"


def _blocker(e: Record) -> str:
    where = f" {e['path']}:" if e["path"] and e["path"] not in e["message"] else ""
    return f"[bold red]blocker[/]    {e['id']} {e['kind']}{escape(where)} {escape(e['message'])}"


def _closed(e: Record) -> str:
    return f"[bold green]resolved[/]   {e['id']} by {e['by']}: {escape(e['evidence'])}"


def _review(e: Record) -> str | None:
    found = len(e["findings"])
    return f"[magenta]auditor[/]    {e['assignment']} read: {found or 'no'} finding{'s' if found != 1 else ''}"


def _command(e: Record) -> str:
    said = "timed out" if e["timed_out"] else f"exit {e['exit_code']}"
    return f"[cyan]verifier[/]   {escape(e['purpose'])}: {said} [dim]sandbox level {e['level']}[/]"


def _sandbox(e: Record) -> str:
    return f"[bold white on red]sandbox[/]    {escape(e['banner'])}"


def _verdict(e: Record) -> str:
    passed = sum(d["passed"] for d in e["deliverables"])
    word = "[bold green]PASS[/]" if e["passed"] else "[bold red]FAIL[/]"
    return f"[cyan]verifier[/]   {word} {passed} of {len(e['deliverables'])} deliverables"


def _callback(e: Record) -> str:
    return f"[yellow]{e['level']:<10}[/] {e['assignment']} {escape(e['subject'])}: {escape(e['message'])}"


def _failure(e: Record) -> str:
    return f"[yellow]model[/]      {escape(e['message'])}"


def _refused(e: Record) -> str | None:
    return f"[dim]tool       {escape(e['scope'])} {escape(e.get('name', ''))}: {escape(e['message'])}[/]"


def _fork(e: Record) -> str:
    return f"[yellow]fork[/]       back at {e['position']}, {len(e['changed'])} files restored"


def _decision(e: Record) -> str:
    return f"[magenta]librarian[/]  {e['decision']} {e['tool']}".rstrip() + f": {escape(e['why'])}"


def _proved(e: Record) -> str:
    said = "[green]solves the task[/]" if e["solved"] else f"does not solve the task: {escape(e['why'])}"
    return f"[cyan]verifier[/]   {e['tool']} {said}"


def _exam(e: Record) -> str:
    failed = next((step for step in e["steps"] if not step["passed"]), None)
    said = (
        "[green]passed[/]"
        if failed is None
        else f"[yellow]failed[/] at {failed['name']}: {escape(failed['detail'])}"
    )
    return f"[cyan]verifier[/]   exam {said}"


def _admitted(e: Record) -> str:
    return f"[bold green]library[/]    {e['tool']} {e['outcome']}, {e['state']}"


_LINES: dict[str, Callable[[Record], str | None]] = {
    "PLAN": _plan,
    "ASSIGNMENT_STARTED": _started,
    "ASSIGNMENT_FINISHED": _finished,
    "FILE_OPERATION": _file,
    "BLOCKER": _blocker,
    "BLOCKER_CLOSED": _closed,
    "REVIEW": _review,
    "SANDBOX": _sandbox,
    "COMMAND": _command,
    "VERDICT": _verdict,
    "CALLBACK": _callback,
    "MODEL_FAILURE": _failure,
    "TOOL_EXECUTION_ERROR": _refused,
    "FORK": _fork,
    "DECISION": _decision,
    "PROVED": _proved,
    "EXAM": _exam,
    "ADMITTED": _admitted,
}
