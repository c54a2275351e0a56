"""Files in a reply become whole resulting files; a reply is applied whole or not at all."""

# ruff: noqa: E501  # replies read best on one line

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.models.salvage import examine_edits, salvage_edits

APP = "import os\n\n\ndef add(a, b):\n    total = a + b\n    return total\n\n\ndef sub(a, b):\n    return a - b\n"
FILES = {"src/app.py": APP, "README.md": "# Title\n\nText.\n", "old.txt": "gone\n"}
NEW = APP.replace("return total", "return int(total)")


def contents(text: str, files: dict[str, str] | None = None) -> dict[str, str | None]:
    return {edit.path: edit.content for edit in salvage_edits(text, FILES if files is None else files)}


def refusal(text: str) -> str:
    outcome = examine_edits(text, FILES)
    assert outcome.edits == ()
    assert len(outcome.refusals) == 1
    return outcome.refusals[0]


@pytest.mark.parametrize(
    "above",
    [
        "new.py", "`new.py`", "**new.py**", "### new.py", "File: new.py", "**File:** `new.py`", "new.py:", "1. `new.py`", "./new.py",
        "- new.py", "Filename: new.py", "#### `new.py` (new)", "Here it is:\n\nnew.py\n",
    ],
)  # fmt: skip
def test_a_path_line_above_a_fence(above):
    assert contents(f"I wrote it.\n\n{above}\n```python\nx = 1\n```\nDone.") == {"new.py": "x = 1\n"}


@pytest.mark.parametrize(
    "info",
    [
        "python path=new.py",
        "python:new.py",
        "new.py",
        "py new.py",
        'python title="new.py"',
        "python {filename=new.py}",
        "file:new.py",
    ],
)
def test_a_path_in_the_info_string(info):
    assert contents(f"```{info}\nx = 1\n```") == {"new.py": "x = 1\n"}


def test_a_path_in_a_block_of_its_own():
    assert contents("```\nnew.py\n```\n```python\nx = 1\n```") == {"new.py": "x = 1\n"}


def test_several_files_and_files_without_a_suffix():
    text = "Makefile\n```make\nall:\n\techo\n```\n\n`a/b c.txt`\n```\n\n```\n\n.gitignore\n```\n*.pyc\n```"
    assert contents(text) == {"Makefile": "all:\n\techo\n", "a/b c.txt": "\n", ".gitignore": "*.pyc\n"}


def test_a_markdown_file_may_hold_fences():
    body = "# Use\n\n```bash\nmake\n```\n\nThen:\n\n```python\nimport a\n```\n"
    assert contents(f"README.md\n```markdown\n{body}```\nDone.") == {"README.md": body}
    assert contents(f"README.md\n````\n{body}````") == {"README.md": body}


@pytest.mark.parametrize(
    "text",
    [
        "```python\nx = 1\n```",
        "Update src/app.py:\n```\nx\n```",
        "e.g. 1/2\n```\nx\n```",
        "Change `src/app.py` like this:\n```python\nx = 1\n```",
        "You could put x = 1 into app.py.",
        "Run it:\n```bash\npython src/app.py\n```",
        "e.g.\n```python\nx\n```",
        "Version 1.2\n```\nx\n```",
        "<think>\nnew.py\n```python\nx = 1\n```\n</think>\nNothing to do.",
    ],
)
def test_what_is_only_shown_is_no_edit(text):
    assert salvage_edits(text, FILES) == []


@pytest.mark.parametrize(
    "text",
    [
        "new.py\n```python\nx = 1\n",
        "a.py\n```\nx\n```\nb.py\n```\ny\n",
        "src/app.py\n<<<<<<< SEARCH\n    return total\n=======\n    return",
        "src/app.py\n<<<<<<< SEARCH\n    return total\n",
        "*** Begin Patch\n*** Delete File: old.txt\n",
        "```diff\n--- a/src/app.py\n+++ b/src/app.py\n@@ @@\n-import os\n",
        "--- a/src/app.py\n+++ b/src/app.py\n@@ -1,5 +1,5 @@\n-import os\n+import re\n",
    ],
)
def test_a_cut_reply_gives_nothing(text):
    assert "whole" in refusal(text)


def test_a_reply_that_ended_by_length_gives_nothing():
    text = "new.py\n```python\nx = 1\n```"
    assert salvage_edits(text, FILES)
    assert salvage_edits(text, FILES, "length") == []


def block(search: str, replacement: str, path: str = "src/app.py") -> str:
    return f"{path}\n```python\n<<<<<<< SEARCH\n{search}=======\n{replacement}>>>>>>> REPLACE\n```\n"


LADDER = {
    "exact": ("    return total\n", "    return int(total)\n"),
    "trailing space": ("    return total  \n", "    return int(total)\n"),
    "outdented": ("return total\n", "return int(total)\n"),
    "two lines outdented": ("total = a + b\nreturn total\n", "total = a + b\nreturn int(total)\n"),
    "indented": (
        "        total = a + b\n        return total\n",
        "        total = a + b\n        return int(total)\n",
    ),
    "blank line before": (
        "\n    total = a + b\n    return total\n",
        "\n    total = a + b\n    return int(total)\n",
    ),
    "elided": ("def add(a, b):\n...\n    return total\n", "def add(a, b):\n...\n    return int(total)\n"),
    "typographic": ("    return total\u00a0\n", "    return int(total)\n"),
}


@pytest.mark.parametrize(("search", "replacement"), LADDER.values(), ids=LADDER.keys())
def test_the_ladder_of_search_and_replace(search, replacement):
    assert contents(block(search, replacement)) == {"src/app.py": NEW}


@pytest.mark.parametrize(
    "text",
    [
        "src/app.py\n<<<<<<< SEARCH\n    return total\n=======\n    return int(total)\n>>>>>>> REPLACE",
        "```\nsrc/app.py\n<<<<<<< SEARCH\n    return total\n=======\n    return int(total)\n>>>>>>> REPLACE\n```",
        "```python src/app.py\n<<<<<<< SEARCH\n    return total\n=======\n    return int(total)\n>>>>>>> REPLACE\n```",
        "**app.py**\n```\n<<<<<<< SEARCH\n    return total\n=======\n    return int(total)\n>>>>>>> REPLACE\n```",
        "src/app.py\n------- SEARCH\n    return total\n=======\n    return int(total)\n+++++++ REPLACE",
        "src/app.py\r\n<<<<<<< SEARCH\r\n    return total\r\n=======\r\n    return int(total)\r\n>>>>>>> REPLACE\r\n",
    ],
)
def test_the_places_of_the_path(text):
    assert contents(text) == {"src/app.py": NEW}


def test_blocks_follow_one_another_and_share_the_path():
    first = block("import os\n", "import re\n")
    second = "<<<<<<< SEARCH\nimport re\n=======\nimport json\n>>>>>>> REPLACE\n"
    assert contents(first + second) == {"src/app.py": APP.replace("import os", "import json")}


def test_an_empty_search_makes_a_file_or_adds_to_one():
    assert contents(block("", "x = 1\n", "new.py")) == {"new.py": "x = 1\n"}
    assert contents(block("", "more\n", "old.txt")) == {"old.txt": "gone\nmore\n"}


def test_a_search_that_fits_nowhere_names_the_nearest_lines():
    message = refusal(block("def add(a, b):\n    total = a * b\n    return total\n", "pass\n"))
    assert "src/app.py" in message
    assert "Did you mean lines 4 to 6?" in message


def test_a_search_that_fits_twice_is_refused():
    files = {"a.py": "x\ny\nx\n"}
    assert (
        examine_edits(block("x\n", "z\n", "a.py"), files)
        .refusals[0]
        .startswith("a.py: these lines are in the file 2 times")
    )


def test_one_block_that_fails_spoils_the_reply():
    assert "not in the file" in refusal(block("import os\n", "import re\n") + block("no such line\n", "x\n"))


def test_a_block_without_a_path_is_refused():
    assert "no path" in refusal("<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n")


HUNK = "@@ -4,3 +4,3 @@\n def add(a, b):\n     total = a + b\n-    return total\n+    return int(total)\n"


@pytest.mark.parametrize(
    "text",
    [
        f"--- a/src/app.py\n+++ b/src/app.py\n{HUNK}",
        f"```diff\n--- src/app.py\n+++ src/app.py\n{HUNK}```",
        f"diff --git a/src/app.py b/src/app.py\nindex 1..2 100644\n--- a/src/app.py\n+++ b/src/app.py\n{HUNK}",
        f"--- a/src/app.py\t2026-01-01\n+++ b/src/app.py\t2026-01-01\n{HUNK.replace('-4,3 +4,3', '-90,3 +90,3')}",
        f"```diff\n--- src/app.py\n+++ src/app.py\n{HUNK.replace('-4,3 +4,3', '...')}```",
        f"```diff\n--- src/app.py\n+++ src/app.py\n{HUNK.replace(' -4,3 +4,3 @@', '')}```\nThat is all.",
        "```diff\n--- src/app.py\n+++ src/app.py\n@@ ... @@\n-return total\n+return int(total)\n```",
    ],
)
def test_a_unified_diff_is_applied_by_its_context(text):
    assert contents(text) == {"src/app.py": NEW}


def test_a_unified_diff_adds_deletes_and_renames():
    text = (
        "```diff\n--- /dev/null\n+++ b/new.py\n@@ -0,0 +1,2 @@\n+x = 1\n+y = 2\n--- a/old.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone\n"
        "diff --git a/README.md b/docs/readme.md\nrename from README.md\nrename to docs/readme.md\n```"
    )
    edits = {edit.path: edit for edit in salvage_edits(text, FILES)}
    assert (edits["new.py"].op, edits["new.py"].content) == ("add", "x = 1\ny = 2\n")
    assert (edits["old.txt"].op, edits["old.txt"].content) == ("delete", None)
    assert (edits["README.md"].op, edits["README.md"].move_to) == ("update", "docs/readme.md")


def test_line_numbers_choose_between_equal_places():
    files = {"a.txt": "x\n" + "a\n" * 3 + "x\n" + "b\n" * 3}
    text = "--- a.txt\n+++ a.txt\n@@ -5,1 +5,1 @@\n-x\n+y\n"
    assert contents(text, files) == {"a.txt": "x\n" + "a\n" * 3 + "y\n" + "b\n" * 3}
    assert "2 times" in examine_edits(text.replace("-5,1 +5,1", "..."), files).refusals[0]


def patch(body: str) -> str:
    return f"*** Begin Patch\n{body}*** End Patch\n"


UPDATE = "*** Update File: src/app.py\n@@ def add(a, b):\n     total = a + b\n-    return total\n+    return int(total)\n"


@pytest.mark.parametrize(
    "text",
    [
        patch(UPDATE),
        f"```\n{patch(UPDATE)}```",
        f"apply_patch <<'EOF'\n{patch(UPDATE)}EOF\n",
        f"apply_patch <<EOF\n{patch(UPDATE)}EOF\n",
        f"I will fix it.\n\n{patch(UPDATE)}\nDone.",
        patch(UPDATE.replace("@@ def add(a, b):", "@@")),
        patch(UPDATE.replace("@@ def add(a, b):\n", "")),
        " *** Begin Patch \n" + UPDATE + " *** End Patch ",
    ],
)
def test_apply_patch(text):
    assert contents(text) == {"src/app.py": NEW}


def test_apply_patch_adds_deletes_moves_and_appends():
    text = patch(
        "*** Add File: new/a.py\n+x = 1\n+\n*** Delete File: old.txt\n*** Update File: README.md\n*** Move to: docs/index.md\n"
        "@@\n Text.\n+More.\n*** End of File\n"
    )
    edits = {edit.path: edit for edit in salvage_edits(text, FILES)}
    assert edits["new/a.py"].content == "x = 1\n\n"
    assert edits["old.txt"].op == "delete"
    assert (edits["README.md"].move_to, edits["README.md"].content) == (
        "docs/index.md",
        "# Title\n\nText.\nMore.\n",
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("bad\n", "no file section"),
        ("*** Update File: src/app.py\n", "empty"),
        ("*** Update File: src/app.py\n@@\n", "empty"),
        ("*** Update File: src/app.py\nimport os\n", "begins with none"),
        ("*** Update File: nowhere.py\n@@\n-x\n+y\n", "no such file"),
        ("*** Delete File: nowhere.py\n", "no such file"),
        ("*** Add File: a.py\nx\n", "begins with '+'"),
        ("*** Update File: src/app.py\n@@ class Nothing:\n-x\n+y\n", "context line"),
        ("*** Update File: src/app.py\n@@\n-import sys\n+import re\n*** Add File: b.py\n+x\n", "not in the file"),
    ],
)
def test_a_patch_that_does_not_fit_is_refused_whole(body, reason):
    assert reason in refusal(patch(body))


def test_a_heredoc_with_unmatched_quotes_is_refused():
    assert "quotes" in refusal(f"<<\"EOF'\n{patch(UPDATE)}EOF\n")


def test_a_file_that_stays_as_it_is_is_no_edit():
    assert salvage_edits(f"src/app.py\n```python\n{APP}```", FILES) == []


@settings(deadline=None, max_examples=40)
@given(
    lines=st.lists(
        st.text("abc {}<>=-+@*\t", max_size=8).filter(lambda line: "```" not in line), min_size=1, max_size=12
    ),
    at=st.integers(0, 11),
    new=st.lists(st.text("xyz ", min_size=1, max_size=5), max_size=3),
)
def test_a_whole_file_and_a_diff_of_it_agree(lines, at, new):
    numbered = [f"{number} {line}" for number, line in enumerate(lines)]
    at %= len(numbered)
    after = numbered[:at] + new + numbered[at + 1 :]
    files = {"f.txt": "\n".join(numbered) + "\n"}
    wanted = "".join(line + "\n" for line in after)
    hunk = "".join(f"-{line}\n" for line in numbered[at : at + 1]) + "".join(f"+{line}\n" for line in new)
    for text in (
        f"f.txt\n```\n{wanted}```" if wanted else "",
        f"```diff\n--- f.txt\n+++ f.txt\n@@ ... @@\n{hunk}```",
        patch(f"*** Update File: f.txt\n@@\n{hunk}"),
        block(numbered[at] + "\n", "".join(line + "\n" for line in new), "f.txt"),
    ):
        if text:
            assert contents(text, files) == {"f.txt": wanted}, text
