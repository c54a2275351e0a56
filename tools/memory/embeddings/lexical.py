"""The last rung, which every machine has: words hashed into a vector. It finds words again, not meanings.

Each stem, its group of synonyms and each run of 3 to 5 letters of a word adds to one of 1024 numbers, with a sign; both
come from a hash (K. Weinberger and others, "Feature hashing for large scale multitask learning", ICML 2009). Runs of
letters find misspelt and compound words.
"""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING

from tools.memory.embeddings.embedder import unit_rows
from tools.memory.embeddings.words import WEAK_WORDS, stems, synonyms

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

DIMENSIONS = 1024
_RUNS = (3, 4, 5)
# What one stem, its synonyms, and all its runs of letters together weigh beside each other.
_STEM, _GROUP, _LETTERS = 1.0, 0.8, 1.0
_WEAK = 0.3


class Lexical:
    """Hashed words: nothing to install, nothing to ask, the same on every machine."""

    name = "lexical"
    fingerprint = f"lexical@1:{DIMENSIONS}"
    dimensions = DIMENSIONS
    degraded = True
    floor = 0.25

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row of length 1 for each text; a text without a word gives zeros."""
        import numpy as np

        rows = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for place, weight in _weights(stems(text)).items():
                row[place] = weight
        return unit_rows(rows)


def _weights(found: list[str]) -> dict[int, float]:
    """The numbers that are not zero, by place; a word that comes often counts less each time."""
    sums: dict[int, float] = {}
    seen: dict[str, int] = {}
    for word in found:
        seen[word] = seen.get(word, 0) + 1
        for place, weight in _of_word(word):
            sums[place] = sums.get(place, 0.0) + weight / seen[word]
    return sums


@functools.lru_cache(maxsize=20_000)
def _of_word(word: str) -> tuple[tuple[int, float], ...]:
    strength = _WEAK if word in WEAK_WORDS else 1.0
    marked = f"<{word}>"
    runs = [marked[start : start + size] for size in _RUNS for start in range(len(marked) - size + 1)]
    features = [("stem", word, _STEM)]
    if (group := synonyms().get(word)) is not None:
        features.append(("group", group, _GROUP))
    # Squares add up, so that the runs of a long word weigh together what those of a short one do.
    features += [("run", run, _LETTERS / len(runs) ** 0.5) for run in runs]
    return tuple(
        (place, sign * strength * weight)
        for kind, text, weight in features
        for place, sign in [_hashed(kind, text)]
    )


def _hashed(kind: str, text: str) -> tuple[int, float]:
    digest = int.from_bytes(hashlib.blake2b(f"{kind}:{text}".encode(), digest_size=8).digest(), "big")
    return digest % DIMENSIONS, 1.0 if digest >> 63 else -1.0
