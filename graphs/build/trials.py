"""What shows that a program works: its tests, that they can fail, and its acceptance commands."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from agents.contracts import Assignment, BlockerKind, Evidence, Role
from tools.sandbox import python_argv
from tools.verification.flakiness import flaky
from tools.verification.mutation import Score, mutants, scored
from tools.verification.stubs import hollowed, stubbed
from tools.verification.testing import TestRun, is_test, mutants_argv, pytest_argv, read_run, stable
from tools.workspace.confined import ConfinedDir

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from pathlib import Path

    from graphs.build.board import Board
    from graphs.build.schemas import BuildContext
    from graphs.running import Runner
    from tools.runs.run import Run
    from tools.sandbox import Execution
    from tools.verification.mutation import Mutant

Facts = dict[str, list[Evidence]]
RUNS = {"standard": 2, "thorough": 5}
PLAN = "millwright-mutants.json"
MOST_SURVIVORS_TOLD = 20
# Of the time for one run of the tests; the rest is for starting and for the last mutant.
SHARE_FOR_MUTANTS = 0.8
NOTICES = "the tests fail when the behaviour is taken out"


class Trials:
    """Turns runs of what was delivered into evidence, and into blockers."""

    def __init__(
        self, run: Run, board: Board, tree: str, round_: int, runner: Runner, context: BuildContext
    ) -> None:
        """Try the files of `tree`, as the plan on the board promises them."""
        self._store = run.store
        self._folder = run.trial_folder
        self._board = board
        self._tree = tree
        self._round = round_
        self._run = runner
        self._context = context
        here = run.store.list(tree)
        self._planned = board.planned()
        self._tests = tuple(p for a in self._planned for p in a.paths if is_test(p) and p in here)
        self._modules = [
            p
            for a in self._planned
            for p in a.paths
            if p.endswith(".py") and p in here and a.role is Role.DEVELOPER
        ]

    async def tests(self, facts: Facts) -> list[Evidence]:
        """Run the delivered tests, several times, then show that they notice when the program is changed.

        What is found of a test file goes into its `facts`, what is found of all of them is returned.
        """
        if not self._tests:
            return []
        runs = [await self._tested("tests")]
        if not runs[0].problem:  # what does not end, or cannot be read, says nothing more the second time
            more = RUNS[self._context.verification]
            runs += [await self._tested(f"tests again {again}", again) for again in range(1, more)]
        unsteady = flaky(runs)
        for path in self._tests:
            facts[path] += self._judged(path, runs, unsteady)
        return [] if unsteady or not runs[0].passed else await self._falsified(facts)

    async def commands(self) -> list[Evidence]:
        """Run every acceptance command; it must exit with 0."""
        return [
            await self._command(assignment, check.value)
            for assignment in self._planned
            for check in assignment.checks
            if check.kind == "command"
        ]

    async def _tested(self, purpose: str, again: int = 0) -> TestRun:
        argv = pytest_argv(self._tests, again=again)
        return read_run(await self._run(argv, purpose, read_only=self._tests))

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

    def _judged(self, path: str, runs: Sequence[TestRun], unsteady: Mapping[str, str]) -> list[Evidence]:
        """What the runs say of one test file; a flaky test counts as neither passed nor failed."""
        first, owner = runs[0], self._owner(path)
        results = first.of(path)
        shaky = {name: told for name, told in unsteady.items() if name.split("::", 1)[0] == path}
        passed = sum(t.outcome == "passed" and t.name not in shaky for t in results)
        failed = [f"{t.name} failed: {t.message}" for t in results if t.outcome == "failed" and t.name not in shaky]
        failed += [first.problem] if first.problem else []
        loose = [f"{name} is flaky: {told}" for name, told in shaky.items()]
        what = f"{passed} of {len(results)} tests pass"
        if not failed and not loose and passed:
            self._close(BlockerKind.TEST_FAILURE, owner, path, what)
            steady = Evidence(
                what=f"every test ends the same in {len(runs)} runs, each in another order", passed=True
            )
            return [Evidence(what=what, passed=True), steady]
        if not failed and not loose:
            failed = [f"no test of {path} passed"]
        self._block(BlockerKind.TEST_FAILURE, owner, "\n".join([*failed, *loose]), path)
        found = [Evidence(what=what, passed=not failed, detail="\n".join(failed))]
        if loose:
            found.append(Evidence(what=f"flaky: {', '.join(shaky)}", passed=False, detail="\n".join(loose)))
        return found

    async def _falsified(self, facts: Facts) -> list[Evidence]:
        """Tests count only when they fail on a program without behaviour and, if asked, on most that differ a little."""
        blind = await self._blind()
        score, missed = None, {}
        if self._context.verification == "thorough" and not blind:
            score = await self._score()
            missed = await asyncio.to_thread(self._missed, score)
        for path in self._tests:
            why = blind.get(path, "")
            facts[path].append(Evidence(what=NOTICES, passed=not why, detail=why))
            if path in missed:
                facts[path].append(
                    Evidence(what="changes to the code are noticed", passed=False, detail=missed[path])
                )
            if why or path in missed:
                self._block(BlockerKind.TOOTHLESS_TEST, self._owner(path), why or missed[path], path)
            else:
                self._close(BlockerKind.TOOTHLESS_TEST, self._owner(path), path, NOTICES)
        return [] if score is None else [self._evidence(score)]

    async def _blind(self) -> dict[str, str]:
        """The test files that pass without any behaviour to test, each with what that means."""
        stubs = await self._on_broken(stubbed, "stub")
        quiet = [path for path in self._tests if not any(t.outcome == "failed" for t in stubs.of(path))]
        # That a module cannot be imported shows nothing about a test, so this copy keeps its names.
        hollow = await self._on_broken(hollowed, "hollow") if quiet else stubs
        return {
            path: f"every test of {path} still passes when the program's functions do nothing: it proves nothing"
            for path in quiet
            if not _noticed(hollow, path)
        }

    async def _on_broken(self, breaking: Callable[[str], str], purpose: str) -> TestRun:
        """Run the tests on a copy in which every delivered Python module is broken in the same way."""
        broken = await asyncio.to_thread(lambda: {path: breaking(self._source(path)) for path in self._modules})
        async with self._copy(broken) as folder:
            argv = pytest_argv(self._tests)
            return read_run(await self._run(argv, f"tests on {purpose}", workspace=folder, read_only=self._tests))

    async def _score(self) -> Score:
        """The mutation score of all delivered modules under all delivered tests."""
        total = Score()
        for path in self._modules:
            made = await asyncio.to_thread(self._mutants, path)
            if made:
                seconds = SHARE_FOR_MUTANTS * self._context.test_seconds
                plan = {"path": path, "sources": [m.source for m in made], "seconds": seconds}
                async with self._copy({PLAN: json.dumps(plan)}) as folder:
                    argv = mutants_argv(PLAN, self._tests)
                    purpose = f"tests on mutants of {path}"
                    ended = await self._run(argv, purpose, workspace=folder, read_only=self._tests)
                total += scored(made, read_run(ended))
        return total

    def _mutants(self, path: str) -> list[Mutant]:
        return mutants(path, self._source(path))

    def _evidence(self, score: Score) -> Evidence:
        asked = f"of at least {self._context.mutation_score:.0%}"
        untried = f", {score.untried} could not be tried in time" if score.untried else ""
        what = f"mutation score {score.value:.0%}, {asked}: {score.noticed} of {score.tried} changes noticed"
        detail = "; ".join(
            [*([score.problem] if score.problem else []), *(f"unnoticed {m.told}" for m in score.survivors)]
        )
        return Evidence(what=what + untried, passed=self._enough(score), detail=detail)

    def _enough(self, score: Score) -> bool:
        return not score.problem and score.value >= self._context.mutation_score

    def _missed(self, score: Score) -> dict[str, str]:
        """What each test file should have noticed, if the score is too low."""
        if self._enough(score):
            return {}
        found: dict[str, list[str]] = {}
        for mutant in score.survivors:
            found.setdefault(self._tester_of(mutant.path), []).append(f"- {mutant.told}")
        asked = f"at least {self._context.mutation_score:.0%}"
        return {
            path: f"the tests are too weak: they notice {score.noticed} of {score.tried} changes to the code, {asked} is "
            "asked. Test what differs when\n" + "\n".join(lines[:MOST_SURVIVORS_TOLD])
            for path, lines in found.items()
        }

    def _tester_of(self, module: str) -> str:
        """The first test file that names a module, else the first of all."""
        parts = module.removesuffix(".py").removesuffix("/__init__").split("/")
        name = re.compile(rf"\b{re.escape(parts[-1])}\b")
        return next((path for path in self._tests if name.search(self._source(path))), self._tests[0])

    @asynccontextmanager
    async def _copy(self, changed: Mapping[str, str]) -> AsyncIterator[Path]:
        """A copy of the tree with some files changed."""
        folder = await asyncio.to_thread(self._folder)
        try:
            await asyncio.to_thread(self._fill, folder, changed)
            yield folder
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    def _fill(self, folder: Path, changed: Mapping[str, str]) -> None:
        with ConfinedDir(folder) as copy:
            self._store.restore(self._tree, copy)
            for path, text in changed.items():
                copy.write(path, text.encode())

    def _source(self, path: str) -> str:
        return self._store.read(self._tree, path).decode(errors="replace")

    def _block(self, kind: BlockerKind, owner: str, message: str, path: str) -> None:
        self._board.block(kind, owner, message, path=path, sender="verifier", round_=self._round)

    def _close(self, kind: BlockerKind, owner: str, path: str, evidence: str) -> None:
        for blocker in self._board.open_blockers():
            if (blocker.kind, blocker.assignment, blocker.path) == (kind, owner, path):
                by = next((a.id for a in self._board.assignments.values() if blocker.id in a.blockers), "verifier")
                self._board.close(blocker, by=by, evidence=evidence)

    def _owner(self, path: str) -> str:
        return next(a.id for a in self._planned if path in a.paths)


def _noticed(run: TestRun, path: str) -> bool:
    """Whether a test of the file failed, or the file could not even be read with the names that it needs."""
    stopped = bool(run.problem) and (path in run.problem or not run.tests)
    return stopped or any(test.outcome == "failed" for test in run.of(path))


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
