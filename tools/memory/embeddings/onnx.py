"""Vectors from a sentence model in ONNX form that lies on this machine already, such as the one that Chroma keeps.

Nothing is ever downloaded: a folder that is not complete is refused. The mean of the word vectors is taken, as the
models of the sentence-transformers family want it (N. Reimers, I. Gurevych, "Sentence-BERT", EMNLP 2019).
"""

from __future__ import annotations

import functools
import hashlib
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import UsageError
from tools.memory.embeddings.embedder import measured_floor, unit_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

MODEL = "all-MiniLM-L6-v2"
# What Chroma's own embedding function asks for before it would download.
FILES = (
    "config.json", "model.onnx", "special_tokens_map.json", "tokenizer_config.json", "tokenizer.json", "vocab.txt",
)  # fmt: skip
NEEDED = ("model.onnx", "tokenizer.json")
MOST_TOKENS = 256
BATCH = 32


def chroma_cache() -> Path:
    """Where Chroma keeps its model, whether it is there or not."""
    # Unlike Path.home(), this takes a user who has no home.
    return Path("~/.cache/chroma/onnx_models").expanduser() / MODEL / "onnx"


class Onnx:
    """A sentence model, run on this machine's processor."""

    degraded = False

    def __init__(self, folder: Path | None = None) -> None:
        """Take the model in `folder`, or else the one in Chroma's cache.

        Raises:
            UsageError: a file is missing, or a package to run it.
        """
        own = folder is not None
        self._folder = folder or chroma_cache()
        missing = [name for name in (NEEDED if own else FILES) if not (self._folder / name).is_file()]
        if missing:
            some = f"{', '.join(missing)} missing" if self._folder.is_dir() else "there is no such folder"
            raise UsageError(
                f"no sentence model is in {str(self._folder)!r} ({some}), and none is downloaded unasked; "
                f"put one there, or use another rung"
            )
        self.name = f"onnx:{self._folder}" if own else "onnx"
        self._floor: float | None = None
        try:
            self.dimensions = self._run(["length"]).shape[1]
        except ImportError as error:
            raise UsageError(f"sentence models need onnxruntime and tokenizers: {error}; install both") from error
        except Exception as error:  # a damaged model fails in whatever way the two libraries have
            raise UsageError(
                f"the sentence model in {str(self._folder)!r} does not run ({type(error).__name__}: {error}); "
                f"put a whole one there, or use another rung"
            ) from error
        self.fingerprint = f"{self.name}@{_digest(self._folder / 'model.onnx')[:12]}:{self.dimensions}"

    @property
    def floor(self) -> float:
        """Measured when it is first asked for: every model has its own."""
        if self._floor is None:
            self._floor = measured_floor(self)
        return self._floor

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row of length 1 for each text, of which at most 256 tokens are read."""
        import numpy as np

        batches = [self._run(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        return unit_rows(np.concatenate(batches)) if batches else np.zeros((0, self.dimensions), np.float32)

    def _run(self, texts: Sequence[str]) -> NDArray[np.float32]:
        import numpy as np

        session, tokenizer = self._opened
        encoded = tokenizer.encode_batch(list(texts))
        mask = np.array([entry.attention_mask for entry in encoded], dtype=np.int64)
        offered = {
            "input_ids": np.array([entry.ids for entry in encoded], dtype=np.int64),
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(mask),
        }
        wanted = {entry.name: offered[entry.name] for entry in session.get_inputs()}
        found = session.run(None, wanted)[0]
        shares = mask[:, :, None] / np.maximum(mask.sum(axis=1), 1)[:, None, None]
        return np.asarray((found * shares).sum(axis=1), dtype=np.float32)

    @functools.cached_property
    def _opened(self) -> tuple[Any, Any]:
        from tokenizers import Tokenizer

        onnxruntime: Any = importlib.import_module("onnxruntime")  # it has no types

        tokenizer = Tokenizer.from_file(str(self._folder / "tokenizer.json"))
        tokenizer.enable_truncation(max_length=MOST_TOKENS)
        tokenizer.enable_padding()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        weights = str(self._folder / "model.onnx")
        return onnxruntime.InferenceSession(weights, options, ["CPUExecutionProvider"]), tokenizer


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
