"""A skill as a folder that stands alone: its code, what it is made of, its tests, and what speaks for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tools.errors import UsageError
from tools.sandbox import python_argv
from tools.skills.program import program_of
from tools.skills.standing import evidence_of
from tools.storage import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from tools.memory.library import Library
    from tools.memory.records import Example, Skill
    from tools.skills.running import Runner

TESTS = "test_main.py"

_PROJECT = """\
[project]
name = {name}
version = "{version}"
description = {description}
requires-python = ">=3.11"

[tool.pytest.ini_options]
pythonpath = ["."]
testpaths = ["{tests}"]
"""

_README = """\
# {title}

{description}

```python
from main import {entry}
{calls}```

In a folder that `millwright tools export` wrote, `pytest` runs the tests. The code needs Python 3.11 and nothing else.

## Evidence

- {evidence}
- mutation score: {score}; property tests: {properties}; cases on which an independent oracle agreed: {cases}
- state when it was exported: {state}
{provenance}
"""


def export(skill: Skill, library: Library, folder: Path, *, force: bool = False) -> list[Path]:
    """Write a skill into a folder of its own, with the exact text that was examined; the files in order.

    Raises:
        UsageError: there is something in the folder already (unless `force`, which replaces files of the same names).
        StorageFailed: the disk refused.
    """
    if not force and _is_taken(folder):
        raise UsageError(f"{str(folder)!r} is not an empty folder; name another, or replace its files with --force")
    texts = {
        **program_of(skill, library).files,
        TESTS: skill.tests,
        "interface.json": json.dumps(skill.interface, indent=2, ensure_ascii=False) + "\n",
        "pyproject.toml": _project(skill),
        "README.md": readme(skill),
    }
    for name, text in texts.items():
        write_atomic(folder / name, text.encode(), mode=0o644)
    return [folder / name for name in texts]


async def tried(folder: Path, run: Runner) -> str:
    """What plain pytest says of an exported folder when its tests do not pass there; empty when they do.

    Raises:
        SandboxUnavailable: nothing here confines a process.
    """
    argv = python_argv("-m", "pytest", "-q", "-p", "no:cacheprovider")
    execution = await run(argv, "export", workspace=folder)
    return "" if execution.ok else (execution.stdout + execution.stderr).strip() or "it was stopped"


def readme(skill: Skill) -> str:
    """What a reader of the folder wants to know first, in Markdown."""
    said = {"id": skill.id, "run": skill.run, "task": skill.task, "formula": skill.source, "sha256": skill.sha256}
    said |= {"tests by": skill.plan.get("tests by", "")}
    return _README.format(
        title=skill.name,
        description=skill.description.strip(),
        entry=skill.entry,
        calls="".join(f"\n{_called(skill.entry, example)}\n" for example in skill.examples[:3]),
        evidence=evidence_of(skill),
        score="not measured" if skill.evidence.mutation_score is None else f"{skill.evidence.mutation_score:.2f}",
        properties=skill.evidence.properties,
        cases=skill.evidence.oracle_cases,
        state=skill.state,
        provenance="\n".join(f"- {name}: {value}" for name, value in said.items() if value),
    )


def _called(entry: str, example: Example) -> str:
    arguments = ", ".join(f"{name}={value!r}" for name, value in example.arguments.items())
    return f"{entry}({arguments})  # {example.result!r}"


def _project(skill: Skill) -> str:
    # A JSON string is a TOML basic string: what JSON escapes, TOML escapes in the same way.
    name, description = (
        json.dumps(text, ensure_ascii=False) for text in (skill.name.replace("_", "-"), skill.description.strip())
    )
    return _PROJECT.format(name=name, version=skill.version, description=description, tests=TESTS)


def _is_taken(folder: Path) -> bool:
    return folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
