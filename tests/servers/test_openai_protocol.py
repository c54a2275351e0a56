"""The scripted server below /v1, in the shapes of OpenAI's chat completions."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from servers.ollama import OllamaServer, Reply, call

BODY = {"model": "qwen2.5-coder:7b", "messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}]}


def asked(server: OllamaServer, path: str = "/v1/chat/completions", **fields: Any) -> bytes:
    """The body of an answer."""
    data = json.dumps({**BODY, **fields}).encode()
    with urllib.request.urlopen(f"{server.url}{path}", data, timeout=10) as response:
        return response.read()


def events(content: bytes) -> list[Any]:
    """The events of a stream, without the last one."""
    lines = [line.removeprefix("data: ") for line in content.decode().split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def test_a_whole_answer_with_a_call() -> None:
    script = [Reply("hm", tool_calls=[call("read", path="ä.py")], prompt_eval_count=7, eval_count=2)]
    with OllamaServer(script) as server:
        found = json.loads(asked(server))
        assert server.chats[0].last == "hello"
    (choice,) = found["choices"]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("tool_calls", "hm")
    (made,) = choice["message"]["tool_calls"]
    assert made["function"] == {"name": "read", "arguments": '{"path": "\\u00e4.py"}'}
    assert found["usage"] == {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}


def test_a_stream_carries_the_call_in_pieces_and_the_usage_when_asked_for() -> None:
    script = [Reply("one two", tool_calls=[call("read", path="a.py")], chunks=2)]
    with OllamaServer(script) as server:
        found = events(asked(server, stream=True, stream_options={"include_usage": True}))
    deltas = [part["choices"][0]["delta"] for part in found if part["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == "one two"
    pieces = [c["function"]["arguments"] for delta in deltas for c in delta.get("tool_calls") or []]
    assert len(pieces) == 2
    assert json.loads("".join(pieces)) == {"path": "a.py"}
    assert found[-2]["choices"][0]["finish_reason"] == "tool_calls"
    assert found[-1]["usage"]["total_tokens"] > 0


@pytest.mark.parametrize(
    ("reply", "status", "said"),
    [
        (Reply(status=429, error="slow down"), 429, "slow down"),
        (Reply("half", error="CUDA error"), 500, "CUDA error"),
    ],
)
def test_errors_have_a_body_of_their_own(reply: Reply, status: int, said: str) -> None:
    with OllamaServer([reply]) as server, pytest.raises(urllib.error.HTTPError) as caught:
        asked(server)
    with caught.value as error:
        assert (error.code, json.load(error)["error"]["message"]) == (status, said)


def test_an_error_in_the_middle_is_an_event() -> None:
    with OllamaServer([Reply("half", error="CUDA error")]) as server:
        last = asked(server, stream=True).decode().strip().split("\n\n")[-1]
    assert json.loads(last.removeprefix("data: "))["error"]["message"] == "CUDA error"


def test_models_are_listed_and_one_that_is_missing_is_404() -> None:
    with OllamaServer() as server:
        with urllib.request.urlopen(f"{server.url}/v1/models", timeout=10) as response:
            assert [model["id"] for model in json.load(response)["data"]] == ["qwen2.5-coder:7b"]
        with pytest.raises(urllib.error.HTTPError) as caught:
            asked(server, model="nobody")
    with caught.value as error:
        assert json.load(error)["error"]["type"] == "not_found_error"
