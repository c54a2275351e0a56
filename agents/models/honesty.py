"""Whether a model read the whole prompt: what is known of its length before the call, against the count after it."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from agents.models.windows import text_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langchain_core.messages import AIMessage

    from agents.models.journal import Request
    from tools.storage import Record

# The estimate is from above, at 3 bytes to a token. Current tokenizers reach 5 bytes on English prose and hardly ever
# 8 on anything, so a count below this share means that the front of the prompt was cut off.
LOWEST_SHARE = 0.35
SMALLEST_PROMPT = 400
"""Prompts below this many tokens are not judged: a chat template weighs too much in them."""

# Tokenizers split between words, so a Latin word is one token at least; a few, such as `e.g`, hold two.
_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_WORDS_PER_TOKEN = 1.1
_SLACK = 32
"""Tokens that a chat template may drop when a conversation goes on."""

_BRIM = 16
"""A prompt that fills its window but for so many tokens leaves no room to answer: it was cut to fit."""


class Gauge:
    """Remembers the prompts of a run, to say how many tokens the next one must at least have.

    Some versions of Ollama (0.30.0 for one) do not count what they still know of an earlier prompt, so only what is new
    in a prompt is sure to be counted. Where an earlier prompt is the beginning of this one, its count is a measure too.
    """

    def __init__(self) -> None:
        """Know of no prompt yet."""
        self._begun: set[int] = set()
        self._counted: dict[int, tuple[int, int]] = {}

    def measured(self, request: Request, message: AIMessage | None) -> Record:
        """The prompt in tokens: our estimate, the least it can have, the server's count, and the window it had."""
        usage = message.usage_metadata if message is not None else None
        if message is None or usage is None:
            return {}
        said, evaluated = message.response_metadata, usage["input_tokens"]
        sizes = [text_tokens(m.text) for m in request.messages]
        estimated = said.get("prompt_tokens_estimated")
        known = estimated if isinstance(estimated, int) else sum(sizes)
        found = {"estimated": known, "evaluated": evaluated, "window": (said.get("options") or {}).get("num_ctx")}
        if evaluated:
            found["least"] = self._least(request, known, sizes, evaluated)
        return {name: value for name, value in found.items() if isinstance(value, int)}

    def _least(self, request: Request, estimated: int, sizes: Sequence[int], evaluated: int) -> int:
        texts = [message.text for message in request.messages]
        chain = list(accumulate([hash(request.tools), *map(hash, texts)], lambda a, b: hash((a, b))))[1:]
        shared = next((n for n in range(len(chain), 0, -1) if chain[n - 1] in self._begun), 0)
        new = estimated if not shared else sum(sizes[shared:])
        words = sum(len(_WORD.findall(text)) for text in texts[shared:])
        least = max(LOWEST_SHARE * new, words / _WORDS_PER_TOKEN) if new >= SMALLEST_PROMPT else 0.0
        before = next((self._counted[c] for c in reversed(chain[:-1]) if c in self._counted), None)
        if before is not None and (grown := estimated - before[0]) > 0 and evaluated > 1.3 * grown + 2 * _SLACK:
            least = max(least, before[1] + grown / 5 - _SLACK)
        if evaluated >= least:
            self._begun.update(chain)
            self._counted[chain[-1]] = (estimated, evaluated)
        return int(least)


def context_lost(prompt: Mapping[str, Any]) -> str:
    """Why the model cannot have read the whole prompt; empty when it may have, or when nothing was counted."""
    estimated, evaluated, window = prompt.get("estimated"), prompt.get("evaluated"), prompt.get("window")
    if not estimated or not evaluated or estimated < SMALLEST_PROMPT:
        return ""
    full = window is not None and window - _BRIM <= evaluated <= window
    if not full and evaluated >= prompt.get("least", LOWEST_SHARE * estimated):
        return ""
    return (
        f"the server evaluated {evaluated} tokens of a prompt of about {estimated}, so the front of it, with the task, "
        f"was cut off; give the server a larger context window, or the model a smaller assignment"
    )
