"""Every reference of the text and data domains against an example, and against the same task done another way."""

from __future__ import annotations

import datetime
import itertools
import math
import re
import statistics
from collections import Counter
from fractions import Fraction
from functools import cache

import pytest
from proofs import Proof, check

from tools.tasks.registry import DOMAINS


def refuse() -> None:
    raise ValueError


def camel(name: str, upper: bool) -> str:
    joined = "".join(part.lower().capitalize() for part in re.split("_+", name))
    return joined if upper or not joined else joined[0].lower() + joined[1:]


def mirrored(text: str, loose: bool) -> bool:
    read = re.sub("[^a-z0-9]", "", text.lower()) if loose else text
    return all(a == b for a, b in zip(read, reversed(read), strict=True))


def shifted(text: str, shift: int) -> str:
    low, high = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    k = shift % 26
    return text.translate(str.maketrans(low + high, low[k:] + low[:k] + high[k:] + high[:k]))


def brackets(text: str) -> bool:
    """By crossing out pairs until none is left."""
    left = re.sub(r"[^()\[\]{}]", "", text)
    while left != (left := re.sub(r"\(\)|\[\]|\{\}", "", left)):
        pass
    return left == ""


def expanded(code: str) -> str:
    return "".join(letter * int(count) for letter, count in re.findall(r"(\D)(\d+)", code))


def seconds_of(text: str) -> int:
    return sum(int(n) * {"h": 3600, "m": 60, "s": 1}[unit] for n, unit in re.findall(r"(\d+)([hms])", text))


def clock(seconds: int, days: bool) -> str:
    delta = datetime.timedelta(seconds=seconds)
    hours = delta.days * 24 + delta.seconds // 3600
    tail = f":{delta.seconds // 60 % 60:02}:{delta.seconds % 60:02}"
    return f"{delta.days}d {hours % 24:02}{tail}" if days and delta.days else f"{hours:02}{tail}"


def roman(number: int) -> str:
    """By taking away the largest value that fits."""
    steps = zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ["M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"],
        strict=True,
    )
    text = ""
    for value, letters in steps:
        while number >= value:
            text, number = text + letters, number - value
    return text


def luhn(digits: str) -> bool:
    """With a table instead of doubling."""
    table = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9]
    numbers = [int(d) for d in digits[::-1]]
    return (sum(numbers[::2]) + sum(table[n] for n in numbers[1::2])) % 10 == 0


def isbn(code: str) -> bool:
    """By summing twice, as librarians do by hand."""
    total = running = 0
    for c in code:
        running += 10 if c == "X" else int(c)
        total += running
    return total % 11 == 0


@cache
def levenshtein(first: str, second: str) -> int:
    """By recursion."""
    if not first or not second:
        return len(first) + len(second)
    if first[0] == second[0]:
        return levenshtein(first[1:], second[1:])
    return 1 + min(
        levenshtein(first[1:], second), levenshtein(first, second[1:]), levenshtein(first[1:], second[1:])
    )


def alike(first: str, second: str, similarity: bool) -> float:
    return (
        1 - levenshtein(first, second) / max(len(first), len(second), 1)
        if similarity
        else levenshtein(first, second)
    )


def jaccard(first: str, second: str, pairs: bool) -> float:
    def elements(text: str) -> set[object]:
        return set(itertools.pairwise(text)) if pairs else set(re.findall(r"\S+", text.lower()))

    a, b = elements(first), elements(second)
    shared = sum(1 for element in a if element in b)
    return shared / (len(a) + len(b) - shared) if a or b else 1.0


def versions(first: str, second: str) -> int:
    a, b = (([int(p) for p in v.split(".")] + [0] * 9)[:9] for v in (first, second))
    return 0 if a == b else 1 if a > b else -1


def pairs_of(text: str, separator: str) -> dict[str, str]:
    return {
        m[1].strip(): m[2].strip()
        for part in text.split(separator)
        if (m := re.fullmatch(r"([^=]+)=(.*)", part, re.DOTALL))
    }


NUMERALS = [roman(number) for number in range(1, 4000)]
TEXT = {
    "word_count": Proof(
        {"text": "Pump pump belt"},
        3,
        lambda text, distinct: len(
            Counter(re.findall(r"\S+", text.lower())) if distinct else re.findall(r"\S+", text)
        ),
    ),
    "slug": Proof(
        {"text": " Line 7: Stop! "},
        "line-7-stop",
        lambda text, separator: re.sub(r"[^a-z0-9]+", "\0", text.lower()).strip("\0").replace("\0", separator),
    ),
    "split_camel_case": Proof(
        {"name": "maxLineSpeed"},
        "max_line_speed",
        lambda name, separator: (name[:1] + re.sub(r"([A-Z])", rf"{separator}\1", name[1:])).lower(),
    ),
    "camel_case": Proof({"name": "max_line_speed"}, "maxLineSpeed", camel),
    "palindrome": Proof({"text": "level"}, True, mirrored),
    "caesar_cipher": Proof({"text": "xyz", "shift": 3}, "abc", shifted),
    "acronym": Proof(
        {"text": "first-in first-out"},
        "FIFO",
        lambda text: "".join(re.findall(r"(?<![A-Za-z])[A-Za-z]", text)).upper(),
    ),
    "shortened": Proof(
        {"text": "abcdef", "width": 5},
        "ab...",
        lambda text, width: text if len(text) < width + 1 else "".join(itertools.islice(text, width - 3)) + 3 * ".",
    ),
    "masked": Proof(
        {"text": "12345678", "shown": 4},
        "****5678",
        lambda text, shown: "".join(c if i >= len(text) - shown else "*" for i, c in enumerate(text)),
    ),
    "letter_counts": Proof(
        {"text": "Aa b"}, {"a": 2, "b": 1}, lambda text: dict(Counter(re.findall("[a-z]", text.lower())))
    ),
    "common_start": Proof(
        {"texts": ["press 1", "press 2", "prepare"]},
        "pre",
        lambda texts: "".join(
            cs[0] for cs in itertools.takewhile(lambda cs: len(set(cs)) == 1, zip(*texts, strict=False))
        ),
    ),
    "balanced_brackets": Proof({"text": "a(b[c]{d})"}, True, brackets),
    "run_lengths": Proof(
        {"text": "aaab"},
        [["a", 3], ["b", 1]],
        lambda text: [[c, len(list(run))] for c, run in itertools.groupby(text)],
    ),
    "run_length_text": Proof({"code": "a3b1"}, "aaab", expanded),
    "duration_seconds": Proof({"text": "1h30m5s"}, 5405, seconds_of),
    "clock_time": Proof({"seconds": 90061}, "25:01:01", clock),
    "key_values": Proof({"text": "a=1; b = x=y"}, {"a": "1", "b": "x=y"}, pairs_of),
    "colour_parts": Proof(
        {"code": "#fa0"},
        [255, 170, 0],
        lambda code: list(bytes.fromhex(code[1:] if len(code) == 7 else re.sub("(.)", r"\1\1", code[1:]))),
    ),
    "version_order": Proof({"first": "1.10", "second": "1.9"}, 1, versions),
    "roman_numeral": Proof({"number": 1994}, "MCMXCIV", roman),
    "roman_number": Proof({"numeral": "MCMXCIV"}, 1994, lambda numeral: NUMERALS.index(numeral) + 1),
    "luhn_valid": Proof(
        {"digits": "79927398713"},
        True,
        lambda digits, complete: luhn(digits),
        "the usual example of the Luhn formula",
    ),
    "luhn_check_digit": Proof(
        {"digits": "7992739871"},
        3,
        lambda digits, complete: next(d for d in range(10) if luhn(f"{digits}{d}")),
        "the usual example of the Luhn formula",
    ),
    "ean13_check_digit": Proof(
        {"digits": "400638133393"},
        1,
        lambda digits: -(sum(map(int, digits[::2])) + 3 * sum(map(int, digits[1::2]))) % 10,
        "GS1: 4006381333931",
    ),
    "isbn10_valid": Proof({"code": "0306406152"}, True, isbn, "ISBN 0-306-40615-2"),
    "edit_distance": Proof(
        {"first": "kitten", "second": "sitting"}, 3, alike, "the usual example of Levenshtein's distance"
    ),
    "edit_similarity": Proof({"first": "kitten", "second": "sitten"}, 5 / 6, alike),
    "hamming_distance": Proof(
        {"first": "karolin", "second": "kathrin"},
        3,
        lambda first, second: len(first) - sum(map(str.__eq__, first, second)),
    ),
    "jaccard_similarity": Proof({"first": "Pump belt", "second": "belt line"}, 1 / 3, jaccard),
}


def interpolated(points: list[list[float]], x: float, clamp: bool) -> float:
    """As a weighted mean of the two neighbours."""
    if clamp:
        x = min(max(x, points[0][0]), points[-1][0])
    elif x < points[0][0] or x > points[-1][0]:
        refuse()
    for (x0, y0), (x1, y1) in itertools.pairwise([*points, [points[-1][0] + 1, 0]]):
        if x0 <= x < x1:
            return (y0 * (x1 - x) + y1 * (x - x0)) / (x1 - x0)
    raise AssertionError


def quantile(values: list[float], percent: float) -> float:
    """With weights of the two neighbours, in hundredths of a place."""
    ordered = sorted(values)
    low, rest = divmod((len(ordered) - 1) * percent, 100)
    upper = ordered[min(int(low) + 1, len(ordered) - 1)]
    return (ordered[int(low)] * (100 - rest) + upper * rest) / 100


def variation(values: list[float], sample: bool) -> float:
    return statistics.stdev(values) if sample else statistics.pstdev(values)


def means(values: list[float], kind: str) -> float:
    if kind == "quadratic":
        return math.hypot(*values) / len(values) ** 0.5
    return statistics.geometric_mean(values) if kind == "geometric" else statistics.harmonic_mean(values)


def line(x: list[float], y: list[float]) -> dict[str, float]:
    found = statistics.linear_regression(x, y)
    return {"slope": found.slope, "intercept": found.intercept}


def rates(values: list[float], relative: bool) -> list[float]:
    return [float(Fraction(b, a) - 1) if relative else b - a for a, b in itertools.pairwise(values)]


def points_covered(intervals: list[list[int]]) -> set[int]:
    return {place for start, end in intervals for place in range(start, end)}


def merged(intervals: list[list[int]], touching: bool) -> list[list[int]]:
    """By joining any two that overlap until none do."""
    todo = sorted(map(list, intervals))
    changed = True
    while changed:
        changed = False
        for a, b in itertools.combinations(todo, 2):
            if (max(a[0], b[0]) <= min(a[1], b[1])) if touching else (max(a[0], b[0]) < min(a[1], b[1])):
                todo.remove(a)
                todo.remove(b)
                todo.append([min(a[0], b[0]), max(a[1], b[1])])
                changed = True
                break
    return sorted(todo)


def rise(values: list[int], strict: bool) -> int:
    """By looking at every run."""

    def rising(run: list[int]) -> bool:
        return all(a < b if strict else a <= b for a, b in itertools.pairwise(run))

    runs = (values[i:j] for i in range(len(values)) for j in range(i + 1, len(values) + 1))
    return max((len(run) for run in runs if rising(run)), default=0)


def factors(number: int, distinct: bool) -> list[int]:
    found = [p for p in range(2, number + 1) if number % p == 0 and all(p % d for d in range(2, p))]
    return found if distinct else [p for p in found for k in range(1, 12) if number % p**k == 0]


def root(number: int, repeated: bool) -> int:
    return (1 + (number - 1) % 9 if number else 0) if repeated else sum(number // 10**k % 10 for k in range(12))


def base(number: int, base: int) -> str:
    return (base_digits(number // base, base) if number >= base else "") + "0123456789abcdef"[number % base]


def base_digits(number: int, to: int) -> str:
    return base(number, to)


def collatz(number: int) -> int:
    return 0 if number == 1 else 1 + collatz(number * 3 + 1 if number & 1 else number >> 1)


def day(year: int, month: int, day: int) -> datetime.date:
    return datetime.date(year, month, day)


DATA = {
    "median": Proof({"values": [3, 1, 8, 5]}, 4, lambda values: statistics.median(values)),
    "percentile": Proof({"values": [10, 20], "percent": 25}, 12.5, quantile, "type 7, as numpy's default"),
    "standard_deviation": Proof({"values": [3, 5]}, math.sqrt(2), variation),
    "coefficient_of_variation": Proof(
        {"values": [3, 5]}, math.sqrt(2) / 4, lambda values: statistics.stdev(values) / statistics.fmean(values)
    ),
    "mean_of_positive": Proof({"values": [1, 4]}, 2, means),
    "weighted_mean": Proof(
        {"values": [10, 20], "weights": [1, 3]}, 17.5, lambda values, weights: statistics.fmean(values, weights)
    ),
    "trimmed_mean": Proof(
        {"values": [1, 2, 30], "cut": 1},
        2,
        lambda values, cut: statistics.fmean(sorted(values)[cut:][: len(values) - 2 * cut]),
    ),
    "scaled_to_one": Proof(
        {"values": [1, 3, 5]},
        [0, 0.5, 1],
        lambda values: [1 - (max(values) - v) / (max(values) - min(values)) for v in values],
    ),
    "rolling_mean": Proof(
        {"values": [1, 2, 6], "window": 2},
        [1.5, 4],
        lambda values, window: [
            statistics.fmean(run) for run in zip(*(values[k:] for k in range(window)), strict=False)
        ],
    ),
    "running_total": Proof(
        {"values": [1, -1, 2]}, [1, 0, 2], lambda values: [sum(values[: i + 1]) for i in range(len(values))]
    ),
    "changes": Proof({"values": [2, 5, 4]}, [3, -1], rates),
    "fitted_line": Proof({"x": [0, 1, 2], "y": [1, 3, 5]}, {"slope": 2, "intercept": 1}, line),
    "correlation": Proof({"x": [1, 2, 4], "y": [2, 4, 8]}, 1, lambda x, y: statistics.correlation(x, y)),
    "interpolated": Proof({"points": [[0, 0], [10, 5]], "x": 4}, 2, interpolated),
    "area_under_curve": Proof(
        {"x": [0, 1, 3], "y": [1, 3, 3]},
        8,
        # each y counts with half of the steps on both sides
        lambda x, y: sum(b * (x[min(i + 1, len(x) - 1)] - x[max(i - 1, 0)]) for i, b in enumerate(y)) / 2,
    ),
    "future_value": Proof(
        {"amount": 100, "rate": 0.1, "years": 2},
        121,
        lambda amount, rate, years, often: float(
            Fraction(str(amount)) * (1 + Fraction(str(rate)) / often) ** (often * years)
        ),
    ),
    "distance": Proof(
        {"first": [0, 0], "second": [3, 4]},
        5,
        lambda first, second, kind: (
            math.dist(first, second)
            if kind == "euclidean"
            else {"manhattan": math.fsum, "chebyshev": max}[kind](
                max(a - b, b - a) for a, b in zip(first, second, strict=True)
            )
        ),
    ),
    "common_divisor": Proof(
        {"numbers": [12, 18]},
        6,
        lambda numbers, multiple: next(
            n
            for n in (itertools.count(1) if multiple else range(max(numbers), 0, -1))
            if all((n % m if multiple else m % n) == 0 for m in numbers)
        ),
    ),
    "prime_factors": Proof({"number": 360}, [2, 2, 2, 3, 3, 5], factors),
    "primes_up_to": Proof(
        {"limit": 20},
        [2, 3, 5, 7, 11, 13, 17, 19],
        lambda limit: sorted(
            set(range(2, limit + 1)) - {a * b for a in range(2, limit) for b in range(2, limit // a + 1)}
        ),
    ),
    "digit_sum": Proof({"number": 999}, 27, root),
    "in_base": Proof({"number": 255, "base": 16}, "ff", base),
    "collatz_steps": Proof({"number": 27}, 111, collatz, "Lagarias: 27 takes 111 steps"),
    "ways_to_choose": Proof(
        {"n": 49, "k": 6},
        13983816,
        lambda n, k, ordered: (
            math.prod(range(n - k + 1, n + 1)) // (1 if ordered else math.factorial(k)) if k <= n else 0
        ),
        "the lottery 6 of 49",
    ),
    "leap_year": Proof({"year": 1900}, False, lambda year: (day(year + 1, 1, 1) - day(year, 1, 1)).days == 366),
    "day_of_year": Proof(
        {"year": 2024, "month": 12, "day": 31}, 366, lambda **date: day(**date).timetuple().tm_yday
    ),
    "weekday_number": Proof(
        {"year": 2000, "month": 1, "day": 1},
        6,
        lambda **date: day(**date).isoweekday(),
        "1 January 2000 was a Saturday",
    ),
    "nearest_multiple": Proof(
        {"number": 15, "step": 10},
        20,
        lambda number, step: math.floor(Fraction(number, step) + Fraction(1, 2)) * step,
    ),
    "split_evenly": Proof(
        {"total": 11, "parts": 4},
        [3, 3, 3, 2],
        lambda total, parts: [-((i - total) // parts) for i in range(parts)],
    ),
    "distinct_items": Proof(
        {"items": ["saw", "mill", "saw"]},
        ["saw", "mill"],
        lambda items, last: list(reversed(dict.fromkeys(reversed(items)))) if last else list(dict.fromkeys(items)),
    ),
    "occurrences": Proof(
        {"items": ["saw", "mill", "saw"]},
        {"saw": 2, "mill": 1},
        lambda items, least: {i: n for i, n in Counter(items).items() if n >= least},
    ),
    "most_frequent": Proof(
        {"items": ["saw", "mill", "saw"], "number": 1},
        ["saw"],
        lambda items, number: [item for item, _ in Counter(sorted(items)).most_common(number)],
    ),
    "chunks": Proof(
        {"values": [1, 2, 3], "size": 2},
        [[1, 2], [3]],
        lambda values, size, partial: [
            [v for _, v in run] for _, run in itertools.groupby(enumerate(values), lambda item: item[0] // size)
        ][: None if partial else len(values) // size],
    ),
    "rotated": Proof(
        {"values": [1, 2, 3], "places": 1},
        [3, 1, 2],
        lambda values, places: [values[(i - places) % len(values)] for i in range(len(values))],
    ),
    "longest_rise": Proof({"values": [1, 2, 2, 3]}, 2, rise),
    "best_run_sum": Proof(
        {"values": [4, -1, 2, -9, 3]},
        5,
        lambda values: max(sum(values[i:j]) for i in range(len(values)) for j in range(i + 1, len(values) + 1)),
    ),
    "pair_with_sum": Proof(
        {"values": [1, 2, 3, 0], "wanted": 3},
        [0, 1],
        lambda values, wanted: min(
            ([i, j] for i, j in itertools.combinations(range(len(values)), 2) if values[i] + values[j] == wanted),
            key=lambda places: places[::-1],
            default=[],
        ),
    ),
    "merged_intervals": Proof({"intervals": [[4, 5], [1, 3], [3, 4]]}, [[1, 5]], merged),
    "covered_length": Proof(
        {"intervals": [[1, 9], [2, 3], [10, 12]]}, 10, lambda intervals: len(points_covered(intervals))
    ),
    "most_at_once": Proof(
        {"intervals": [[1, 9], [2, 3], [3, 4]]},
        2,
        lambda intervals: max(
            Counter(place for start, end in intervals for place in range(start, end)).values(), default=0
        ),
    ),
    "transposed": Proof(
        {"rows": [[1, 2], [3, 4], [5, 6]]},
        [[1, 3, 5], [2, 4, 6]],
        lambda rows: [[row[i] for row in rows] for i in range(len(rows[0]))] if rows else [],
    ),
    "matrix_product": Proof(
        {"first": [[1, 2]], "second": [[3], [4]]},
        [[11]],
        lambda first, second: [
            [
                math.fsum(map(float.__mul__, map(float, row), map(float, column)))
                for column in zip(*second, strict=True)
            ]
            for row in first
        ],
    ),
    "histogram": Proof(
        {"values": [0, 10, 20, 21, -1], "edges": [0, 10, 20]},
        [1, 2],
        lambda values, edges: [
            sum(1 for v in values if v < high or (high == edges[-1] and v == high))
            - sum(1 for v in values if v < low)
            for low, high in itertools.pairwise(edges)
        ],
    ),
    "amounts_of_groups": Proof(
        {"records": [{"group": "a", "amount": 3}, {"group": "b", "amount": 1}, {"group": "a", "amount": 4}]},
        {"a": 7, "b": 1},
        lambda records, total: {
            name: (sum if total else max)(r["amount"] for r in records if r["group"] == name)
            for name in {r["group"] for r in records}
        },
    ),
}
PROOFS = {"text": TEXT, "data": DATA}
FAMILIES = {(domain, family.name): family for domain in PROOFS for family in DOMAINS[domain]}


def test_every_family_has_a_proof() -> None:
    assert {(domain, name) for domain, proofs in PROOFS.items() for name in proofs} == set(FAMILIES)


@pytest.mark.parametrize(("domain", "name"), FAMILIES)
def test_a_reference_agrees_with_its_example_and_with_another_way_to_do_it(domain: str, name: str) -> None:
    check(FAMILIES[domain, name], PROOFS[domain][name])
