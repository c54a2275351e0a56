"""How large a context window a prompt needs, worked out before it is sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# 1.25 x prompt tokens + 8192 is aider's rule for Ollama.
HEADROOM = 1.25
ANSWER_ROOM = 8192
SMALLEST_WINDOW = 16384
_BYTES_PER_TOKEN = 3
_TOKENS_PER_MESSAGE = 8
_TOKENS_PER_IMAGE = 768  # what Ollama itself counts for one
_DIGITS = b"0123456789"


def text_tokens(text: str) -> int:
    """An estimate from above: a token for each digit and for each three bytes of the rest.

    Current tokenizers spend 3 to 4 bytes of code or English on a token, and many split numbers into digits.
    """
    data = text.encode("utf-8", "surrogatepass")
    rest = len(data.translate(None, _DIGITS))
    return len(data) - rest + -(-rest // _BYTES_PER_TOKEN)


def prompt_tokens(messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] = ()) -> int:
    """An estimate from above for messages and tools in the form in which they are sent to Ollama."""
    total = text_tokens(json.dumps(tools, ensure_ascii=False)) if tools else 0
    for message in messages:
        calls = message.get("tool_calls")
        total += _TOKENS_PER_MESSAGE + text_tokens(message.get("content") or "")
        total += text_tokens(json.dumps(calls, ensure_ascii=False)) if calls else 0
        total += _TOKENS_PER_IMAGE * len(message.get("images") or ())
    return total


def window(prompt: int, answer: int, limit: int | None) -> int:
    """The context window for a prompt and an answer of so many tokens, never above `limit`.

    Sizes double from 16,384 on: Ollama loads the model again whenever the size changes, so they must be few.
    """
    need = int(HEADROOM * prompt) + max(answer, ANSWER_ROOM)
    size = SMALLEST_WINDOW
    while size < need:
        size *= 2
    return size if limit is None else min(size, limit)


def answer_room(size: int, prompt: int, wanted: int) -> int:
    """How many tokens the answer may have, so that it does not push the front of the prompt out of the window."""
    return min(wanted, max(size - prompt, size // 4))
