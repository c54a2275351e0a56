"""A model by its name, or one sentence that says what is missing."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import socket
import threading
import warnings
from contextlib import ExitStack

import pytest
from blockbuster import blockbuster_ctx
from servers.ollama import Model, OllamaServer, Reply

from agents.models.ollama import OllamaChat
from agents.models.providers import CONNECT_SECONDS, CONNECT_TRIES, check_reachable, open_model, split_name
from tools.errors import ModelUnavailable, ModelUnknown, UsageError
from tools.ollama_address import server_url, shown_url

NAME = "qwen2.5-coder:7b"


@pytest.fixture
def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("ollama:qwen2.5-coder:7b", ("ollama", "qwen2.5-coder:7b")),
        ("qwen2.5-coder:7b", ("ollama", "qwen2.5-coder:7b")),
        ("llama3.2", ("ollama", "llama3.2")),
        ("hf.co/owner/model-GGUF:Q4_K_M", ("ollama", "hf.co/owner/model-GGUF:Q4_K_M")),
        ("openai:gpt-5", ("openai", "gpt-5")),
        ("anthropic:claude", ("anthropic", "claude")),
    ],
)
def test_a_name_is_a_provider_and_a_model(name, parts):
    assert split_name(name) == parts


@pytest.mark.parametrize("name", ["", " ", "ollama:", "openai", "gemini:flash:2", ":x:y"])
def test_a_name_of_no_provider_is_refused_with_those_that_are(name):
    with pytest.raises(ModelUnknown, match="ollama, openai or anthropic"):
        split_name(name)


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("1.2.3.4", "http://1.2.3.4:11434"),
        (":5000", "http://127.0.0.1:5000"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:80", "http://127.0.0.1:80"),
        ("https://example.com", "https://example.com:443"),
        ("http://example.com/path/", "http://example.com:80/path"),
        ("[::1]:5000", "http://[::1]:5000"),
        ("user:pass@example.com:5000", "http://user:pass@example.com:5000"),
    ],
)
def test_an_address_may_have_any_form_that_ollama_accepts(address, url, monkeypatch):
    assert server_url(address) == url
    monkeypatch.setenv("OLLAMA_HOST", address)
    assert server_url() == url
    assert "pass" not in shown_url(url)


@pytest.mark.parametrize("address", ["ftp://example.com", "http://example.com:port", "127.0.0.1:99999"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(UsageError, match="no address"):
        server_url(address)


async def test_a_model_is_opened_and_answers(monkeypatch):
    with OllamaServer(lambda _: Reply("hello"), [NAME, "llama3.2:latest"]) as server:
        assert await check_reachable(server.url) == "0.32.6"
        monkeypatch.setenv("OLLAMA_HOST", server.url.removeprefix("http://"))
        for name in (NAME, f"ollama:{NAME}", "llama3.2"):
            model = await open_model(name, options={"temperature": 0.5, "seconds": 30})
            assert isinstance(model, OllamaChat)
            assert (await model.ainvoke("hi")).content == "hello"
            assert (model.known.context_length, model.seconds) == (32768, 30)
            assert server.chats[-1].options["temperature"] == 0.5


@pytest.mark.parametrize("models", [[], [NAME, "gemma3:4b"]])
async def test_a_model_that_is_not_there_is_named_with_those_that_are(models):
    with OllamaServer(models=models) as server, pytest.raises(ModelUnknown) as caught:
        await open_model("nobody:1b", base_url=server.url)
    assert "'nobody:1b'" in str(caught.value)
    assert "ollama pull nobody:1b" in str(caught.value)
    assert all(repr(model) in str(caught.value) for model in models)


async def test_a_model_that_cannot_chat_and_an_option_that_does_not_exist_are_refused():
    with OllamaServer(models=[Model("nomic-embed-text", capabilities=["embedding"]), NAME]) as server:
        with pytest.raises(UsageError, match="cannot chat"):
            await open_model("nomic-embed-text", base_url=server.url)
        for options, text in [
            ({"temprature": 0}, "'temprature'"),
            ({"base_url": "x"}, "'base_url'"),
            ({"seconds": 0, "top_k": "many"}, "top_k: .*; seconds: "),
        ]:
            with pytest.raises(UsageError, match=text):
                await open_model(NAME, base_url=server.url, options=options)


async def test_without_a_server_the_two_ways_on_are_named(closed_port):
    with pytest.raises(ModelUnavailable) as caught:
        await open_model(NAME, base_url=f"http://me:secret@127.0.0.1:{closed_port}")
    for words in ("ollama serve", "ollama pull", "make demo", str(closed_port)):
        assert words in str(caught.value)
    assert "secret" not in str(caught.value)
    assert (caught.value.kind, caught.value.retryable) == ("unreachable", True)


async def test_a_server_that_takes_no_connection_is_given_up_after_three_short_tries():
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):  # fill the queue of connections that nobody accepts
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        with pytest.raises(ModelUnavailable, match="ConnectTimeout"):
            async with asyncio.timeout(4 * CONNECT_TRIES * CONNECT_SECONDS):
                await check_reachable(f"127.0.0.1:{listener.getsockname()[1]}")
    assert CONNECT_SECONDS < 1


async def test_something_that_is_not_ollama_is_not_taken_for_it():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with listener.accept()[0] as connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>")

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(ModelUnavailable, match="not JSON"):
            await check_reachable(f"127.0.0.1:{listener.getsockname()[1]}")
        thread.join()


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_another_provider_needs_its_package_and_its_key(provider, monkeypatch):
    monkeypatch.delenv(f"{provider.upper()}_API_KEY", raising=False)
    installed = importlib.util.find_spec(f"langchain_{provider}") is not None
    needed = f"{provider.upper()}_API_KEY" if installed else rf"pip install 'millwright\[{provider}\]'"
    with pytest.raises(UsageError, match=needed):
        await open_model(f"{provider}:some-model")


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_a_server_of_ones_own_needs_no_key(provider, monkeypatch):
    monkeypatch.delenv(f"{provider.upper()}_API_KEY", raising=False)
    assert await open_model(f"{provider}:some-model", base_url="http://127.0.0.1:9")


async def test_nothing_blocks_the_event_loop():
    with OllamaServer(lambda _: Reply("hello", chunks=20)) as server, blockbuster_ctx():
        model = await open_model(NAME, base_url=server.url)
        await model.ainvoke("hi")
        assert [chunk async for chunk in model.astream("hi")]
        with pytest.raises(ModelUnknown):
            await open_model("nobody", base_url=server.url)


def test_one_model_serves_many_event_loops_at_once_and_leaves_nothing_open():
    with OllamaServer(lambda _: Reply("hello")) as server:
        model = asyncio.run(open_model(NAME, base_url=server.url))
        answers = []

        def run():
            async def ask():
                return await asyncio.gather(*(model.ainvoke(str(i)) for i in range(5)))

            answers.extend(asyncio.run(ask()))
            answers.append(model.invoke("sync"))

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            threads = [threading.Thread(target=run) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            gc.collect()
        assert [answer.content for answer in answers] == ["hello"] * 24


async def test_an_api_key_in_the_environment_is_sent(monkeypatch):
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with listener.accept()[0] as connection:
                heard.append(connection.recv(65536).decode().lower())
                connection.sendall(
                    b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\nConnection: close\r\n\r\n{"version":"1"}'
                )

        thread = threading.Thread(target=serve)
        thread.start()
        monkeypatch.setenv("OLLAMA_API_KEY", "abc")
        assert await check_reachable(f"127.0.0.1:{listener.getsockname()[1]}") == "1"
        thread.join()
    assert "authorization: bearer abc" in heard[0]
