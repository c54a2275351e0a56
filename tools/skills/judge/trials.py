"""Tries tests on a program, on its reference and on broken versions of it, inside the sandbox.

The tests live in a process of their own, and each version in another: `main`, which the tests import, only passes calls
on. So a program is asked as it will be asked when it is a tool, with JSON, and neither can reach its judge. The files of
the tests are gone before the first program starts.
"""

from __future__ import annotations

import json
import os
import time
from collections import deque
from contextlib import contextmanager

from tools.skills.judge import serving
from tools.skills.judge.calls import LONGEST_REPORT, asked, read_plan, report, value_of
from tools.skills.judge.sitting import Lost, Run

TYPE_CHECKING = False  # `typing` takes longer to import than a program to start
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from tools.skills.judge.asking import Server
    from tools.skills.judge.sitting import Sitting, Tests

PATIENCE = 10  # times what the program itself needs
LEAST = 0.25  # seconds of processor time for a call of a broken version
RESERVE = 5.0  # seconds that are kept for what comes after the mutants
CONTROLS = 2  # runs on the program itself among those on its mutants, which a test cannot tell from them
CONTROL = "control"
AT_ONCE = 2  # runs of the tests that go on at one time
SHARED = "/dev/shm"  # noqa: S108
UNSTEADY = "it failed, and passed when it was run once more"


def main(servers: list[Server], tests: Tests) -> None:
    """Carry out the plan and print the report."""
    plan = read_plan()
    trials = Trials(plan, servers, tests)
    try:
        trials.carry_out()
    except Lost as error:
        trials.found["lost"] = str(error)
    report(plan, trials.found)


class Trials:
    """The plan while it is carried out; `found` is the report."""

    def __init__(self, plan: dict[str, Any], servers: list[Server], tests: Tests) -> None:
        """Try with these servers, the second with another hash seed."""
        for server in servers:
            server.preload(plan["imports"])
        self.found: dict[str, Any] = {"errors": [], "collected": 0, "seconds": {}, "loses": "tests"}
        self._plan = plan
        self._until = time.monotonic() + plan["seconds"]
        self._servers = servers
        self._tests = tests
        self._asked: list[dict[str, Any]] = []
        self._all_recorded = False
        self._own: list[str] = []
        self._limit: float = plan["cpu_seconds"]
        # An interpreter below the temporary directory is mounted there, in directories that were made for it.
        self._mounted = frozenset(_below(os.environ["TMPDIR"]))

    def carry_out(self) -> None:
        """Try every version, in order, as long as what came before went well.

        Raises:
            Lost: the tests ended their process, or take too long.
        """
        with self._timed("reading"):
            self.found |= self._tests.read(self._plan["tests"], self._plan["entry"], self._plan["parameters"])
        if self.found["collected"] and not self.found["errors"] and self._reference() and self._code():
            self._answers()
            self._stubs()
            self._mutants()

    def _reference(self) -> bool:
        if not self._plan["reference"]:
            return True
        with self._timed("reference"):
            runs = self._twice({"main": self._plan["reference"]})
        self.found["reference"] = [run.shown() for run in runs]
        return all(run.passed for run in runs)

    def _code(self) -> bool:
        # Files that are left now, and were not when the reference was tried, are the program's.
        self.found["loses"] = "code" if self._plan["reference"] else "tests"
        with self._timed("code"):
            runs = self._twice(self._plan["modules"])
        self.found["loses"] = "tests"
        self.found["code"] = [run.shown() for run in runs]
        self._asked, self._all_recorded = runs[0].asked, runs[0].all_recorded
        return all(run.passed for run in runs)

    def _twice(self, modules: dict[str, str]) -> list[Run]:
        """The tests on a version in both orders, the second with another hash seed; the first failure is worded."""
        sittings = [self._begin(modules), self._begin(modules, seed=1)]
        runs = [self._ended(sitting) for sitting in sittings]
        failed = next((seed for seed, run in enumerate(runs) if not run.passed), None)
        if failed is not None and runs[failed].noticed:
            runs[failed] = self._worded(runs[failed], self._begin(modules, seed=failed, telling=True))
        return runs

    def _worded(self, run: Run, again: Sitting) -> Run:
        told = self._ended(again)
        if not told.passed:
            return told
        for test in run.tests.values():
            test["message"] = UNSTEADY if test["outcome"] == "failed" else ""
        return run

    def _answers(self) -> None:
        """What is to be asked of the program alone, and what it and the reference say to it here."""
        inputs = list(self._plan["inputs"])
        inputs += [one for one in self._asked if one not in inputs]
        self.found["inputs"] = inputs
        with self._timed("answers"):
            if self._plan["reference"]:
                reference = {"main": self._plan["reference"]}
                self.found["expected"], _ = self._asking(reference, inputs)
                self.found["expected generated"], _ = self._asking(reference, self._plan["generated"])
            self.found["answers"], slowest = self._asking(self._plan["modules"], inputs)
        self._own = [_words(self.found["answers"][inputs.index(one)]) for one in self._asked]
        self._limit = max(LEAST, PATIENCE * slowest)

    def _stubs(self) -> None:
        with self._timed("stubs"):
            stubs = {**self._plan["stubs"], **self._constant()}
            begun = ((name, self._begin(self._changed(text))) for name, text in stubs.items())
            self.found["stubs"] = {name: not run.noticed for name, run in self._ends(begun)}
        if len(self.found["stubs"]) < len(stubs):
            raise Lost("the tests take too long: there was no time left to try them on anything but the program")

    def _constant(self) -> dict[str, str]:
        """A stub that always gives the program's first answer to the tests."""
        wanted = [self.found["answers"][self.found["inputs"].index(one)] for one in self._asked]
        first = next((answer for answer in wanted if answer["kind"] == "returned"), None)
        if first is None:
            return {}
        value = serving.unpacked(first["value"])
        text = f"from math import inf, nan\ndef {self._plan['entry']}(*args, **kwargs):\n    return {value!r}\n"
        return {"always gives the same answer": text}

    def _mutants(self) -> None:
        """Try the mutants, in any order, and among them the program itself."""
        sources: Sequence[str] = [] if any(self.found["stubs"].values()) else self._plan["mutants"]
        versions = {str(number): self._changed(source) for number, source in enumerate(sources)}
        versions |= {f"{CONTROL} {number}": self._plan["modules"] for number in range(CONTROLS if sources else 0)}
        order = sorted(versions, key=lambda _: os.urandom(8))
        self.found["mutants"] = {name: {"outcome": "untried"} for name in order}
        with self._timed("mutants"):
            for name, run in self._ends(self._tried(name, versions[name]) for name in order):
                outcome = {"outcome": "noticed"} if run.noticed else self._survived(versions[name])
                self.found["mutants"][name] = outcome

    def _tried(self, name: str, modules: dict[str, str]) -> tuple[str, Sitting | Run]:
        """A version, and the tests on it.

        They see nothing but answers, so a mutant that answers all that they asked like the program survives them. One
        that does not end on something that they asked is noticed.
        """
        running = self._servers[0].start(modules, self._plan["entry"], self._limit)
        if self._all_recorded and not running.problem and not name.startswith(CONTROL):
            answers = list(running.ask_all(self._asked))
            if running.problem or list(map(_words, answers)) == self._own:
                running.end()
                return name, Run(problem=running.problem)
        return name, self._tests.begin(running)

    def _survived(self, modules: dict[str, str]) -> dict[str, Any]:
        """What is asked of a survivor is everything, to see whether it differs at all."""
        answers, _ = self._asking(modules, self.found["inputs"])
        pairs = enumerate(zip(self.found["answers"], answers, strict=True))
        differs = {str(n): other for n, (own, other) in pairs if value_of(own) != value_of(other)}
        return {"outcome": "survived", "differs": differs}

    def _ends(self, begun: Iterable[tuple[str, Sitting | Run]]) -> Iterator[tuple[str, Run]]:
        """What the tests come to on one version after the other, a few at a time, until there is no time left."""
        waiting: deque[tuple[str, Sitting | Run]] = deque()
        for one in begun:
            waiting.append(one)
            if len(waiting) == AT_ONCE:
                name, sitting = waiting.popleft()
                yield name, self._ended(sitting)
            if time.monotonic() + RESERVE > self._until:
                break
        for name, sitting in waiting:
            yield name, self._ended(sitting)

    def _changed(self, source: str) -> dict[str, str]:
        return {**self._plan["modules"], "main": source}

    def _begin(self, modules: dict[str, str], *, seed: int = 0, telling: bool = False) -> Sitting:
        running = self._servers[seed].start(modules, self._plan["entry"], self._limit)
        return self._tests.begin(running, backwards=seed == 1, telling=telling)

    def _ended(self, sitting: Sitting | Run) -> Run:
        """What a run of the tests comes to.

        Raises:
            Lost: it left something behind for the next one.
        """
        if isinstance(sitting, Run):
            return sitting
        run = sitting.result(self._until)
        if left := next((path for path in _paths() if path not in self._mounted), None):
            raise Lost(f"files are left behind: {left}; an answer depends on the arguments alone")
        return run

    def _asking(self, modules: dict[str, str], calls: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], float]:
        program = {"entry": self._plan["entry"], "cpu_seconds": self._limit}
        program["modules"] = {**self._plan["modules"], **modules}
        return asked(self._servers[0], program, calls, self._until, longest=LONGEST_REPORT // 4)

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        begin = time.monotonic()
        yield
        self.found["seconds"][phase] = time.monotonic() - begin


def _words(answer: dict[str, Any]) -> str:
    """An answer as tests see it, with the words of an exception."""
    return json.dumps({name: part for name, part in answer.items() if name != "seconds"})


def _paths() -> Iterator[str]:
    """What is on the disk where a run of the tests could leave for the next one what it saw of the program."""
    for folder in (".", os.environ["TMPDIR"], *([SHARED] if _is_ours(SHARED) else [])):
        yield from _below(folder)


def _below(folder: str) -> Iterator[str]:
    """Everything in a directory; what is mounted in it cannot be written to, and is left out."""
    device = os.stat(folder).st_dev
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry.path
            if entry.is_dir(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_dev == device:
                yield from _below(entry.path)


def _is_ours(folder: str) -> bool:
    """Whether a directory was made for this run, as the workspace was; levels that mount nothing show the machine's."""
    try:
        found, here = os.stat(folder), os.stat(".")
    except OSError:
        return False
    return (found.st_uid, found.st_dev) == (os.getuid(), here.st_dev)
