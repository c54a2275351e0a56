"""Running a judge in the sandbox: the plan that it is given, and the report that it gives."""

from __future__ import annotations

import asyncio
import hashlib
import json
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tools.sandbox import python_argv
from tools.skills.judge import calls
from tools.skills.program import folder_of
from tools.verification.testing import stable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tools.sandbox import Execution
    from tools.skills.running import Runner

_HERE = "tools/skills/judge"
# Read here, for what needs them runs on an event loop; and not imported, for some of them need pytest.
_TEXTS = {
    f"{_HERE}/{name}.py": Path(calls.__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    for name in ("asking", "calls", "proxy", "serving", "sitting", "tester", "trials")
}
# What runs programs and tests is started first, as forks of a process that has never seen a plan. Nothing that is loaded
# here is ever thrown away, so to look for garbage meanwhile would only take time.
_START = """\
import gc, sys
gc.disable()
sys.path.insert(0, ".")
from tools.skills.judge import serving
serving.hide()
{before}from tools.skills.judge.asking import Server
servers = [Server(seed) for seed in range({servers})]
from tools.skills.judge.{which} import main
main(servers{more})
"""
_TESTS = "from tools.skills.judge.sitting import Tests\ntests = Tests()\n"


@dataclass(frozen=True)
class Judged:
    """The report of a judge, or why there is none."""

    report: dict[str, Any] | None
    problem: str
    execution: Execution


async def judge(
    run: Runner, which: Literal["calls", "trials"], plan: Mapping[str, Any], purpose: str, *, servers: int
) -> Judged:
    """Have a plan carried out by one of the judges, with so many servers of programs.

    Raises:
        SandboxUnavailable: nothing here confines a process.
        StorageFailed: the files for the sandbox could not be written.
    """
    # No program sees a plan that holds tests, so it cannot know the word that a report begins with.
    word = hashlib.sha256(json.dumps(plan).encode()).hexdigest()
    texts = {**_TEXTS, calls.PLAN: json.dumps({**plan, "word": word})}
    before, more = (_TESTS, ", tests") if which == "trials" else ("", "")
    start = _START.format(which=which, servers=servers, before=before, more=more)
    argv = python_argv(*(["-S"] if which == "calls" else []), "-c", start)
    stack = ExitStack()
    try:
        folder = await asyncio.to_thread(stack.enter_context, folder_of(texts))
        execution = await run(argv, purpose, workspace=folder)
    finally:
        await asyncio.to_thread(stack.close)
    return _read(execution, calls.MARK + word + " ")


def _read(execution: Execution, mark: str) -> Judged:
    line = next((one for one in reversed(execution.stdout.splitlines()) if one.startswith(mark)), None)
    if line is not None:
        report = json.loads(line.removeprefix(mark))
        return Judged(None if "too_long" in report else report, "what it came to is too long to tell", execution)
    if execution.stopped:
        return Judged(None, f"it was stopped: {execution.stopped}", execution)
    tail = stable("\n".join((execution.stdout + execution.stderr).strip().splitlines()[-15:]))
    return Judged(None, f"there was no report (exit code {execution.exit_code}): {tail}", execution)
