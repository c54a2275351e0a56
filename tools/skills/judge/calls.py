"""Asks one program many calls, inside the sandbox, and prints the answers as one line of JSON."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

from tools.skills.judge import serving
from tools.skills.judge.asking import Server

TYPE_CHECKING = False  # `typing` takes longer to import than a program to start
if TYPE_CHECKING:
    from typing import Any

    from tools.skills.judge.asking import Running

MARK = "MILLWRIGHT-REPORT "
PLAN = "plan.json"
LONGEST_REPORT = 800_000


def main() -> None:
    """Carry out the plan: the `calls`, the `orders` in which they are asked, each of a fresh program, within `seconds`."""
    text = Path(PLAN).read_text(encoding="utf-8")
    plan = json.loads(text)
    serving.hide()
    servers = [Server(seed) for seed in range(len(plan["orders"]))]
    until = time.monotonic() + plan["seconds"]
    rounds = [asked(server, plan, order, until) for server, order in zip(servers, plan["orders"], strict=True)]
    report(text, {"rounds": rounds})


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


def report(plan: str, content: dict[str, Any]) -> None:
    """Print the report, signed with what only someone who has read the plan can know."""
    text = json.dumps(content)
    if len(text) > LONGEST_REPORT:
        text = json.dumps({"too_long": True})
    print("\n" + MARK + seal(plan) + " " + text, flush=True)  # noqa: T201


def seal(plan: str) -> str:
    """The word that a report on this plan carries."""
    return hashlib.sha256(plan.encode()).hexdigest()[:32]
