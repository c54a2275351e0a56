"""`millwright graph`: the picture of a graph, drawn here and without network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(help="Pictures of the graphs.", no_args_is_help=True, rich_markup_mode=None)
Mermaid = Annotated[bool, typer.Option("--mermaid", help="Print the graph as Mermaid text (the default).")]
Png = Annotated[Path | None, typer.Option(help="Write the graph as a PNG picture to this file.", metavar="FILE")]


@app.command("build")
def build(mermaid: Mermaid = False, png: Png = None) -> None:
    """Draw the build graph."""
    from graphs.build import graph

    _draw(graph.get_graph(), mermaid, png)


@app.command("factory")
def factory(mermaid: Mermaid = False, png: Png = None) -> None:
    """Draw the factory graph."""
    from graphs.factory import graph

    _draw(graph.get_graph(), mermaid, png)


@app.command("agent")
def agent(mermaid: Mermaid = False, png: Png = None) -> None:
    """Draw the loop of one agent, which runs inside the develop and audit nodes."""
    from graphs.turns import graph

    _draw(graph.get_graph(), mermaid, png)


def _draw(drawable: Any, mermaid: bool, png: Path | None) -> None:
    if png is not None:
        from millwright.pictures import draw_png

        draw_png(drawable, png)
        print(png)
    if mermaid or png is None:
        print(drawable.draw_mermaid())
