"""The tags between which models think aloud."""

from __future__ import annotations

import re

CLOSE_OF = {
    "think": "</think>", "thinking": "</thinking>", "thought": "</thought>", "thoughts": "</thoughts>",
    "reasoning": "</reasoning>", "reflection": "</reflection>", "mm:think": "</mm:think>",
    "seed:think": "</seed:think>", "longcat_think": "</longcat_think>", "|start_thinking|": "<|END_THINKING|>",
    "|channel": "<channel|>", "|begin_of_thought|": "<|end_of_thought|>",
}  # fmt: skip
"""The opening tag's name in lower case, and the text that closes it."""

CLOSERS = frozenset(close[1:-1].lower() for close in CLOSE_OF.values())
"""The names of the closing tags."""

_OPEN = re.compile(
    r"<(?P<tag>think|thinking|thoughts?|reasoning|reflection|mm:think|seed:think|longcat_think|\|START_THINKING\||\|channel)>"
    r"|(?P<word>\[THINK\])"
)
_ORPHAN = re.compile(
    r"</(?:think|thinking|mm:think|seed:think)>|\[/THINK\]|<\|END_THINKING\|>|\[BEGIN FINAL RESPONSE\]"
)


def without_thoughts(text: str) -> str:
    """The text without what stands between think tags at its beginning, or before a closing tag that opened in the prompt.

    Only the beginning is looked at: a file's content may speak of think tags.
    """
    start = _OPEN.match(text, len(text) - len(text.lstrip()))
    if start is not None:
        close = "[/THINK]" if start["word"] else CLOSE_OF[start["tag"].lower()]
        end = text.find(close, start.end())
        return text[end + len(close) :] if end >= 0 else ""
    orphan = _ORPHAN.search(text)
    if orphan is None or _OPEN.search(text, 0, orphan.start()) or "```" in text[: orphan.start()]:
        return text
    return text[orphan.end() :]
