"""What makes vectors of texts, and how the least similarity that means something is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

# Wishes for small tools that have nothing to do with each other.
UNRELATED = (
    "How many days lie between two dates?",
    "Take the vowels out of a word.",
    "Bending moment in the middle of a beam",
    "Shade of a colour, mixed with white",
    "Is this a valid bank account number?",
    "Order the songs by artist.",
    "Fuel that a lorry burns on a trip",
    "Square root of a matrix",
    "Read the temperature sensor's log.",
    "Chance to win the lottery",
    "Nearest hospital on a map",
    "Roman numerals for a year",
)
_FLOOR_QUANTILE = 0.9


class Embedder(Protocol):
    """A space of vectors. Two embedders with the same fingerprint make the same vectors."""

    @property
    def name(self) -> str:
        """What a person calls it, such as `ollama:nomic-embed-text`."""

    @property
    def fingerprint(self) -> str:
        """Name, digest of the weights and dimensions: vectors of different fingerprints are never compared."""

    @property
    def dimensions(self) -> int:
        """How many numbers a vector has."""

    @property
    def degraded(self) -> bool:
        """Whether it only sees words, not what they mean."""

    @property
    def floor(self) -> float:
        """The cosine below which two texts have nothing to do with each other."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row of length 1 for each text, shape (number of texts, dimensions).

        Raises:
            ModelUnavailable: what makes the vectors does not answer.
        """


def unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows, each of length 1; a row of zeros stays one."""
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.ascontiguousarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)


def measured_floor(embedder: Embedder) -> float:
    """The cosine that nine in ten pairs of unrelated wishes stay below: models differ widely in it."""
    import numpy as np

    rows = embedder.embed(UNRELATED)
    above_diagonal = (rows @ rows.T)[np.triu_indices(len(rows), k=1)]
    return float(np.quantile(above_diagonal, _FLOOR_QUANTILE))
