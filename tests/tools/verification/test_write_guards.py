"""What a write is refused for: placeholders, lost definitions, examples, broken syntax."""

from __future__ import annotations

import pytest

from tools.errors import ToolRefused
from tools.verification.guards import write_guards
from tools.verification.omissions import lost_definitions, placeholder

PLACEHOLDERS = [
    "# ... rest of the code unchanged",
    "# existing code",
    "# ... existing code ...",
    "// ... rest of code remains the same",
    "<!-- rest of the file unchanged -->",
    "    # (same as before)",
    "... rest unchanged",
    "# rest of implementation here",
    "# Rest of the file remains unchanged",
    "    # ...",
    "/* ... existing styles code ... */",
    "# your code here",
    "[... rest of the file ...]",
    "# Previous code unchanged",
    "# other methods remain unchanged",
    "# implementation omitted for brevity",
    "... (rest of the code)",
    "{/* ... existing code ... */}",
    "# keep existing imports unchanged",
    "# The remaining methods stay the same",
]
REAL = [
    "    ...",
    "# The rest of the line is the note.",
    "x = [...]",
    "# Existing files are kept.",
    "print('...')",
    "# The same file may be opened twice",
    "# Previous versions wrote the file twice.",
    "# Remaining lines are the body.",
    "# your code is used here",
    "# Original code by Jane",
]
OLD = """\
def add(a, b):
    return a + b


def _twice(a):
    return 2 * a


class Sum:
    def total(self):
        return 1
"""


@pytest.mark.parametrize("line", PLACEHOLDERS)
def test_a_line_that_stands_for_the_rest_is_found(line: str) -> None:
    assert placeholder("a.py", f"x = 1\n{line}\ny = 2\n", None) == line.strip()


@pytest.mark.parametrize("line", REAL)
def test_an_honest_line_is_not(line: str) -> None:
    assert placeholder("a.py", f"x = 1\n{line}\ny = 2\n", None) == ""


def test_a_line_that_was_there_before_and_a_heading_are_no_placeholders() -> None:
    assert placeholder("a.py", "# existing code\n", "x = 1\n# existing code\n") == ""
    assert placeholder("README.md", "# Other files\n\n## Existing code\n", None) == ""
    assert placeholder("README.md", "... rest unchanged\n", None) == "... rest unchanged"


def test_lost_definitions_are_named_unless_the_task_speaks_of_them() -> None:
    new = "class Sum:\n    pass\n"
    assert lost_definitions("a.py", OLD, new, "") == ["Sum.total", "add"]
    assert lost_definitions("a.py", OLD, new, "Remove add and total.") == []
    assert lost_definitions("a.py", OLD, new + "_twice(1)\n", "") == ["Sum.total", "_twice", "add"]
    assert lost_definitions("notes.md", OLD, new, "") == []


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("a.py", "def f(:\n", "syntax"),
        ("a.py", "x = 1\n# ... rest of the code\n", "omission"),
        ("a.py", "x = 1\n", "lost_definition"),
        ("a.py", "...\n", "example"),
        ("b.md", "The whole content of the file", "example"),
        ("path/to/file.py", "x = 1\n", "example"),
        ("c.json", "{", "syntax"),
    ],
)
def test_each_guard_refuses_with_its_reason(path: str, text: str, reason: str) -> None:
    def guarded() -> None:
        for guard in write_guards("", {"a.py": OLD}):
            guard(path, text, None)

    with pytest.raises(ToolRefused, match=r"^not written: ") as caught:
        guarded()
    assert caught.value.reason == reason


def test_a_whole_file_is_let_through() -> None:
    for guard in write_guards("", {"a.py": OLD}):
        guard("a.py", OLD + "\n\nX = 1\n", OLD)
        guard("__init__.py", "", None)
        guard("notes.md", "# Notes\n\nHe said ...\n", None)
