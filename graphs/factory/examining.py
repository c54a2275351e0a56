"""The node that judges: what the two authors left on disk must pass the exam, or one of them is blamed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agents.models.profiles import profiles
from agents.toolmaker import CODE, MAIN, TEST, TESTS
from graphs.factory.composing import composed, imported
from graphs.factory.dossier import Dossier
from graphs.factory.schemas import FactoryState  # noqa: TC001 - LangGraph reads a router's hints
from graphs.running import Confined
from graphs.session import CASSETTE
from tools.errors import NotText, ToolRefused
from tools.events import Kind
from tools.skills.exam import examine as examined
from tools.verification.parsing import syntax_problem
from tools.workspace.view import decoded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agents.librarian import Found
    from graphs.factory.schemas import FactoryContext
    from graphs.session import Session
    from tools.skills.exam import Examination
    from tools.storage import Record

DISAGREE = (
    "Another author's program, written from the same description, does not pass:\n{failures}\n"
    "One of you is wrong. Work these expected values out again from the description, and change a test if it was."
)
"""Told to the author of tests that no independent program could check."""


async def examine(state: FactoryState, session: Session[FactoryContext]) -> dict[str, Any]:
    """Examine the code and its tests as they stand on disk; say who has to try again, and why."""
    dossier = await asyncio.to_thread(Dossier.of, session.run)
    tree = await asyncio.to_thread(session.run.store.take, session.run.files, base=session.tree)
    texts, problems = await asyncio.to_thread(_landed, session, dossier, tree, state)
    if problems:
        exam = _not_held(problems)
    else:
        exam, problems = await _held(session, dossier, texts, tree, state["coded"])
    dossier.exam(exam)
    for assignment, why in problems.items():
        dossier.failed(assignment, why)
    await asyncio.to_thread(dossier.save, session.place, "examine")
    await asyncio.to_thread(_remember, session, dossier, state, problems)
    await session.run.events.aemit(Kind.EXAM, **exam)
    return {"tree": tree, "blames": sorted(problems), "reasons": [problems[name] for name in sorted(problems)]}


def after_examine(state: FactoryState, tries: int) -> list[str]:
    """Route on who is blamed, and on whether everyone who is has a try left."""
    used = {CODE: state["coded"], TESTS: state["tested"]}
    if not state["blames"]:
        return ["passed"]
    if any(used[name] >= tries for name in state["blames"]):
        return ["no tries left"]
    return [f"blames {name}" for name in state["blames"]]


def _landed(
    session: Session[FactoryContext], dossier: Dossier, tree: str, state: FactoryState
) -> tuple[dict[str, str], dict[str, str]]:
    """The texts of the two files, and per author why there is none that could be examined."""
    texts: dict[str, str] = {}
    problems: dict[str, str] = {}
    for assignment, path, number in ((CODE, MAIN, state["coded"]), (TESTS, TEST, state["tested"])):
        wrong = _problem(session, tree, path, texts)
        outcome = dossier.outcomes.get(f"{assignment}#{number - 1}")
        if wrong:
            failure = outcome.failure if outcome is not None else ""
            problems[assignment] = f"{wrong}; the attempt ended because {failure}" if failure else wrong
    return texts, problems


def _problem(session: Session[FactoryContext], tree: str, path: str, texts: dict[str, str]) -> str:
    """Why a file cannot be examined; its text goes into `texts` if it can."""
    store = session.run.store
    if path not in store.list(tree):
        return f"{path} was not written"
    try:
        texts[path] = decoded(path, store.read(tree, path))
    except NotText as error:
        return str(error)
    return syntax_problem(path, texts[path]) or ("" if texts[path].strip() else f"{path} is empty")


def _not_held(problems: Mapping[str, str]) -> Record:
    steps = [
        {"name": f"{name} written", "passed": False, "detail": why, "seconds": 0.0}
        for name, why in problems.items()
    ]
    return {
        "steps": steps,
        "passed": False,
        "blames": sorted(problems),
        "requires": [],
        "evidence": {},
        "oracle": False,
    }


async def _held(
    session: Session[FactoryContext], dossier: Dossier, texts: Mapping[str, str], tree: str, coded: int
) -> tuple[Record, dict[str, str]]:
    """The exam of both files, and what the one who is blamed has to be told."""
    task = dossier.task
    try:
        tools = imported(texts[MAIN], dossier.shown)
        program = composed(task.entry, texts[MAIN], tools)
    except ToolRefused as refusal:
        problems = {CODE: f"{MAIN} cannot be used: {refusal}"}
        return _not_held(problems), problems
    found = await examined(
        Confined(session, tree),
        program,
        texts[TEST],
        signature=task.signature,
        task=task,
        least_score=session.context.least_score,
    )
    oracle = bool(task.reference and task.inputs)
    return _recorded(found, tools, oracle), _told(found, not oracle and coded > 1)


def _recorded(found: Examination, tools: Sequence[Found], oracle: bool) -> Record:
    steps = [{"name": s.name, "passed": s.passed, "detail": s.detail, "seconds": s.seconds} for s in found.steps]
    return {
        "steps": steps,
        "passed": found.passed,
        "blames": [found.blames] if found.blames else [],
        "requires": [tool.id for tool in tools],
        "evidence": found.evidence.model_dump(mode="json"),
        "oracle": oracle,
    }


def _told(found: Examination, doubtful: bool) -> dict[str, str]:
    """What the one who is blamed has to know; where nothing independent decides, in the end both are."""
    if found.passed or found.failed is None:
        return {}
    failed = found.failed
    told = f"{failed.name}: {failed.detail}"
    if found.blames == TESTS:
        return {TESTS: told}
    if failed.name == "tests" and doubtful:
        return {CODE: told, TESTS: DISAGREE.format(failures=failed.detail)}
    return {CODE: told}


def _remember(
    session: Session[FactoryContext], dossier: Dossier, state: FactoryState, problems: Mapping[str, str]
) -> None:
    """Count for the model's profile on which rung a file was written; a replay teaches nothing."""
    if session.context.model.startswith(CASSETTE):
        return
    attempts = []
    for name, number in ((CODE, state["coded"] - 1), (TESTS, state["tested"] - 1)):
        outcome = dossier.outcomes.get(f"{name}#{number}")
        if outcome is not None and not dossier.author(name, number):
            written = outcome.status == "finished"
            attempts.append((outcome.rung, f"{session.run.id}/{name}#{number}", written))
    profiles().remember(session.context.model, attempts)
