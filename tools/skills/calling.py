"""Calling a program in the sandbox: many calls in one start, JSON in and JSON out."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from tools.errors import ToolRefused
from tools.skills import schemas
from tools.skills.interface import read_interface
from tools.skills.judge import serving
from tools.skills.judging import judge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tools.skills.program import Program
    from tools.skills.running import Runner

CPU_SECONDS = 2.0
SECONDS = 45.0


@dataclass(frozen=True)
class Answer:
    """What one call came to: a value, an exception, no end, or a value that JSON cannot hold or the interface forbids.

    `changed` says that the call changed its own arguments.
    """

    kind: Literal["returned", "raised", "stopped", "not_json", "unfit"]
    value: Any = None
    error: str = ""
    seconds: float = 0.0
    changed: bool = False

    @property
    def exception(self) -> str:
        """The name of the exception's type, if one was raised."""
        return self.error.split(":", 1)[0] if self.kind == "raised" else ""

    @property
    def told(self) -> str:
        """The answer in a few words."""
        return f"returned {schemas.shown(self.value)}" if self.kind == "returned" else f"{self.kind} {self.error}"


async def call(
    run: Runner, program: Program, calls: Sequence[Mapping[str, Any]], purpose: str = "call"
) -> list[Answer]:
    """The answers to calls, each with its arguments by name, asked in order of one process of the program.

    A call that ends the process, or takes more than `CPU_SECONDS` of processor time, is stopped, and the next one is
    asked of a new process.

    Raises:
        ToolRefused: arguments that do not fit the interface, with the first thing that is wrong.
        SandboxUnavailable: nothing here confines a process.
    """
    interface = read_interface(program.code, program.entry)
    for arguments in calls:
        check_arguments(interface.parameters, arguments, program.entry)
    (answers,) = await asked(run, program, calls, [range(len(calls))], purpose)
    return answers


async def asked(
    run: Runner,
    program: Program,
    calls: Sequence[Mapping[str, Any]],
    orders: Sequence[Sequence[int]],
    purpose: str,
    *,
    seconds: float = SECONDS,
    patience: int = 0,
) -> list[list[Answer]]:
    """The answers to the same calls in several orders, each order asked of a process with another hash seed.

    After so many calls as `patience` tells that did not end, an order is asked no further; 0 is any number.
    """
    if not calls:
        return [[] for _ in orders]
    plan = {
        "modules": program.modules,
        "entry": program.entry,
        "calls": [serving.packed(dict(arguments)) for arguments in calls],
        "orders": [list(order) for order in orders],
        "cpu_seconds": CPU_SECONDS,
        "seconds": seconds,
        "patience": patience,
    }
    judged = await judge(run, "calls", plan, purpose, servers=len(orders))
    if judged.report is None:
        stopped = Answer("stopped", error=judged.problem)
        return [[stopped] * len(calls) for _ in orders]
    return [[answer_of(one) for one in answers] for answers in judged.report["rounds"]]


def check_arguments(parameters: Mapping[str, Any], arguments: Mapping[str, Any], entry: str) -> None:
    """Refuse arguments that do not fit an interface.

    Raises:
        ToolRefused: with the first thing that is wrong.
    """
    wrong = schemas.problem(dict(arguments), parameters, "the arguments")
    if wrong:
        raise ToolRefused(f"{entry} was not called: {wrong}", reason="arguments")


def fitted(answer: Answer, returns: Mapping[str, Any]) -> Answer:
    """The answer, unless it is a value that an interface forbids: that is none."""
    wrong = schemas.problem(answer.value, returns, "its answer") if answer.kind == "returned" else ""
    return replace(answer, kind="unfit", value=None, error=wrong) if wrong else answer


def answer_of(found: Mapping[str, Any]) -> Answer:
    """An answer from its form in a report."""
    kind = found["kind"]
    error = f"{found['error']}: {found['message']}" if kind == "raised" else found.get("error", "")
    value = plain(serving.unpacked(found["value"])) if kind == "returned" else None
    return Answer(kind, value, error, float(found.get("seconds", 0.0)), bool(found.get("changed", False)))


def plain(value: Any) -> Any:
    """A value as it is after a journey through JSON: tuples are lists."""
    return json.loads(json.dumps(value))
