"""How like a text is to what is stored: nearest by vectors, by words and by name, in one score with a floor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.memory.embeddings.lexical import Lexical
from tools.memory.ranking import BESIDE_MEANING, BESIDE_WORDS, likeness
from tools.memory.searching import by_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from tools.memory.database import Database
    from tools.memory.embeddings.embedder import Embedder
    from tools.memory.outbox import OwnerKind
    from tools.memory.spaces import Space

_NO_NAMES: Mapping[str, float] = {}


@dataclass(frozen=True)
class Like:
    """How like the text one owner is; `id` is without the kind."""

    id: str
    score: float
    cosine: float
    words: float
    identifier: bool


@dataclass(frozen=True)
class Query:
    """A text to look for; `vector` is its own in `space`, None while the embedder is away."""

    text: str
    space: Space | None = None
    vector: NDArray[np.float32] | None = None


class Comparison:
    """One text against all owners of one kind."""

    def __init__(
        self, database: Database, query: Query, kind: OwnerKind, text_of: Callable[[str], str | None]
    ) -> None:
        """Compare nothing yet; `text_of` gives the words of an id, or None if it is gone."""
        self._database, self._query, self._kind, self._text_of = database, query, kind, text_of

    def nearest(self, width: int, names: Mapping[str, float] = _NO_NAMES) -> list[Like]:
        """All above the floor among the `width` nearest by each way of looking, most like first.

        `names` says what being named adds to an id's score.
        """
        words = by_words(self._database, self._query.text, width, self._kind)
        owners = {*words, *(f"{self._kind}:{name}" for name in names)}
        embedder, cosines = self._cosines(owners, width)
        weight = BESIDE_WORDS if embedder.degraded else BESIDE_MEANING
        found = []
        for owner in {*owners, *cosines}:
            bare = owner.partition(":")[2]
            cosine, bm25, name = cosines.get(owner, 0.0), words.get(owner, 0.0), names.get(bare, 0.0)
            score = likeness(cosine, bm25, name, weight)
            if score >= embedder.floor:
                found.append(Like(bare, score, cosine, bm25, name > 0))
        return sorted(found, key=lambda like: (-like.score, like.id))

    def _cosines(self, owners: Iterable[str], width: int) -> tuple[Embedder, dict[str, float]]:
        """What compared the texts, and the cosines of the nearest and of `owners`."""
        space, vector = self._query.space, self._query.vector
        if space is None or vector is None:
            return self._lexical(list(owners))
        near = dict(space.nearest(vector, width, self._kind))
        others = [owner for owner in owners if owner not in near]
        return space.embedder, {**near, **space.cosines(vector, others)}

    def _lexical(self, owners: list[str]) -> tuple[Embedder, dict[str, float]]:
        """What was found by words and names, compared by words: all that is left while the embedder is away."""
        embedder = Lexical()
        texts = {owner: text for owner in owners if (text := self._text_of(owner.partition(":")[2])) is not None}
        rows = embedder.embed([self._query.text, *texts.values()])
        return embedder, dict(zip(texts, (rows[1:] @ rows[0]).tolist(), strict=True))
