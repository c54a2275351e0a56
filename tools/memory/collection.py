"""One Chroma collection through langchain-chroma. Only here are the two libraries known, and loaded when first used."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from langchain_core.embeddings import Embeddings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

# Chroma takes at most 5461 in one call.
BATCH = 500
DEFAULT_PORT = 8000
SERVER_SECONDS = 10.0
_ATTEMPTS = 3


class Collection:
    """Vectors by their owners; nothing else of an owner is kept in Chroma than its id, kind and state."""

    def __init__(self, client: Any, name: str) -> None:
        """Open the collection of that name, or make it."""
        from langchain_chroma import Chroma

        self.name = name
        self._stored = _Stored()
        self._chroma = Chroma(
            client=client,
            collection_name=name,
            embedding_function=self._stored,
            collection_configuration={"hnsw": {"space": "cosine"}},
        )

    def put(self, vectors: Mapping[str, bytes], states: Mapping[str, str]) -> None:
        """Set the vectors of these owners; doing it twice changes nothing."""
        owners = list(vectors)
        self._stored.vectors = vectors
        for start in range(0, len(owners), BATCH):
            some = owners[start : start + BATCH]
            said = [{"id": owner.partition(":")[2], "kind": "skill", "state": states[owner]} for owner in some]
            self._chroma.add_texts(some, said, some)

    def delete(self, owners: Sequence[str]) -> None:
        """Take these owners out, as far as they are there."""
        for start in range(0, len(owners), BATCH):
            self._chroma.delete(list(owners[start : start + BATCH]))

    def nearest(self, query: NDArray[np.float32], limit: int) -> list[tuple[str, float]]:
        """The owners of the nearest vectors with their cosines, nearest first."""
        found = self._chroma.similarity_search_by_vector_with_relevance_scores(query.tolist(), k=limit)
        return [(document.page_content, 1.0 - distance) for document, distance in found]

    def owners(self) -> set[str]:
        """Every owner that is listed."""
        return set(self._chroma.get(include=[])["ids"])

    def unreadable(self, owners: Sequence[str]) -> str:
        """Why the vectors of listed owners cannot be read, or an empty text.

        Two writers on one directory leave owners that are listed and have no vector.
        """
        for start in range(0, len(owners), BATCH):
            some = list(owners[start : start + BATCH])
            try:
                found = self._chroma.get(ids=some, include=["embeddings"])
            except Exception as error:  # noqa: BLE001 - Chroma has an internal error for each way to lose a vector
                return f"{type(error).__name__}: {error}"
            if len(found["embeddings"]) != len(some):
                return f"{len(some) - len(found['embeddings'])} of {len(some)} are not there"
        return ""


def connected(folder: Path, server: str) -> Any:
    """A client of the server at that URL, or else of the directory, which is made anew if it is damaged."""
    import chromadb
    from chromadb.config import Settings

    settings = Settings(anonymized_telemetry=False)
    if server:
        return _client_of(server, settings)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            client = chromadb.PersistentClient(str(folder), settings)
            names(client)
        except Exception:  # a damaged directory fails in many ways; it is derived, so it is made anew
            # What failed to start stays in Chroma's cache for one more attempt.
            if attempt == _ATTEMPTS:
                raise
            shutil.rmtree(folder, ignore_errors=True)
        else:
            return client
    raise AssertionError("unreachable")


def disconnected(client: Any) -> None:
    """Close a client with everything that it holds."""
    with contextlib.suppress(Exception):  # what it held was derived
        client.close()
    for session in _sessions(client):
        session.close()


def names(client: Any) -> set[str]:
    """The names of all collections."""
    return {collection.name for collection in client.list_collections()}


def _client_of(server: str, settings: Any) -> Any:
    import chromadb
    import httpx

    url = urlsplit(server)
    port = url.port or DEFAULT_PORT
    # Chroma's client would wait for ever for a server that accepts and says nothing.
    httpx.get(f"{url.scheme}://{url.hostname}:{port}/api/v2/heartbeat", timeout=SERVER_SECONDS).raise_for_status()
    client = chromadb.HttpClient(url.hostname or "", port, ssl=url.scheme == "https", settings=settings)
    for session in _sessions(client):
        session.timeout = SERVER_SECONDS
    return client


def _sessions(client: Any) -> list[Any]:
    """The HTTP sessions of a client of a server: they have no time limit, and Chroma does not close them."""
    servers = [getattr(part, "_server", None) for part in (client, getattr(client, "_admin_client", None))]
    return [session for server in servers if (session := getattr(server, "_session", None)) is not None]


class _Stored(Embeddings):
    """What langchain-chroma asks for the vector of a text: here the text is an owner, and its vector is stored."""

    vectors: Mapping[str, bytes]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        import numpy as np

        return [np.frombuffer(self.vectors[text], dtype="<f4").tolist() for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]
