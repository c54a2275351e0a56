"""The measuring of a run done over: once with the recorded outcomes of its commands, once by running them again."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

from graphs.build.schemas import BuildContext
from graphs.build.verifying import measure
from graphs.running import Confined, Runner
from graphs.session import Session
from tools.errors import ProofBroken
from tools.runs.lineage import Position
from tools.sandbox import Execution, python_argv
from tools.verification.testing import read_run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from agents.contracts import Evidence
    from millwright.claims import Claims
    from tools.storage import Record

_PYTHON_FLAGS = python_argv()[1:]
_REPORTER = "tests"
# As many mutants are tried as there is time for, so only what follows from their score can be compared.
_BY_TIME = "tests on mutants of "
_SCORE = "mutation score "


class Recorded:
    """A runner that runs nothing: it tells how each command ended, by the log."""

    def __init__(self, commands: Mapping[str, Record]) -> None:
        """Tell of these commands, by purpose."""
        self._commands = commands
        self.asked: dict[str, Execution] = {}

    async def __call__(
        self, argv: Sequence[str], purpose: str, *, workspace: Path | None = None, read_only: tuple[str, ...] = ()
    ) -> Execution:
        """Return the recorded outcome; raises ProofBroken if there is none, or it is of another command."""
        record = self._commands.get(purpose)
        if record is None:
            raise ProofBroken(f"the verdict needs a run of {purpose!r}, and none is recorded")
        if _words(record["argv"], purpose) != _words(argv, purpose):
            raise ProofBroken(f"what was run as {purpose!r} is not the command that the plan asks for")
        self.asked[purpose] = _execution(record)
        return self.asked[purpose]


class Repeated:
    """A runner that keeps how each command ended."""

    def __init__(self, runner: Runner) -> None:
        """Run by `runner`."""
        self._runner = runner
        self.done: dict[str, Execution] = {}

    async def __call__(
        self, argv: Sequence[str], purpose: str, *, workspace: Path | None = None, read_only: tuple[str, ...] = ()
    ) -> Execution:
        """Run one command."""
        self.done[purpose] = await self._runner(argv, purpose, workspace=workspace, read_only=read_only)
        return self.done[purpose]


def check_verdict(claims: Claims) -> str:
    """The verdict follows from its evidence, and the evidence from the files and the recorded commands.

    Raises:
        ProofBroken: naming the first fact that does not follow.
    """
    claims.check_judgement()
    recorded = Recorded(claims.commands())
    _compare(claims, recorded, "the files and the recorded commands give")
    verdict = claims.verdict
    facts = sum(len(d.evidence) for d in verdict.deliverables) + len(verdict.checks)
    said = "PASS" if verdict.passed else "FAIL"
    return f"{said} follows from {facts} facts, and they from the files and {len(recorded.asked)} recorded commands"


def check_commands(claims: Claims, sandbox: str) -> str:
    """The recorded commands end as they did when they are run again on the same files.

    Exit codes and the outcome of every test are compared; times, addresses and wording are not.

    Raises:
        ProofBroken: naming the first command or test that ends in another way.
        SandboxUnavailable: nothing on this machine confines a process.
    """
    repeated = Repeated(Confined(_session(claims, sandbox), claims.tree))
    _compare(claims, repeated, "running it again gives")
    recorded = {purpose: _execution(record) for purpose, record in claims.commands().items()}
    tests = 0
    for purpose, now in repeated.done.items():
        then = recorded.get(purpose)
        if then is None:
            raise ProofBroken(
                f"{purpose!r} was run now and never before: an earlier test must have ended otherwise"
            )
        tests += _same_end(purpose, then, now)
    levels = ", ".join(sorted({execution.level for execution in repeated.done.values()}))
    if not repeated.done:
        return f"there is none: verification was {claims.report['verification']}"
    return (
        f"{len(repeated.done)} run again at sandbox level {levels}; each ends as recorded, and so do {tests} tests"
    )


def _session(claims: Claims, sandbox: str) -> Session[BuildContext]:
    """The run at its verification, with the settings it had."""
    settings: dict[str, Any] = claims.bundle.record("run.json").get("settings", {})
    known = {name: value for name, value in settings.items() if name in BuildContext.model_fields}
    said = {"verification": claims.report["verification"], "sandbox": sandbox}
    return Session(claims.run, BuildContext.model_validate({**known, **said}), Position(0, 0), claims.tree)


def _compare(claims: Claims, runner: Runner, source: str) -> None:
    """Measure everything and compare each fact with the one in the verdict."""
    session = _session(claims, "require")
    facts, checks = asyncio.run(measure(session, claims.board, claims.tree, 0, runner))
    verdict = claims.verdict
    for deliverable in verdict.deliverables:
        found = _told(facts.get(deliverable.path, []))
        if found != _told(deliverable.evidence):
            raise ProofBroken(
                f"{deliverable.path}: the verdict rests on {_told(deliverable.evidence)}; {source} {found}"
            )
    if _told(checks) != _told(verdict.checks):
        raise ProofBroken(f"the verdict rests on {_told(verdict.checks)}; {source} {_told(checks)}")


def _told(facts: Sequence[Evidence]) -> list[str]:
    return [f"{'' if fact.passed else 'NOT '}{_steady(fact.what)}" for fact in facts]


def _steady(what: str) -> str:
    """A fact without its count of mutants: as many are tried as there is time for."""
    return _SCORE if what.startswith(_SCORE) else what


def _same_end(purpose: str, then: Execution, now: Execution) -> int:
    """Compare two ends of a command; return how many tests were compared."""
    if purpose.startswith(_BY_TIME):
        return 0
    if (then.exit_code, then.stopped) != (now.exit_code, now.stopped):
        raise ProofBroken(f"{purpose!r} ended with {_end(then)} when it was recorded, and now with {_end(now)}")
    if not _runs_tests(purpose):
        return 0
    before = {test.name: test.outcome for test in read_run(then).tests}
    after = {test.name: test.outcome for test in read_run(now).tests}
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            was, now_ = before.get(name, "not there"), after.get(name, "not there")
            raise ProofBroken(f"{name} in {purpose!r} was {was} when it was recorded, and is now {now_}")
    return len(after)


def _end(execution: Execution) -> str:
    return f"exit code {execution.exit_code}" + (f" (stopped: {execution.stopped})" if execution.stopped else "")


def _runs_tests(purpose: str) -> bool:
    return purpose.split(" ", 1)[0] == _REPORTER


def _words(argv: Sequence[str], purpose: str) -> list[str]:
    """A command without where its Python stood, and without the text of the reporter, which a version may change."""
    words = list(argv)
    if words[1 : 1 + len(_PYTHON_FLAGS)] == _PYTHON_FLAGS:
        words[0] = "python"
        if _runs_tests(purpose):
            del words[1 + len(_PYTHON_FLAGS) + 1]
    return words


def _execution(record: Record) -> Execution:
    """A recorded command as the execution it was, with this machine's Python in the place of that one's."""
    fields = {name: record[name] for name in Execution.__dataclass_fields__}
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    if fields["argv"][1 : 1 + len(_PYTHON_FLAGS)] == tuple(_PYTHON_FLAGS):
        fields |= {
            stream: fields[stream].replace(fields["argv"][0], sys.executable) for stream in ("stdout", "stderr")
        }
    return Execution(**fields)
