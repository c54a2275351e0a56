"""Vectors from an embedding model that an Ollama server has: `/api/tags`, `/api/show` and `/api/embed`."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tools.errors import ModelUnavailable, ModelUnknown
from tools.memory.embeddings.embedder import measured_floor, unit_rows
from tools.ollama_address import server_url, shown_url

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx
    import numpy as np
    from numpy.typing import NDArray

PROBE_SECONDS = 0.3
EMBED_SECONDS = 30.0
# A server that just failed is not waited for again at once: each search would wait.
SILENT_SECONDS = 30.0
BATCH = 32
# How the details of a listed model show that it makes vectors: its architecture, or a part of its name.
_FAMILIES = ("bert", "nomic-bert", "nomic-bert-moe", "xlm-roberta")
_NAMES = ("embed", "minilm", "bge-", "paraphrase-")


class Ollama:
    """One embedding model of one server."""

    degraded = False

    def __init__(self, url: str, model: str, digest: str) -> None:
        """Ask the server what the model's dimensions are.

        Raises:
            ModelUnavailable: it does not answer, or answers with no vectors.
        """
        self._url, self._model = url, model
        self._silent_until = 0.0
        self._floor: float | None = None
        self.name = f"ollama:{model}"
        self.dimensions = self._listed_dimensions() or self._embedded(["length"]).shape[1]
        self.fingerprint = f"{self.name}@{digest.removeprefix('sha256:')[:12]}:{self.dimensions}"

    @property
    def floor(self) -> float:
        """Measured when it is first asked for: every model has its own."""
        if self._floor is None:
            self._floor = measured_floor(self)
        return self._floor

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row of length 1 for each text.

        Raises:
            ModelUnavailable: the server does not answer, or did not a moment ago.
        """
        import numpy as np

        batches = [self._embedded(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)]
        return unit_rows(np.concatenate(batches)) if batches else np.zeros((0, self.dimensions), np.float32)

    def _embedded(self, texts: Sequence[str]) -> NDArray[np.float32]:
        import numpy as np

        body = {"model": self._model, "input": list(texts), "truncate": True}
        reply = self._ask("POST", "/api/embed", body, EMBED_SECONDS)
        try:
            rows = np.array(reply["embeddings"], dtype=np.float32)
        except (KeyError, TypeError, ValueError) as error:
            raise self._unavailable(f"answered without vectors ({type(error).__name__})") from error
        width = getattr(self, "dimensions", rows.shape[-1])
        if rows.shape != (len(texts), width) or not np.isfinite(rows).all():
            raise self._unavailable(f"answered vectors of shape {rows.shape} for {len(texts)} texts")
        return rows

    def _listed_dimensions(self) -> int:
        facts = self._ask("POST", "/api/show", {"model": self._model}, EMBED_SECONDS).get("model_info")
        lengths = [n for key, n in (facts or {}).items() if key.endswith(".embedding_length")]
        return int(lengths[0]) if lengths else 0

    def _ask(self, method: str, path: str, body: dict[str, Any], seconds: float) -> dict[str, Any]:
        import httpx

        if time.monotonic() < self._silent_until:
            raise self._unavailable("did not answer a moment ago")
        try:
            return _asked(self._url, method, path, body, seconds)
        except (httpx.HTTPError, TypeError, ValueError) as error:
            self._silent_until = time.monotonic() + SILENT_SECONDS
            raise self._unavailable(f"fails: {type(error).__name__}") from error

    def _unavailable(self, what: str) -> ModelUnavailable:
        return ModelUnavailable(
            f"the embedding model {self._model!r} at {shown_url(self._url)} {what}; "
            f"search goes on by words, start the server again with `ollama serve`"
        )


def open_ollama(model: str | None = None) -> Ollama:
    """The named embedding model, or the first by name that the server has.

    Raises:
        ModelUnavailable: no server answers within 0.3 s, or it has no embedding model.
        ModelUnknown: the server answers and does not have the named one.
    """
    import httpx

    url = server_url()
    try:
        listed = _asked(url, "GET", "/api/tags", None, PROBE_SECONDS).get("models") or []
    except (httpx.HTTPError, TypeError, ValueError) as error:
        raise ModelUnavailable(
            f"no Ollama server answers at {shown_url(url)} ({type(error).__name__}); start one with `ollama serve`"
        ) from error
    models = {entry["name"]: entry for entry in listed}
    able = sorted(name for name, entry in models.items() if _makes_vectors(entry))
    if model is None and not able:
        raise ModelUnavailable(
            f"the Ollama server at {shown_url(url)} has no embedding model; "
            f"get one with `ollama pull nomic-embed-text`"
        )
    name = model or able[0]
    found = models.get(name) or models.get(f"{name}:latest")
    if found is None:
        has = ", ".join(map(repr, able)) or "none"
        raise ModelUnknown(
            f"the Ollama server at {shown_url(url)} has no model {name!r}; its embedding models are: {has}; "
            f"get it with `ollama pull {name}`"
        )
    return Ollama(url, found["name"], str(found.get("digest", "")))


def _makes_vectors(entry: dict[str, Any]) -> bool:
    details = entry.get("details") or {}
    families = {details.get("family"), *(details.get("families") or [])}
    return bool(families & {*_FAMILIES}) or any(part in entry["name"] for part in _NAMES)


def _asked(url: str, method: str, path: str, body: dict[str, Any] | None, seconds: float) -> dict[str, Any]:
    with _client(url, seconds) as client:
        response = client.request(method, path, json=body)
        response.raise_for_status()
        return dict(response.json())


def _client(url: str, seconds: float) -> httpx.Client:
    import httpx

    key = os.environ.get("OLLAMA_API_KEY")
    # A proxy for the outside has no way to this machine's own loopback.
    loopback = urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return httpx.Client(
        base_url=url, headers=headers, timeout=seconds, trust_env=not loopback, verify=url.startswith("https")
    )
