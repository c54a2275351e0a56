"""How alike two texts are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.tasks.family import Family, Option, Quantity, Refusal, Result

if TYPE_CHECKING:
    from random import Random

    from tools.tasks.samples import Sampler


def edit_distance(first: str, second: str, similarity: bool) -> float:
    """Levenshtein distance, or 1 minus its share of the longer text."""
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(second, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    if not similarity:
        return row[-1]
    return 1 - row[-1] / max(len(first), len(second)) if first or second else 1.0


def hamming(first: str, second: str) -> int:
    """Number of places in which two texts of one length differ."""
    if len(first) != len(second):
        raise ValueError("the texts have different lengths")
    return sum(a != b for a, b in zip(first, second, strict=True))


def jaccard(first: str, second: str, pairs: bool) -> float:
    """Shared over all elements: words in lower case, or pairs of neighbouring characters."""
    if pairs:
        a = {first[i : i + 2] for i in range(len(first) - 1)}
        b = {second[i : i + 2] for i in range(len(second) - 1)}
    else:
        a, b = set(first.lower().split()), set(second.lower().split())
    return len(a & b) / len(a | b) if a | b else 1.0


def _letters(alphabet: str, fewest: int, most: int) -> Sampler:
    return lambda random, _: "".join(random.choices(alphabet, k=random.randint(fewest, most)))


def _phrase(random: Random, _: object) -> str:
    return " ".join(random.choices(("pump", "belt", "Pump", "line", "stop", "a"), k=random.randint(0, 4)))


def _like_first(random: Random, drawn: dict[str, str]) -> str:
    text = list(drawn["first"])
    for _ in range(random.randint(0, 3)):
        place = random.randint(0, len(text))
        text[place : place + random.randint(0, 1)] = random.choices("abcde", k=random.randint(0, 1))
    return "".join(text)


def _as_long_as_first(random: Random, drawn: dict[str, str]) -> str:
    return "".join(c if random.random() < 0.6 else random.choice("abc") for c in drawn["first"])


_FIRST = Quantity("first", "the first text", _letters("abcde", 0, 9), "str")
_SECOND = Quantity("second", "the second text", _like_first, "str")
LEVENSHTEIN = "V. I. Levenshtein, Binary codes capable of correcting deletions, Soviet Physics Doklady 10(8), 1966"

FAMILIES = (
    Family(
        name="edit_distance",
        title="Edit distance of two texts (Levenshtein)",
        says="The edit distance is the least number of characters to insert, delete or replace to turn one text "
        "into the other.",
        formula="each insertion, deletion and replacement of one character counts 1; swapping two neighbours "
        "counts 2. Case matters.",
        source=LEVENSHTEIN,
        core=edit_distance,
        takes=(_FIRST, _SECOND),
        gives=Result("edit distance", "other", "int"),
        edges=(
            {"first": "", "second": ""},
            {"first": "", "second": "abc"},
            {"first": "kitten", "second": "sitting"},
            {"first": "ab", "second": "ba"},
        ),
        options=(Option("", {"similarity": False}),),
        tags=("distance",),
        noun="pair",
    ),
    Family(
        name="edit_similarity",
        title="Similarity of two texts by edit distance",
        says="The similarity is 1 for equal texts and 0 for texts that have nothing in common.",
        formula="similarity = 1 - d / m, where d is the Levenshtein distance (insertions, deletions and "
        "replacements count 1 each) and "
        "m the number of characters of the longer text. Two empty texts have the similarity 1.0. Case matters.",
        source=LEVENSHTEIN,
        core=edit_distance,
        takes=(_FIRST, _SECOND),
        gives=Result("similarity", "number", better="higher", digits=(2, 3), levels=(0.4, 0.8)),
        edges=(
            {"first": "", "second": ""},
            {"first": "", "second": "abc"},
            {"first": "kitten", "second": "sitting"},
        ),
        options=(Option("", {"similarity": True}),),
        tags=("distance",),
        noun="pair",
    ),
    Family(
        name="hamming_distance",
        title="Hamming distance of two texts",
        says="The Hamming distance is the number of places in which two texts of the same length differ.",
        formula="compare {first} and {second} character by character. Two empty texts have the distance 0.",
        source="R. W. Hamming, Error detecting and error correcting codes, Bell System Technical Journal 29(2), "
        "1950",
        core=hamming,
        takes=(_FIRST, Quantity("second", "the second text", _as_long_as_first, "str")),
        gives=Result("Hamming distance", "other", "int"),
        refuses=(Refusal("{first} and {second} have different lengths", {"first": "abc", "second": "ab"}),),
        edges=({"first": "", "second": ""}, {"first": "karolin", "second": "kathrin"}),
        tags=("distance",),
        noun="pair",
    ),
    Family(
        name="jaccard_similarity",
        title="Jaccard similarity of two texts",
        says="The Jaccard similarity of two sets is the number of shared elements over the number of all elements.",
        formula="similarity = size of the intersection / size of the union; if both sets are empty it is 1.0.",
        source="P. Jaccard, The distribution of the flora in the alpine zone, New Phytologist 11(2), 1912",
        core=jaccard,
        takes=(
            Quantity("first", "the first text", _phrase, "str"),
            Quantity("second", "the second text", _phrase, "str"),
        ),
        gives=Result("similarity", "number", better="higher", digits=(2, 3), levels=(0.2, 0.6)),
        edges=(
            {"first": "", "second": ""},
            {"first": "a", "second": ""},
            {"first": "Pump belt", "second": "belt pump pump"},
        ),
        options=(
            Option("The sets are the words between white space, in lower case.", {"pairs": False}, "of_words"),
            Option(
                "The sets are the pairs of neighbouring characters, with their case and spaces.",
                {"pairs": True},
                "of_pairs",
            ),
        ),
        tags=("distance", "set"),
        noun="pair",
    ),
)
