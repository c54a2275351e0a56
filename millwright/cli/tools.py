"""`millwright tools`: the tools that the factory made: list, show, search, run, export, recheck, judge and serve them."""

from __future__ import annotations

import asyncio
import json as encoding
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from millwright.cli import tables
from millwright.cli.building import AsJson, Unconfined
from tools.errors import ToolRefused, UsageError

if TYPE_CHECKING:
    from tools.memory.records import Skill

app = typer.Typer(
    help="The tools that the factory made and that proved themselves.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Name = Annotated[str, typer.Argument(help="A tool's name, or one version of it by its id.", show_default=False)]
Names = Annotated[list[str] | None, typer.Argument(help="Names or ids; all of them by default.")]
Tags = Annotated[list[str] | None, typer.Option("--tag", help="Only tools with this tag; may be repeated.")]
States = Annotated[
    list[str] | None,
    typer.Option(
        "--state", help="candidate, active, suspended or retired; may be repeated. All but retired by default."
    ),
]
Why = Annotated[str, typer.Option(help="Why, for the record.")]


@app.command("list")
def list_tools(tag: Tags = None, state: States = None, json: AsJson = False) -> None:
    """List the tools, with what speaks for each."""
    from millwright.shelf import opened

    rows = [summary(skill) for skill in opened("command line").found(tags=tag or (), states=state or ())]
    if json:
        print(encoding.dumps(rows))
        return
    if not rows:
        print("no such tools; the factory makes them: millwright factory run")
        return
    columns = ("name", "version", "state", "tests", "mutation", "verified", "calls", "tags")
    table = tables.table(*columns, folded=("tags",))
    for row in rows:
        score = row["mutation_score"]
        table.add_row(
            row["name"],
            str(row["version"]),
            row["state"],
            str(row["tests"]),
            "" if score is None else f"{score:.2f}",
            f"{row['won']}/{row['trials']}",
            str(row["uses"]),
            escape(", ".join(row["tags"])),
        )
    tables.show(table)


@app.command()
def show(name: Name, json: AsJson = False) -> None:
    """Show a tool: its code, its tests, its interface, what speaks for it and where it came from."""
    from millwright.shelf import opened

    shelf = opened("command line")
    skill = shelf.skill(name)
    history = [one.model_dump(mode="json") for one in shelf.library.history(skill.id)]
    failures = [{"at": at, **use.model_dump(mode="json")} for at, use in shelf.library.failures(skill.id)]
    if json:
        print(encoding.dumps({**skill.model_dump(mode="json"), "transitions": history, "failures": failures}))
        return
    from tools.skills.exporting import readme

    console = Console(highlight=False, soft_wrap=True)
    console.print(escape(readme(skill)))
    console.print("interface:\n" + escape(encoding.dumps(skill.interface["parameters"], indent=2)))
    for title, text in (("main.py", skill.code), ("tests", skill.tests)):
        console.print(f"\n[bold]{title}[/]\n{escape(text)}")
    for one in history:
        console.print(escape(f"{one['at'][:19]}  {one['before']} -> {one['after']}: {one['why']}"))
    for one in failures:
        given = "" if one["arguments"] is None else f" for {encoding.dumps(one['arguments'], ensure_ascii=False)}"
        console.print(escape(f"{one['at'][:19]}  {one['outcome']}{given}: {one['detail']}"))


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="What the tool is to do, or its name.", show_default=False)],
    limit: Annotated[int, typer.Option(min=1, max=100, help="Most results.")] = 5,
    tag: Tags = None,
    json: AsJson = False,
) -> None:
    """Find tools by what they do."""
    from tools.memory.memory import open_memory

    hits = open_memory().search(text, limit=limit, tags=tag or ())
    if json:
        rows = [{**summary(hit.skill), "score": hit.score} for hit in hits]
        print(encoding.dumps({"means": hits.means, "degraded": hits.degraded, "hits": rows}))
        return
    console = Console(highlight=False, soft_wrap=True)
    if hits.degraded:
        console.print(f"[dim]compared by {escape(hits.means)}: words are seen, meanings are not[/]")
    for hit in hits:
        console.print(
            f"{hit.score:.2f}  [bold]{hit.skill.name}[/] {hit.skill.state}  {escape(hit.skill.description)}"
        )
    if not hits:
        console.print("nothing fits")


@app.command()
def run(
    name: Name,
    args: Annotated[
        str, typer.Option(help="The arguments as a JSON object; - reads them from standard input.")
    ] = "{}",
    exec_sandbox: Unconfined = None,
    json: AsJson = False,
) -> None:
    """Run a tool in the sandbox and print its result as JSON; exit code 1 when it raised an error."""
    from millwright.shelf import opened

    shelf = opened("command line", policy_of(exec_sandbox))
    skill = shelf.skill(name)
    try:
        answer = asyncio.run(shelf.use(skill, _arguments(args)))
    except ToolRefused as error:
        raise UsageError(f"{error}; `millwright tools show {name}` tells what it takes") from error
    try:
        value = encoding.dumps(answer.value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        no_word = f"the result holds a number that JSON has no word for: {answer.value!r}"
        answer, value = replace(answer, kind="not_json", value=None, error=no_word), ""
    said = {"tool": skill.id, "outcome": answer.kind, "result": answer.value, "error": answer.error}
    if json:
        print(encoding.dumps({**said, "seconds": answer.seconds}))
    elif answer.kind == "returned":
        print(value)
    else:
        print(f"millwright: {name} {answer.kind.replace('_', ' ')}: {answer.error}", file=sys.stderr)
    raise typer.Exit(0 if answer.kind == "returned" else 1)


@app.command()
def export(
    name: Name,
    to: Annotated[Path, typer.Option(help="The folder to write; it must be empty or new.")],
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    exec_sandbox: Unconfined = None,
) -> None:
    """Write a tool as a folder that stands alone: code, tests, project file and evidence.

    Exit code 1 when its tests do not pass there with plain pytest.
    """
    from millwright.shelf import opened
    from tools.skills.exporting import export as write
    from tools.skills.exporting import tried
    from tools.skills.running import confined

    shelf = opened("command line")
    for path in write(shelf.skill(name), shelf.library, to, force=force):
        print(path)
    failed = asyncio.run(tried(to, confined(policy_of(exec_sandbox))))
    if failed:
        print(f"millwright: {name} is written, but its tests do not pass there:\n{failed}", file=sys.stderr)
        raise typer.Exit(1)
    print("its tests pass there")


@app.command()
def recheck(names: Names = None, exec_sandbox: Unconfined = None, json: AsJson = False) -> None:
    """Run the locked tests of tools again; suspend what no longer passes, take back what passes again.

    Exit code 1 when a tool does not pass.
    """
    from millwright.shelf import checked_again

    rows = asyncio.run(checked_again(names or (), policy_of(exec_sandbox)))
    if json:
        print(encoding.dumps([asdict(row) for row in rows]))
    else:
        for row in rows:
            moved = f", now {row.after}" if row.after is not row.before else ""
            print(f"{row.skill} {'passes' if row.passed else 'FAILS'} ({row.before}{moved}): {row.detail}")
        print(f"{sum(row.passed for row in rows)} of {len(rows)} pass")
    raise typer.Exit(0 if all(row.passed for row in rows) else 1)


@app.command()
def approve(name: Name, why: Why = "approved by a person", json: AsJson = False) -> None:
    """Make a candidate active, on your word: it is offered to agents from now on."""
    from millwright.shelf import approved

    _tell(approved(name, why), json)


@app.command()
def retire(
    name: Annotated[str | None, typer.Argument(help="A tool's name, or one version of it by its id.")] = None,
    unused: Annotated[
        int | None, typer.Option(min=1, help="All that so many runs were shown since the last use, and none used.")
    ] = None,
    why: Why = "retired by a person",
    json: AsJson = False,
) -> None:
    """Take a tool out of use, or those that nobody uses; they stay in the library, and `approve` brings them back."""
    from millwright.shelf import retired, retired_unused

    if (name is None) == (unused is None):
        raise UsageError("name one tool to retire, or say --unused RUNS for those that so many runs did not use")
    if name is not None:
        _tell(retired(name, why), json)
        return
    changes = retired_unused(unused or 0)
    if json:
        print(encoding.dumps([change.model_dump(mode="json") for change in changes]))
    else:
        for change in changes:
            print(f"{change.skill} is retired: {change.why}")
        print(f"{len(changes)} retired; `millwright tools approve ID` brings one back")


@app.command("similar")
def list_similar(
    least: Annotated[float, typer.Option(min=0, max=1, help="The least cosine of their descriptions.")] = 0.9,
    json: AsJson = False,
) -> None:
    """List pairs of tools that say nearly the same, to look at: likeness alone merges nothing."""
    from tools.memory.memory import open_memory
    from tools.memory.similar import similar

    pairs = similar(open_memory(), least)
    if json:
        print(encoding.dumps([pair.to_dict() for pair in pairs]))
        return
    for pair in pairs:
        signature = "the same signature" if pair.same_signature else "another signature"
        print(f"{pair.cosine:.2f}  {pair.first.id}  {pair.second.id}  {signature}")
    print(
        f"{len(pairs)} pairs; compare them with `millwright tools show`, and retire what you do not want"
        if pairs
        else "no two tools are that alike"
    )


@app.command()
def serve(
    http: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Serve HTTP on 127.0.0.1 at this port (0: a free one), not stdio."),
    ] = None,
    tag: Tags = None,
    exec_sandbox: Unconfined = None,
) -> None:
    """Serve the active tools to other agents over MCP: on standard input and output, or over HTTP with a token."""
    from millwright.shelf import opened

    try:
        from millwright.mcp_server import SkillServer
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("mcp", "mcp_types"):
            raise
        raise UsageError(
            "the MCP library is not installed; install it with: pip install 'millwright[mcp]'"
        ) from error

    shelf = opened("mcp", policy_of(exec_sandbox))
    if http is None:
        asyncio.run(SkillServer(shelf, tag or ()).over_stdio())
        return
    from millwright.mcp_http import TOKEN, given_token, listening_at, over_http

    token, fresh = given_token()
    listener = listening_at(http)
    print(f"serving http://{':'.join(map(str, listener.getsockname()))}/mcp", flush=True)
    if fresh:
        print(f"token, shown this once: {token}  (set {TOKEN} to choose your own)", flush=True)
    asyncio.run(over_http(SkillServer(shelf, tag or ()), listener, token))


def summary(skill: Skill) -> dict[str, Any]:
    """A tool in one line."""
    return {
        **skill.model_dump(
            mode="json",
            include={"id", "name", "version", "description", "tags", "uses", "successes", "trials", "won"},
        ),
        "state": str(skill.state),
        "type": str(skill.tool_type),
        "tests": skill.evidence.tests,
        "mutation_score": skill.evidence.mutation_score,
        "run": skill.run,
    }


def policy_of(typed: str | None) -> Any:
    """How code is confined, as it was typed.

    Raises:
        UsageError: there is no such way.
    """
    if typed not in (None, "require", "off"):
        raise UsageError(f"--exec-sandbox: {typed!r} is not known; give require or off")
    return typed or "require"


def _arguments(text: str) -> dict[str, Any]:
    try:
        given = encoding.loads(sys.stdin.read() if text == "-" else text)
    except ValueError as error:
        raise UsageError(f"--args is no JSON ({error}); write an object such as '{{\"demand\": 3}}'") from error
    if not isinstance(given, dict):
        raise UsageError(
            f"--args holds {text[:80]}, which is no JSON object; write one such as '{{\"demand\": 3}}'"
        )
    return given


def _tell(skill: Skill, json: bool) -> None:
    print(encoding.dumps(summary(skill)) if json else f"{skill.id} is {skill.state}")
