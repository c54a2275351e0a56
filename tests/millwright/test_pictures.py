"""Pictures of graphs: nothing covers anything, every edge is drawn from box to box, and no network is needed."""

from __future__ import annotations

import math
import subprocess
import sys
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from graphs import build, turns
from millwright.pictures import draw_png, lay_out
from millwright.pictures.layout import Layout, Wanted, arrange
from tools.errors import StorageFailed

if TYPE_CHECKING:
    from pathlib import Path

    from millwright.pictures.routes import Box, Point

GRAPHS = {"build": build.graph, "agent": turns.graph}
HEIGHTS = (40.0, 18.0)


def crossing_itself(layout: Layout) -> list[str]:
    """What covers what in a layout, in words; nothing should."""
    boxes = {**layout.nodes, **{f"label {n}": box for n, box in layout.labels.items()}}
    wrong = [f"{a} and {b}" for (a, one), (b, two) in combinations(boxes.items(), 2) if touch(one, two)]
    for number, way in enumerate(layout.ways):
        own = f"label {number}"
        for name, box in boxes.items():
            if name != own and any(enters(box, *step) for step in pairwise(way)):
                wrong.append(f"edge {number} runs through {name}")
    return wrong


def touch(a: Box, b: Box) -> bool:
    return abs(a.x - b.x) < (a.width + b.width) / 2 and abs(a.y - b.y) < (a.height + b.height) / 2


def enters(box: Box, start: Point, end: Point) -> bool:
    """Whether a level or upright step comes inside a box; meeting its border does not count."""
    left, right = sorted((start[0], end[0]))
    top, bottom = sorted((start[1], end[1]))
    x, y = box.width / 2 - 0.5, box.height / 2 - 0.5
    return left < box.x + x and right > box.x - x and top < box.y + y and bottom > box.y - y


def on_border(box: Box, point: Point) -> bool:
    return abs(point[0] - box.x) <= box.width / 2 and math.isclose(
        abs(point[1] - box.y), box.height / 2, abs_tol=0.01
    )


@pytest.mark.parametrize("name", GRAPHS)
def test_nothing_covers_anything_and_every_edge_ends_at_its_boxes(name: str) -> None:
    drawable = GRAPHS[name].get_graph()
    layout = lay_out(drawable)
    assert crossing_itself(layout) == []
    assert layout.labels.keys() == {n for n, edge in enumerate(drawable.edges) if edge.data is not None}
    for edge, way in zip(drawable.edges, layout.ways, strict=True):
        assert on_border(layout.nodes[edge.source], way[0])
        assert on_border(layout.nodes[edge.target], way[-1])
        assert all(a[0] == pytest.approx(b[0]) or a[1] == pytest.approx(b[1]) for a, b in pairwise(way))


def test_the_way_to_the_end_is_straight_and_labels_stand_on_their_edges() -> None:
    layout = lay_out(build.graph.get_graph())
    assert {round(layout.nodes[name].x) for name in ("__start__", "plan", "develop", "verify", "__end__")} == {
        round(layout.nodes["plan"].x)
    }
    for number, box in layout.labels.items():
        assert any(
            abs(x - box.x) < box.width / 2 and abs(y - box.y) <= box.height / 2 for x, y in layout.ways[number]
        )


def test_edges_run_downwards_except_those_that_close_a_circle() -> None:
    edges = [Wanted("a", "b"), Wanted("b", "c"), Wanted("c", "b", 30), Wanted("a", "c"), Wanted("c", "c", 20)]
    layout = arrange(dict.fromkeys("abc", 60.0), edges, HEIGHTS)
    assert layout.nodes["a"].y < layout.nodes["b"].y < layout.labels[2].y < layout.nodes["c"].y < layout.labels[4].y
    assert crossing_itself(layout) == []


@settings(deadline=None, max_examples=25)
@given(
    st.integers(1, 7).flatmap(
        lambda count: st.tuples(
            st.just(count),
            st.lists(st.tuples(*[st.integers(0, count - 1)] * 2, st.none() | st.floats(4, 150)), max_size=12),
        )
    )
)
def test_any_graph_can_be_laid_out(graph: tuple[int, list[tuple[int, int, float | None]]]) -> None:
    count, edges = graph
    layout = arrange(
        {f"n{n}": 60.0 + 20 * n for n in range(count)}, [Wanted(f"n{a}", f"n{b}", w) for a, b, w in edges], HEIGHTS
    )
    boxes = [*layout.nodes.values(), *layout.labels.values()]
    assert not [pair for pair in combinations(boxes, 2) if touch(*pair)]
    assert min(box.x - box.width / 2 for box in boxes) >= -0.01
    for (a, b, _), way in zip(edges, layout.ways, strict=True):
        assert on_border(layout.nodes[f"n{a}"], way[0])
        assert on_border(layout.nodes[f"n{b}"], way[-1])


@pytest.mark.parametrize("name", GRAPHS)
def test_a_picture_is_a_png_the_same_every_time(name: str, tmp_path: Path) -> None:
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    for target in (one, two):
        draw_png(GRAPHS[name].get_graph(), target)
    assert one.read_bytes() == two.read_bytes()
    with Image.open(one) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) > 300
        assert len(picture.getcolors(1 << 24) or []) > 10


def test_a_picture_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageFailed, match="cannot write"):
        draw_png(turns.graph.get_graph(), tmp_path / "file" / "graph.png")


def test_help_imports_neither_langgraph_nor_what_draws() -> None:
    script = """
import sys
from millwright.cli import main
sys.argv = ["millwright", "--help"]
try:
    main()
except SystemExit:
    heavy = {"langgraph", "langchain_core", "langchain_ollama", "PIL", "chromadb", "starlette", "pydantic"}
    print(sorted(heavy & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
