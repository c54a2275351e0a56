"""The test server, driven by Ollama's own client and by plain HTTP."""

from __future__ import annotations

import http.client
import json

import ollama
import pytest
from servers.ollama import Model, OllamaProcess, OllamaServer, Reply, call

NAME = "qwen2.5-coder:7b"
HELLO = [{"role": "user", "content": "hello"}]


def answer_with_number(request):
    """The answers of the server that runs as a process of its own."""
    return Reply(f"answer {request.number} to {request.last}")


def test_the_official_client_lists_shows_embeds_and_chats():
    with OllamaServer([Reply("one two three", prompt_eval_count=7)]) as server, ollama.Client(server.url) as client:
        assert [model.model for model in client.list().models] == [NAME]
        shown = client.show(NAME)
        assert shown.modelinfo["qwen2.context_length"] == 32768
        assert shown.capabilities == ["completion", "tools"]
        vectors = client.embed(NAME, ["write a file", "write the file", "sing"]).embeddings
        near, far = (sum(x * y for x, y in zip(vectors[0], v, strict=True)) for v in vectors[1:])
        assert near > far
        reply = client.chat(NAME, HELLO)
        assert (reply.message.content, reply.done_reason, reply.prompt_eval_count) == ("one two three", "stop", 7)
        assert [request.path for request in server.requests][-1] == "/api/chat"


def test_a_stream_carries_thinking_content_and_calls_in_lines_of_their_own():
    script = [Reply("hello world", thinking="hm", tool_calls=[call("read", path="a.py")], chunks=2)]
    with OllamaServer(script) as server, ollama.Client(server.url) as client:
        parts = list(client.chat(NAME, HELLO, stream=True))
    assert [part.message.thinking for part in parts if part.message.thinking] == ["hm"]
    assert "".join(part.message.content for part in parts) == "hello world"
    assert [c.function.arguments for part in parts for c in part.message.tool_calls or []] == [{"path": "a.py"}]
    assert [part.done for part in parts] == [False] * 4 + [True]


@pytest.mark.parametrize(
    ("question", "status", "text"),
    [
        ({"model": "nobody"}, 404, "model 'nobody' not found"),
        ({"think": True}, 400, "does not support thinking"),
        (
            {"model": "plain", "tools": [{"type": "function", "function": {"name": "f"}}]},
            400,
            "does not support tools",
        ),
    ],
)
def test_requests_that_cannot_be_served_get_the_errors_of_ollama(question, status, text):
    models = [NAME, Model("plain", capabilities=["completion"])]
    with OllamaServer(models=models) as server, ollama.Client(server.url) as client:
        with pytest.raises(ollama.ResponseError, match=text) as caught:
            client.chat(**{"model": NAME, "messages": HELLO, **question})
        assert caught.value.status_code == status


def test_an_error_is_a_status_before_content_and_a_line_after_it():
    script = [Reply(error="boom"), Reply("half a", error="boom"), Reply(status=503, error="server busy")]
    with OllamaServer(script) as server, ollama.Client(server.url) as client:
        for status in (500, -1, 503):
            with pytest.raises(ollama.ResponseError) as caught:
                list(client.chat(NAME, HELLO, stream=True))
            assert caught.value.status_code == status


def test_a_script_that_fails_or_ends_says_so():
    def fail(request):
        raise AssertionError("unexpected prompt")

    for answers, text in ((fail, "unexpected prompt"), ([], "0 replies")):
        with (
            OllamaServer(answers) as server,
            ollama.Client(server.url) as client,
            pytest.raises(ollama.ResponseError, match=text),
        ):
            client.chat(NAME, HELLO)


def test_the_runner_is_loaded_again_only_when_its_options_change():
    with OllamaServer(lambda _: Reply("hi")) as server, ollama.Client(server.url) as client:
        for window in (8192, 8192, 16384):
            client.chat(NAME, HELLO, options={"num_ctx": window})
        assert client.generate(NAME).done_reason == "load"
        assert [options["num_ctx"] for _, options in server.loads] == [8192, 16384, 4096]


def test_a_prompt_that_is_too_long_is_cut_silently_unless_the_request_forbids_it():
    long = [{"role": "user", "content": "x" * 40_000}]
    with OllamaServer(lambda _: Reply("hi")) as server, ollama.Client(server.url) as client:
        assert client.chat(NAME, long).prompt_eval_count == 4095
        body = json.dumps({"model": NAME, "messages": long, "truncate": False})
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
        connection.request("POST", "/api/chat", body)
        response = connection.getresponse()
        assert response.status == 400
        assert "exceeds the available context size" in json.load(response)["error"]
        connection.close()


def test_the_server_outlives_its_clients_as_a_process():
    with OllamaProcess(f"{__file__}:answer_with_number") as process, ollama.Client(process.url) as client:
        assert client.chat(NAME, HELLO).message.content == "answer 0 to hello"
        assert client.chat(NAME, HELLO).message.content == "answer 1 to hello"
        assert [chat["messages"] for chat in process.chats()] == [HELLO, HELLO]
