"""A file that was cut is gone on with where the joint is certain, and nowhere else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage

from agents.models.continuing import Unfinished, joined, unfinished_file, unfinished_text

TEXT = (
    "import os\n\n\ndef first() -> int:\n    return 1\n\n\n"
    "def second() -> int:\n    return 1\n\n\ndef third() -> int:\n    return 3\n"
)
PATHS = ("calc.py",)


def cut(at: int, text: str = TEXT) -> Unfinished:
    found = unfinished_text(f"calc.py\n```python\n{text[:at]}", PATHS)
    assert found is not None
    return found


def rest(before: Unfinished, text: str = TEXT) -> str:
    known = "\n".join(before.lines)
    return "\n".join(before.anchor) + text[len(known) :]


@pytest.mark.parametrize("at", range(40, len(TEXT)))
def test_wherever_a_file_is_cut_the_rest_makes_it_whole(at: int) -> None:
    before = cut(at)
    for reply in (
        f"```\n{rest(before)}```\n",
        f"Here is the rest:\n```python\n{rest(before)}```",
        f"calc.py\n```\n{rest(before)}```",
        f"\n{rest(before)}```",
        f"```\n{TEXT}```",
    ):
        assert (joined(before, reply) or "").startswith(f"calc.py\n```python\n{TEXT}```"), reply


def test_a_rest_without_a_certain_joint_is_refused() -> None:
    before = cut(100)
    whole = rest(before)
    anchor = "\n".join(before.anchor)
    for wrong in (
        whole.removeprefix(anchor).lstrip("\n"),
        whole.split("\n", 1)[1],
        f"{anchor}\n{whole}",
        f"x = 1\n{whole}",
        "",
        "```",
        "I cannot go on.",
    ):
        assert joined(before, f"```\n{wrong}```") is None, wrong


def test_lines_that_stand_more_than_once_are_no_anchor() -> None:
    before = cut(len("import os\n\n\ndef first() -> int:\n    return 1\n\n\ndef second() -> int:\n    return 1\n"))
    assert before.anchor[0] == "def second() -> int:" or len(before.anchor) > 3
    assert unfinished_text("calc.py\n```\n" + "x = 1\n" * 60, PATHS) is None


def test_only_a_file_that_is_owned_and_begun_is_gone_on_with() -> None:
    for text in (
        TEXT,
        f"other.py\n```\n{TEXT}",
        "calc.py\n```\nimport os\n",
        f"calc.py\n```\n{TEXT}```\nand so",
        f"calc.py\n```\n<<<<<<< SEARCH\n{TEXT}",
    ):
        assert unfinished_text(text, PATHS) is None, text
    assert unfinished_text(f"```\n{TEXT}", PATHS, "calc.py") is not None


def test_a_cut_call_is_a_file_that_can_be_gone_on_with() -> None:
    half = TEXT[:100]
    written = {"path": "calc.py", "content": half}
    args = json.dumps(written)[:-2]
    native = AIMessage("", tool_calls=[{"name": "write_file", "args": written, "id": "1"}])
    broken = AIMessage("", invalid_tool_calls=[{"name": "write_file", "args": args, "id": "1", "error": None}])
    told = AIMessage(f'<tool_call>\n{{"name": "write_file", "arguments": {args}')
    for message in (native, broken, told):
        found = unfinished_file(message, PATHS)
        assert found is not None
        assert "\n".join(found.lines) == half[: half.rfind("\n")].rstrip("\n")
    twice = AIMessage("", tool_calls=[*native.tool_calls, *native.tool_calls])
    assert unfinished_file(twice, PATHS) is None
    assert unfinished_file(native, ("calc.py", "calc.pyi")) is None


@settings(deadline=None)
@given(st.text(), st.text())
def test_no_text_breaks_the_joining(head: str, reply: str) -> None:
    before = unfinished_text(f"calc.py\n```\n{head}\n", PATHS)
    if before is not None:
        text = joined(before, reply)
        assert text is None or text.startswith(before.text)
