"""What the two authors of a tool are asked for: the code by one, its tests by another who never sees the code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from agents.contracts import Assignment, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents.librarian import Found
    from tools.memory.records import Example
    from tools.tasks import Task

CODE, TESTS = "code", "tests"
MAIN, TEST = "main.py", "test.py"

_CODING = """\
Write {path}, which defines this function and whatever it needs:

    {signature}

{statement}
{examples}
- The function is computed from its arguments alone: no files, network, clock, randomness or state between calls. It does
  not change its arguments and prints nothing. Import only what computes, such as math, statistics, re, datetime,
  decimal, collections or itertools.
- Its docstring begins with one sentence that says what it computes, and names the units.
- Nothing else happens when {path} is imported."""

_TESTING = """\
Write {path}, pytest tests of a function that another author writes into main.py from this same description:

    {signature}

{statement}
{examples}
- Import the function with `from main import {entry}`, and nothing else from main; do not define or replace it.
- Work out the expected values by hand from the description: usual values, each edge, and each error that it names.
- Compare floating-point numbers with pytest.approx.
- Test only what the description says."""

_HELP = """\

The library has tools that may help. Take over what is right of them, or import one of them as it is."""


def coding(task: Task, found: Sequence[Found] = ()) -> Assignment:
    """The assignment of the developer, who may build on the tools that were `found`."""
    text = _CODING.format(path=MAIN, signature=task.signature, statement=task.statement, examples=_examples(task))
    if found:
        text += "\n" + "\n\n".join([_HELP, *(_shown(tool) for tool in found)])
    return Assignment(id=CODE, role=Role.DEVELOPER, title=task.title, task=text, paths=[MAIN])


def testing(task: Task) -> Assignment:
    """The assignment of the author of the tests, who knows the statement and nothing else."""
    text = _TESTING.format(
        path=TEST,
        signature=task.signature,
        statement=task.statement,
        examples=_examples(task),
        entry=task.entry,
    )
    return Assignment(id=TESTS, role=Role.TESTER, title=f"Tests: {task.title}", task=text, paths=[TEST])


def _examples(task: Task) -> str:
    if not task.examples:
        return ""
    return "\nExamples:\n" + "\n".join(_example(task, example) for example in task.examples) + "\n"


def _example(task: Task, example: Example) -> str:
    names = sorted(example.arguments, key=lambda name: task.signature.find(f"{name}:"))
    arguments = ", ".join(f"{name}={example.arguments[name]!r}" for name in names)
    return f"- {task.entry}({arguments}) gives {json.dumps(example.result)}"


def _shown(tool: Found) -> str:
    how = f"from skills.{tool.name} import {tool.entry}"
    return f"{tool.id}: {tool.description}\nImported with `{how}`; this is its code:\n```python\n{tool.code}\n```"
