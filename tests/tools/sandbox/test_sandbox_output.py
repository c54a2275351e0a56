"""Output is the same on every machine and at every level, is counted, and is cut in the middle only."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tools.sandbox import Limits, Sandbox, python_argv
from tools.sandbox.capture import Capture

if TYPE_CHECKING:
    from pathlib import Path

WHERE = "import os, tempfile; print(os.getcwd(), tempfile.gettempdir(), '{0}/x', ['{0}']); import broken"
chunks = st.lists(st.binary(max_size=20) | st.sampled_from([b"/tmp/copy", b"/tmp", b"/co", b"py", b"/tmp/cop"]))


def test_paths_are_those_of_the_workspace(sandbox: Sandbox, workspace: Path) -> None:
    (workspace / "broken.py").write_text("raise ValueError(__file__)")
    ran = sandbox.run(
        python_argv("-c", WHERE.format("/workspace")),
        workspace=workspace,
        env={"PYTHONPATH": "/workspace:/workspace/src"},
    )
    assert ran.stdout == "/workspace /tmp /workspace/x ['/workspace']\n"
    assert 'File "/workspace/broken.py", line 1' in ran.stderr
    assert "ValueError: /workspace/broken.py" in ran.stderr


def test_other_words_with_workspace_in_them_stay(sandbox: Sandbox, workspace: Path) -> None:
    ran = sandbox.run(["echo", "/my/workspace", "/workspaces", "a/workspace/b"], workspace=workspace)
    assert ran.stdout == "/my/workspace /workspaces a/workspace/b\n"


def test_the_digest_is_that_of_both_streams(sandbox: Sandbox, workspace: Path) -> None:
    ran = sandbox.run(["sh", "-c", "pwd; pwd >&2"], workspace=workspace)
    one = hashlib.sha256(b"/workspace\n").digest()
    assert ran.output_sha256 == hashlib.sha256(one + one).hexdigest()
    assert (ran.output_bytes, ran.output_cut) == (22, False)


def test_a_result_is_json(sandbox: Sandbox, workspace: Path) -> None:
    ran = sandbox.run(["printf", "\\377"], workspace=workspace, limits=Limits(seconds=20))
    told = json.loads(json.dumps(ran.to_dict()))
    assert told["stdout"] == "\N{REPLACEMENT CHARACTER}"
    assert told["argv"] == ["printf", "\\377"]
    assert told["level"] == sandbox.level
    assert told["held"] == list(sandbox.held)
    assert told["missing"] == list(sandbox.missing)


@settings(deadline=None, max_examples=200)
@given(chunks, st.integers(1, 100))
@example([b"/tmp", b"/co", b"/tmp/copy", b"py"], 1)
def test_chunks_make_no_difference(pieces: list[bytes], limit: int) -> None:
    whole = b"".join(pieces).replace(b"/tmp/copy", b"")
    capture = Capture(limit, without=b"/tmp/copy")
    for piece in pieces:
        capture.feed(piece)
    capture.close()
    assert capture.total == len(whole)
    assert capture.digest == hashlib.sha256(whole).digest()
    half = max(limit // 2, 1)
    if len(whole) <= 2 * half:
        assert capture.text() == whole.decode(errors="replace")
    else:
        assert capture.cut == len(whole) - 2 * half
        assert capture.text().startswith(whole[:half].decode(errors="replace"))
        assert capture.text().endswith(whole[-half:].decode(errors="replace"))


@pytest.mark.parametrize("text", ["", "short", "x" * 10])
def test_what_fits_is_kept_whole(text: str) -> None:
    capture = Capture(10)
    capture.feed(text.encode())
    capture.close()
    assert (capture.text(), capture.cut) == (text, 0)
