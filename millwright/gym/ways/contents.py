"""The right call with the wrong content."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from millwright.gym.misbehaviour import WRITING, misbehaviour
from millwright.gym.script import Reply, call

if TYPE_CHECKING:
    from millwright.gym.pupil import Moment

FENCE = "```"
_ANSWER = re.compile(r"\b(?:return|assert) .*")


def _writing(moment: Moment, content: str) -> Reply:
    return Reply(tool_calls=[call("write_file", path=moment.path, content=content)])


def _front(moment: Moment) -> str:
    """The file without its last part: a Python module without its last function."""
    cut = moment.text.rfind("\n\n\ndef ")
    return moment.text[: cut + 2] if cut > 0 else moment.text[: len(moment.text) // 2]


@misbehaviour(WRITING)
def omission(moment: Moment) -> Reply:
    """Leaves a part out and says that it stays as it was."""
    return _writing(moment, _front(moment) + "\n# ... rest of the code remains unchanged ...\n")


@misbehaviour(WRITING)
def elided_body(moment: Moment) -> Reply:
    """Keeps the names and writes dots for what they do."""
    lines = [line if not line.startswith("    return") else "    ..." for line in moment.text.splitlines()]
    return _writing(moment, "\n".join([*lines, "# existing code here", ""]))


@misbehaviour(WRITING)
def half_a_file(moment: Moment) -> Reply:
    """Writes the first half and believes that it is all."""
    return _writing(moment, _front(moment))


@misbehaviour(WRITING)
def second_thoughts(moment: Moment) -> Reply:
    """Writes the right file, then replaces it by half of it in the same breath."""
    whole, half = _writing(moment, moment.text), _writing(moment, _front(moment))
    return Reply(tool_calls=[*whole.tool_calls, *half.tool_calls])


@misbehaviour(WRITING)
def empty_file(moment: Moment) -> Reply:
    """Writes nothing into the file."""
    return _writing(moment, "")


@misbehaviour(WRITING)
def syntax_error(moment: Moment) -> Reply:
    """Writes what does not parse."""
    return _writing(moment, moment.text.replace(":", "", 4).replace("(", "((", 1) + "}")


@misbehaviour(WRITING)
def fence_in_content(moment: Moment) -> Reply:
    """Puts a Markdown fence around the content."""
    return _writing(moment, f"{FENCE}python\n{moment.text}{FENCE}\n")


@misbehaviour(WRITING)
def prose_in_content(moment: Moment) -> Reply:
    """Puts an explanation in front of the code."""
    return _writing(moment, f"Here is the complete file you asked for:\n\n{moment.text}")


@misbehaviour(WRITING)
def diff_as_content(moment: Moment) -> Reply:
    """Sends a diff as the content."""
    diff = difflib.unified_diff([], moment.text.splitlines(keepends=True), "/dev/null", f"b/{moment.path}")
    return _writing(moment, "".join(diff))


@misbehaviour(WRITING)
def escaped_twice(moment: Moment) -> Reply:
    """Escapes line ends and quotes twice."""
    return _writing(moment, moment.text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"'))


@misbehaviour(WRITING)
def line_numbers(moment: Moment) -> Reply:
    """Copies line numbers into the content."""
    return _writing(moment, "\n".join(f"{n:4}| {line}" for n, line in enumerate(moment.text.splitlines(), 1)))


@misbehaviour(WRITING)
def nul_characters(moment: Moment) -> Reply:
    """Puts NUL and other control characters into the content."""
    return _writing(moment, moment.text.replace("\n", "\n\x00\x07", 3))


@misbehaviour(WRITING)
def lone_surrogates(moment: Moment) -> Reply:
    """Puts half a character into the content."""
    return _writing(moment, moment.text.replace("stock", "stock \ud83d", 1))


@misbehaviour(WRITING)
def example_of_the_prompt(moment: Moment) -> Reply:
    """Writes the file that a prompt gave as an example."""
    return Reply(tool_calls=[call("write_file", path="package/module.py", content="...")])


@misbehaviour(WRITING)
def placeholder_content(moment: Moment) -> Reply:
    """Writes three dots, as an example has them."""
    return _writing(moment, "...")


@misbehaviour(WRITING)
def search_mismatch(moment: Moment) -> Reply:
    """Edits text that is not there."""
    search = "def something_else(self):\n    pass"
    return Reply(tool_calls=[call("edit_file", path=moment.path, search=search, replace=moment.text)])


@misbehaviour(WRITING)
def edit_that_ruins(moment: Moment) -> Reply:
    """Writes the file, then edits a bracket out of it."""
    edit = call("edit_file", path=moment.path, search=moment.text[-12:], replace="(")
    return Reply(tool_calls=[*_writing(moment, moment.text).tool_calls, edit])


@misbehaviour(WRITING, tested=True)
def wrong_logic(moment: Moment) -> Reply:
    """Writes code that parses and does the wrong thing."""
    return _writing(moment, moment.text.replace(" + count", " - count").replace("sum(", "len("))


@misbehaviour(WRITING, tested=True)
def hollow_code(moment: Moment) -> Reply:
    """Writes the names alone, or tests that show nothing."""
    return _writing(moment, _ANSWER.sub("pass", moment.text))


@misbehaviour(WRITING, tested=True)
def bent_tests(moment: Moment) -> Reply:
    """Bends the tests so that they pass, or writes them where they are not its own."""
    return Reply(
        tool_calls=[call("write_file", path="test_stock.py", content="def test_it() -> None:\n    pass\n")]
    )
