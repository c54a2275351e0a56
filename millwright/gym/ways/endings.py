"""Replies that end too early, too late, or are not there at all."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from millwright.gym import task
from millwright.gym.misbehaviour import ANY, CALLING, TEXT, WRITING, misbehaviour
from millwright.gym.script import Reply, call

if TYPE_CHECKING:
    from millwright.gym.pupil import Moment

FENCE = "```"
DEFAULT_ANSWER = 8192


_ONE = re.compile(r"Output only the file (\S+):")
_REST = re.compile(r"Output only the rest of (\S+): a line of (`+), then .*?,\n(.*)\nthen directly", re.DOTALL)


def _subject(moment: Moment) -> Moment:
    """The moment, about the file that was asked for alone, if one was."""
    asked = _ONE.search(moment.request.last) or _REST.search(moment.request.last)
    known = {**task.FILES, **task.TESTED}
    return replace(moment, path=asked[1], text=known[asked[1]]) if asked and asked[1] in known else moment


def _half(moment: Moment) -> str:
    """A file as far as a reply gets, to the middle of a line."""
    text = moment.text
    lines = text.splitlines(keepends=True)
    at = max(2, len(lines) // 2)
    return "".join(lines[:at]) + lines[at][: len(lines[at]) // 2]


def _cut(moment: Moment) -> Reply:
    """A file in a fence that ends in the middle."""
    return Reply(f"{moment.path}\n{FENCE}\n{_half(moment)}", done_reason="length")


def _rest(moment: Moment, *, repeated: int | None = None, skipped: int = 0, whole: bool = False) -> Reply | None:
    """The rest of a file as it was asked for, or with lines that were not repeated, or that were left out."""
    asked = _REST.search(moment.request.last)
    if asked is None or asked[1] != moment.path:
        return None
    path, fence, anchor = asked[1], asked[2], asked[3].splitlines()
    lines = moment.text.splitlines()
    at = next(n for n in range(len(lines)) if lines[n : n + len(anchor)] == anchor)
    begin = at if repeated is None else at + len(anchor) - repeated
    body = [*lines[begin : at + len(anchor)], *lines[at + len(anchor) + skipped :]]
    named = f"{path}\n" if whole else ""
    return Reply(named + "\n".join([fence, *body, fence]))


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


@misbehaviour(WRITING | TEXT, harmless=True)
def long_file_in_a_fence(moment: Moment) -> Reply:
    """Is cut in every file, however short it is to be, and can only go on with it."""
    moment = _subject(moment)
    return _rest(moment) or _cut(moment)


@misbehaviour(WRITING | TEXT, harmless=True)
def long_native_call(moment: Moment) -> Reply:
    """Is cut in every call that writes, and can only go on with the file."""
    moment = _subject(moment)
    half = _half(moment)
    cut = call("write_file", path=moment.path, content=half)
    return _rest(moment) or (Reply(tool_calls=[cut], done_reason="length") if moment.tools else moment.good)


@misbehaviour(WRITING | TEXT, harmless=True)
def long_call_as_text(moment: Moment) -> Reply:
    """Is cut in every call that it writes as text, and can only go on with the file."""
    moment = _subject(moment)
    half = _half(moment)
    text = json.dumps({"name": "write_file", "arguments": {"path": moment.path, "content": half}})
    return _rest(moment) or Reply(f"<tool_call>\n{text[:-4]}", done_reason="length")


@misbehaviour(WRITING | TEXT)
def goes_on_without_a_joint(moment: Moment) -> Reply:
    """Is cut in a file and goes on with it without the lines that were to be repeated."""
    moment = _subject(moment)
    return _rest(moment, repeated=0) or _cut(moment)


@misbehaviour(WRITING | TEXT)
def goes_on_too_late(moment: Moment) -> Reply:
    """Is cut in a file and goes on with it two lines too late."""
    moment = _subject(moment)
    return _rest(moment, repeated=0, skipped=2) or _cut(moment)


@misbehaviour(WRITING | TEXT)
def goes_on_as_a_file(moment: Moment) -> Reply:
    """Is cut in a file and gives the second half of it as if that were the whole file."""
    moment = _subject(moment)
    return _rest(moment, repeated=0, whole=True) or _cut(moment)


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
