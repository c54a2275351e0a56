"""Intervals and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.tasks.family import Family, Option, Quantity, Refusal, Result
from tools.tasks.samples import many, one_of, whole

if TYPE_CHECKING:
    from random import Random

CLRS = "T. H. Cormen, C. E. Leiserson, R. L. Rivest, C. Stein, Introduction to Algorithms, 4th edition, MIT Press, 2022"


def merged(intervals: list[list[int]], touching: bool) -> list[list[int]]:
    """Overlapping intervals joined, in order."""
    if any(start > end for start, end in intervals):
        raise ValueError("an interval ends before it starts")
    joined: list[list[int]] = []
    for start, end in sorted(intervals):
        if joined and (start <= joined[-1][1] if touching else start < joined[-1][1]):
            joined[-1][1] = max(joined[-1][1], end)
        else:
            joined.append([start, end])
    return joined


def covered(intervals: list[list[int]]) -> int:
    """Length that intervals cover together; overlaps count once."""
    if any(start > end for start, end in intervals):
        raise ValueError("an interval ends before it starts")
    total, reached = 0, None
    for start, end in sorted(intervals):
        begin = start if reached is None else max(start, reached)
        if end > begin:
            total += end - begin
        reached = end if reached is None else max(reached, end)
    return total


def busiest(intervals: list[list[int]]) -> int:
    """The largest number of intervals that run at once; one that ends where another starts is over."""
    if any(start >= end for start, end in intervals):
        raise ValueError("an interval does not end after it starts")
    events = sorted([(start, 1) for start, _ in intervals] + [(end, -1) for _, end in intervals])
    running = most = 0
    for _, change in events:
        running += change
        most = max(most, running)
    return most


def transposed(rows: list[list[int]]) -> list[list[int]]:
    """Columns as rows."""
    if any(len(row) != len(rows[0]) for row in rows):
        raise ValueError("the rows have different lengths")
    return [list(column) for column in zip(*rows, strict=True)]


def product(first: list[list[int]], second: list[list[int]]) -> list[list[int]]:
    """Matrix product."""
    if not first or not second or not first[0] or not second[0]:
        raise ValueError("a matrix is empty")
    if any(len(row) != len(second) for row in first) or any(len(row) != len(second[0]) for row in second):
        raise ValueError("the shapes do not fit")
    return [
        [sum(row[k] * second[k][j] for k in range(len(second))) for j in range(len(second[0]))] for row in first
    ]


def histogram(values: list[float], edges: list[float]) -> list[int]:
    """How many values are in each class; the last class holds its upper edge too."""
    if len(edges) < 2 or any(edges[i] <= edges[i - 1] for i in range(1, len(edges))):
        raise ValueError("there must be two edges, and they must increase")
    counts = [0] * (len(edges) - 1)
    for value in values:
        for i in range(len(counts)):
            last = i == len(counts) - 1
            if edges[i] <= value < edges[i + 1] or (last and value == edges[-1]):
                counts[i] += 1
    return counts


def grouped(records: list[dict[str, str | int]], total: bool) -> dict[str, int]:
    """Sum, or largest, of the amounts of each group."""
    groups: dict[str, int] = {}
    for record in records:
        name, amount = str(record["group"]), int(record["amount"])
        if name not in groups:
            groups[name] = amount
        else:
            groups[name] = groups[name] + amount if total else max(groups[name], amount)
    return groups


def _intervals(random: Random, _: object) -> list[list[int]]:
    starts = [random.randint(0, 24) for _ in range(random.randint(1, 6))]
    return [[start, start + random.randint(1, 7)] for start in starts]


def _table(random: Random, _: object) -> list[list[int]]:
    width = random.randint(1, 4)
    return [[random.randint(-9, 9) for _ in range(width)] for _ in range(random.randint(1, 4))]


def _fitting(random: Random, drawn: dict[str, list[list[int]]]) -> list[list[int]]:
    width = random.randint(1, 3)
    return [[random.randint(-9, 9) for _ in range(width)] for _ in drawn["first"][0]]


_INTERVALS = Quantity("intervals", "the intervals, each a list [start, end]", _intervals, "list[list[int]]")
_BACKWARD = Refusal("any interval has a start that is greater than its end", {"intervals": [[1, 2], [5, 4]]})

FAMILIES = (
    Family(
        name="merged_intervals",
        title="Overlapping intervals merged",
        says="Join the intervals that overlap, so that no two of the result do.",
        formula="return the merged {intervals} as lists [start, end], sorted by start (and then by end).",
        source=f"{CLRS}, chapter 15 (activities as intervals)",
        core=merged,
        takes=(_INTERVALS,),
        gives=Result("list of intervals", "other", "list[list[int]]"),
        refuses=(_BACKWARD,),
        edges=(
            {"intervals": []},
            {"intervals": [[1, 3], [3, 5]]},
            {"intervals": [[1, 9], [2, 3]]},
            {"intervals": [[4, 5], [1, 2]]},
        ),
        options=(
            Option("Intervals that only touch, such as [1, 3] and [3, 5], are joined too.", {"touching": True}),
            Option(
                "Intervals that only touch, such as [1, 3] and [3, 5], stay apart. Every interval is longer than "
                "0.",
                {"touching": False},
                "apart",
            ),
        ),
        tags=("intervals", "list"),
    ),
    Family(
        name="covered_length",
        title="Length that intervals cover together",
        says="Intervals may overlap; what several of them cover counts once.",
        formula="the length of the union of all {intervals}; an interval [a, b] has the length b - a.",
        source="V. Klee, Can the measure of a union of intervals be computed in less than O(n log n) steps?, The "
        "American "
        "Mathematical Monthly 84(4), 1977",
        core=covered,
        takes=(_INTERVALS,),
        gives=Result("covered length", "other", "int"),
        refuses=(_BACKWARD,),
        edges=(
            {"intervals": []},
            {"intervals": [[1, 3], [3, 5]]},
            {"intervals": [[1, 9], [2, 3]]},
            {"intervals": [[2, 2]]},
        ),
        tags=("intervals",),
    ),
    Family(
        name="most_at_once",
        title="Largest number of intervals at once",
        says="Find how many intervals run at the same time at most.",
        formula="an interval of {intervals} that ends where another starts does not run at the same time with it.",
        source=f"{CLRS}, chapter 15 (interval partitioning)",
        core=busiest,
        takes=(_INTERVALS,),
        gives=Result("largest number", "other", "int"),
        refuses=(
            Refusal("any interval has a start that is not less than its end", {"intervals": [[5, 4]]}),
            Refusal("any interval has a start that is not less than its end", {"intervals": [[1, 3], [4, 4]]}),
        ),
        edges=({"intervals": []}, {"intervals": [[1, 3], [3, 5]]}, {"intervals": [[1, 9], [2, 3], [2, 4]]}),
        tags=("intervals",),
    ),
    Family(
        name="transposed",
        title="Table with rows and columns exchanged",
        says="The columns of a table become its rows.",
        formula="row i of the result holds the i-th number of each of {rows}, in order. No rows give an empty "
        "list.",
        source="G. Strang, Introduction to Linear Algebra, 5th edition, Wellesley-Cambridge Press, 2016, section "
        "2.7",
        core=transposed,
        takes=(Quantity("rows", "the rows, each a list of whole numbers", _table, "list[list[int]]"),),
        gives=Result("table", "other", "list[list[int]]"),
        refuses=(Refusal("the rows do not all have the same length", {"rows": [[1, 2], [3]]}),),
        edges=({"rows": []}, {"rows": [[1]]}, {"rows": [[1, 2, 3]]}),
        tags=("matrix", "list"),
    ),
    Family(
        name="matrix_product",
        title="Product of two matrices",
        says="Multiply two matrices of whole numbers.",
        formula="number j of row i of the result is the sum, over k, of {first}[i][k] * {second}[k][j].",
        source="G. Strang, Introduction to Linear Algebra, 5th edition, Wellesley-Cambridge Press, 2016, section "
        "2.4",
        core=product,
        takes=(
            Quantity("first", "the first matrix, a list of rows", _table, "list[list[int]]"),
            Quantity("second", "the second matrix, a list of rows", _fitting, "list[list[int]]"),
        ),
        gives=Result("product", "other", "list[list[int]]"),
        refuses=(
            Refusal("a matrix has no rows, or its first row is empty", {"first": [], "second": [[1]]}),
            Refusal("a matrix has no rows, or its first row is empty", {"first": [[1]], "second": []}),
            Refusal("a matrix has no rows, or its first row is empty", {"first": [[]], "second": [[1]]}),
            Refusal(
                "the length of any row of {first} is not the number of rows of {second}",
                {"first": [[1, 2]], "second": [[1]]},
            ),
            Refusal("the rows of {second} have different lengths", {"first": [[1, 2]], "second": [[1, 2], [3]]}),
        ),
        edges=({"first": [[2]], "second": [[3]]}, {"first": [[1, 2]], "second": [[3], [4]]}),
        tags=("matrix", "list"),
    ),
    Family(
        name="histogram",
        title="Counts of values in classes",
        says="Count how many values fall into each class of a histogram.",
        formula="class i holds the values that are at least edge i and less than edge i + 1 of {edges}; the last "
        "class holds its upper "
        "edge too. Values outside all classes are not counted. Return the list of counts.",
        source="numpy.histogram (classes half-open but the last)",
        core=histogram,
        takes=(
            Quantity("values", "the numbers", many(whole(-5, 25), 0, 12), "list[float]"),
            Quantity(
                "edges",
                "the edges of the classes, increasing",
                one_of([0, 10, 20], [0, 5, 10, 20], [-5, 0], [1, 2, 3, 4]),
                "list[float]",
            ),
        ),
        gives=Result("counts", "other", "list[int]"),
        refuses=(
            Refusal("there are fewer than two {edges}", {"edges": [1]}),
            Refusal("{edges} do not increase from each to the next", {"edges": [1, 1, 2]}),
        ),
        edges=({"values": []}, {"values": [0, 10, 20, 21, -1], "edges": [0, 10, 20]}),
        tags=("statistics", "list"),
    ),
    Family(
        name="amounts_of_groups",
        title="Amounts of each group",
        says="Records belong to groups; bring the amounts of each group together.",
        formula='each of {records} is a dict with the keys "group" (a text) and "amount" (a whole number). '
        "Return a dict from group to "
        "one number. No records give an empty dict.",
        source="ISO/IEC 9075-2:2023 (SQL, GROUP BY)",
        core=grouped,
        takes=(
            Quantity(
                "records",
                "the records, as described",
                many(
                    lambda random, _: {
                        "group": random.choice(("early", "late", "night")),
                        "amount": random.randint(-9, 60),
                    },
                    1,
                    7,
                ),
                "list[dict[str, str | int]]",
            ),
        ),
        gives=Result("amounts", "other", "dict[str, int]"),
        edges=({"records": []}, {"records": [{"group": "a", "amount": 3}, {"group": "a", "amount": -4}]}),
        options=(
            Option("The number is the sum of the group's amounts.", {"total": True}, "summed"),
            Option("The number is the largest of the group's amounts.", {"total": False}, "largest"),
        ),
        tags=("dict", "list"),
    ),
)
