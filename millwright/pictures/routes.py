"""The ways of edges between the layers of a picture: down, across on a lane of its own, down; corners at right angles."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Point = tuple[float, float]
Pair = tuple[str, str]
LANE, GAP, PORT = 8.0, 26.0, 14.0
"""Room between two lanes, least room between two layers, room between two edges at a box; in points."""
INSET = 9.0
"""How far from its corner a box may be touched."""


class Box(NamedTuple):
    """A node or a label: its centre and its size."""

    x: float
    y: float
    width: float
    height: float


def route(
    rows: Sequence[Sequence[str]],
    x: Mapping[str, float],
    sizes: Mapping[str, tuple[float, float]],
    links: Sequence[Pair],
) -> tuple[dict[str, Box], list[list[Point]]]:
    """The boxes, and the corners of each link from its upper box to its lower one; the left top corner is the origin."""
    row_of = {name: number for number, row in enumerate(rows) for name in row}
    ends = _ports(links, x, {name: size[0] for name, size in sizes.items()})
    lanes: dict[int, int] = {}
    for level in range(len(rows) - 1):
        lanes |= _lanes({n: ends[n] for n, (a, _) in enumerate(links) if row_of[a] == level})
    left = min(x[name] - sizes[name][0] / 2 for name in x)
    middle, gaps = _levels(
        rows,
        sizes,
        [
            max((lanes[n] for n, (a, _) in enumerate(links) if row_of[a] == level), default=0)
            for level in range(len(rows))
        ],
    )
    boxes = {name: Box(x[name] - left, middle[row_of[name]], *sizes[name]) for name in x}
    lines = []
    for n, (a, b) in enumerate(links):
        (above, below), lane = ends[n], gaps[row_of[a]] + lanes[n] * LANE
        top, bottom = boxes[a].y + boxes[a].height / 2, boxes[b].y - boxes[b].height / 2
        lines.append([(above - left, top), (above - left, lane), (below - left, lane), (below - left, bottom)])
    return boxes, lines


def _ports(links: Sequence[Pair], x: Mapping[str, float], width: Mapping[str, float]) -> list[tuple[float, float]]:
    """Where each link leaves its upper box and meets its lower one, in the order of their other ends."""
    sides: dict[tuple[str, int], list[tuple[float, int]]] = defaultdict(list)
    for n, (a, b) in enumerate(links):
        sides[a, 0].append((x[b], n))
        sides[b, 1].append((x[a], n))
    found: dict[tuple[int, int], float] = {}
    for (name, side), others in sides.items():
        others.sort()
        straight = min(range(len(others)), key=lambda i: abs(others[i][0] - x[name]))
        centre = straight if abs(others[straight][0] - x[name]) < 1 else (len(others) - 1) / 2
        room = max(centre, len(others) - 1 - centre)
        step = min(PORT, max(0.0, width[name] / 2 - INSET) / room) if room else 0.0
        for place, (_, n) in enumerate(others):
            found[n, side] = x[name] + (place - centre) * step
    return [(found[n, 0], found[n, 1]) for n in range(len(links))]


def _lanes(ends: Mapping[int, tuple[float, float]]) -> dict[int, int]:
    """A lane for each link of one gap, counted from the top: no two on one lane touch, and few cross."""
    lanes: dict[int, int] = {}
    # Of those that go right the rightmost starts highest, of those that go left the leftmost: so none crosses another.
    for way in (1, -1):
        mine = sorted((n for n, (a, b) in ends.items() if (b - a) * way > 0.5), key=lambda n: -way * ends[n][0])
        for n in mine:
            beside = [m for m in lanes if _overlap(ends[n], ends[m])]
            lowest = max((lanes[m] + 1 for m in beside if m in mine), default=0)
            taken = {lanes[m] for m in beside}
            lanes[n] = next(lane for lane in range(lowest, lowest + len(taken) + 1) if lane not in taken)
    return {n: lanes.get(n, 0) for n in ends}


def _overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return min(one) < max(other) + LANE and min(other) < max(one) + LANE


def _levels(
    rows: Sequence[Sequence[str]], sizes: Mapping[str, tuple[float, float]], lanes: Sequence[int]
) -> tuple[list[float], list[float]]:
    """The middle of each row, and the first lane below it."""
    middle, first, y = [], [], 0.0
    for row, count in zip(rows, lanes, strict=True):
        height = max(sizes[name][1] for name in row)
        middle.append(y + height / 2)
        first.append(y + height + LANE)
        y += height + max(GAP, 2.5 * LANE + count * LANE)
    return middle, first
