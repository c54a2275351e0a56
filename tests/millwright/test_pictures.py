"""Pictures of graphs: nothing overlaps, every edge is drawn, and a PNG comes out without network."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from graphs import build, turns
from millwright.pictures import draw_png
from millwright.pictures.layout import arrange
from tools.errors import StorageFailed

if TYPE_CHECKING:
    from pathlib import Path

GRAPHS = {"build": build.graph, "agent": turns.graph}


@pytest.mark.parametrize("name", GRAPHS)
def test_no_two_nodes_touch_and_every_edge_has_a_way(name: str) -> None:
    drawable = GRAPHS[name].get_graph()
    widths = dict.fromkeys(drawable.nodes, 120.0)
    edges = [(edge.source, edge.target) for edge in drawable.edges]
    layout = arrange(list(drawable.nodes), edges, widths, (40.0, 100.0))
    for (ax, ay), (bx, by) in combinations(layout.centres.values(), 2):
        assert abs(ax - bx) >= 120 or abs(ay - by) >= 100
    for source, target in edges:
        way = layout.bends[source, target]
        assert (way[0], way[-1]) == (layout.centres[source], layout.centres[target])


def test_edges_run_downwards_except_those_that_close_a_circle() -> None:
    layout = arrange(["a", "b", "c"], [("a", "b"), ("b", "c"), ("c", "b"), ("a", "c")], {}, (10.0, 10.0))
    rows = {name: y for name, (_, y) in layout.centres.items()}
    assert rows == {"a": 0, "b": 10, "c": 20}
    assert len(layout.bends["a", "c"]) == 3


@pytest.mark.parametrize("name", GRAPHS)
def test_a_picture_is_a_png_with_ink_on_it(name: str, tmp_path: Path) -> None:
    target = tmp_path / "graph.png"
    draw_png(GRAPHS[name].get_graph(), target)
    with Image.open(target) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 300
        assert len(picture.getcolors(1 << 24) or []) > 10


def test_a_picture_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed, match="no-such-folder"):
        draw_png(build.graph.get_graph(), tmp_path / "no-such-folder" / "graph.png")
