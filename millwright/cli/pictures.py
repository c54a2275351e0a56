"""`millwright graph`: the picture of a graph, drawn here and without network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Pictures of the graphs.", no_args_is_help=True, rich_markup_mode=None)


@app.command("build")
def build(
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Print the graph as Mermaid text.")] = False,
    png: Annotated[Path | None, typer.Option(help="Write the graph as a PNG picture to this file.")] = None,
    xray: Annotated[bool, typer.Option(help="Show the developer's own loop as well.")] = False,
) -> None:
    """Draw the build graph."""
    from graphs.build import graph
    from millwright.pictures import draw_png

    drawable = graph.get_graph(xray=xray)
    if png is not None:
        draw_png(drawable, png)
        print(png)
    if mermaid or png is None:
        print(drawable.draw_mermaid())
