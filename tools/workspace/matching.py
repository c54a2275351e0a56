"""Lines that match a regular expression. Runs as a script too, so it may import nothing of ours."""

from __future__ import annotations

import io
import json
import re
import signal
import sys
import warnings

LONGEST_LINE = 300


def matching(pattern: str, texts: dict[str, str], limit: int) -> list[tuple[str, int, str]]:
    """The first `limit` matching lines as (path, line number from 1, line); of a long line, what is around the match.

    Lines are counted as Python and editors count them: by line feeds and carriage returns, and nothing else.
    """
    expression = re.compile(pattern)
    found = []
    for path, text in texts.items():
        for number, raw in enumerate(io.StringIO(text, newline=""), 1):
            line = raw.rstrip("\r\n")
            match = expression.search(line)
            if match is not None:
                found.append((path, number, _around(line, match.start())))
                if len(found) == limit:
                    return found
    return found


def _around(line: str, at: int) -> str:
    if len(line) <= LONGEST_LINE:
        return line
    start = max(0, min(at - LONGEST_LINE // 3, len(line) - LONGEST_LINE))
    end = start + LONGEST_LINE
    return "…" * (start > 0) + line[start:end] + "…" * (end < len(line))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    question, seconds = json.load(sys.stdin)
    if hasattr(signal, "setitimer"):
        # Also when nobody is left to wait for the answer.
        signal.setitimer(signal.ITIMER_REAL, seconds)
    json.dump(matching(*question), sys.stdout)
