"""Running a judge in the sandbox: the plan that it is given, and the report that it gives."""

from __future__ import annotations

import asyncio
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
# Read here, for what needs them runs on an event loop; and not imported, for one of them needs pytest.
_TEXTS = {
    f"{_HERE}/{name}.py": Path(calls.__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    for name in ("asking", "calls", "serving", "trials")
}
_START = "import sys; sys.path.insert(0, '.'); from tools.skills.judge.{} import main; main()"


@dataclass(frozen=True)
class Judged:
    """The report of a judge, or why there is none."""

    report: dict[str, Any] | None
    problem: str
    execution: Execution


async def judge(run: Runner, which: Literal["calls", "trials"], plan: Mapping[str, Any], purpose: str) -> Judged:
    """Have a plan carried out by one of the judges.

    Raises:
        SandboxUnavailable: nothing here confines a process.
        StorageFailed: the files for the sandbox could not be written.
    """
    text = json.dumps(plan)
    argv = python_argv(*(["-S"] if which == "calls" else []), "-c", _START.format(which))
    with ExitStack() as stack:
        folder = await asyncio.to_thread(stack.enter_context, folder_of({**_TEXTS, calls.PLAN: text}))
        execution = await run(argv, purpose, workspace=folder)
    return _read(execution, calls.MARK + calls.seal(text) + " ")


def _read(execution: Execution, mark: str) -> Judged:
    line = next((one for one in reversed(execution.stdout.splitlines()) if one.startswith(mark)), None)
    if line is not None:
        report = json.loads(line.removeprefix(mark))
        return Judged(None if "too_long" in report else report, "what it came to is too long to tell", execution)
    if execution.stopped:
        return Judged(None, f"it was stopped: {execution.stopped}", execution)
    tail = stable("\n".join((execution.stdout + execution.stderr).strip().splitlines()[-15:]))
    return Judged(None, f"there was no report (exit code {execution.exit_code}): {tail}", execution)
