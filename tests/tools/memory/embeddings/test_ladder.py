"""Which embedder is taken, why the ones above it were not, and that nothing is ever downloaded."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
from servers.embeddings import DIMENSIONS, EmbeddingServer

from tools.errors import ModelUnavailable, ModelUnknown, UsageError
from tools.memory.embeddings import ollama
from tools.memory.embeddings.choosing import choose, choose_embedder, reopened
from tools.memory.embeddings.lexical import Lexical
from tools.memory.embeddings.ollama import Ollama

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting, no model on this machine, and no Ollama at its usual place."""
    monkeypatch.delenv("MILLWRIGHT_EMBEDDINGS")
    monkeypatch.setenv("HOME", str(tmp_path))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{free.getsockname()[1]}")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddingServer]:
    with EmbeddingServer() as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        yield server


def test_a_bare_machine_compares_words_and_says_why() -> None:
    choice = choose()
    assert isinstance(choice.embedder, Lexical)
    assert choice.embedder.degraded
    assert [refused.rung for refused in choice.refused] == ["ollama", "onnx"]
    assert "no Ollama server answers" in choice.refused[0].why
    assert "none is downloaded unasked" in choice.refused[1].why


def test_choosing_and_embedding_make_no_connection_to_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple] = []

    def refuse(_: socket.socket, address: tuple) -> None:
        asked.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    looked_up = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest: asked.append((host,)) or looked_up(host, *rest))
    choose_embedder().embed(["takt time"])
    assert asked
    assert {address[0] for address in asked} == {"127.0.0.1"}


def test_an_ollama_server_with_an_embedding_model_is_taken(server: EmbeddingServer) -> None:
    embedder = choose_embedder()
    assert embedder.name == "ollama:nomic-embed-text:latest"
    assert embedder.fingerprint == f"ollama:nomic-embed-text:latest@0a109f422b47:{DIMENSIONS}"
    assert not embedder.degraded
    rows = embedder.embed(["rhythm of a customer", "takt of a buyer", "bake a cake"])
    assert rows.shape == (3, DIMENSIONS)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1)
    assert rows[0] @ rows[1] > 0.99 > rows[0] @ rows[2]


def test_many_texts_are_embedded_in_batches_and_in_order(server: EmbeddingServer) -> None:
    texts = [f"number{n}" for n in range(100)]
    rows = choose_embedder().embed(texts)
    assert server.embedded() == texts
    assert rows.shape == (100, DIMENSIONS)
    assert choose_embedder().embed([]).shape == (0, DIMENSIONS)


def test_a_chat_model_is_no_embedding_model(monkeypatch: pytest.MonkeyPatch) -> None:
    with EmbeddingServer({"qwen2.5-coder:7b": "sha256:1"}, family="qwen2") as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        choice = choose()
        assert isinstance(choice.embedder, Lexical)
        assert "ollama pull nomic-embed-text" in choice.refused[0].why


def test_a_server_that_takes_its_time_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{silent.getsockname()[1]}")
        choice = choose()
    assert isinstance(choice.embedder, Lexical)
    assert "Timeout" in choice.refused[0].why


def test_a_named_model_is_taken_or_refused_with_those_there_are(server: EmbeddingServer) -> None:
    server.models["all-minilm:latest"] = "sha256:1b226e2802db"
    assert (
        choose_embedder("ollama:nomic-embed-text").fingerprint
        == choose_embedder("ollama:nomic-embed-text:latest").fingerprint
    )
    assert choose_embedder("ollama").name == "ollama:all-minilm:latest"
    with pytest.raises(ModelUnknown, match=r"no model 'bge-m3'.*'all-minilm:latest', 'nomic-embed-text:latest'"):
        choose_embedder("ollama:bge-m3")


def test_a_named_server_that_is_away_is_an_outage_and_not_an_error() -> None:
    choice = choose("ollama:nomic-embed-text")
    assert isinstance(choice.embedder, Lexical)
    assert choice.refused[0].rung == "ollama:nomic-embed-text"


@pytest.mark.parametrize("setting", ["word2vec", "lexical:2", "ollama:", "onnx:", "openai:text-embedding-3-small"])
def test_a_setting_that_names_nothing_is_refused(setting: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLWRIGHT_EMBEDDINGS", setting)
    with pytest.raises(UsageError, match="ollama:NAME, onnx, onnx:FOLDER or lexical"):
        choose_embedder()


def test_the_same_weights_are_recognised_and_others_are_not(server: EmbeddingServer) -> None:
    fingerprint = choose_embedder("ollama:nomic-embed-text").fingerprint
    assert reopened(fingerprint) is not None
    assert reopened(Lexical.fingerprint) is not None
    server.models["nomic-embed-text:latest"] = "sha256:another"
    assert reopened(fingerprint) is None
    assert reopened("word2vec@1:300") is None


@pytest.mark.parametrize(
    "said",
    [
        (500, {"error": "model runner has unexpectedly stopped"}),
        (200, {"embeddings": [[1.0, 2.0]]}),
        (200, {"embeddings": []}),
        (200, {"embedding": [1.0] * DIMENSIONS}),
        (200, {"embeddings": [[float("nan")] * DIMENSIONS]}),
        (200, b"[]"),
        (200, b"<html>"),
    ],
)
def test_an_answer_without_whole_vectors_is_an_outage(server: EmbeddingServer, said: tuple[int, object]) -> None:
    embedder = choose_embedder()
    server.say = lambda _: said
    with pytest.raises(ModelUnavailable, match="search goes on by words"):
        embedder.embed(["takt time"])


def test_a_server_that_failed_is_left_alone_for_a_while(
    server: EmbeddingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder = choose_embedder()
    whole, server.say = server.say, lambda _: (500, {})
    for _ in range(3):
        with pytest.raises(ModelUnavailable):
            embedder.embed(["takt time"])
    assert len(server.embedded()) == 1
    server.say = whole
    monkeypatch.setattr(ollama, "SILENT_SECONDS", 0)
    embedder._silent_until = 0  # type: ignore[attr-defined]
    assert embedder.embed(["takt time"]).shape == (1, DIMENSIONS)


def test_the_floor_is_measured_once_for_each_model(server: EmbeddingServer) -> None:
    embedder = choose_embedder()
    assert isinstance(embedder, Ollama)
    assert 0 < embedder.floor < 0.6
    asked = len(server.embedded())
    assert embedder.floor > 0
    assert len(server.embedded()) == asked


def test_several_threads_share_an_embedder(server: EmbeddingServer) -> None:
    embedder, rows = choose_embedder(), {}
    threads = [
        threading.Thread(target=lambda n=n: rows.update({n: embedder.embed([f"word{n}"])})) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(rows[n], embedder.embed([f"word{n}"])) for n in range(8))
