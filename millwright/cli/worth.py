"""What `millwright memory stats` says of the memory's worth, in words."""

from __future__ import annotations

from typing import Any

_SOLVED = {"factory": "tasks of the factory", "build": "builds"}


def worth(stats: dict[str, Any]) -> list[str]:
    """What tools that were there did, and every comparison with and without the memory's help, a line each."""
    lines = _reused(stats["reuse"])
    for graph, found in stats["uplift"].items():
        lines += _compared(_SOLVED[graph], found)
    for family, found in stats["families"].items():
        if found["verdict"] != "not enough data":
            lines += _compared(family, found)
    return lines


def _reused(found: dict[str, Any]) -> list[str]:
    if not found["reused"]:
        return []
    text = f"{found['reused']} of {found['tasks']} tasks ({found['share']:.0%}), in {found['reused_seconds']:.1f} s each"
    if found["made_seconds"] is not None:
        text += f"; a new tool took {found['made_seconds']:.1f} s (medians)"
    return [f"solved by a tool that was there: {text}"]


def _compared(name: str, found: dict[str, Any]) -> list[str]:
    if not found["with"]["tasks"] and not found["without"]["tasks"]:
        return []
    return [
        f"{name} that were shown similar tools: {_side(found['with'])}",
        f"{name} that were held out: {_side(found['without'])}",
        f"difference: {_difference(found)}",
    ]


def _side(side: dict[str, Any]) -> str:
    if not side["tasks"]:
        return "none yet"
    low, high = side["interval"]
    text = f"{side['solved']} of {side['tasks']} solved, {side['solved'] / side['tasks']:.0%} ({low:.0%} to {high:.0%})"
    if side["median_seconds"] is not None:
        text += f"; {side['median_seconds']:.1f} s and {side['median_calls']:g} model calls each (medians)"
    return text


def _difference(found: dict[str, Any]) -> str:
    given, without = found["with"], found["without"]
    if not given["tasks"] or not without["tasks"]:
        return "not enough data"
    low, high = (100 * bound for bound in found["difference"])
    points = 100 * (given["solved"] / given["tasks"] - without["solved"] / without["tasks"])
    text = f"{points:+.0f} points ({low:+.0f} to {high:+.0f}): {found['verdict']}"
    if found["verdict"] == "not enough data":
        text += f"; {found['needed']} on each side would show 10 points"
    return text
