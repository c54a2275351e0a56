"""Where the nodes of a picture stand: a layered drawing, from top to bottom.

The method is Sugiyama's (1981): edges that run back are turned round, each node goes to the layer of its longest path
from the start, long edges get a bend in every layer they cross, and the layers are sorted by the barycenter of their
neighbours until fewer edges cross.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Edge = tuple[str, str]
SWEEPS = 24


@dataclass
class Layout:
    """Centres of nodes, and the bends of each edge from its source to its target."""

    centres: dict[str, tuple[float, float]] = field(default_factory=dict)
    bends: dict[Edge, list[tuple[float, float]]] = field(default_factory=dict)
    width: float = 0.0
    height: float = 0.0


def arrange(
    nodes: Sequence[str], edges: Iterable[Edge], widths: Mapping[str, float], gaps: tuple[float, float]
) -> Layout:
    """Lay out a graph whose first node is its start; `widths` in pixels, `gaps` between columns and layers."""
    wanted = list(dict.fromkeys(edges))
    back = _back_edges(nodes, wanted)
    forward = [(b, a) if (a, b) in back else (a, b) for a, b in wanted]
    layer = _layers(nodes, forward)
    rows, chains = _with_bends(nodes, wanted, forward, layer)
    links = [link for chain in chains.values() for link in itertools.pairwise(chain)]
    _untangle(rows, links)
    size = defaultdict(lambda: 26.0, widths)
    x = _columns(rows, links, size, gaps[0])
    place = {name: (x[name], number * gaps[1]) for number, row in enumerate(rows) for name in row}
    layout = Layout(width=max(x[n] + size[n] / 2 for n in x), height=(len(rows) - 1) * gaps[1])
    layout.centres = {name: place[name] for name in nodes}
    for edge, chain in chains.items():
        points = [place[name] for name in chain]
        layout.bends[edge] = points[::-1] if edge in back else points
    return layout


def _back_edges(nodes: Sequence[str], edges: Sequence[Edge]) -> set[Edge]:
    """The edges that close a circle, as a depth-first walk from the start meets them."""
    after: dict[str, list[str]] = defaultdict(list)
    for a, b in edges:
        after[a].append(b)
    back: set[Edge] = set()
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


def _layers(nodes: Sequence[str], edges: Sequence[Edge]) -> dict[str, int]:
    layer = dict.fromkeys(nodes, 0)
    for _ in nodes:
        for a, b in edges:
            layer[b] = max(layer[b], layer[a] + 1)
    return layer


def _with_bends(
    nodes: Sequence[str], wanted: Sequence[Edge], forward: Sequence[Edge], layer: dict[str, int]
) -> tuple[list[list[str]], dict[Edge, list[str]]]:
    """The rows with a bend for every layer that an edge crosses, and each edge's way through them, downwards."""
    rows: list[list[str]] = [[] for _ in range(max(layer.values()) + 1)]
    for name in nodes:
        rows[layer[name]].append(name)
    chains: dict[Edge, list[str]] = {}
    for edge, (a, b) in zip(wanted, forward, strict=True):
        bends = [f"{edge[0]}>{edge[1]}@{level}" for level in range(layer[a] + 1, layer[b])]
        for level, bend in enumerate(bends, layer[a] + 1):
            rows[level].append(bend)
        chains[edge] = [a, *bends, b]
    return rows, chains


def _untangle(rows: list[list[str]], links: Sequence[Edge]) -> None:
    """Sort every row by its neighbours' places, down and up, and keep the order with the fewest crossings."""
    best, fewest = [list(row) for row in rows], _crossings(rows, links)
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        near: dict[str, list[str]] = defaultdict(list)
        for a, b in links:
            near[b if downwards else a].append(a if downwards else b)
        for row in rows if downwards else reversed(rows):
            place = {name: index for other in rows for index, name in enumerate(other)}
            wanted = {name: _mean([place[n] for n in near[name]], place[name]) for name in row}
            row.sort(key=wanted.__getitem__)
        crossings = _crossings(rows, links)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    rows[:] = best


def _crossings(rows: Sequence[Sequence[str]], links: Sequence[Edge]) -> int:
    row_of = {name: number for number, row in enumerate(rows) for name in row}
    place = {name: index for row in rows for index, name in enumerate(row)}
    count = 0
    for number, (a, b) in enumerate(links):
        for c, d in links[number + 1 :]:
            count += row_of[a] == row_of[c] and (place[a] - place[c]) * (place[b] - place[d]) < 0
    return count


def _columns(
    rows: Sequence[Sequence[str]], links: Sequence[Edge], size: Mapping[str, float], gap: float
) -> dict[str, float]:
    """Centres from left to right: pulled towards the neighbours, never nearer to each other than the gap."""
    near: dict[str, list[str]] = defaultdict(list)
    for a, b in links:
        near[a].append(b)
        near[b].append(a)
    x: dict[str, float] = {}
    for row in rows:
        edge = 0.0
        for name in row:
            x[name] = edge + size[name] / 2
            edge += size[name] + gap
    for sweep in range(4 * SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            _settle(row, {n: _mean([x[m] for m in near[n]], x[n]) for n in row}, x, size, gap)
    left = min(x[name] - size[name] / 2 for name in x)
    return {name: value - left for name, value in x.items()}


def _settle(
    row: Sequence[str], wanted: Mapping[str, float], x: dict[str, float], size: Mapping[str, float], gap: float
) -> None:
    """Put a row where it wants to be; where nodes would touch, they stand side by side around their middle."""
    groups: list[tuple[list[str], float]] = []
    for name in row:
        names, centre = [name], wanted[name]
        while (
            groups
            and centre - _span(names, size, gap) / 2 < groups[-1][1] + _span(groups[-1][0], size, gap) / 2 + gap
        ):
            others, middle = groups.pop()
            centre = (middle * len(others) + centre * len(names)) / (len(others) + len(names))
            names = others + names
        groups.append((names, centre))
    for names, centre in groups:
        edge = centre - _span(names, size, gap) / 2
        for name in names:
            x[name] = edge + size[name] / 2
            edge += size[name] + gap


def _span(names: Sequence[str], size: Mapping[str, float], gap: float) -> float:
    return sum(size[name] for name in names) + gap * (len(names) - 1)


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
