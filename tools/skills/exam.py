"""The exam that a program must pass to become a tool.

Nothing a model says counts. The tests come from another author than the code, pass on an independent reference where
there is one, fail on programs without behaviour, and notice most small changes to the code; the program answers like the
reference to inputs that its author never saw. One sandbox start tries the tests, another asks the program alone.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from tools.errors import ToolRefused
from tools.memory.records import Evidence
from tools.skills import calling, schemas, verdicts
from tools.skills.interface import Interface, agrees, read_interface, signature_of
from tools.skills.judging import judge
from tools.skills.properties import broken, generated
from tools.skills.purity import imports, impurities
from tools.verification.mutation import mutants
from tools.verification.stubs import hollowed, stubbed

if TYPE_CHECKING:
    from tools.skills.program import Program
    from tools.skills.running import Runner
    from tools.skills.verdicts import Finding, Survivor
    from tools.tasks.task import Task
    from tools.verification.mutation import Mutant

Blame = Literal["", "code", "tests"]
MOST_MUTANTS, LEAST_SCORE = 30, 0.6
PATIENCE = 3  # calls that do not end, after which an order of questions is given up
SECONDS = 45.0  # for one sandbox start; what there is no time for is told as untried


@dataclass(frozen=True)
class Step:
    """One part of the exam: what it showed, or why it failed, and the seconds it took."""

    name: str
    passed: bool
    detail: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Examination:
    """What came of an exam; after the step that failed there are no more, and `blames` says whose fault it is."""

    steps: tuple[Step, ...]
    interface: Interface | None
    evidence: Evidence
    survivors: tuple[Survivor, ...] = ()
    blames: Blame = ""

    @property
    def passed(self) -> bool:
        """Whether every step passed."""
        return not self.blames

    @property
    def failed(self) -> Step | None:
        """The step that failed, if one did."""
        return next((step for step in self.steps if not step.passed), None)


async def examine(
    run: Runner,
    program: Program,
    tests: str,
    *,
    signature: str,
    task: Task | None = None,
    most_mutants: int = MOST_MUTANTS,
    least_score: float = LEAST_SCORE,
) -> Examination:
    """Examine a program and its tests against the wanted signature and, if there is one, the task's reference.

    Raises:
        ToolRefused: the signature itself is not one that a tool can have.
        SandboxUnavailable: nothing here confines a process.
    """
    exam = _Exam(run, program, tests, signature, task, most_mutants, least_score)
    return await exam.sit()


@dataclass
class _Exam:
    """An exam while it goes on."""

    run: Runner
    program: Program
    tests: str
    signature: str
    task: Task | None
    most_mutants: int
    least_score: float
    steps: list[Step] = field(default_factory=list)
    blames: Blame = ""
    interface: Interface | None = None
    evidence: Evidence = field(default_factory=Evidence)
    survivors: tuple[Survivor, ...] = ()
    report: dict[str, Any] = field(default_factory=dict)

    async def sit(self) -> Examination:
        if await asyncio.to_thread(self._read) and await self._tried():
            await self._asked()
        return Examination(tuple(self.steps), self.interface, self.evidence, self.survivors, self.blames)

    def _read(self) -> bool:
        """Judge the text of the program."""
        begin = time.perf_counter()
        wanted = signature_of(self.signature)
        try:
            self.interface = read_interface(self.program.code, wanted.entry)
            wrong = agrees(self.interface, self.signature)
        except ToolRefused as error:
            wrong = [str(error)]
        if not self._take("interface", "code", wrong, "it is the function that was asked for", begin):
            return False
        begin = time.perf_counter()
        wrong = impurities(self.program.code, self.program.requires)
        return self._take("pure", "code", wrong, "its answer depends on its arguments alone", begin)

    async def _tried(self) -> bool:
        """Have the tests tried on the program, its reference and broken versions of it."""
        plan, made = await asyncio.to_thread(self._plan)
        judged = await judge(self.run, "trials", plan, "exam: tests", servers=2)
        if judged.report is None:
            return self._take("tests", "tests", [f"the tests could not be run: {judged.problem}"], "", 0.0)
        self.report = judged.report
        findings = verdicts.of_trials(self.report, made, least_score=self.least_score)
        return all(self._note(finding) for finding in findings)

    def _plan(self) -> tuple[dict[str, Any], list[Mutant]]:
        assert self.interface is not None
        code = self.program.code
        made = mutants("main.py", code, most=self.most_mutants)
        return {
            "entry": self.program.entry,
            "parameters": self.interface.names,
            "tests": self.tests,
            "modules": self.program.modules,
            "reference": self.task.reference if self.task else "",
            "stubs": {"raises NotImplementedError": stubbed(code), "does nothing": hollowed(code)},
            "mutants": [mutant.source for mutant in made],
            "imports": sorted(imports(code)),
            "inputs": self._inputs(),
            "generated": generated(self.interface),
            "cpu_seconds": calling.CPU_SECONDS,
            "seconds": SECONDS,
        }, made

    def _inputs(self) -> list[Any]:
        """What the task asks: its hidden inputs and its examples."""
        if self.task is None:
            return []
        given = [*self.task.inputs, *(example.arguments for example in self.task.examples)]
        found: list[Any] = []
        for arguments in given:
            form = calling.plain(dict(arguments))
            if form not in found:
                found.append(form)
        return found

    async def _asked(self) -> None:
        """Ask the program alone, where neither tests nor reference have ever been."""
        assert self.interface is not None
        begin = time.perf_counter()
        inputs, expected = self._questions(self.interface)
        made = self._generated(self.interface)
        # Twice in a row, for what a program keeps may change every second answer.
        calls = [*inputs, *(arguments for arguments in made for _ in range(2))]
        forwards = list(range(len(calls)))
        once, again = await calling.asked(
            self.run,
            self.program,
            calls,
            [forwards, forwards[::-1]],
            "exam: questions",
            seconds=SECONDS,
            patience=PATIENCE,
        )
        state = verdicts.of_state(calls, once, again, self.interface.returns)
        examples = self.task.examples if self.task else ()
        own = len(inputs)
        findings = [
            verdicts.of_properties(self.interface, made, once[own::2], once[own + 1 :: 2]),
            replace(state, seconds=time.perf_counter() - begin),
            verdicts.of_oracle(inputs, once[:own], expected, examples),
        ]
        all(self._note(finding) for finding in (findings if made else findings[1:]))

    def _generated(self, interface: Interface) -> list[dict[str, Any]]:
        """Generated arguments, without those at which not even the reference is what any tool must be."""
        made = generated(interface)
        right = [calling.answer_of(one) for one in self.report.get("expected generated", ())]
        if not right:
            return made
        return [
            one for one, answer in zip(made, right, strict=True) if not broken(interface, [one], [answer], [answer])
        ]

    def _questions(self, interface: Interface) -> tuple[list[Any], list[calling.Answer]]:
        """What to ask, and the reference's answers: all that the task asks, and of what the tests asked whatever fits.

        Tests may ask for what a tool need not understand, such as text for a number.
        """
        asked, own = self.report["inputs"], len(self._inputs())
        fitting = [
            n for n, given in enumerate(asked) if n < own or not schemas.problem(given, interface.parameters)
        ]
        expected = self.report.get("expected", [])
        return [asked[n] for n in fitting], [calling.answer_of(expected[n]) for n in fitting if expected]

    def _note(self, finding: Finding) -> bool:
        self.steps.append(Step(finding.name, not finding.blames, finding.detail, finding.seconds))
        self.blames = finding.blames
        self.evidence = self.evidence.model_copy(update=finding.evidence)
        self.survivors = finding.survivors or self.survivors
        return not finding.blames

    def _take(self, name: str, blames: Blame, wrong: list[str], right: str, begin: float) -> bool:
        seconds = time.perf_counter() - begin if begin else 0.0
        self.steps.append(Step(name, not wrong, "\n".join(wrong) or right, seconds))
        self.blames = blames if wrong else ""
        return not wrong
