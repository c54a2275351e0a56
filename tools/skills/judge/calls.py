"""Asks one program many calls, inside the sandbox, and prints the answers as one line of JSON."""

from __future__ import annotations

import json
import time

from tools.skills.judge import serving

TYPE_CHECKING = False  # `typing` takes longer to import than a program to start
if TYPE_CHECKING:
    from typing import Any

    from tools.skills.judge.asking import Running, Server

MARK = "MILLWRIGHT-REPORT "
PLAN = "plan.json"
LONGEST_REPORT = 800_000


def main(servers: list[Server]) -> None:
    """Carry out the plan: the `calls`, the `orders` in which they are asked, each of a fresh program, within `seconds`."""
    serving.hide()
    plan = read_plan()
    until = time.monotonic() + plan["seconds"]
    rounds = [asked(server, plan, order, until) for server, order in zip(servers, plan["orders"], strict=True)]
    report(plan, {"rounds": rounds})


def read_plan() -> dict[str, Any]:
    """The plan."""
    with open(PLAN, encoding="utf-8") as file:
        plan: dict[str, Any] = json.load(file)
    return plan


def asked(server: Server, plan: dict[str, Any], order: list[int], until: float) -> list[dict[str, Any]]:
    """The answers to all calls, asked in this order and given in theirs; a program that ends is started again."""
    found: dict[int, dict[str, Any]] = {}
    size = 0
    running: Running | None = None
    for number in order:
        if time.monotonic() > until:
            found[number] = {"kind": "stopped", "error": "there was no time left to ask it"}
            continue
        if running is None or running.problem:
            running = server.start(plan["modules"], plan["entry"], plan["cpu_seconds"])
        answer = running.ask([], plan["calls"][number])
        size += len(json.dumps(answer))
        if size > LONGEST_REPORT // (2 * len(plan["orders"])):
            answer = {"kind": "stopped", "error": "the answers together are too long; ask fewer calls at once"}
        found[number] = answer
    if running is not None:
        running.end()
    return [found[number] for number in range(len(order))]


def report(plan: dict[str, Any], content: dict[str, Any]) -> None:
    """Print the report, with the word that only someone who has read the plan can know."""
    text = json.dumps(content)
    if len(text) > LONGEST_REPORT:
        text = json.dumps({"too_long": True})
    print("\n" + MARK + plan["word"] + " " + text, flush=True)  # noqa: T201
