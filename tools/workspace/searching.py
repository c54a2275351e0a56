"""Searching for a pattern that a model wrote, which must never keep a run from going on.

Python's regular expressions can take for ever on a short line, and nothing stops a thread inside one. A pattern that
repeats something is therefore tried in a process of its own, which an alarm ends.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING

from tools.errors import ToolRefused
from tools.workspace import matching

if TYPE_CHECKING:
    from collections.abc import Mapping

Hit = tuple[str, int, str]
SECONDS = 10.0
_REPEATS = re.compile(r"[*+{]")


def matching_lines(pattern: str, texts: Mapping[str, str], limit: int, *, seconds: float = SECONDS) -> list[Hit]:
    """The first `limit` lines of the texts that match, as (path, line number, line).

    Raises:
        ToolRefused: the pattern is no regular expression, or takes too long; `reason` is pattern.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ToolRefused(f"{pattern!r} is not a regular expression: {error}", reason="pattern") from error
    if _REPEATS.search(pattern) is None:
        return matching.matching(pattern, dict(texts), limit)
    return _alone(pattern, texts, limit, seconds)


def _alone(pattern: str, texts: Mapping[str, str], limit: int, seconds: float) -> list[Hit]:
    command = [sys.executable, "-I", "-S", "-X", "utf8", matching.__file__]
    question = json.dumps([[pattern, dict(texts), limit], seconds])
    try:
        done = subprocess.run(
            command, input=question, capture_output=True, encoding="utf-8", timeout=seconds + 5, check=True
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        raise ToolRefused(
            f"searching for {pattern!r} took more than {seconds:g} seconds; repeat less in it, or look for a plain text",
            reason="pattern",
        ) from error
    return [(path, number, line) for path, number, line in json.loads(done.stdout)]
