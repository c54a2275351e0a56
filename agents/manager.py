"""The manager: turns a goal into a plan, and blockers into assignments that remediate them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from pydantic import Field

from agents.answers import answer
from agents.contracts import Assignment, Blocker, Check, Contract, Plan, Role, Sentence
from tools.errors import PathRefused
from tools.verification.omissions import is_example_path
from tools.verification.testing import is_test
from tools.workspace.names import checked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

    from agents.models.caller import Ask

LONGEST_CHAIN = 98
_DOTTED_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*|\s*")
# Node.js and its like are no files.
_NAMED_FILE = re.compile(
    r"(?<![\w./-])(?![A-Z]\w*\.js\b)((?:[\w-]+/)*[\w-]+\.(?:py|md|toml|json|ya?ml|txt|cfg|ini|sh|html|css|js|ts|sql|csv))(?![\w/])"
)

PLANNING = """\
You are the manager of a small software crew. You turn a goal into a short plan of assignments and write no code.

Answer with one JSON object and nothing else:
{"summary": "...", "assignments": [{"id": "A1", "role": "developer", "title": "...", "task": "...",
 "paths": ["..."], "checks": [{"kind": "defines", "path": "...", "value": "..."}], "depends_on": []}]}

Rules:
- Every file is owned by exactly one assignment, named in its "paths". Paths are relative, such as package/module.py.
- Keep files small and assignments independent; name in "depends_on" the assignments whose files must exist first.
- Role "tester" writes test files (test_*.py, run by pytest) and nothing else; role "developer" writes everything else.
  A tester's assignment depends on what it tests.
- "task" says everything its author needs: names, arguments, return values, errors, behaviour at the edges. The authors
  do not see this conversation.
- "checks" are optional and measured by code: "defines" (path, and a function or class that must be in it), "contains"
  (path, and a text that must be in it), "command" (a command line that must exit with 0, such as
  "python -m package --help").
"""

REMEDIATING = """\
You are the manager of a small software crew. Work was checked and blockers were found. You decide who mends what; you
write no code.

Answer with one JSON object and nothing else:
{"assignments": [{"blockers": ["B1"], "retry_for": "A1", "role": "developer", "title": "...", "task": "...",
 "paths": ["..."]}]}

Rules:
- Every blocker is answered by exactly one assignment, named in its "blockers"; "retry_for" is the assignment blamed.
- "paths" are the files to change, and no two assignments name the same file. Decide from the evidence whether the code
  or its test is wrong. Role "tester" changes test files (test_*.py), role "developer" everything else.
- "task" says exactly what is wrong and what must be different afterwards.
"""


class Remediation(Contract):
    """One assignment of a remediation, as the manager answers it."""

    blockers: list[str] = Field(min_length=1)
    retry_for: str
    role: Role = Role.DEVELOPER
    title: Sentence
    task: Sentence
    paths: list[str] = Field(min_length=1)


class Remediations(Contract):
    """The manager's answer to a list of blockers."""

    assignments: list[Remediation] = Field(min_length=1)


async def plan(goal: str, files: Mapping[str, int], ask: Ask, *, scope: str, feedback: Sequence[str] = ()) -> Plan:
    """Plan a goal for a workspace that holds `files` (path → bytes); `feedback` answers an earlier plan.

    Raises:
        ModelFault: of kind `invalid_answer` when no valid plan came.
    """
    listing = "\n".join(f"- {path} ({size} bytes)" for path, size in files.items()) or "(empty)"
    messages: list[BaseMessage] = [
        SystemMessage(PLANNING),
        HumanMessage(f"Files in the workspace:\n{listing}\n\nThe goal:\n{goal}"),
        *(
            HumanMessage(f"The plan before this one was not approved: {text}\nMake a new plan.")
            for text in feedback
        ),
    ]
    found = await answer(ask, scope, messages, Plan, lambda p: plan_problems(p, goal, files))
    return in_waves(found)


def plan_problems(found: Plan, goal: str, files: Iterable[str]) -> list[str]:
    """Everything that makes a plan unusable, in sentences the manager can act on."""
    ids = [a.id for a in found.assignments]
    wrong = [f"two assignments have the id {i!r}" for i in sorted({i for i in ids if ids.count(i) > 1})]
    owners: dict[str, str] = {}
    for assignment in found.assignments:
        wrong += _path_problems(assignment, owners)
        wrong += [
            f"{assignment.id} depends on {d!r}, which is no assignment"
            for d in assignment.depends_on
            if d not in ids
        ]
    wrong += _tree_problems(owners, files := set(files))
    wrong += [w for a in found.assignments for c in a.checks for w in _check_problems(a, c, {*owners, *files})]
    wrong += [
        f"the goal names {path!r}, and no assignment owns it"
        for path in dict.fromkeys(_NAMED_FILE.findall(goal))
        if path not in owners and path not in files
    ]
    if not wrong:
        wrong += _wave_problems(found)
    return wrong


def in_waves(found: Plan) -> Plan:
    """The plan with each assignment's sequence set to its wave, and paths in their canonical form."""
    waves = _waves(found.assignments)
    ordered = sorted(found.assignments, key=lambda a: waves[a.id])
    return found.model_copy(
        update={
            "assignments": [
                a.model_copy(update={"sequence": waves[a.id], "paths": [checked(p) for p in a.paths]})
                for a in ordered
            ]
        }
    )


async def remediate(
    goal: str, blockers: Sequence[Blocker], owners: Mapping[str, str], ask: Ask, *, scope: str, first: int
) -> list[Assignment]:
    """Turn open blockers into assignments, numbered from `first` (at least 100).

    Raises:
        ModelFault: of kind `invalid_answer` when no valid answer came.
    """
    told = "\n".join(
        f"{b.id} [{b.kind}] assignment {b.assignment}, file {b.path or '-'}: {b.message}" for b in blockers
    )
    owned = "\n".join(f"- {path}: {owner}" for path, owner in owners.items())
    messages = [
        SystemMessage(REMEDIATING),
        HumanMessage(
            f"The goal:\n{goal}\n\nFiles and the assignments that own them:\n{owned}\n\nBlockers:\n{told}"
        ),
    ]
    found = await answer(ask, scope, messages, Remediations, lambda r: remediation_problems(r, blockers, owners))
    return [
        Assignment(id=f"R{number}", sequence=number, **{**r.model_dump(), "paths": [checked(p) for p in r.paths]})
        for number, r in enumerate(found.assignments, first)
    ]


def remediation_problems(found: Remediations, blockers: Sequence[Blocker], owners: Mapping[str, str]) -> list[str]:
    """Everything that makes a remediation unusable."""
    named = [b for r in found.assignments for b in r.blockers]
    known = [b.id for b in blockers]
    wrong = [f"{b!r} is not one of the blockers {', '.join(known)}" for b in named if b not in known]
    wrong += [
        f"blocker {b} is answered by {named.count(b)} assignments, not by one" for b in known if named.count(b) != 1
    ]
    ids = sorted(set(owners.values()))
    taken: dict[str, str] = {}
    for number, remediation in enumerate(found.assignments, 1):
        if remediation.retry_for not in ids:
            wrong.append(f"retry_for {remediation.retry_for!r} is not one of the assignments {', '.join(ids)}")
        draft = Assignment(id=f"R{number}", **remediation.model_dump(exclude={"retry_for"}))
        wrong += _path_problems(draft, taken)
    return wrong


def _path_problems(assignment: Assignment, owners: dict[str, str]) -> list[str]:
    wrong = []
    for raw in assignment.paths:
        try:
            path = checked(raw)
        except PathRefused as error:
            wrong.append(f"{assignment.id}: {error}")
            continue
        if is_example_path(raw):
            wrong.append(f"{raw!r} is a path from an example; name the real file")
        if path in owners:
            wrong.append(f"{path!r} is owned by both {owners[path]} and {assignment.id}")
        if any(known.startswith(path + "/") or path.startswith(known + "/") for known in owners):
            wrong.append(f"{path!r} is a file in one assignment and a folder in another")
        if is_test(path) and assignment.role is not Role.TESTER:
            wrong.append(f"{path!r} is a test file, so its assignment {assignment.id} needs the role tester")
        if _runs_tests(path) and assignment.role is not Role.TESTER:
            wrong.append(f"{path!r} decides how tests run, so its assignment {assignment.id} needs the role tester")
        if not is_test(path) and assignment.role is Role.TESTER and not _supports_tests(path):
            wrong.append(f"{path!r} is not a test file, so its assignment {assignment.id} needs the role developer")
        owners[path] = assignment.id
    return wrong


def _tree_problems(owned: Iterable[str], files: Set[str]) -> Iterator[str]:
    """Owned paths for which the files that are there leave no place."""
    folders = {parent for path in files for parent in _folders(path)}
    for path in owned:
        if path in folders:
            yield f"{path!r} is a folder of the workspace, so it cannot be a file"
        for parent in _folders(path):
            if parent in files:
                yield f"{path!r} needs the folder {parent!r}, which is a file of the workspace"


def _folders(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts))]


def _check_problems(assignment: Assignment, check: Check, known: Set[str]) -> Iterator[str]:
    """What makes a check one that no work could fulfil."""
    what = f"{assignment.id}: the check {check.kind} {check.value!r}"
    if not check.value.strip():
        yield f"{what} has no value"
    if check.kind == "command":
        return
    try:
        path = checked(check.path)
    except PathRefused as error:
        yield f"{what}: {error}"
        return
    if path not in known:
        yield f"{what} is about {path!r}, which no assignment owns"
    if check.kind == "defines" and not path.endswith(".py"):
        yield f"{what} is about {path!r}, which is not Python; use the check contains"
    elif check.kind == "defines" and not _DOTTED_NAME.fullmatch(check.value):
        yield f"{what} is not a name; give the bare name of the function or class, such as 'add'"


def _supports_tests(path: str) -> bool:
    return _runs_tests(path) or path.split("/", 1)[0] in ("test", "tests")


def _runs_tests(path: str) -> bool:
    """Whether pytest takes part of its own working from this file."""
    return path.rpartition("/")[2] == "conftest.py"


def _wave_problems(found: Plan) -> list[str]:
    waves = _waves(found.assignments)
    stuck = [a.id for a in found.assignments if a.id not in waves]
    if stuck:
        return [f"these assignments depend on each other in a circle: {', '.join(stuck)}"]
    if max(waves.values()) > LONGEST_CHAIN:
        return [
            f"the plan is a chain of {max(waves.values())} assignments; at most {LONGEST_CHAIN} may follow each other"
        ]
    return []


def _waves(assignments: Sequence[Assignment]) -> dict[str, int]:
    """The wave of each assignment, from 1: one more than the latest it depends on; circular ones are left out."""
    waves: dict[str, int] = {}
    waiting = list(assignments)
    while waiting:
        ready = [a for a in waiting if all(d in waves for d in a.depends_on)]
        if not ready:
            break
        waves |= {a.id: 1 + max((waves[d] for d in a.depends_on), default=0) for a in ready}
        waiting = [a for a in waiting if a.id not in waves]
    return waves
