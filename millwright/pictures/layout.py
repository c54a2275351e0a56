"""Where the nodes and the labels of a picture stand: a layered drawing, from top to bottom.

The method is Sugiyama's (1981): edges that lead back are turned round, everything goes to the layer of its longest path
from the start, long edges get a bend in every layer they cross, and the layers are sorted until few edges cross. A label
is laid out as a box of its own on the way of its edge, so that it covers nothing. One way from the start to the end is the
spine, drawn straight; the rest is packed to its left and right, each edge in one column.
"""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from millwright.pictures.routes import Box, route

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from millwright.pictures.routes import Point

Pair = tuple[str, str]
Rows = list[list[str]]
SWEEPS, STARTS = 8, 24
"""How often each order is improved, and how many orders are begun with; the best one is drawn."""
APART, BEND = 22.0, 10.0
"""Room between two boxes of a layer, and the width that a passing edge takes; in points, as all lengths here."""


@dataclass(frozen=True)
class Wanted:
    """An edge to draw, with the width of its label if it has one."""

    source: str
    target: str
    label: float | None = None


@dataclass(frozen=True)
class Layout:
    """Boxes of the nodes, boxes of the labels by their edge's number, and the corners of each edge's way."""

    nodes: dict[str, Box]
    labels: dict[int, Box]
    ways: list[list[Point]]


def arrange(widths: Mapping[str, float], edges: Sequence[Wanted], heights: tuple[float, float]) -> Layout:
    """Lay out a graph whose first node is its start; `heights` are those of nodes and of labels."""
    labels = {n: f"\0{n}" for n, e in enumerate(edges) if e.label is not None or e.source == e.target}
    sizes = {name: (width, heights[0]) for name, width in widths.items()}
    sizes |= {name: (edges[n].label or BEND, heights[1]) for n, name in labels.items()}
    chains = [[e.source, *([labels[n]] if n in labels else []), e.target] for n, e in enumerate(edges)]
    layer = _layers(list(sizes), _downward(list(widths), chains))
    rows, chains = _with_bends(layer, chains)
    depth = {name: number for number, row in enumerate(rows) for name in row}
    links = [(a, b) if depth[a] < depth[b] else (b, a) for chain in chains for a, b in itertools.pairwise(chain)]
    full = {name: sizes.get(name, (BEND, 0.0)) for name in depth}
    runs = [[*run] for chain in chains for key, run in itertools.groupby(chain, widths.__contains__) if not key]
    x = _columns(rows, links, {name: size[0] for name, size in full.items()}, _spine(depth, chains), runs)
    boxes, lines = route(rows, x, full, links)
    parts = iter(lines)
    ways: list[list[Point]] = []
    for chain in chains:
        steps = [next(parts) if depth[a] < depth[b] else next(parts)[::-1] for a, b in itertools.pairwise(chain)]
        ways.append(list(itertools.chain.from_iterable(steps)))
    return Layout({name: boxes[name] for name in widths}, {n: boxes[name] for n, name in labels.items()}, ways)


def _downward(nodes: Sequence[str], chains: Sequence[Sequence[str]]) -> list[Pair]:
    """What must stand above what: the chains' steps, turned round where they close a circle."""
    back = _back_edges(nodes, [(chain[0], chain[-1]) for chain in chains])
    turned: list[Pair] = []
    for chain in chains:
        way = chain[:-1] if chain[0] == chain[-1] else chain[::-1] if (chain[0], chain[-1]) in back else chain
        turned += itertools.pairwise(way)
    return turned


def _back_edges(nodes: Sequence[str], edges: Sequence[Pair]) -> set[Pair]:
    """The edges that close a circle, as a depth-first walk from the start meets them."""
    after: dict[str, list[str]] = defaultdict(list)
    for a, b in edges:
        after[a].append(b)
    back: set[Pair] = set()
    done: set[str] = set()

    def walk(name: str, above: frozenset[str]) -> None:
        above |= {name}
        for follower in after[name]:
            if follower in above:
                back.add((name, follower))
            elif follower not in done:
                walk(follower, above)
        done.add(name)

    for name in nodes:
        if name not in done:
            walk(name, frozenset())
    return back


def _layers(names: Sequence[str], pairs: Sequence[Pair]) -> dict[str, int]:
    layer = dict.fromkeys(names, 0)
    for _ in names:
        for a, b in pairs:
            layer[b] = max(layer[b], layer[a] + 1)
    return layer


def _with_bends(layer: Mapping[str, int], chains: Sequence[Sequence[str]]) -> tuple[Rows, list[list[str]]]:
    """The rows with a bend for every layer that an edge crosses, and each edge's way through them."""
    rows: Rows = [[] for _ in range(max(layer.values()) + 1)]
    for name, level in layer.items():
        rows[level].append(name)
    longer: list[list[str]] = []
    for number, chain in enumerate(chains):
        way = [chain[0]]
        for a, b in itertools.pairwise(chain):
            step = 1 if layer[b] > layer[a] else -1
            for level in range(layer[a] + step, layer[b], step):
                way.append(f"\0{number}@{level}")
                rows[level].append(way[-1])
            way.append(b)
        longer.append(way)
    return rows, longer


def _spine(depth: Mapping[str, int], chains: Sequence[Sequence[str]]) -> set[str]:
    """The way that is drawn straight: from the lowest box upwards, always along the shortest edge that led there."""
    above: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for chain in chains:
        length = depth[chain[-1]] - depth[chain[0]]
        for a, b in itertools.pairwise(chain):
            if depth[a] < depth[b]:
                above[b].append((length, len(chain), a))
    path = [max(depth, key=depth.__getitem__)]
    while path[-1] in above:
        path.append(min(above[path[-1]])[2])
    return set(path)


def _columns(
    rows: Rows,
    links: Sequence[Pair],
    width: Mapping[str, float],
    spine: set[str],
    runs: Sequence[Sequence[str]],
) -> dict[str, float]:
    """Sort the rows and find every centre: the fewest crossings, then the least way to the side."""
    near = _neighbours(links)
    best: tuple[tuple[int, float], Rows, dict[str, float]] | None = None
    for start in range(STARTS):
        order = _untangled(rows, links, near, spine, random.Random(start))  # noqa: S311 - any order will do
        x = _packed(order, runs, width, spine)
        cost = _crossings(order, links), sum(abs(x[a] - x[b]) for a, b in links)
        if best is None or cost < best[0]:
            best = cost, order, x
    assert best is not None
    rows[:] = best[1]
    return best[2]


def _neighbours(links: Sequence[Pair]) -> dict[str, tuple[list[str], list[str]]]:
    near: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for a, b in links:
        near[a][1].append(b)
        near[b][0].append(a)
    return near


def _untangled(
    rows: Rows,
    links: Sequence[Pair],
    near: Mapping[str, tuple[list[str], list[str]]],
    spine: set[str],
    chance: random.Random,
) -> Rows:
    """Sort every row by its neighbours' places left and right of the spine, down and up; keep the best order."""
    sides: dict[str, float] = defaultdict(lambda: chance.choice((-1.0, 1.0)))
    # What belongs to one edge begins on one side.
    order = [sorted(row, key=lambda n: 0.0 if n in spine else sides[n.partition("@")[0]]) for row in rows]
    best, fewest = order, _crossings(order, links)
    place = {name: at for row in order for name, at in _around(row, spine)}
    for sweep in range(SWEEPS):
        order = [list(row) for row in order]
        for row in order if sweep % 2 == 0 else reversed(order):
            pull = {n: _mean([place[m] for m in near[n][sweep % 2]], place[n]) + place[n] / 100 for n in row}
            row.sort(key=lambda n: 0.0 if n in spine else pull[n])
            place.update(_around(row, spine))
        crossings = _crossings(order, links)
        if crossings < fewest:
            best, fewest = order, crossings
    return best


def _around(row: Sequence[str], spine: set[str]) -> list[tuple[str, int]]:
    return [(name, place) for place, name in enumerate(row, -_middle(row, spine))]


def _middle(row: Sequence[str], spine: set[str]) -> int:
    return next(index for index, name in enumerate(row) if name in spine)


def _crossings(rows: Sequence[Sequence[str]], links: Sequence[Pair]) -> int:
    place = {name: (number, index) for number, row in enumerate(rows) for index, name in enumerate(row)}
    gaps: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for a, b in links:
        gaps[place[a][0]].append((place[a][1], place[b][1]))
    pairs = (pair for ends in gaps.values() for pair in itertools.combinations(ends, 2))
    return sum((a - c) * (b - d) < 0 for (a, b), (c, d) in pairs)


def _packed(
    rows: Rows, runs: Sequence[Sequence[str]], width: Mapping[str, float], spine: set[str]
) -> dict[str, float]:
    """Centres: everything as near to the spine as it may be, what passes between two nodes in one column."""
    side = {name: (at > 0) - (at < 0) for row in rows for name, at in _around(row, spine)}
    together = {name: [n for n in run if side[n] == side[name]] for run in runs for name in run}
    x = dict.fromkeys(side, 0.0)
    for _ in side:
        pushed = [
            _push(row[at:] if to > 0 else row[at::-1], to, together, x, width)
            for row in rows
            for to in (1, -1)
            for at in [_middle(row, spine)]
        ]
        if not any(pushed):
            return x
    # Two edges that are each inside of the other somewhere cannot both have one column.
    return _packed(rows, [], width, spine)


def _push(
    outwards: Sequence[str],
    to: int,
    together: Mapping[str, list[str]],
    x: dict[str, float],
    width: Mapping[str, float],
) -> bool:
    """Move what stands too near to its inner neighbour, with all that is to stand in one column with it."""
    moved = False
    for inner, name in itertools.pairwise(outwards):
        least = abs(x[inner]) + (width[inner] + width[name]) / 2 + APART
        if abs(x[name]) < least - 0.01:
            x.update(dict.fromkeys(together.get(name, [name]), to * least))
            moved = True
    return moved


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
