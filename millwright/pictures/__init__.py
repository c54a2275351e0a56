"""The picture of a graph as a PNG, drawn here: no network, no browser, no program of the system.

Pillow's own font is used, so a graph gives the same picture on every machine.
"""

from __future__ import annotations

import io
import math
from functools import cache
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from millwright.pictures.layout import Layout, Wanted, arrange
from tools.storage import write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from langchain_core.runnables.graph import Graph

    from millwright.pictures.routes import Box, Point

PIXELS, FINE = 2, 3
"""Pixels per point, and how much larger it is drawn first: Pillow's lines have no soft edges, shrinking gives them."""
MARGIN, RADIUS, CORNER, STROKE = 24.0, 9.0, 8.0, 1.5
HEIGHTS = (40.0, 18.0)
DASH, GAP, ARROW = 5.0, 4.0, 8.0
TEXT, SMALL = 15, 12
INK, QUIET, LINE, BORDER = "#1f1b3a", "#55516e", "#7a74a6", "#a79df0"
PAPER, FILL, END_FILL = "#ffffff", "#f2f0ff", "#bfb6fc"


def draw_png(graph: Graph, path: Path) -> None:
    """Draw a LangGraph drawable graph to a PNG file; conditional edges are dashed and carry their outcome.

    Raises:
        StorageFailed: the file cannot be written.
    """
    layout = lay_out(graph)
    boxes = [*layout.nodes.values(), *layout.labels.values()]
    points = [point for way in layout.ways for point in way]
    width = max([b.x + b.width / 2 for b in boxes] + [x for x, _ in points]) + 2 * MARGIN
    height = max(b.y + b.height / 2 for b in boxes) + 2 * MARGIN
    scale = PIXELS * FINE
    large = Image.new("RGB", (round(width * scale), round(height * scale)), PAPER)
    _paint(_Canvas(large, scale), graph, layout)
    written = io.BytesIO()
    large.reduce(FINE).save(written, "PNG")
    write_atomic(path, written.getvalue(), mode=0o644)


def lay_out(graph: Graph) -> Layout:
    """Give every node, label and edge of a drawable graph its place."""
    names = sorted(graph.nodes, key=lambda name: name != "__start__")
    widths = {name: max(84.0, _font(TEXT).getlength(_shown(name)) + 32) for name in names}
    edges = [
        Wanted(e.source, e.target, None if e.data is None else _font(SMALL).getlength(str(e.data)) + 8)
        for e in graph.edges
    ]
    return arrange(widths, edges, HEIGHTS)


def _paint(canvas: _Canvas, graph: Graph, layout: Layout) -> None:
    for edge, way in zip(graph.edges, layout.ways, strict=True):
        canvas.line(_rounded(_corners(way)), dashed=edge.conditional)
    for number, box in layout.labels.items():
        canvas.label(box, str(graph.edges[number].data or ""))
    for name, box in layout.nodes.items():
        canvas.node(box, name)


class _Canvas:
    def __init__(self, image: Image.Image, scale: int) -> None:
        self._draw, self._scale = ImageDraw.Draw(image), scale

    def line(self, path: Sequence[Point], *, dashed: bool) -> None:
        # The shaft ends inside the head, whose tip touches the box.
        shaft = [*path[:-1], _toward(path[-1], path[-2], ARROW / 2)]
        for piece in _dashes(shaft) if dashed else [shaft]:
            self._draw.line(self._at(*piece), fill=LINE, width=round(STROKE * self._scale), joint="curve")
        (x, y), (ax, ay) = path[-1], path[-2]
        turn = math.atan2(y - ay, x - ax)
        wings = [(x - ARROW * math.cos(turn + s), y - ARROW * math.sin(turn + s)) for s in (-0.42, 0.42)]
        self._draw.polygon(self._at((x, y), *wings), fill=LINE)

    def label(self, box: Box, text: str) -> None:
        self._draw.rectangle(self._sides(box), fill=PAPER)
        self._write(box, text, SMALL, QUIET)

    def node(self, box: Box, name: str) -> None:
        ends = name in ("__start__", "__end__")
        fill = PAPER if name == "__start__" else END_FILL if ends else FILL
        radius = (box.height / 2 if ends else RADIUS) * self._scale
        self._draw.rounded_rectangle(self._sides(box), radius, fill, BORDER, round(STROKE * self._scale))
        self._write(box, _shown(name), TEXT, INK)

    def _write(self, box: Box, text: str, size: int, colour: str) -> None:
        self._draw.text(self._at((box.x, box.y))[0], text, colour, _font(size * self._scale), anchor="mm")

    def _sides(self, box: Box) -> list[Point]:
        x, y = box.width / 2, box.height / 2
        return self._at((box.x - x, box.y - y), (box.x + x, box.y + y))

    def _at(self, *points: Point) -> list[Point]:
        return [((x + MARGIN) * self._scale, (y + MARGIN) * self._scale) for x, y in points]


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    found = ImageFont.load_default(size)
    assert isinstance(found, ImageFont.FreeTypeFont)
    return found


def _shown(name: str) -> str:
    return name.strip("_") if name in ("__start__", "__end__") else name


def _corners(way: Sequence[Point]) -> list[Point]:
    """The way without points that are no corner."""
    kept: list[Point] = []
    for point in way:
        if kept and math.dist(kept[-1], point) < 1:
            continue
        while len(kept) > 1 and _straight(kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    return kept


def _straight(a: Point, b: Point, c: Point) -> bool:
    return abs((b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0])) < 1


def _rounded(corners: Sequence[Point]) -> list[Point]:
    """The way with a quadratic curve in the place of each corner."""
    path = [corners[0]]
    for a, b, c in zip(corners, corners[1:], corners[2:], strict=False):
        radius = min(CORNER, math.dist(a, b) / 2, math.dist(b, c) / 2)
        begin, end = _toward(b, a, radius), _toward(b, c, radius)
        for step in range(9):
            t = step / 8
            p, q, r = (1 - t) ** 2, 2 * t * (1 - t), t**2
            path.append((p * begin[0] + q * b[0] + r * end[0], p * begin[1] + q * b[1] + r * end[1]))
    return [*path, corners[-1]]


def _toward(start: Point, end: Point, length: float) -> Point:
    share = min(1.0, length / (math.dist(start, end) or 1))
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def _dashes(path: Sequence[Point]) -> Iterator[list[Point]]:
    """The path in dashes; a dash follows the corner that it lies on."""
    dash, left, drawn = [path[0]], DASH, True
    for end in path[1:]:
        while math.dist(dash[-1], end) > left:
            here = _toward(dash[-1], end, left)
            if drawn:
                yield [*dash, here]
            dash, drawn = [here], not drawn
            left = DASH if drawn else GAP
        left -= math.dist(dash[-1], end)
        dash.append(end)
    if drawn and len(dash) > 1:
        yield dash
