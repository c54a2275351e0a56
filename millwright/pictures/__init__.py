"""The picture of a graph as a PNG, drawn here: no network, no browser, no program of the system."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

from millwright.pictures.layout import arrange
from tools.storage import storage_failed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from langchain_core.runnables.graph import Graph

    Point = tuple[float, float]

SCALE = 2
BOX_HEIGHT, PADDING, MARGIN = 40, 20, 40
GAPS = (64.0, 104.0)
APART = 16
INK, LINE, PAPER = "#2b2140", "#7a6c9d", "#ffffff"
FILL, END_FILL, LABEL = "#efeafd", "#c9bcf5", "#4a3f66"


def draw_png(graph: Graph, path: Path) -> None:
    """Draw a LangGraph drawable graph to a PNG file; conditional edges are dashed and carry their outcome.

    Raises:
        StorageFailed: the file cannot be written.
    """
    picture = _drawn(graph)
    try:
        picture.save(path, "PNG", optimize=True)
    except OSError as error:
        raise storage_failed(error, path) from error


def _drawn(graph: Graph) -> Image.Image:
    font, small = _font(16), _font(13)
    names = {node.id: node.name.strip("_") for node in graph.nodes.values()}
    widths = {name: font.getlength(text) / SCALE + 2 * PADDING for name, text in names.items()}
    ordered = sorted(names, key=lambda name: name != "__start__")
    layout = arrange(ordered, [(e.source, e.target) for e in graph.edges], widths, GAPS)
    size = (layout.width + 2 * MARGIN, layout.height + 2 * MARGIN + BOX_HEIGHT)
    picture = Image.new("RGB", (round(size[0] * SCALE), round(size[1] * SCALE)), PAPER)
    canvas = ImageDraw.Draw(picture)
    taken = [_box(_moved(centre), widths[name]) for name, centre in layout.centres.items()]
    labels: list[tuple[Point, str]] = []
    both_ways = {(e.target, e.source) for e in graph.edges}
    for edge in graph.edges:
        points = [_moved(point) for point in layout.bends[edge.source, edge.target]]
        if (edge.source, edge.target) in both_ways:
            points = _aside(points)
        line = _clipped(_curve(points), _box(points[0], widths[edge.source]), _box(points[-1], widths[edge.target]))
        _draw_line(canvas, line, dashed=edge.conditional)
        if edge.data is not None:
            labels.append((_free_place(line, str(edge.data), small, taken), str(edge.data)))
    for name, centre in layout.centres.items():
        _draw_node(canvas, _moved(centre), widths[name], names[name], font, ends=name.startswith("__"))
    for point, text in labels:
        _draw_label(canvas, point, text, small)
    return picture


def _draw_node(
    canvas: ImageDraw.ImageDraw, centre: Point, width: float, text: str, font: ImageFont.FreeTypeFont, *, ends: bool
) -> None:
    left, top, right, bottom = (SCALE * side for side in _box(centre, width))
    radius = SCALE * (BOX_HEIGHT / 2 if ends else 9)
    fill = END_FILL if ends else FILL
    canvas.rounded_rectangle((left, top, right, bottom), radius, fill=fill, outline=INK, width=SCALE)
    canvas.text((SCALE * centre[0], SCALE * centre[1]), text, fill=INK, font=font, anchor="mm")


def _draw_label(canvas: ImageDraw.ImageDraw, centre: Point, text: str, font: ImageFont.FreeTypeFont) -> None:
    place = (SCALE * centre[0], SCALE * centre[1])
    left, top, right, bottom = canvas.textbbox(place, text, font=font, anchor="mm")
    canvas.rectangle((left - 6, top - 3, right + 6, bottom + 3), fill=PAPER)
    canvas.text(place, text, fill=LABEL, font=font, anchor="mm")


def _draw_line(canvas: ImageDraw.ImageDraw, points: Sequence[Point], *, dashed: bool) -> None:
    scaled = [(SCALE * x, SCALE * y) for x, y in points]
    walked = 0.0
    for a, b in itertools.pairwise(scaled):
        if not dashed or walked % (11 * SCALE) < 7 * SCALE:
            canvas.line((a, b), fill=LINE, width=SCALE)
        walked += math.dist(a, b)
    (ax, ay), (bx, by) = scaled[-min(4, len(scaled))], scaled[-1]
    turn = math.atan2(by - ay, bx - ax)
    wings = [(bx - 11 * SCALE * math.cos(turn + s), by - 11 * SCALE * math.sin(turn + s)) for s in (-0.4, 0.4)]
    canvas.polygon([(bx, by), *wings], fill=LINE)


def _curve(points: Sequence[Point], steps: int = 40) -> list[Point]:
    """A smooth way through the points, vertical at each of them (cubic Bezier pieces)."""
    line: list[Point] = []
    for (ax, ay), (bx, by) in itertools.pairwise(points):
        reach = (by - ay) * 0.5
        for n in range(steps + 1):
            t = n / steps
            p, q = 1 - t, t
            x = p**3 * ax + 3 * p * p * q * ax + 3 * p * q * q * bx + q**3 * bx
            y = p**3 * ay + 3 * p * p * q * (ay + reach) + 3 * p * q * q * (by - reach) + q**3 * by
            line.append((x, y))
    return line


def _aside(points: Sequence[Point]) -> list[Point]:
    """One of two edges between the same nodes keeps to its right, as on a road."""
    shift = APART if points[-1][1] < points[0][1] else -APART
    return [(x + shift, y) for x, y in points]


def _clipped(line: list[Point], source: tuple[float, ...], target: tuple[float, ...]) -> list[Point]:
    """The part of a line outside its two boxes."""
    outside = [point for point in line if not _inside(point, source) and not _inside(point, target)]
    return outside if len(outside) > 1 else line


def _free_place(
    line: Sequence[Point], text: str, font: ImageFont.FreeTypeFont, taken: list[tuple[float, float, float, float]]
) -> Point:
    """A place on the line where the label touches no node and no other label, as near to its start as may be."""
    width = font.getlength(text) / SCALE + 8
    order = sorted(range(len(line)), key=lambda n: abs(n - 0.42 * len(line)))
    for n in order:
        x, y = line[n]
        box = (x - width / 2, y - 10, x + width / 2, y + 10)
        if not any(_touch(box, other) for other in taken):
            taken.append(box)
            return (x, y)
    return line[order[0]]


def _touch(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _inside(point: Point, box: tuple[float, ...]) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]


def _box(centre: Point, width: float) -> tuple[float, float, float, float]:
    x, y = centre
    return (x - width / 2, y - BOX_HEIGHT / 2, x + width / 2, y + BOX_HEIGHT / 2)


def _moved(point: Point) -> Point:
    return (point[0] + MARGIN, point[1] + MARGIN + BOX_HEIGHT / 2)


def _font(size: int) -> ImageFont.FreeTypeFont:
    found = ImageFont.load_default(size * SCALE)
    assert isinstance(found, ImageFont.FreeTypeFont)
    return found
