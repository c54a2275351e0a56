"""Whole numbers: divisors, primes, digits, bases, calendars."""

from __future__ import annotations

import math

from tools.tasks.family import Family, Option, Quantity, Refusal, Result
from tools.tasks.samples import many, one_of, whole

KNUTH = "D. E. Knuth, The Art of Computer Programming, volume 2, 3rd edition, Addison-Wesley, 1997"
HARDY = "G. H. Hardy, E. M. Wright, An Introduction to the Theory of Numbers, 6th edition, Oxford University Press, 2008"
ISO = "ISO 8601-1:2019 (Gregorian calendar)"


def common_divisor(numbers: list[int], multiple: bool) -> int:
    """Greatest common divisor, or least common multiple, of positive numbers."""
    if not numbers or min(numbers) < 1:
        raise ValueError("there must be a number, and all must be positive")
    return math.lcm(*numbers) if multiple else math.gcd(*numbers)


def prime_factors(number: int, distinct: bool) -> list[int]:
    """Prime factors in increasing order."""
    if number < 1:
        raise ValueError("the number must be positive")
    factors = []
    divisor = 2
    while number > 1:
        while number % divisor == 0:
            if not distinct or divisor not in factors:
                factors.append(divisor)
            number //= divisor
        divisor += 1
    return factors


def primes_up_to(limit: int) -> list[int]:
    """All primes up to a limit."""
    return [n for n in range(2, limit + 1) if all(n % d for d in range(2, math.isqrt(n) + 1))]


def digit_sum(number: int, repeated: bool) -> int:
    """Sum of the decimal digits, once or until one digit is left."""
    if number < 0:
        raise ValueError("the number must not be negative")
    total = sum(int(digit) for digit in str(number))
    while repeated and total > 9:
        total = sum(int(digit) for digit in str(total))
    return total


def in_base(number: int, base: int) -> str:
    """Digits of a number in a base from 2 to 16."""
    if number < 0 or not 2 <= base <= 16:
        raise ValueError("number must not be negative, and base must be from 2 to 16")
    digits = ""
    while True:
        digits = "0123456789abcdef"[number % base] + digits
        number //= base
        if number == 0:
            return digits


def collatz_steps(number: int) -> int:
    """Steps until the sequence comes to 1."""
    if number < 1:
        raise ValueError("the number must be positive")
    steps = 0
    while number != 1:
        number = number // 2 if number % 2 == 0 else 3 * number + 1
        steps += 1
    return steps


def choices(n: int, k: int, ordered: bool) -> int:
    """Ways to choose k of n things, with or without regard to order."""
    if n < 0 or k < 0:
        raise ValueError("n and k must not be negative")
    return math.perm(n, k) if ordered else math.comb(n, k)


def leap_year(year: int) -> bool:
    """Whether a year of the Gregorian calendar has 366 days."""
    if year < 1:
        raise ValueError("the year must be positive")
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def day_of_year(year: int, month: int, day: int) -> int:
    """Number of a day in its year."""
    lengths = [31, 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28]
    lengths += [31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    if year < 1 or not 1 <= month <= 12 or not 1 <= day <= lengths[month - 1]:
        raise ValueError("there is no such day")
    return sum(lengths[: month - 1]) + day


def weekday(year: int, month: int, day: int) -> int:
    """Weekday from 1 for Monday, by Zeller's congruence."""
    lengths = [31, 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28]
    lengths += [31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    if year < 1 or not 1 <= month <= 12 or not 1 <= day <= lengths[month - 1]:
        raise ValueError("there is no such day")
    y, m = (year - 1, month + 12) if month < 3 else (year, month)
    zeller = (day + 13 * (m + 1) // 5 + y % 100 + y % 100 // 4 + y // 100 // 4 + 5 * (y // 100)) % 7
    return (zeller + 5) % 7 + 1


def nearest_multiple(number: int, step: int) -> int:
    """The multiple of a step that is nearest; half-way up."""
    if step < 1:
        raise ValueError("the step must be positive")
    return (2 * number + step) // (2 * step) * step


def split_evenly(total: int, parts: int) -> list[int]:
    """A total as whole parts that differ by one at most, larger ones first."""
    if total < 0 or parts < 1:
        raise ValueError("total must not be negative, and parts must be positive")
    return [total // parts + (1 if i < total % parts else 0) for i in range(parts)]


_DATE = (
    Quantity("year", "the year", one_of(1900, 1999, 2000, 2023, 2024, 2025, 2100, 2400), "int"),
    Quantity("month", "the month, 1 to 12", whole(1, 12), "int"),
    Quantity("day", "the day of the month", whole(1, 28), "int"),
)
_NO_DAY = tuple(
    Refusal("there is no such day in the Gregorian calendar, or {year} is less than 1", wrong)
    for wrong in (
        {"year": 0},
        {"month": 0},
        {"month": 13},
        {"day": 0},
        {"year": 2023, "month": 2, "day": 29},
        {"month": 4, "day": 31},
    )
)
_DAYS = (
    {"year": 2024, "month": 2, "day": 29},
    {"year": 2024, "month": 12, "day": 31},
    {"year": 2023, "month": 3, "day": 1},
    {"year": 1900, "month": 3, "day": 1},
)

FAMILIES = (
    Family(
        name="common_divisor",
        title="Common divisor or multiple of whole numbers",
        says="Find what several whole numbers have in common.",
        formula="as described below, of all numbers in {numbers}; of one number it is the number itself.",
        source=f"{KNUTH}, section 4.5.2",
        core=common_divisor,
        takes=(
            Quantity(
                "numbers",
                "the whole numbers",
                many(one_of(4, 6, 8, 9, 12, 18, 20, 24, 30, 36, 48), 1, 4),
                "list[int]",
            ),
        ),
        gives=Result("result", "other", "int"),
        refuses=(
            Refusal("{numbers} is empty", {"numbers": []}),
            Refusal("any number is less than 1", {"numbers": [4, 0]}),
            Refusal("any number is less than 1", {"numbers": [4, -6]}),
        ),
        edges=({"numbers": [1]}, {"numbers": [7, 5]}, {"numbers": [12, 12]}),
        options=(
            Option("The greatest common divisor.", {"multiple": False}, "greatest"),
            Option("The least common multiple.", {"multiple": True}, "least_multiple"),
        ),
        tags=("integers", "list"),
    ),
    Family(
        name="prime_factors",
        title="Prime factors of a number",
        says="Every whole number above 1 is a product of prime numbers in one way.",
        formula="return the prime factors of {number} in increasing order; 1 has none.",
        source=f"{HARDY}, chapter 1",
        core=prime_factors,
        takes=(Quantity("number", "the whole number", whole(2, 2000), "int"),),
        gives=Result("prime factors", "other", "list[int]"),
        refuses=(
            Refusal("{number} is less than 1", {"number": 0}),
            Refusal("{number} is less than 1", {"number": -6}),
        ),
        edges=({"number": 1}, {"number": 2}, {"number": 360}, {"number": 997}, {"number": 1024}),
        options=(
            Option("A factor comes as often as it divides: 12 gives [2, 2, 3].", {"distinct": False}),
            Option("Each factor comes once: 12 gives [2, 3].", {"distinct": True}, "distinct"),
        ),
        tags=("integers", "primes", "list"),
    ),
    Family(
        name="primes_up_to",
        title="Prime numbers up to a limit",
        says="List the prime numbers up to a limit, which counts too.",
        formula="all primes that are at most {limit}, in increasing order; a limit below 2, also a negative one, "
        "gives an empty list.",
        source=f"{HARDY}, chapter 1 (sieve of Eratosthenes)",
        core=primes_up_to,
        takes=(Quantity("limit", "the limit", whole(2, 300), "int"),),
        gives=Result("list of primes", "other", "list[int]"),
        edges=({"limit": 0}, {"limit": 1}, {"limit": 2}, {"limit": -5}, {"limit": 49}, {"limit": 97}),
        tags=("integers", "primes", "list"),
    ),
    Family(
        name="digit_sum",
        title="Sum of the digits of a number",
        says="Add up the decimal digits of a whole number.",
        formula="the digits of {number}, written in base 10, are added.",
        source=f"{HARDY}, chapter 9 (representation by decimals)",
        core=digit_sum,
        takes=(Quantity("number", "the whole number", whole(0, 10**9), "int"),),
        gives=Result("digit sum", "other", "int"),
        refuses=(Refusal("{number} is negative", {"number": -5}),),
        edges=({"number": 0}, {"number": 9}, {"number": 10}, {"number": 999999}),
        options=(
            Option("They are added once.", {"repeated": False}),
            Option(
                "This is repeated with the sum until one digit is left (digital root).",
                {"repeated": True},
                "repeated",
            ),
        ),
        tags=("integers", "digits"),
    ),
    Family(
        name="in_base",
        title="Number written in another base",
        says="Write a whole number in a base from 2 to 16.",
        formula="the digits above 9 are a to f in lower case; there is no prefix and no leading zero; 0 is "
        "written 0.",
        source=f"{KNUTH}, section 4.4",
        core=in_base,
        takes=(
            Quantity("number", "the whole number", whole(0, 99999), "int"),
            Quantity("base", "the base, from 2 to 16", one_of(2, 3, 7, 8, 12, 16), "int"),
        ),
        gives=Result("text", "other", "str"),
        refuses=(
            Refusal("{number} is negative", {"number": -1}),
            Refusal("{base} is less than 2 or greater than 16", {"base": 1}),
            Refusal("{base} is less than 2 or greater than 16", {"base": 17}),
        ),
        edges=({"number": 0}, {"number": 255, "base": 16}, {"number": 8, "base": 2}),
        tags=("integers", "digits", "format"),
    ),
    Family(
        name="collatz_steps",
        title="Steps of the Collatz sequence",
        says="From a whole number, an even one is halved, and an odd one is tripled and made one greater, until "
        "1 is reached.",
        formula="count the steps from {number} to the first 1; 1 itself takes 0 steps.",
        source="J. C. Lagarias, The 3x + 1 problem and its generalizations, The American Mathematical Monthly "
        "92(1), 1985",
        core=collatz_steps,
        takes=(Quantity("number", "the whole number", whole(1, 3000), "int"),),
        gives=Result("number of steps", "other", "int"),
        refuses=(
            Refusal("{number} is less than 1", {"number": 0}),
            Refusal("{number} is less than 1", {"number": -4}),
        ),
        edges=({"number": 1}, {"number": 2}, {"number": 27}),
        tags=("integers",),
    ),
    Family(
        name="ways_to_choose",
        title="Ways to choose some of several things",
        says="In how many ways can {k} of {n} different things be chosen, none of them twice?",
        formula="if {k} is greater than {n} there are 0 ways; choosing none is 1 way.",
        source="R. L. Graham, D. E. Knuth, O. Patashnik, Concrete Mathematics, 2nd edition, Addison-Wesley, "
        "1994, chapter 5",
        core=choices,
        takes=(
            Quantity("n", "how many things there are", whole(0, 20), "int"),
            Quantity("k", "how many are chosen", whole(0, 12), "int"),
        ),
        gives=Result("number of ways", "other", "int"),
        refuses=(Refusal("{n} is negative", {"n": -1}), Refusal("{k} is negative", {"k": -1})),
        edges=({"n": 0, "k": 0}, {"n": 5, "k": 5}, {"n": 5, "k": 6}, {"n": 49, "k": 6}),
        options=(
            Option("The order does not matter.", {"ordered": False}),
            Option("The order matters.", {"ordered": True}, "in_order"),
        ),
        tags=("integers", "combinatorics"),
    ),
    Family(
        name="leap_year",
        title="Is a year a leap year",
        says="A leap year of the Gregorian calendar has 366 days. Return True or False.",
        formula="years divisible by 4 are leap years, but of those divisible by 100 only the ones divisible by "
        "400.",
        source=ISO,
        core=leap_year,
        takes=(Quantity("year", "the year", one_of(*range(1890, 2110), 4, 100, 400, 1600, 1700), "int"),),
        gives=Result("answer", "other", "bool"),
        refuses=(Refusal("{year} is less than 1", {"year": 0}), Refusal("{year} is less than 1", {"year": -4})),
        edges=({"year": 1900}, {"year": 2000}, {"year": 2024}, {"year": 2023}, {"year": 2100}),
        tags=("calendar", "check"),
    ),
    Family(
        name="day_of_year",
        title="Number of a day in its year",
        says="Count the days of a year from 1 January, which is day 1.",
        formula="the days of all months before {month}, plus {day}; February has 29 days in leap years of the "
        "Gregorian calendar.",
        source=f"{ISO}, ordinal dates",
        core=day_of_year,
        takes=_DATE,
        gives=Result("day of the year", "other", "int"),
        refuses=_NO_DAY,
        edges=_DAYS,
        tags=("calendar",),
    ),
    Family(
        name="weekday_number",
        title="Weekday of a date",
        says="Tell the weekday of a date of the Gregorian calendar as a number: 1 for Monday to 7 for Sunday.",
        formula="as datetime.date({year}, {month}, {day}).isoweekday() does.",
        source=f"{ISO}, weekday numbers; C. Zeller, Kalender-Formeln, Acta Mathematica 9, 1887",
        core=weekday,
        takes=_DATE,
        gives=Result("weekday", "other", "int"),
        refuses=_NO_DAY,
        edges=_DAYS,
        tags=("calendar",),
    ),
    Family(
        name="nearest_multiple",
        title="Nearest multiple of a step",
        says="Round a whole number to the nearest multiple of a step.",
        formula="if {number} is exactly half-way between two multiples of {step}, take the greater one (also for "
        "negative numbers: -5 "
        "with step 10 gives 0).",
        source="ISO 80000-1:2022, annex B (rounding), with ties upwards",
        core=nearest_multiple,
        takes=(
            Quantity("number", "the whole number", whole(-200, 500), "int"),
            Quantity("step", "the step", one_of(1, 2, 5, 6, 10, 12, 25, 50), "int"),
        ),
        gives=Result("multiple", "other", "int"),
        refuses=(Refusal("{step} is less than 1", {"step": 0}), Refusal("{step} is less than 1", {"step": -5})),
        edges=({"number": 0}, {"number": 15, "step": 10}, {"number": -5, "step": 10}, {"number": 25, "step": 50}),
        tags=("integers", "rounding"),
    ),
    Family(
        name="split_evenly",
        title="Total split into even whole parts",
        says="Split a whole number into a number of whole parts that are as equal as possible.",
        formula="the parts of {total} differ by 1 at most, and the larger ones come first; return the list of "
        "all {parts} parts.",
        source="R. L. Graham, D. E. Knuth, O. Patashnik, Concrete Mathematics, 2nd edition, section 3.4",
        core=split_evenly,
        takes=(
            Quantity("total", "the whole number", whole(0, 200), "int"),
            Quantity("parts", "the number of parts", whole(1, 9), "int"),
        ),
        gives=Result("parts", "other", "list[int]"),
        refuses=(Refusal("{total} is negative", {"total": -1}), Refusal("{parts} is less than 1", {"parts": 0})),
        edges=({"total": 0, "parts": 3}, {"total": 2, "parts": 3}, {"total": 9, "parts": 3}),
        tags=("integers", "list"),
    ),
)
