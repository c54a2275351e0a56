"""Lists, intervals and tables."""

from __future__ import annotations

from tools.tasks.family import Family, Option, Quantity, Refusal, Result
from tools.tasks.samples import many, one_of, whole

PYTHON = "The Python Standard Library"
CLRS = "T. H. Cormen, C. E. Leiserson, R. L. Rivest, C. Stein, Introduction to Algorithms, 4th edition, MIT Press, 2022"


def distinct(items: list[str], last: bool) -> list[str]:
    """Each item once, at the place of its first or last occurrence."""
    found: list[str] = []
    for item in reversed(items) if last else items:
        if item not in found:
            found.append(item)
    return found[::-1] if last else found


def occurrences(items: list[str], least: int) -> dict[str, int]:
    """How often each item occurs, if at least so often."""
    counts: dict[str, int] = {}
    for item in items:
        counts[item] = counts.get(item, 0) + 1
    return {item: count for item, count in counts.items() if count >= least}


def most_frequent(items: list[str], number: int) -> list[str]:
    """The most frequent items; of equally frequent ones, the first in alphabetical order first."""
    if number < 0:
        raise ValueError("number must not be negative")
    counts: dict[str, int] = {}
    for item in items:
        counts[item] = counts.get(item, 0) + 1
    return sorted(counts, key=lambda item: (-counts[item], item))[:number]


def chunks(values: list[int], size: int, partial: bool) -> list[list[int]]:
    """Runs of a size; the last one may be shorter, or is left out."""
    if size < 1:
        raise ValueError("size must be at least 1")
    cut = [values[i : i + size] for i in range(0, len(values), size)]
    return cut if partial else [chunk for chunk in cut if len(chunk) == size]


def rotated(values: list[int], places: int) -> list[int]:
    """The list moved to the right, with wrap-around."""
    if not values:
        return []
    start = -places % len(values)
    return values[start:] + values[:start]


def longest_rise(values: list[int], strict: bool) -> int:
    """Length of the longest run of neighbours that rise."""
    best = run = 0
    for i, value in enumerate(values):
        rises = i > 0 and (value > values[i - 1] if strict else value >= values[i - 1])
        run = run + 1 if rises else 1
        best = max(best, run)
    return best


def best_sum(values: list[int]) -> int:
    """The largest sum of a run of neighbours."""
    if not values:
        raise ValueError("there are no values")
    best = current = values[0]
    for value in values[1:]:
        current = max(value, current + value)
        best = max(best, current)
    return best


def pair_with_sum(values: list[int], wanted: int) -> list[int]:
    """Places of the first pair with a sum: least second place, then least first place; or nothing."""
    for j in range(len(values)):
        for i in range(j):
            if values[i] + values[j] == wanted:
                return [i, j]
    return []


_ITEMS = Quantity(
    "items", "the items", many(one_of("saw", "mill", "drill", "wash", "pack", "Mill"), 0, 9), "list[str]"
)
_VALUES = Quantity("values", "the whole numbers", many(whole(-9, 12), 1, 10), "list[int]")

FAMILIES = (
    Family(
        name="distinct_items",
        title="Items of a list without repeats",
        says="Keep each item of a list once, in order.",
        formula="items are equal only if they are the same text, also in case. Keep the order of the places "
        "described below.",
        source=f"{PYTHON}, dict.fromkeys (order of first occurrence)",
        core=distinct,
        takes=(_ITEMS,),
        gives=Result("list of items", "other", "list[str]"),
        edges=({"items": []}, {"items": ["saw"]}, {"items": ["saw", "mill", "saw"]}, {"items": ["mill", "Mill"]}),
        options=(
            Option("Of several equal items, the first one stays.", {"last": False}, "first"),
            Option("Of several equal items, the last one stays.", {"last": True}, "last"),
        ),
        tags=("list",),
    ),
    Family(
        name="occurrences",
        title="How often each item occurs",
        says="Count the items of a list.",
        formula="return a dict from item to how often it occurs in {items}; items are equal only if they are the "
        "same text.",
        source=f"{PYTHON}, collections.Counter",
        core=occurrences,
        takes=(_ITEMS,),
        gives=Result("counts", "other", "dict[str, int]"),
        edges=(
            {"items": []},
            {"items": ["saw"]},
            {"items": ["saw", "mill", "saw"]},
            {"items": ["saw", "saw", "saw"]},
        ),
        options=(
            Option("All items are in the dict.", {"least": 1}),
            Option("Only items that occur at least twice are in the dict.", {"least": 2}, "of_repeated"),
        ),
        tags=("list", "dict", "count"),
    ),
    Family(
        name="most_frequent",
        title="Most frequent items of a list",
        says="Find the items that occur most often.",
        formula="return the {number} most frequent of the different {items}, the most frequent first; equally "
        "frequent ones in the "
        "order of sorted(). If there are fewer different items, return all of them.",
        source=f"{PYTHON}, collections.Counter.most_common",
        core=most_frequent,
        takes=(_ITEMS, Quantity("number", "how many are wanted", whole(0, 5), "int")),
        gives=Result("list of items", "other", "list[str]"),
        refuses=(Refusal("{number} is negative", {"number": -1}),),
        edges=(
            {"items": [], "number": 2},
            {"items": ["saw", "mill"], "number": 1},
            {"items": ["saw", "mill", "saw"], "number": 9},
        ),
        tags=("list", "count"),
    ),
    Family(
        name="chunks",
        title="List cut into chunks",
        says="Cut a list into runs of a given length.",
        formula="the chunks of {size} neighbours follow each other in order, without overlap.",
        source=f"{PYTHON}, itertools.batched",
        core=chunks,
        takes=(_VALUES, Quantity("size", "length of a chunk", whole(1, 5), "int")),
        gives=Result("list of chunks", "other", "list[list[int]]"),
        refuses=(Refusal("{size} is less than 1", {"size": 0}), Refusal("{size} is less than 1", {"size": -2})),
        edges=({"values": []}, {"values": [1, 2, 3, 4], "size": 2}, {"values": [1, 2, 3], "size": 5}),
        options=(
            Option("The last chunk may be shorter.", {"partial": True}),
            Option("A last chunk that would be shorter is left out.", {"partial": False}, "full_only"),
        ),
        tags=("list",),
    ),
    Family(
        name="rotated",
        title="List rotated by some places",
        says="Move every number of a list to the right; what leaves at the end comes in at the start.",
        formula="[1, 2, 3] by 1 place gives [3, 1, 2]. {places} may be negative (to the left) or greater than "
        "the length.",
        source=f"{PYTHON}, collections.deque.rotate",
        core=rotated,
        takes=(_VALUES, Quantity("places", "number of places", whole(-12, 15), "int")),
        gives=Result("rotated list", "other", "list[int]"),
        edges=(
            {"values": [], "places": 3},
            {"values": [1, 2, 3], "places": 1},
            {"values": [1, 2, 3], "places": -1},
            {"places": 0},
        ),
        tags=("list",),
    ),
    Family(
        name="longest_rise",
        title="Longest rise in a list of numbers",
        says="Find the longest run of neighbouring numbers that rise.",
        formula="return how many numbers the longest such run of {values} has; one number alone is a run of 1; "
        "an empty list gives 0.",
        source=f"{PYTHON}, itertools.pairwise (neighbours)",
        core=longest_rise,
        takes=(_VALUES,),
        gives=Result("length of the run", "other", "int"),
        edges=({"values": []}, {"values": [5]}, {"values": [1, 2, 2, 3]}, {"values": [3, 2, 1]}),
        options=(
            Option("Each number must be greater than the one before it.", {"strict": True}),
            Option("A number may also be equal to the one before it.", {"strict": False}, "or_level"),
        ),
        tags=("list",),
    ),
    Family(
        name="best_run_sum",
        title="Largest sum of neighbouring numbers",
        says="Find the run of neighbouring numbers with the largest sum, and return that sum.",
        formula="a run has at least one of {values}, so a list of negative numbers gives the greatest of them.",
        source=f"{CLRS}, chapter 4 problems; J. Bentley, Programming pearls: algorithm design techniques, CACM "
        f"27(9), 1984",
        core=best_sum,
        takes=(_VALUES,),
        gives=Result("largest sum", "other", "int"),
        refuses=(Refusal("{values} is empty", {"values": []}),),
        edges=({"values": [-3]}, {"values": [-2, -1, -3]}, {"values": [4, -1, 2, -9, 3]}),
        tags=("list", "search"),
    ),
    Family(
        name="pair_with_sum",
        title="Pair of numbers with a sum",
        says="Find two numbers of a list that add up to a target.",
        formula="return [i, j] with i < j, counted from 0, so that the numbers of {values} at i and j add up to "
        "{wanted}. Of several "
        "pairs, take the one with the smallest j, and of these the one with the smallest i. If there is none, "
        "return an empty list.",
        source="D. E. Knuth, The Art of Computer Programming, volume 3, 2nd edition, section 6.4 (searching)",
        core=pair_with_sum,
        takes=(_VALUES, Quantity("wanted", "the wanted sum", whole(-6, 14), "int")),
        gives=Result("places of the pair", "other", "list[int]"),
        edges=(
            {"values": []},
            {"values": [5], "wanted": 10},
            {"values": [5, 5], "wanted": 10},
            {"values": [1, 2, 3, 0], "wanted": 3},
        ),
        tags=("list", "search"),
    ),
)
