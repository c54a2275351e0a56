"""A manager whose plans cannot be used, and an auditor who does not do its work."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from millwright.gym.misbehaviour import ANSWERING, misbehaviour
from millwright.gym.script import Reply, call

if TYPE_CHECKING:
    from millwright.gym.pupil import Kind, Moment

FENCE = "```"
PLAN: frozenset[Kind] = frozenset({"plan"})
REVIEW: frozenset[Kind] = frozenset({"review"})


def _changed(moment: Moment, **fields: Any) -> Reply:
    """The right plan with fields of its first assignment changed."""
    plan = json.loads(moment.good.content)
    plan["assignments"][0] |= fields
    return Reply(json.dumps(plan))


@misbehaviour(ANSWERING, harmless=True)
def fenced_answer(moment: Moment) -> Reply:
    """Puts its JSON into a fence with an explanation around it."""
    return Reply(f"Here you are:\n\n{FENCE}json\n{moment.good.content}\n{FENCE}\n\nTell me if it should change.")


@misbehaviour(ANSWERING, harmless=True)
def thought_then_answer(moment: Moment) -> Reply:
    """Thinks in tags, with another object in them, before it answers."""
    return Reply(f'<think>Maybe {{"assignments": []}}? No.</think>\n{moment.good.content}')


@misbehaviour(ANSWERING)
def broken_answer(moment: Moment) -> Reply:
    """Leaves a bracket out of its JSON."""
    return Reply(moment.good.content[:-2])


@misbehaviour(ANSWERING)
def answer_of_the_wrong_shape(moment: Moment) -> Reply:
    """Answers with JSON of another shape."""
    return Reply('{"plan": "first the stock, then the report", "assignments": "two", "resolved": "perhaps"}')


@misbehaviour(ANSWERING)
def cut_answer(moment: Moment) -> Reply:
    """Is cut at the token limit in the middle of its JSON."""
    text = moment.good.content
    return Reply(text[: len(text) // 2], done_reason="length")


@misbehaviour(PLAN)
def circular_plan(moment: Moment) -> Reply:
    """Plans assignments that wait for each other."""
    return _changed(moment, depends_on=["A2"])


@misbehaviour(PLAN)
def plan_forgets_a_file(moment: Moment) -> Reply:
    """Plans without a file that the goal names."""
    return _changed(moment, paths=["settings.json"], checks=[])


@misbehaviour(PLAN)
def plan_leaves_the_workspace(moment: Moment) -> Reply:
    """Plans a file outside of the workspace."""
    return _changed(moment, paths=["stock.py", "/etc/cron.d/stock"], checks=[])


@misbehaviour(PLAN)
def plan_shares_a_file(moment: Moment) -> Reply:
    """Gives one file to two assignments."""
    first, second = json.loads(moment.good.content)["assignments"]
    return _changed(moment, paths=[*first["paths"], *second["paths"]])


@misbehaviour(PLAN)
def empty_plan(moment: Moment) -> Reply:
    """Plans nothing."""
    return Reply('{"summary": "Nothing to do.", "assignments": []}')


@misbehaviour(PLAN)
def plan_of_the_prompt(moment: Moment) -> Reply:
    """Copies the example of the prompt."""
    return Reply(
        '{"summary": "...", "assignments": [{"id": "A1", "title": "...", "task": "...", "paths": ["..."]}]}'
    )


@misbehaviour(REVIEW)
def review_in_prose(moment: Moment) -> Reply:
    """Says that it looks good, and hands in no review."""
    return Reply("LGTM! Great work, ship it.")


@misbehaviour(REVIEW)
def review_of_strange_files(moment: Moment) -> Reply:
    """Finds fault with a file that does not exist."""
    finding = {"path": "main.py", "severity": "blocker", "problem": "It is missing."}
    return Reply(tool_calls=[call("submit_review", findings=[finding])])


@misbehaviour(REVIEW)
def auditor_writes(moment: Moment) -> Reply:
    """Changes the code it should only read."""
    return Reply(tool_calls=[call("write_file", path="stock.py", content="x = 1\n")])


@misbehaviour(frozenset({"review", "recheck"}))
def never_satisfied(moment: Moment) -> Reply:
    """Finds fault with what is right, and is never satisfied."""
    if moment.kind == "recheck":
        return Reply('{"resolved": false, "reason": "It is still not good."}')
    path = "stock.py" if moment.assignment == "A1" else "report.py"
    finding = {"path": path, "severity": "blocker", "problem": f"I do not like it. ({moment.strikes})"}
    return Reply(tool_calls=[call("submit_review", findings=[finding])])
