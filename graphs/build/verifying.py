"""The node that proves: files, definitions, tests and commands, measured by us; the verdict is computed."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from agents.contracts import Assignment, BlockerKind, Evidence, Role
from agents.verifier import judge
from graphs.build.board import Board
from graphs.build.inspection import check_problem, file_problem
from graphs.build.running import Confined, Runner
from graphs.build.schemas import BuildState  # noqa: TC001 - LangGraph reads a router's hints
from tools.errors import PathRefused
from tools.events import Kind
from tools.sandbox import python_argv
from tools.verification.stubs import stubbed
from tools.verification.testing import TestRun, is_test, pytest_argv, read_run, stable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from graphs.build.schemas import BuildContext
    from graphs.session import Session
    from tools.runs.run import Run
    from tools.sandbox import Execution

Facts = dict[str, list[Evidence]]


async def verify(state: BuildState, session: Session[BuildContext]) -> dict[str, Any]:
    """Measure every deliverable again, run the tests and commands in the sandbox, and compute the verdict."""
    board = await asyncio.to_thread(Board.of, session.run)
    tree = await asyncio.to_thread(session.run.store.take, session.run.files, base=session.tree)
    facts, checks = await measure(session, board, tree, state["round"], Confined(session, tree))
    return await asyncio.to_thread(_conclude, session, board, facts, checks, tree)


async def measure(
    session: Session[BuildContext], board: Board, tree: str, round_: int, run: Runner
) -> tuple[Facts, list[Evidence]]:
    """The facts of every promised path of `tree`, and of every acceptance command; `run` runs what is to be run.

    What fails opens blockers on the board, and what passes closes them.
    """
    planned = board.planned()
    facts = await asyncio.to_thread(_file_facts, session, board, planned, tree, round_)
    if session.context.verification == "quick" or not planned:
        return facts, []
    prover = _Prover(session.run, board, tree, round_, run)
    await prover.tests(planned, facts)
    return facts, await prover.commands(planned)


def after_verify(state: BuildState) -> Literal["FAIL, rounds left", "settled"]:
    """Route on the verdict, and on whether there is something to mend and a round to mend it in."""
    mendable = state["open_blockers"] and state["rounds_left"] > 0
    return "FAIL, rounds left" if state["verdict"] == "FAIL" and mendable else "settled"


def _conclude(
    session: Session[BuildContext],
    board: Board,
    facts: Facts,
    checks: Sequence[Evidence],
    tree: str,
) -> dict[str, Any]:
    run, planned = session.run, board.planned()
    files = {}
    for assignment in planned:
        for path in assignment.paths:
            info = run.files.info(path)
            if info is not None:
                files[path] = (info.sha256, info.size)
    verdict = judge(planned, facts, files, list(board.blockers.values()), checks)
    board.fact("verdict", verdict.model_dump(mode="json"))
    board.save(session.place, "verify")
    run.events.emit(Kind.VERDICT, sequence=99, ledger=run.ledger.head, **verdict.model_dump(mode="json"))
    return {
        "tree": tree,
        "verdict": "PASS" if verdict.passed else "FAIL",
        "reasons": verdict.reasons,
        "open_blockers": len(board.open_blockers()),
    }


def _file_facts(
    session: Session[BuildContext], board: Board, planned: Sequence[Assignment], tree: str, round_: int
) -> Facts:
    """Exists, parses, is what the ledger saw, and holds what its checks ask for: per promised path."""
    run = session.run
    facts: Facts = {path: [] for a in planned for path in a.paths}
    for assignment in planned:
        for path in assignment.paths:
            problem = file_problem(run, tree, path)
            detail = "" if problem is None else problem[1]
            facts[path].append(Evidence(what="exists and parses", passed=problem is None, detail=detail))
            if problem is None:
                facts[path].append(_ledger_fact(session, assignment, path))
            elif not _blocked(board, path):
                kind = BlockerKind.LOST_FILE if _was_there(session, path) else problem[0]
                board.block(kind, assignment.id, problem[1], path=path, sender="verifier", round_=round_)
        for check in assignment.checks:
            if check.kind == "command":
                continue
            try:
                wrong = check_problem(run, tree, check) or ""
            except PathRefused as error:
                wrong = str(error)
            facts.setdefault(check.path, []).append(
                Evidence(what=f"{check.kind} {check.value}", passed=not wrong, detail=wrong)
            )
    return facts


def _ledger_fact(session: Session[BuildContext], assignment: Assignment, path: str) -> Evidence:
    run = session.run
    info = run.files.info(path)
    record = run.ledger.last_write(path)
    if record is None:
        return Evidence(what="was written by the crew", passed=False, detail=f"the ledger has no write of {path}")
    same = info is not None and info.sha256 == record["after"]
    writer = record["actor"]["role"]
    if is_test(path) and writer not in (Role.TESTER, "user", "millwright"):
        return Evidence(
            what="was written by a tester", passed=False, detail=f"{path} was last written by a {writer}"
        )
    detail = "" if same else f"{path} is not what the ledger saw written"
    return Evidence(what="is what the ledger saw written", passed=same, detail=detail)


def _blocked(board: Board, path: str) -> bool:
    return any(blocker.path == path for blocker in board.open_blockers())


def _was_there(session: Session[BuildContext], path: str) -> bool:
    return session.tree is not None and path in session.run.store.list(session.tree)


class _Prover:
    """Turns runs of what was delivered into evidence, and into blockers."""

    def __init__(self, run: Run, board: Board, tree: str, round_: int, runner: Runner) -> None:
        self._store = run.store
        self._board = board
        self._tree = tree
        self._round = round_
        self._run = runner

    async def tests(self, planned: Sequence[Assignment], facts: Facts) -> None:
        """Run the delivered tests, then show that they notice when the behaviour is taken out."""
        paths = [p for a in planned for p in a.paths if is_test(p) and self._exists(p)]
        if not paths:
            return
        run = read_run(await self._run(pytest_argv(paths), "tests", read_only=tuple(paths)))
        for path in paths:
            facts[path].append(self._judge_tests(path, run, self._owner(planned, path)))
        if run.passed:
            await self._falsify(planned, paths, facts)

    async def commands(self, planned: Sequence[Assignment]) -> list[Evidence]:
        """Run every acceptance command; it must exit with 0."""
        return [
            await self._command(assignment, check.value)
            for assignment in planned
            for check in assignment.checks
            if check.kind == "command"
        ]

    async def _command(self, assignment: Assignment, line: str) -> Evidence:
        what = f"command `{line}`"
        try:
            argv = command_argv(line)
        except ValueError as error:
            return Evidence(what=what, passed=False, detail=f"it is not a command line: {error}")
        execution = await self._run(argv, f"command {line}")
        passed = execution.ok
        detail = "" if passed else f"exit code {execution.exit_code}: {_tail(execution)}"
        if passed:
            self._close(BlockerKind.COMMAND_FAILED, assignment.id, line, what)
        else:
            self._block(BlockerKind.COMMAND_FAILED, assignment.id, f"{what} failed: {detail}", line)
        return Evidence(what=what, passed=passed, detail=detail)

    def _judge_tests(self, path: str, run: TestRun, owner: str) -> Evidence:
        results = run.of(path)
        failed = [t for t in results if t.outcome == "failed"]
        passed = sum(t.outcome == "passed" for t in results)
        if run.problem or failed or not passed:
            told = [f"{t.name} failed: {t.message}" for t in failed]
            told += [run.problem] if run.problem else []
            message = "\n".join(told) or f"no test of {path} passed"
            self._block(BlockerKind.TEST_FAILURE, owner, message, path)
            return Evidence(what=f"{passed} of {len(results)} tests pass", passed=False, detail=message)
        self._close(BlockerKind.TEST_FAILURE, owner, path, f"{passed} of {len(results)} tests pass")
        return Evidence(what=f"{passed} of {len(results)} tests pass", passed=True)

    async def _falsify(self, planned: Sequence[Assignment], paths: Sequence[str], facts: Facts) -> None:
        """Tests count only when they fail on a program without behaviour."""
        stubs = await self._on_broken_copy(planned, paths, stubbed, "stub")
        empty = await self._on_broken_copy(planned, paths, lambda _: "", "empty") if not stubs.failed else stubs
        for path in paths:
            notices = any(r.problem or any(t.outcome == "failed" for t in r.of(path)) for r in (stubs, empty))
            owner = self._owner(planned, path)
            what = "the tests fail when the behaviour is taken out"
            if notices:
                self._close(BlockerKind.TOOTHLESS_TEST, owner, path, what)
                facts[path].append(Evidence(what=what, passed=True))
            else:
                message = (
                    f"every test of {path} still passes when the program's functions do nothing: it proves nothing"
                )
                self._block(BlockerKind.TOOTHLESS_TEST, owner, message, path)
                facts[path].append(Evidence(what=what, passed=False, detail=message))

    async def _on_broken_copy(
        self, planned: Sequence[Assignment], paths: Sequence[str], breaking: Any, purpose: str
    ) -> TestRun:
        """Run the tests on a copy in which every delivered Python module is broken in the same way."""
        modules = [p for a in planned for p in a.paths if p.endswith(".py") and a.role is Role.DEVELOPER]
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="millwright-stub-"))
        try:
            await asyncio.to_thread(self._broken_copy, folder, [m for m in modules if self._exists(m)], breaking)
            argv = pytest_argv(paths)
            return read_run(await self._run(argv, f"tests on {purpose}", workspace=folder, read_only=tuple(paths)))
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _broken_copy(self, folder: Path, modules: Sequence[str], breaking: Any) -> None:
        from tools.workspace.confined import ConfinedDir

        with ConfinedDir(folder) as copy:
            self._store.restore(self._tree, copy)
            for path in modules:
                source = self._store.read(self._tree, path).decode(errors="replace")
                copy.write(path, breaking(source).encode())

    def _block(self, kind: BlockerKind, owner: str, message: str, path: str) -> None:
        self._board.block(kind, owner, message, path=path, sender="verifier", round_=self._round)

    def _close(self, kind: BlockerKind, owner: str, path: str, evidence: str) -> None:
        for blocker in self._board.open_blockers():
            if (blocker.kind, blocker.assignment, blocker.path) == (kind, owner, path):
                by = next((a.id for a in self._board.assignments.values() if blocker.id in a.blockers), "verifier")
                self._board.close(blocker, by=by, evidence=evidence)

    def _exists(self, path: str) -> bool:
        return path in self._store.list(self._tree)

    @staticmethod
    def _owner(planned: Sequence[Assignment], path: str) -> str:
        return next(a.id for a in planned if path in a.paths)


def command_argv(line: str) -> list[str]:
    """The argument list of a command line, with `python` and `pytest` meaning the sandbox's interpreter.

    Raises:
        ValueError: it is empty or its quotes do not match.
    """
    words = shlex.split(line)
    if not words:
        raise ValueError("it is empty")
    if words[0] in ("python", "python3"):
        return python_argv(*words[1:])
    if words[0] == "pytest":
        return python_argv("-m", *words)
    return words


def _tail(execution: Execution) -> str:
    return stable("\n".join((execution.stdout + execution.stderr).strip().splitlines()[-15:]))
