"""What is said in the place of a model: replies, models, and the requests they answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


def call(tool: str, **arguments: Any) -> Json:
    """One tool call as a `Reply` takes it."""
    return {"name": tool, "arguments": arguments}


@dataclass
class Reply:
    """What the model answers to one request.

    `error` with a `status` other than 200 is sent as that status at once; with 200 it is the error line
    in the middle of a stream. `cut_connection_after` counts the stream lines that are sent before the
    connection drops. `chunks` is the number of pieces of the content. `lines`, if given, is the raw body.
    Counts that are None are worked out from the lengths of the texts. `delay` and `pause` are seconds: before the
    answer, and between two lines of its stream.
    """

    content: str = ""
    tool_calls: Sequence[Any] = ()
    thinking: str = ""
    done_reason: str = "stop"
    status: int = 200
    error: str | None = None
    delay: float = 0.0
    pause: float = 0.0
    cut_connection_after: int | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    chunks: int = 3
    lines: Sequence[str] | None = None


@dataclass
class ChatRequest:
    """One request for a chat answer, in the form of either protocol; `number` counts them from 0."""

    number: int
    body: Json

    @property
    def model(self) -> str:
        """The model asked for."""
        return str(self.body["model"])

    @property
    def messages(self) -> list[Json]:
        """The conversation so far; a content that is none, or a list of parts, reads as its text."""
        return [{**m, "content": _text(m.get("content"))} for m in self.body.get("messages") or []]

    @property
    def tools(self) -> list[str]:
        """The names of the tools that are offered."""
        return [tool["function"]["name"] for tool in self.body.get("tools") or []]

    @property
    def options(self) -> Json:
        """Ollama's options."""
        return self.body.get("options") or {}

    @property
    def system(self) -> str:
        """The text of the system messages."""
        return "\n".join(m["content"] for m in self.messages if m["role"] == "system")

    @property
    def last(self) -> str:
        """The content of the last message."""
        return str(self.messages[-1]["content"]) if self.messages else ""

    @property
    def prompt_tokens(self) -> int:
        """About four characters of the prompt to a token, as English text and code have it."""
        text = json.dumps([self.body.get("messages") or [], self.body.get("tools") or []], ensure_ascii=False)
        return max(1, len(text) // 4)


@dataclass
class Model:
    """A model that the server has; `context_length` in tokens."""

    name: str
    capabilities: Sequence[str] = ("completion", "tools")
    context_length: int = 32768
    parameters: str = 'stop                           "<|im_end|>"'
    family: str = "qwen2"

    @property
    def digest(self) -> str:
        """A digest as Ollama lists one."""
        return hashlib.sha256(self.name.encode()).hexdigest()

    @property
    def details(self) -> Json:
        """What Ollama tells of a model's file."""
        size, quantization = "7.6B", "Q4_K_M"
        return {
            "parent_model": "",
            "format": "gguf",
            "family": self.family,
            "families": [self.family],
            "parameter_size": size,
            "quantization_level": quantization,
        }


Answers = Callable[[ChatRequest], Reply] | Sequence[Reply]


def pieces(text: str, count: int) -> list[str]:
    """The text in at most `count` pieces of equal length, none of them empty."""
    size = max(1, -(-len(text) // max(1, count)))
    return [text[i : i + size] for i in range(0, len(text), size)]


def counts(request: ChatRequest, reply: Reply, window: int) -> tuple[int, int]:
    """The tokens of the prompt, as far as the window holds them, and of the answer."""
    said = len(reply.content) + len(reply.thinking) + len(json.dumps(list(reply.tool_calls)))
    prompt = min(request.prompt_tokens, window - 1)
    return (
        reply.prompt_eval_count if reply.prompt_eval_count is not None else prompt,
        reply.eval_count if reply.eval_count is not None else max(1, said // 4),
    )


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content or ""
