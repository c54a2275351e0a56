"""What the reports of the judges show of a program and its tests, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tools.skills import schemas
from tools.skills.calling import Answer, answer_of, plain
from tools.skills.comparing import same, same_values
from tools.skills.properties import PROPERTIES, broken

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tools.memory.records import Example
    from tools.skills.interface import Interface
    from tools.verification.mutation import Mutant

Report = dict[str, Any]
MOST_TOLD = 5
# A version that answers like the program to at least so many inputs counts as equivalent to it.
ENOUGH_INPUTS = 20


@dataclass(frozen=True)
class Survivor:
    """A changed version of the program that no test noticed, and an input whose answer differs, if one is known."""

    mutant: Mutant
    telling: Mapping[str, Any] | None


@dataclass(frozen=True)
class Finding:
    """What one step showed; `blames` is empty when it passed."""

    name: str
    detail: str
    blames: Literal["", "code", "tests"] = ""
    evidence: Mapping[str, int] = field(default_factory=dict)
    survivors: tuple[Survivor, ...] = ()
    seconds: float = 0.0


def of_trials(report: Report, made: Sequence[Mutant], *, least_score: float) -> Iterator[Finding]:
    """What the tests came to: on the reference, on the program twice, on stubs, on mutants."""
    seconds = report["seconds"]
    if "reference" in report:
        yield _on_reference(report["reference"], seconds["reference"])
    yield from of_code(report)
    if "mutants" in report:
        yield _on_stubs(report["stubs"], seconds["stubs"])
        yield _on_mutants(report, made, least_score, seconds["mutants"])
    if "lost" in report and "code" in report:
        yield Finding("tests", report["lost"], report["loses"])


def of_code(report: Report) -> Iterator[Finding]:
    """Whether the tests can be read, and pass on the program, twice."""
    unreadable = [f"{error['file']} cannot be read: {error['message']}" for error in report["errors"]]
    if "lost" in report and "code" not in report:
        yield Finding("tests", report["lost"], report["loses"])
    elif unreadable or not report["collected"]:
        yield Finding("tests", "\n".join(unreadable) or "there is no test in the file", "tests")
    elif "code" in report:
        yield from _on_code(report["code"], report["seconds"]["code"])


def of_state(
    inputs: Sequence[Mapping[str, Any]], once: Sequence[Answer], again: Sequence[Answer], returns: Mapping[str, Any]
) -> Finding:
    """Whether a program answers the same in another order, leaves its arguments alone and returns what it declares."""
    wrong = []
    for arguments, first, second in zip(inputs, once, again, strict=True):
        what = _called(arguments)
        misfit = schemas.problem(first.value, returns, "its answer") if first.kind == "returned" else ""
        if first.kind in ("stopped", "not_json"):
            wrong.append(f"{what}: {first.error}")
        elif misfit:
            wrong.append(f"{what}: {misfit}")
        elif first.changed or second.changed:
            wrong.append(f"{what}: it changes the arguments it is given; work on a copy")
        elif not same(first, second):
            wrong.append(
                f"{what}: it {first.told}, and in another order it {second.told}: it keeps something from "
                "one call to the next, or depends on the order of a set"
            )
    if wrong:
        return Finding("state", _some(wrong), "code")
    return Finding("state", f"{len(inputs)} calls come to the same in another order, and change no argument")


def of_properties(
    interface: Interface, asked: Sequence[Mapping[str, Any]], once: Sequence[Answer], again: Sequence[Answer]
) -> Finding:
    """Whether what must hold for any tool holds for generated arguments, each asked twice in a row."""
    if wrong := broken(interface, asked, once, again):
        return Finding("properties", _some(wrong), "code")
    detail = f"{PROPERTIES} properties hold for {len(asked)} generated arguments"
    return Finding("properties", detail, evidence={"properties": PROPERTIES if asked else 0})


def of_oracle(
    inputs: Sequence[Mapping[str, Any]],
    answers: Sequence[Answer],
    expected: Sequence[Answer],
    examples: Sequence[Example],
) -> Finding:
    """Whether a program agrees with the examples of its task and with the reference."""
    wrong = []
    for arguments, answer, right in zip(inputs, answers, expected or answers, strict=True):
        if not same(answer, right):
            wrong.append((f"{_called(arguments)}: it {answer.told}", right.told))
    for example in examples:
        # The same arguments may stand among the inputs in another order.
        answer = next(
            a for arguments, a in zip(inputs, answers, strict=True) if arguments == plain(example.arguments)
        )
        if answer.kind != "returned" or not same_values(answer.value, example.result):
            wrong.insert(0, (f"{_called(example.arguments)}: it {answer.told}", f"returned {example.result!r}"))
    cases = len(inputs) if expected else len(examples)
    against = "an independent calculation" if expected else "the examples of the task"
    if wrong:
        # One right answer shows what is meant; all of them would be a list to write off.
        first = f"{wrong[0][0]}, the right answer is: {wrong[0][1]}"
        others = [what for what, _ in wrong[1:MOST_TOLD]]
        told = f"{len(wrong)} of {cases} answers differ from {against}: "
        return Finding("oracle", told + "\n".join([first, *others]), "code")
    if not cases:
        return Finding("oracle", "there is no independent calculation and no example to compare with")
    evidence = {"oracle_cases": cases} if expected else {}
    return Finding("oracle", f"{cases} answers agree with {against}", evidence=evidence)


def _on_reference(runs: Sequence[Report], seconds: float) -> Finding:
    failures = _failures(runs[0])
    if failures:
        detail = "the tests ask for what is not right: an independent program fails them: " + _some(failures)
        return Finding("reference", detail, "tests", seconds=seconds)
    if later := _failures(runs[1]):
        detail = "the tests depend on their order, or on the order of a set: run backwards, " + _some(later)
        return Finding("reference", detail, "tests", seconds=seconds)
    return Finding("reference", "the tests pass on an independent program", seconds=seconds)


def _on_code(runs: Sequence[Report], seconds: float) -> Iterator[Finding]:
    failures = _failures(runs[0])
    if failures:
        # Each call is ended when it takes long, so what does not end is the tests' own doing.
        yield Finding("tests", _some(failures), "code" if runs[0]["ended"] else "tests", seconds=seconds)
        return
    passed = sum(test["outcome"] == "passed" for test in runs[0]["tests"].values())
    if not runs[0]["calls"] or not passed:
        yield Finding(
            "tests", "no test calls the function: import it from main, and call it", "tests", seconds=seconds
        )
        return
    evidence = {"tests": passed}
    yield Finding(
        "tests", f"{passed} tests pass, with {runs[0]['calls']} calls", evidence=evidence, seconds=seconds
    )
    if later := _failures(runs[1]):
        detail = "it keeps something from one call to the next: run backwards, with another hash seed, "
        yield Finding("again", detail + _some(later), "code")
        return
    yield Finding("again", "they pass again in another order, with another hash seed")


def _on_stubs(stubs: Mapping[str, bool], seconds: float) -> Finding:
    blind = [name for name, survives in stubs.items() if survives]
    if blind:
        detail = f"the tests prove nothing: all of them pass on a function that {blind[0]}"
        return Finding("stub", detail, "tests", seconds=seconds)
    return Finding("stub", f"the tests fail on a function that {', '.join(stubs)}", seconds=seconds)


def _on_mutants(report: Report, made: Sequence[Mutant], least_score: float, seconds: float) -> Finding:
    found = report["mutants"]
    if any(one["outcome"] == "noticed" for name, one in found.items() if name.startswith("control")):
        detail = (
            "run once more, the tests fail on the program itself: they depend on time, on chance or on each other"
        )
        return Finding("mutants", detail, "tests", seconds=seconds)
    outcomes = [found[str(number)] for number in range(len(made))]
    untried = sum(one["outcome"] == "untried" for one in outcomes)
    if untried > len(made) / 2:
        detail = (
            f"the tests take too long: there was no time to try them on {untried} of {len(made)} changed versions"
        )
        return Finding("mutants", detail, "tests", seconds=seconds)
    noticed = sum(one["outcome"] == "noticed" for one in outcomes)
    pairs = zip(made, outcomes, strict=True)
    survivors = [_survivor(report, mutant, one) for mutant, one in pairs if one["outcome"] == "survived"]
    counted = tuple(one for one in survivors if one is not None)
    return _scored(report, noticed, counted, len(survivors) - len(counted), least_score, seconds)


def _scored(
    report: Report, noticed: int, counted: tuple[Survivor, ...], equal: int, least_score: float, seconds: float
) -> Finding:
    tried = noticed + len(counted)
    score = noticed / tried if tried else 1.0
    what = f"the tests notice {noticed} of {tried} changed versions ({score:.0%}, at least {least_score:.0%})"
    if equal:
        what += f"; {equal} more answer like the program to all {len(report['inputs'])} inputs"
    evidence = {"noticed": noticed, "mutants": tried}
    if score >= least_score:
        return Finding("mutants", what, evidence=evidence, survivors=counted, seconds=seconds)
    telling = list(dict.fromkeys(_called(one.telling) for one in counted if one.telling is not None))
    hint = (
        "no test would notice a wrong answer to: " + "; ".join(telling[:MOST_TOLD])
        if telling
        else "test limits and errors, too"
    )
    return Finding("mutants", f"{what}: {hint}", "tests", evidence, counted, seconds)


def _survivor(report: Report, mutant: Mutant, found: Report) -> Survivor | None:
    """A survivor with the input that tells it apart; None when it answers like the program as far as can be seen."""
    inputs = report["inputs"]
    for number, other in found["differs"].items():
        if not same(answer_of(report["answers"][int(number)]), answer_of(other)):
            return Survivor(mutant, inputs[int(number)])
    return None if len(inputs) >= ENOUGH_INPUTS else Survivor(mutant, None)


def _failures(run: Report) -> list[str]:
    if run["problem"] or not run["ended"]:
        return [run["problem"] or "the tests do not come to an end"]
    return [f"{name}: {test['message']}" for name, test in run["tests"].items() if test["outcome"] == "failed"]


def _some(lines: Sequence[str]) -> str:
    more = [f"… and {len(lines) - MOST_TOLD} more"] if len(lines) > MOST_TOLD else []
    return "\n".join([*lines[:MOST_TOLD], *more])


def _called(arguments: Mapping[str, Any]) -> str:
    return "(" + ", ".join(f"{name}={value!r}" for name, value in arguments.items()) + ")"
