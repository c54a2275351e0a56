"""A task that a person gives: what is left out is read from its signature, and what nobody could work with is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from tools.errors import ToolRefused, UsageError
from tools.skills.interface import signature_of
from tools.tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.memory.records import Example

DOMAIN = "given"
"""The domain of a task that names none."""


def given(fields: Any) -> Task:
    """The task with these fields of `Task`, of which `signature` and `statement` are enough.

    Raises:
        UsageError: it is no task that an author could work on.
    """
    if not isinstance(fields, dict):
        raise UsageError(f"the task is {fields!r}; give an object with its signature and its statement")
    try:
        interface = signature_of(str(fields.get("signature", "")))
    except ToolRefused as refusal:
        raise UsageError(f"the task's signature cannot be used: {refusal}") from refusal
    entry = interface.entry
    title = entry.replace("_", " ").capitalize()
    known = {"id": entry, "domain": DOMAIN, "family": entry, "title": title, "entry": entry}
    try:
        task = Task.model_validate({**known, **fields})
    except ValidationError as error:
        wrong = error.errors()[0]
        where = ".".join(map(str, wrong["loc"]))
        raise UsageError(f"the task cannot be used: {where}: {wrong['msg']}") from error
    problems = [p for example in task.examples for p in example_problems(example, interface.parameters)]
    if not task.statement.strip():
        problems.insert(0, "the statement is empty; say everything that an author needs")
    if task.entry != entry:
        problems.insert(0, f"its entry is {task.entry!r}, and its signature defines {entry!r}")
    if problems:
        raise UsageError(f"the task cannot be used: {problems[0]}")
    return task


def example_problems(example: Example, parameters: Mapping[str, Any]) -> list[str]:
    """Every way in which an example's arguments do not fit the parameters (a JSON Schema), in sentences."""
    names, needed = parameters.get("properties", {}), parameters.get("required", [])
    wrong = [
        f"an example has the argument {name!r}, which is no parameter"
        for name in example.arguments
        if name not in names
    ]
    return wrong + [f"an example lacks the parameter {name!r}" for name in needed if name not in example.arguments]
