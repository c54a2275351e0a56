"""Replies that end too early, too late, or are not there at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from millwright.gym.misbehaviour import ANY, CALLING, WRITING, misbehaviour
from millwright.gym.script import Reply, call

if TYPE_CHECKING:
    from millwright.gym.pupil import Moment

FENCE = "```"
DEFAULT_ANSWER = 8192


def _answer_limit(moment: Moment) -> int:
    """How many tokens the caller allows."""
    return int(moment.request.options.get("num_predict") or moment.request.body.get("max_tokens") or DEFAULT_ANSWER)


@misbehaviour(ANY)
def empty(moment: Moment) -> Reply:
    """Answers nothing."""
    return Reply("", eval_count=1)


@misbehaviour(ANY)
def only_spaces(moment: Moment) -> Reply:
    """Answers with spaces and line ends."""
    return Reply(" \n\n \t\n", eval_count=5)


@misbehaviour(CALLING, harmless=True)
def discarded(moment: Moment) -> Reply:
    """Loses an answer to a request with tools: tokens are counted and nothing comes."""
    return Reply("", eval_count=250)


@misbehaviour(ANY)
def only_reasoning(moment: Moment) -> Reply:
    """Only thinks."""
    return Reply("", thinking="First I should look at the files. Then I should write them. Yes, that is the plan.")


@misbehaviour(ANY)
def unclosed_thoughts(moment: Moment) -> Reply:
    """Thinks in tags that it never closes."""
    return Reply("<think>\nThe user wants a stock list. Let me think about what a stock is.")


@misbehaviour(ANY)
def load_reply(moment: Moment) -> Reply:
    """Only loads the model."""
    return Reply("", done_reason="load", eval_count=0)


@misbehaviour(ANY)
def cut_in_prose(moment: Moment) -> Reply:
    """Is cut at the token limit while it explains."""
    return Reply("To do this we first have to think about what a stock list", done_reason="length")


@misbehaviour(CALLING)
def cut_in_call(moment: Moment) -> Reply:
    """Is cut at the token limit in the middle of a call written as text."""
    name, arguments = moment.called
    text = json.dumps({"name": name, "arguments": arguments})
    return Reply(f"<tool_call>\n{text[: len(text) * 2 // 3]}", done_reason="length")


@misbehaviour(CALLING)
def silently_cut_in_call(moment: Moment) -> Reply:
    """Stops in the middle of a call written as text, and says that it is the end."""
    name, arguments = moment.called
    text = json.dumps({"name": name, "arguments": arguments})
    return Reply(f"<tool_call>\n{text[: len(text) * 2 // 3]}")


@misbehaviour(WRITING)
def cut_in_file(moment: Moment) -> Reply:
    """Is cut at the token limit in the middle of a file in a fence."""
    return Reply(f"{moment.path}\n{FENCE}\n{moment.text[: len(moment.text) // 2]}", done_reason="length")


@misbehaviour(WRITING)
def silently_cut_in_file(moment: Moment) -> Reply:
    """Stops in the middle of a file in a fence, and says that it is the end."""
    cut = moment.text.rfind("\n\n\n") if "\n\n\n" in moment.text else len(moment.text) // 2
    return Reply(f"{moment.path}\n{FENCE}\n{moment.text[:cut]}\n")


@misbehaviour(WRITING)
def cut_native_call(moment: Moment) -> Reply:
    """Is cut at the token limit in a native call whose content still parses."""
    cut = moment.text.rfind("\n\n\n") if "\n\n\n" in moment.text else len(moment.text) // 2
    half = call("write_file", path=moment.path, content=moment.text[:cut] + "\n")
    return Reply(tool_calls=[half], done_reason="length")


@misbehaviour(ANY)
def endless_repetition(moment: Moment) -> Reply:
    """Repeats one sentence until the token limit cuts it."""
    return Reply("I will write the file now. " * (_answer_limit(moment) // 7), done_reason="length", chunks=60)


@misbehaviour(ANY)
def endless_number_list(moment: Moment) -> Reply:
    """Counts without end and without repeating itself, until the token limit cuts it."""
    text = "".join(f"{n}. Item {n}\n" for n in range(_answer_limit(moment) // 5))
    return Reply(text, done_reason="length", chunks=60)


@misbehaviour(CALLING, harmless=True)
def forgets_to_say_stop(moment: Moment) -> Reply:
    """Calls as it should and gives an unknown reason for its end."""
    return Reply(tool_calls=moment.good.tool_calls, done_reason="eos_token")


@misbehaviour(ANY)
def lost_context(moment: Moment) -> Reply:
    """Answers well, and counts far fewer tokens of the prompt than there are: its front was cut."""
    good = moment.good
    return Reply(good.content, good.tool_calls, prompt_eval_count=24)
