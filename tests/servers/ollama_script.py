"""What a test says in the place of the model: replies, models, and the requests they answer."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def call(tool: str, **arguments: Any) -> dict[str, Any]:
    """One tool call as a `Reply` takes it."""
    return {"name": tool, "arguments": arguments}


@dataclass
class Reply:
    """What the model answers to one request.

    `error` with a `status` other than 200 is sent as that status at once; with 200 it is the error line
    in the middle of a stream. `cut_connection_after` counts the stream lines that are sent before the
    connection drops. `chunks` is the number of pieces of the content. `lines`, if given, is the raw body.
    Counts that are None are worked out from the lengths of the texts.
    """

    content: str = ""
    tool_calls: Sequence[dict[str, Any]] = ()
    thinking: str = ""
    done_reason: str = "stop"
    status: int = 200
    error: str | None = None
    delay: float = 0.0
    pause: float = 0.0  # seconds between two lines of the stream
    cut_connection_after: int | None = None
    prompt_eval_count: int | None = None
    eval_count: int | None = None
    chunks: int = 3
    lines: Sequence[str] | None = None


@dataclass
class ChatRequest:
    """One /api/chat request; `number` counts them from 0."""

    number: int
    body: dict[str, Any]

    @property
    def model(self) -> str:
        return self.body["model"]

    @property
    def messages(self) -> list[dict[str, Any]]:
        return self.body.get("messages") or []

    @property
    def tools(self) -> list[str]:
        return [tool["function"]["name"] for tool in self.body.get("tools") or []]

    @property
    def options(self) -> dict[str, Any]:
        return self.body.get("options") or {}

    @property
    def system(self) -> str:
        return "\n".join(m["content"] for m in self.messages if m["role"] == "system")

    @property
    def last(self) -> str:
        """The content of the last message."""
        return self.messages[-1].get("content", "") if self.messages else ""

    @property
    def prompt_tokens(self) -> int:
        """About four characters of the prompt to a token, as English text and code have it."""
        text = json.dumps([self.messages, self.body.get("tools") or []], ensure_ascii=False)
        return max(1, len(text) // 4)


@dataclass
class Model:
    """A model that the server has."""

    name: str
    capabilities: Sequence[str] = ("completion", "tools")
    context_length: int = 32768
    parameters: str = 'stop                           "<|im_end|>"'
    family: str = "qwen2"

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.name.encode()).hexdigest()

    @property
    def details(self) -> dict[str, Any]:
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


def load_answers(name: str) -> Answers:
    """Import what `module:function` or `file.py:function` names."""
    place, _, attribute = name.rpartition(":")
    if place.endswith(".py"):
        spec = importlib.util.spec_from_file_location(Path(place).stem, place)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    else:
        sys.path.insert(0, str(Path.cwd()))
        module = importlib.import_module(place)
    return getattr(module, attribute)
