"""Talking instead of acting, and saying what is not so."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from millwright.gym.misbehaviour import ANY, CALLING, TEXT, WRITING, misbehaviour
from millwright.gym.script import Reply, call

if TYPE_CHECKING:
    from millwright.gym.pupil import Kind, Moment

FENCE = "```"
CONVERSATION: frozenset[Kind] = CALLING | TEXT | frozenset({"plan"})


def _finishing(summary: str, files: list[Any]) -> Reply:
    return Reply(tool_calls=[call("finish", summary=summary, files=files)])


@misbehaviour(CONVERSATION)
def says_done_in_prose(moment: Moment) -> Reply:
    """Says that everything is done, and did nothing."""
    return Reply("I have created all the files. Everything is working and the task is complete.")


@misbehaviour(WRITING)
def finishes_unfinished(moment: Moment) -> Reply:
    """Calls finish without having written anything."""
    return _finishing("Created everything.", [moment.path])


@misbehaviour(frozenset({"finish"}))
def false_claim(moment: Moment) -> Reply:
    """Claims a file that it never wrote."""
    return _finishing("Wrote the code and a guide.", ["docs/guide.md"])


@misbehaviour(CALLING - {"review"})
def lies_about_tests(moment: Moment) -> Reply:
    """Finishes and says that it ran tests, which it cannot."""
    return _finishing("I ran pytest: 12 passed, 0 failed. I created 7 files.", [])


@misbehaviour(CALLING)
def fakes_tool_results(moment: Moment) -> Reply:
    """Writes the answers of the tools itself."""
    return Reply(f"Tool: Wrote {moment.path}: 312 bytes, sha256 0123456789ab.\nTool: Finished.")


@misbehaviour(CONVERSATION)
def refuses(moment: Moment) -> Reply:
    """Refuses politely."""
    return Reply("I'm sorry, but as an AI language model I cannot create files on your computer.")


@misbehaviour(CONVERSATION)
def asks_the_user(moment: Moment) -> Reply:
    """Asks whether it should begin."""
    return Reply("Would you like me to go ahead and write the file? Please confirm the location first.")


@misbehaviour(CONVERSATION)
def tells_the_user_to(moment: Moment) -> Reply:
    """Tells the user to do it."""
    return Reply("Open your editor, create the file, paste the code from above, and run `python -m pytest`.")


@misbehaviour(CALLING)
def promises(moment: Moment) -> Reply:
    """Says that it will call a tool, and does not."""
    return Reply(f"I will now call write_file(path={moment.path!r}, content=...) to create the file.")


@misbehaviour(CALLING)
def example_call(moment: Moment) -> Reply:
    """Shows what a call would look like."""
    shown = json.dumps({"name": "write_file", "arguments": {"path": moment.path, "content": "<your code here>"}})
    return Reply(f"For example, a call looks like this:\n\n{FENCE}json\n{shown}\n{FENCE}\n\nAdapt it as you like.")


@misbehaviour(CONVERSATION)
def wrong_language(moment: Moment) -> Reply:
    """Answers in another language about something else."""
    return Reply("这个函数用于计算库存的总数。请告诉我您还需要什么帮助。")


@misbehaviour(CALLING)
def foreign_script(moment: Moment) -> Reply:
    """Gives a shell script that would do it."""
    return Reply(f"{FENCE}bash\ncat > {moment.path} <<'EOF'\nprint('hello')\nEOF\npython {moment.path}\n{FENCE}")


@misbehaviour(WRITING)
def raises_blockers(moment: Moment) -> Reply:
    """Complains instead of working."""
    told = f"I cannot see what {moment.path} should hold. ({moment.strikes})"
    return Reply(tool_calls=[call("raise_callback", level="blocker", subject=moment.path, message=told)])


@misbehaviour(WRITING)
def same_call_for_ever(moment: Moment) -> Reply:
    """Reads the same missing file again and again."""
    return Reply(tool_calls=[call("read_file", path=moment.path)])


@misbehaviour(WRITING)
def back_and_forth(moment: Moment) -> Reply:
    """Makes the same two calls in turn."""
    either = [call("list_files"), call("search_files", pattern="total")]
    return Reply(tool_calls=[either[moment.strikes % 2]])


@misbehaviour(WRITING)
def wanders(moment: Moment) -> Reply:
    """Looks at something else every time."""
    return Reply(tool_calls=[call("search_files", pattern=f"idea{moment.strikes}")])


@misbehaviour(frozenset({"finish"}))
def never_finishes(moment: Moment) -> Reply:
    """Has written everything and goes on looking at it."""
    return Reply(tool_calls=[call("list_files")])


@misbehaviour(CALLING, harmless=True)
def talks_beside_the_call(moment: Moment) -> Reply:
    """Calls as it should, with another call as an example in the text."""
    shown = json.dumps({"name": "write_file", "arguments": {"path": "stock.py", "content": "x = 1"}})
    return replace(moment.good, content=f"As an example: {shown}")


@misbehaviour(ANY)
def huge_reply(moment: Moment) -> Reply:
    """Talks for a megabyte."""
    words = " ".join(f"word{n}" for n in range(110_000))
    return Reply(words, chunks=50)


@misbehaviour(CALLING)
def huge_brackets(moment: Moment) -> Reply:
    """Opens a hundred thousand brackets."""
    return Reply('{"name": ' * 20_000 + "[" * 100_000, chunks=20)
