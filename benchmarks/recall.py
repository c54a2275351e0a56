"""How often the right skill is found again, by every embedder of this machine and by each way to combine the scores.

`python benchmarks/recall.py [SETTING ...]` takes settings as MILLWRIGHT_EMBEDDINGS does (all that work by default).
101 skills; for each two wishes in other words (data/recall.psv, written by hand: odd lines served for tuning, even
ones are held out), its name in five spellings, and 25 wishes that no skill fulfils (data/absent.txt). Then what the
factory really asks: a skill that was made for one task of a family, and another task of that family.
"""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tools.errors import MillwrightError
from tools.memory.embeddings.choosing import choose
from tools.memory.finding import Finder
from tools.memory.memory import FOUND_IN, Memory
from tools.memory.records import NewSkill
from tools.memory.searching import by_words
from tools.tasks import draw

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


def rows() -> list[list[str]]:
    return [[field.strip() for field in line.split("|")] for line in lines("recall.psv")]


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
        found = Finder(memory.library, text, None, None).find(5, (), FOUND_IN)
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


def measure(setting: str, folder: Path) -> None:
    os.environ["MILLWRIGHT_EMBEDDINGS"] = setting
    os.environ["MILLWRIGHT_CHROMA"] = "off"
    memory = Memory(folder / "wishes")
    for name, description, *_ in rows():
        keep(memory, name, description)
    tuned, held, named = [], [], []
    for number, (name, _, *wishes) in enumerate(rows(), 1):
        (tuned if number % 2 else held).extend(Wish(text, name) for text in wishes)
        named.extend(Wish(text, name) for text in spellings(name))
    sets = {"tuned": tuned, "held out": held, "names": named}
    print(f"\n{memory.embedder.name} ({memory.embedder.dimensions} numbers, floor {memory.embedder.floor:.2f})")
    print("| way | " + " | ".join(f"{what}, {len(of)}: first / of 5" for what, of in sets.items()) + " |")
    print("|---|" + "---|" * len(sets))
    for label, way in ways(memory).items():
        figures = [rate(way, wishes) for wishes in sets.values()]
        print(f"| {label} | " + " | ".join(f"{first:.2f} / {five:.2f}" for first, five in figures) + " |")
    absent = lines("absent.txt")
    offered = np.mean([bool(memory.search(text)) for text in absent])
    print(f"wrong offers for {len(absent)} wishes that no skill fulfils: {offered:.2f}")
    spread(memory, [*tuned, *held], absent)
    memory.close()
    tasks(Memory(folder / "tasks"))


def tasks(memory: Memory) -> None:
    families: dict[str, list[Task]] = {}
    for number in range(DRAWN):
        task = draw("manufacturing", 1, number)
        families.setdefault(task.family, []).append(task)
    pairs = [(drawn[0], drawn[1]) for drawn in families.values() if len(drawn) > 1]
    for first, _ in pairs:
        keep(memory, first.entry, first.title, first.tags)
    print(
        f"\n| way | title of another task of the family, {len(pairs)}: first / of 5 | title and statement |\n|---|---|---|"
    )
    for label, way in ways(memory).items():
        titles = rate(way, [Wish(second.title, first.entry) for first, second in pairs])
        whole = rate(way, [Wish(f"{second.title}\n{second.statement}", first.entry) for first, second in pairs])
        print(f"| {label} | {titles[0]:.2f} / {titles[1]:.2f} | {whole[0]:.2f} / {whole[1]:.2f} |")
    memory.close()


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
