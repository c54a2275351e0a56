"""The JSON that Ollama sends: models, streams of an answer, counts, embeddings.

Shapes and error texts are those of Ollama's server/routes.go and llm/llama_server.go (2026-08).
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from millwright.gym.script import counts, pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from millwright.gym.script import ChatRequest, Json, Model, Reply

CONTENT_TYPE = "application/x-ndjson"


def now() -> str:
    """This moment as Ollama writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def tag(model: Model) -> Json:
    """A model in the list of models."""
    facts = {"name": model.name, "model": model.name, "modified_at": now(), "size": 4_683_087_332}
    return {**facts, "digest": model.digest, "details": model.details}


def show(model: Model) -> Json:
    """What /api/show says of a model."""
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


def missing_capability(model: Model, body: Json) -> str | None:
    """What Ollama answers, with status 400, to a request for what the model cannot do."""
    if body.get("think") and "thinking" not in model.capabilities:
        return f'"{body["model"]}" does not support thinking'
    if "completion" not in model.capabilities:
        return f'"{body["model"]}" does not support chat'
    if body.get("tools") and "tools" not in model.capabilities:
        return f"registry.ollama.ai/library/{model.name} does not support tools"
    return None


def too_long(tokens: int, window: int) -> str:
    """What the runner answers to a prompt that does not fit and may not be cut."""
    message = f"request ({tokens} tokens) exceeds the available context size ({window} tokens), try increasing it"
    return json.dumps({"error": {"code": 400, "message": message, "type": "exceed_context_size_error"}})


def error_body(message: str) -> Json:
    """An error as a body, or as a line of a stream."""
    return {"error": message}


def framed(line: str) -> bytes:
    """One line of a stream."""
    return line.encode("utf-8", "backslashreplace") + b"\n"


def answer_parts(
    request: ChatRequest, reply: Reply, window: int, wrap: Callable[[Json], Json], stream: bool
) -> Iterator[Json]:
    """The parts of the answer; one only when it is not streamed."""
    calls = [_tool_call(request.number, i, item) for i, item in enumerate(reply.tool_calls)]
    parts: list[Json] = [{"content": "", "thinking": reply.thinking}] if reply.thinking else []
    parts += [{"content": text} for text in pieces(reply.content, reply.chunks)]
    parts += [{"content": "", "tool_calls": calls}] if calls else []
    head = {"model": request.body["model"], "created_at": now()}
    if reply.error is not None:
        for part in parts if stream else []:
            yield {**head, **wrap({"role": "assistant", **part}), "done": False}
        yield error_body(reply.error)
        return
    end = {"done": True, "done_reason": reply.done_reason, **_metrics(request, reply, window)}
    if stream:
        for part in parts:
            yield {**head, **wrap({"role": "assistant", **part}), "done": False}
        yield {**head, **wrap({"role": "assistant", "content": ""}), **end}
        return
    whole: Json = {"role": "assistant", "content": reply.content}
    whole |= {"thinking": reply.thinking} if reply.thinking else {}
    whole |= {"tool_calls": calls} if calls else {}
    yield {**head, **wrap(whole), **end}


def _tool_call(number: int, index: int, item: Any) -> Any:
    """A scripted call in the shape of the wire; one that already has that shape goes out as it is."""
    if not isinstance(item, dict) or "function" in item:
        return item
    return {"id": f"call_{number}_{index}", "function": {"index": index, **item}}


def _metrics(request: ChatRequest, reply: Reply, window: int) -> dict[str, int]:
    prompt, said = counts(request, reply, window)
    durations = {"total_duration": 5_000_000, "load_duration": 1_000_000, "prompt_eval_duration": 1_000_000}
    found = {**durations, "prompt_eval_count": prompt, "eval_count": said, "eval_duration": 3_000_000}
    # Go's omitempty: a count of zero is not sent.
    return {key: value for key, value in found.items() if value}


def embedding(text: str, dimensions: int = 64) -> list[float]:
    """The words of the text hashed into a vector of length 1, so that texts that share words are close."""
    vector = [0.0] * dimensions
    for word in re.findall(r"\w+", text.lower()):
        digest = hashlib.sha256(word.encode()).digest()
        vector[digest[0] % dimensions] += 1.0 if digest[1] & 1 else -1.0
    norm = math.sqrt(sum(x * x for x in vector)) or 1.0
    return [x / norm for x in vector]
