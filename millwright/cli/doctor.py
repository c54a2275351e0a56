"""`millwright doctor`: can this machine run model-written code safely, and what can this model do?"""

from __future__ import annotations

import asyncio
import json as encoding
from typing import Annotated, Any

import typer

from millwright.cli.building import AsJson


def doctor(
    model: Annotated[
        str | None, typer.Argument(help="Chat model, such as ollama:qwen2.5-coder:7b.", show_default=False)
    ] = None,
    base_url: Annotated[str | None, typer.Option(help="Where the model's server listens.")] = None,
    seconds: Annotated[float, typer.Option(min=1, help="Most seconds for one question to the model.")] = 180.0,
    json: AsJson = False,
) -> None:
    """Examine the sandbox and a model; the model's profile is remembered and used by later builds."""
    from graphs.context import default_model
    from millwright.doctor import examine, pynguin
    from tools.sandbox.diagnosis import diagnose

    findings, author = diagnose(), pynguin()
    if not json:
        _show_sandbox(findings)
        print(f"{author['state']:5} pynguin: {author['what']}")
    name = model or default_model()
    result = asyncio.run(examine(name, base_url=base_url, seconds=seconds))
    if json:
        sandbox = [vars(finding) for finding in findings]
        print(encoding.dumps({"sandbox": sandbox, "pynguin": author, **result}))
    else:
        _show_model(result)


def _show_sandbox(findings: list[Any]) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False, soft_wrap=True)
    for finding in findings:
        console.print(f"{finding.state:5} {escape(finding.subject)}: {escape(finding.what)}")
        if finding.mend:
            console.print(f"      {escape(finding.mend)}")


def _show_model(result: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from millwright.doctor import advice

    table = Table(box=None, pad_edge=False, title=result["model"], title_justify="left")
    for column in ("", "the model", "seconds", "tokens", "why not"):
        table.add_column(column, overflow="fold")
    for probe in result["probes"]:
        mark = "yes" if probe["passed"] else "no"
        table.add_row(mark, probe["what"], f"{probe['seconds']:.1f}", str(probe["tokens"]), escape(probe["detail"]))
    console = Console(highlight=False)
    console.print(table)
    for line in advice(result["profile"]):
        console.print(line)
