"""The last rung, which every machine has: words hashed into a vector. It finds words again, not meanings.

Each stem, its groups of synonyms and each run of 3 to 5 letters of a word adds to one of 1024 numbers, with a sign; both
come from a hash (K. Weinberger and others, "Feature hashing for large scale multitask learning", ICML 2009). Runs of
letters find misspelt and compound words.
"""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING

from tools.memory.embeddings.embedder import unit_rows
from tools.memory.embeddings.synonyms import synonyms
from tools.memory.embeddings.words import WEAK_WORDS, stems

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

DIMENSIONS = 1024
_RUNS = (3, 4, 5)
# What a stem that has no synonyms, one that has some, these, and all its runs of letters weigh beside each other.
_STEM, _STEM_OF_GROUP, _GROUP, _LETTERS = 1.0, 0.7, 1.0, 0.7
_WEAK = 0.3


class Lexical:
    """Hashed words: nothing to install, nothing to ask, the same on every machine."""

    name = "lexical"
    fingerprint = f"lexical@2:{DIMENSIONS}"
    dimensions = DIMENSIONS
    degraded = True
    floor = 0.15

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


@functools.lru_cache(maxsize=4_000)  # 1.7 KB each
def _of_word(word: str) -> tuple[tuple[int, float], ...]:
    strength = _WEAK if word in WEAK_WORDS else 1.0
    marked = f"<{word}>"
    runs = [marked[start : start + size] for size in _RUNS for start in range(len(marked) - size + 1)]
    groups = synonyms().get(word, ())
    features = [("stem", word, _STEM_OF_GROUP if groups else _STEM)]
    # Squares add up, so that many groups, or the runs of a long word, weigh together what one does.
    features += [("group", group, _GROUP / len(groups) ** 0.5) for group in groups]
    features += [("run", run, _LETTERS / len(runs) ** 0.5) for run in runs]
    return tuple(
        (place, sign * strength * weight)
        for kind, text, weight in features
        for place, sign in [_hashed(kind, text)]
    )


def _hashed(kind: str, text: str) -> tuple[int, float]:
    digest = int.from_bytes(hashlib.blake2b(f"{kind}:{text}".encode(), digest_size=8).digest(), "big")
    return digest % DIMENSIONS, 1.0 if digest >> 63 else -1.0
