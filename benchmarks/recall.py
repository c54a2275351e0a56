"""How often the right skill is found again, by every embedder of this machine and by each way to combine the scores.

`python benchmarks/recall.py [SETTING ...]` takes settings as MILLWRIGHT_EMBEDDINGS does (all that work by default).
101 skills; for each two wishes in other words (data/recall.psv, written by hand: odd lines served for tuning; the list of
synonyms was written with all of them known), its name in five spellings, and 25 wishes that no skill fulfils
(data/absent.txt). Then the factory's 177 families as skills, with 100 wishes that were written last (data/wishes.psv);
and what the factory really asks: a skill that was made for one task of a family, and another task of that family.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tools.errors import MillwrightError
from tools.memory.comparing import Query
from tools.memory.embeddings.choosing import choose
from tools.memory.finding import Finder
from tools.memory.memory import FOUND_IN, Memory
from tools.memory.records import NewSkill
from tools.memory.searching import by_words
from tools.tasks import draw
from tools.tasks.registry import DOMAINS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.tasks import Task

DATA = Path(__file__).parent / "data"
RRF = 60
DRAWN = 600


@dataclass(frozen=True)
class Wish:
    text: str
    skill: str


def lines(name: str) -> list[str]:
    return [line for line in (DATA / name).read_text().splitlines() if line and not line.startswith("#")]


def split(line: str) -> list[str]:
    return [field.strip() for field in line.split("|")]


def rows() -> list[list[str]]:
    return [split(line) for line in lines("recall.psv")]


def keep(memory: Memory, name: str, description: str, tags: tuple[str, ...] = ()) -> None:
    skill = NewSkill(
        name=name,
        description=description,
        entry=name,
        parameters={"type": "object", "properties": {}},
        tags=tags,
        code=f"def {name}() -> None: ...",
        tests="",
        run="recall",
        proved=True,
        ast_hash=name,
    )
    memory.admit(skill, key=name)


def spellings(name: str) -> list[str]:
    parts = name.split("_")
    camel = parts[0] + "".join(part.capitalize() for part in parts[1:])
    return [name, camel, " ".join(parts).capitalize(), "-".join(parts), f"use {name} for this, please"]


def by_vectors(memory: Memory, text: str) -> list[tuple[str, float]]:
    space = memory.space()
    found = space.nearest(space.embedder.embed([text])[0], 50)
    return [(owner.partition(":")[2].rpartition("-")[0], cosine) for owner, cosine in found]


def ways(memory: Memory) -> dict[str, Callable[[str], list[str]]]:
    def vectors(text: str) -> list[str]:
        return [name for name, _ in by_vectors(memory, text)]

    def words(text: str) -> list[str]:
        found = by_words(memory.library.database, text, 50)
        return [owner.partition(":")[2].rpartition("-")[0] for owner in found]

    def ranks(text: str) -> list[str]:
        """Reciprocal rank fusion (Cormack, Clarke, Buettcher, SIGIR 2009)."""
        scores: dict[str, float] = {}
        for found in (vectors(text), words(text)):
            for rank, name in enumerate(found):
                scores[name] = scores.get(name, 0.0) + 1 / (RRF + rank + 1)
        return sorted(scores, key=lambda name: -scores[name])

    def ours(text: str) -> list[str]:
        return [hit.skill.name for hit in memory.search(text, limit=5)]

    def away(text: str) -> list[str]:
        found = Finder(memory.library, Query(text)).find(5, (), FOUND_IN)
        return [hit.skill.name for hit in found]

    return {
        "vectors alone": vectors,
        "words alone (BM25)": words,
        "fusion of ranks": ranks,
        "ours": ours,
        "ours, embedder away": away,
    }


def rate(way: Callable[[str], list[str]], wishes: list[Wish]) -> tuple[float, float]:
    found = [way(wish.text) for wish in wishes]
    first = np.mean([wish.skill in names[:1] for wish, names in zip(wishes, found, strict=True)])
    five = np.mean([wish.skill in names[:5] for wish, names in zip(wishes, found, strict=True)])
    return float(first), float(five)


def table(memory: Memory, sets: dict[str, list[Wish]]) -> None:
    print("\n| way | " + " | ".join(f"{what}, {len(of)}: first / of 5" for what, of in sets.items()) + " |")
    print("|---|" + "---|" * len(sets))
    for label, way in ways(memory).items():
        figures = [rate(way, wishes) for wishes in sets.values()]
        print(f"| {label} | " + " | ".join(f"{first:.2f} / {five:.2f}" for first, five in figures) + " |")


def measure(setting: str, folder: Path) -> None:
    os.environ["MILLWRIGHT_EMBEDDINGS"] = setting
    os.environ["MILLWRIGHT_CHROMA"] = "off"
    with closing(Memory(folder / "wishes")) as memory:
        print(f"\n{memory.embedder.name} ({memory.embedder.dimensions} numbers, floor {memory.embedder.floor:.2f})")
        hand_written(memory)
    with closing(Memory(folder / "families")) as memory:
        families(memory)
    with closing(Memory(folder / "tasks")) as memory:
        tasks(memory)


def hand_written(memory: Memory) -> None:
    for name, description, *_ in rows():
        keep(memory, name, description)
    tuned, held, named = [], [], []
    for number, (name, _, *wishes) in enumerate(rows(), 1):
        (tuned if number % 2 else held).extend(Wish(text, name) for text in wishes)
        named.extend(Wish(text, name) for text in spellings(name))
    table(memory, {"tuned": tuned, "other half": held, "names": named})
    absent = lines("absent.txt")
    offered = np.mean([bool(memory.search(text)) for text in absent])
    print(f"wrong offers for {len(absent)} wishes that no skill fulfils: {offered:.2f}")
    spread(memory, [*tuned, *held], absent)


def families(memory: Memory) -> None:
    """Every family of the factory as a skill, and wishes that were written when nothing was tuned any more."""
    for domain, members in DOMAINS.items():
        for family in members:
            keep(memory, family.name, family.title, (domain, *family.tags))
    wishes = [Wish(text, name) for name, text in (split(line) for line in lines("wishes.psv"))]
    table(memory, {"held out": wishes})


def tasks(memory: Memory) -> None:
    """The title of one task of each family as the skill, that of another as the wish; half of the families for tuning."""
    drawn: dict[str, list[Task]] = {}
    for number in range(DRAWN):
        task = draw("manufacturing", 1, number)
        drawn.setdefault(task.family, []).append(task)
    pairs = [(of[0], of[1]) for of in drawn.values() if len(of) > 1]
    for first, _ in pairs:
        keep(memory, first.entry, first.title, first.tags)
    titles = [Wish(second.title, first.entry) for first, second in pairs]
    whole = [
        Wish(f"{second.title}\n{second.entry}\n{', '.join(second.tags)}", first.entry) for first, second in pairs
    ]
    table(
        memory,
        {
            "title, tuned": titles[::2],
            "title, held out": titles[1::2],
            "as the factory asks, tuned": whole[::2],
            "as the factory asks, held out": whole[1::2],
        },
    )


def spread(memory: Memory, wishes: list[Wish], absent: list[str]) -> None:
    """Where the floor stands: the cosines of right skills, and of the nearest one where none is right."""
    right = [dict(by_vectors(memory, wish.text)).get(wish.skill, 0.0) for wish in wishes]
    nearest = [by_vectors(memory, text)[0][1] for text in absent]
    for what, values in (("the right skill", right), ("the nearest wrong one, where none is right", nearest)):
        print(
            f"cosine of {what}: " + ", ".join(f"{q}%: {np.percentile(values, q):.2f}" for q in (10, 25, 50, 75, 90))
        )


def main() -> None:
    for setting in sys.argv[1:] or ["lexical", "onnx", "ollama"]:
        try:
            choice = choose(setting)
        except MillwrightError as error:
            print(f"\n{setting}: {error}")
            continue
        if choice.refused:
            print(f"\n{setting}: {choice.refused[0].why}")
            continue
        with tempfile.TemporaryDirectory() as folder:
            measure(setting, Path(folder))


if __name__ == "__main__":
    main()
