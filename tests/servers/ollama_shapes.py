"""The JSON that Ollama sends: models, streams of an answer, counts, embeddings."""

from __future__ import annotations

import hashlib
import json
import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from servers.ollama_script import ChatRequest, Model, Reply


def now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def tag(model: Model) -> dict[str, Any]:
    facts = {"name": model.name, "model": model.name, "modified_at": now(), "size": 4_683_087_332}
    return {**facts, "digest": model.digest, "details": model.details}


def show(model: Model) -> dict[str, Any]:
    info = {
        "general.architecture": model.family,
        "general.parameter_count": 7_615_616_512,
        f"{model.family}.context_length": model.context_length,
        f"{model.family}.block_count": 28,
    }
    return {
        "license": "Apache-2.0",
        "modelfile": f"FROM {model.name}",
        "parameters": model.parameters,
        "template": "{{ .Prompt }}",
        "details": model.details,
        "model_info": info,
        "capabilities": list(model.capabilities),
        "modified_at": now(),
    }


def missing_capability(model: Model, body: dict[str, Any]) -> str | None:
    """What Ollama answers, with status 400, to a request for what the model cannot do."""
    if body.get("think") and "thinking" not in model.capabilities:
        return f'"{body["model"]}" does not support thinking'
    if "completion" not in model.capabilities:
        return f'"{body["model"]}" does not support chat'
    if body.get("tools") and "tools" not in model.capabilities:
        return f"registry.ollama.ai/library/{model.name} does not support tools"
    return None


def too_long(tokens: int, window: int) -> str:
    message = f"request ({tokens} tokens) exceeds the available context size ({window} tokens), try increasing it"
    return json.dumps({"error": {"code": 400, "message": message, "type": "exceed_context_size_error"}})


def answer_lines(
    request: ChatRequest, reply: Reply, window: int, wrap: Callable[[dict], dict], stream: bool
) -> Iterator[dict[str, Any]]:
    """The lines of the answer; one line only when it is not streamed."""
    calls = [_tool_call(request.number, i, item) for i, item in enumerate(reply.tool_calls)]
    pieces = [{"content": "", "thinking": reply.thinking}] if reply.thinking else []
    pieces += [{"content": text} for text in _pieces(reply.content, reply.chunks)]
    pieces += [{"content": "", "tool_calls": calls}] if calls else []
    head = {"model": request.body["model"], "created_at": now()}
    if reply.error is not None:
        for piece in pieces if stream else []:
            yield {**head, **wrap({"role": "assistant", **piece}), "done": False}
        yield {"error": reply.error}
        return
    end = {"done": True, "done_reason": reply.done_reason, **_metrics(request, reply, window)}
    if stream:
        for piece in pieces:
            yield {**head, **wrap({"role": "assistant", **piece}), "done": False}
        yield {**head, **wrap({"role": "assistant", "content": ""}), **end}
        return
    whole: dict[str, Any] = {"role": "assistant", "content": reply.content}
    whole |= {"thinking": reply.thinking} if reply.thinking else {}
    whole |= {"tool_calls": calls} if calls else {}
    yield {**head, **wrap(whole), **end}


def _tool_call(number: int, index: int, item: dict[str, Any]) -> dict[str, Any]:
    """A scripted call in the shape of the wire; one that already has that shape goes out as it is."""
    return item if "function" in item else {"id": f"call_{number}_{index}", "function": {"index": index, **item}}


def _pieces(text: str, count: int) -> list[str]:
    size = max(1, math.ceil(len(text) / max(1, count)))
    return [text[i : i + size] for i in range(0, len(text), size)]


def _metrics(request: ChatRequest, reply: Reply, window: int) -> dict[str, int]:
    said = len(reply.content) + len(reply.thinking) + len(json.dumps(list(reply.tool_calls)))
    prompt = min(request.prompt_tokens, window - 1)
    counts = {
        "prompt_eval_count": reply.prompt_eval_count if reply.prompt_eval_count is not None else prompt,
        "eval_count": reply.eval_count if reply.eval_count is not None else max(1, said // 4),
    }
    durations = {"total_duration": 5_000_000, "load_duration": 1_000_000, "prompt_eval_duration": 1_000_000}
    # Go's omitempty: a count of zero is not sent.
    return {key: value for key, value in {**durations, **counts, "eval_duration": 3_000_000}.items() if value}


def embedding(text: str, dimensions: int = 64) -> list[float]:
    """The words of the text hashed into a vector of length 1, so that texts that share words are close."""
    vector = [0.0] * dimensions
    for word in re.findall(r"\w+", text.lower()):
        digest = hashlib.sha256(word.encode()).digest()
        vector[digest[0] % dimensions] += 1.0 if digest[1] & 1 else -1.0
    norm = math.sqrt(sum(x * x for x in vector)) or 1.0
    return [x / norm for x in vector]
