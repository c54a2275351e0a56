"""The sentence model: a tiny real one in ONNX form, run by the real runtime and the real tokenizer."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from tools.errors import UsageError
from tools.memory.embeddings.choosing import choose
from tools.memory.embeddings.onnx import FILES, Onnx, chroma_cache

if TYPE_CHECKING:
    from pathlib import Path

VOCABULARY = {"[PAD]": 0, "[UNK]": 1, "takt": 2, "rhythm": 3, "cake": 4}
# One row for each word: takt and rhythm are alike.
TABLE = np.array([[9, 9, 9], [0.1, 0.1, 0.1], [1, 0, 0], [0.9, 0.1, 0], [0, 0, 1]], dtype=np.float32)
INT64, FLOAT = 7, 1


def varint(number: int) -> bytes:
    more, number = number > 127, number
    return bytes([number & 127 | 128]) + varint(number >> 7) if more else bytes([number])


def field(number: int, value: int | bytes | str) -> bytes:
    """One field in protobuf's wire format: https://protobuf.dev/programming-guides/encoding/."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def value(name: str, kind: int, *shape: str) -> bytes:
    dimensions = b"".join(field(1, field(2, dimension)) for dimension in shape)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, dimensions)))


def model() -> bytes:
    """A ModelProto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto): the words' rows of a table."""
    node = field(1, "table") + field(1, "input_ids") + field(2, "last_hidden_state") + field(4, "Gather")
    table = field(1, TABLE.shape[0]) + field(1, TABLE.shape[1]) + field(2, FLOAT) + field(8, "table")
    table += field(9, struct.pack(f"<{TABLE.size}f", *TABLE.ravel()))
    inputs = b"".join(field(11, value(n, INT64, "batch", "length")) for n in ("input_ids", "attention_mask"))
    output = field(12, value("last_hidden_state", FLOAT, "batch", "length", "width"))
    graph = field(1, node) + field(2, "words") + field(5, table) + inputs + output
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 13))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "model"
    place.mkdir()
    (place / "model.onnx").write_bytes(model())
    tokenizer = Tokenizer(WordLevel(VOCABULARY, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(place / "tokenizer.json"))
    return place


def test_a_sentence_is_the_mean_of_its_words_whatever_else_is_in_the_batch(folder: Path) -> None:
    embedder = Onnx(folder)
    texts = ["takt", "takt cake", "rhythm rhythm rhythm rhythm"]
    rows = embedder.embed(texts)
    wanted = np.array([TABLE[2], (TABLE[2] + TABLE[4]) / 2, TABLE[3]])
    assert np.allclose(rows, wanted / np.linalg.norm(wanted, axis=1, keepdims=True), atol=1e-6)
    alone = np.concatenate([embedder.embed([text]) for text in texts])
    assert np.allclose(rows, alone, atol=1e-6)
    assert (embedder.dimensions, rows.dtype, embedder.degraded) == (3, np.float32, False)


def test_a_long_text_is_read_as_far_as_the_model_reads(folder: Path) -> None:
    rows = Onnx(folder).embed([" ".join(["takt"] * 300), "takt " * 255 + "takt " + "cake " * 500])
    assert np.allclose(rows[0], rows[1])


def test_other_weights_have_another_fingerprint(folder: Path) -> None:
    first = Onnx(folder).fingerprint
    (folder / "model.onnx").write_bytes(model() + field(6, "another description"))
    assert Onnx(folder).fingerprint != first


def test_the_cache_of_chroma_is_used_only_when_it_is_whole(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    cache = chroma_cache()
    cache.mkdir(parents=True)
    for name in FILES:
        with pytest.raises(UsageError, match="missing"):
            Onnx()
        (cache / name).write_bytes((folder / name).read_bytes() if (folder / name).exists() else b"{}")
    choice = choose("")
    assert choice.embedder.name == "onnx"
    assert [refused.rung for refused in choice.refused] == ["ollama"]


def test_a_damaged_model_is_refused_in_one_sentence(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(UsageError, match="does not run"):
        Onnx(folder)
