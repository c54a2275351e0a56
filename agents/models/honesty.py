"""Whether a model read the whole prompt: the estimate before the call against the count after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# The estimate is from above, at 3 bytes to a token. Current tokenizers reach 5 bytes on English prose and hardly ever
# 8 on anything, so a count below this share means that the front of the prompt was cut off.
LOWEST_SHARE = 0.35
SMALLEST_PROMPT = 400
"""Prompts below this many tokens are not judged: a chat template weighs too much in them."""


def context_lost(prompt: Mapping[str, Any]) -> str:
    """Why the model cannot have read the whole prompt; empty when it may have, or when nothing was counted."""
    estimated, evaluated = prompt.get("estimated"), prompt.get("evaluated")
    if not estimated or not evaluated or estimated < SMALLEST_PROMPT:
        return ""
    if evaluated >= LOWEST_SHARE * estimated:
        return ""
    return (
        f"the server evaluated {evaluated} tokens of a prompt of about {estimated}, so the front of it, with the task, "
        f"was cut off; give the server a larger context window, or the model a smaller assignment"
    )
