"""Asks one program many calls, inside the sandbox, and prints the answers as one line of JSON."""

from __future__ import annotations

import json
import os
import time

TYPE_CHECKING = False  # `typing` takes longer to import than a program to start
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from tools.skills.judge.asking import Server

MARK = "MILLWRIGHT-REPORT "
PLAN = "plan.json"
LONGEST_REPORT = 800_000
TOO_LONG = {"kind": "stopped", "error": "the answers together are too long; ask fewer calls at once"}
TOO_LATE = {"kind": "stopped", "error": "there was no time left to ask it"}
GIVEN_UP = {"kind": "stopped", "error": "it was not asked: too many calls before it did not end"}


def main(servers: list[Server]) -> None:
    """Carry out the plan: the `calls`, the `orders` in which they are asked, each of a fresh program, within `seconds`."""
    plan = read_plan()
    until = time.monotonic() + plan["seconds"]
    longest = LONGEST_REPORT // (2 * len(plan["orders"]))
    rounds = []
    for server, order in zip(servers, plan["orders"], strict=True):
        answers, _ = asked(
            server,
            plan,
            [plan["calls"][number] for number in order],
            until,
            longest=longest,
            patience=plan["patience"],
        )
        told = dict(zip(order, answers, strict=True))
        rounds.append([told[number] for number in range(len(order))])
    report(plan, {"rounds": rounds})


def read_plan() -> dict[str, Any]:
    """The plan, which no program or test finds afterwards."""
    with open(PLAN, encoding="utf-8") as file:
        plan: dict[str, Any] = json.load(file)
    os.unlink(PLAN)  # noqa: PTH108 - `pathlib` takes longer to import than a program to start
    return plan


def asked(
    server: Server,
    program: dict[str, Any],
    calls: Sequence[dict[str, Any]],
    until: float,
    *,
    longest: int,
    patience: int = 0,
) -> tuple[list[dict[str, Any]], float]:
    """The answers to calls, asked in order, and the seconds of the longest; a program that ends is started again.

    After so many calls as `patience` tells that did not end, the rest is not asked; 0 is any number.
    """
    found: list[dict[str, Any]] = []
    size, stopped, slowest = 0, 0, 0.0
    while len(found) < len(calls) and not (patience and stopped >= patience) and time.monotonic() < until:
        running = server.start(program["modules"], program["entry"], program["cpu_seconds"])
        if running.problem:
            found.append({"kind": "stopped", "error": running.problem})
        for answer in running.ask_all(calls[len(found) :]):
            size += len(json.dumps(answer))
            found.append(answer if size <= longest else TOO_LONG)
            if time.monotonic() > until:
                break
        stopped += bool(running.problem)
        slowest = max(slowest, running.slowest)
        running.end()
    why = GIVEN_UP if time.monotonic() < until else TOO_LATE
    return found + [why] * (len(calls) - len(found)), slowest


def value_of(answer: dict[str, Any]) -> str:
    """An answer without what differs between two equal ones."""
    return json.dumps({name: part for name, part in answer.items() if name not in ("seconds", "message")})


def report(plan: dict[str, Any], content: dict[str, Any]) -> None:
    """Print the report, with the word that only someone who has read the plan can know, and end this process.

    Nothing is left to do: what Python does at its end takes longer than some of the steps.
    """
    text = json.dumps(content)
    if len(text) > LONGEST_REPORT:
        text = json.dumps({"too_long": True})
    print("\n" + MARK + plan["word"] + " " + text, flush=True)  # noqa: T201
    os._exit(0)
