"""Numerals and check digits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tools.tasks.family import Family, Option, Quantity, Refusal, Result
from tools.tasks.samples import whole

if TYPE_CHECKING:
    from random import Random

    from tools.tasks.samples import Sampler


def roman(number: int) -> str:
    """The Roman numeral of a number from 1 to 3999."""
    if not 1 <= number <= 3999:
        raise ValueError("the number must be from 1 to 3999")
    hundreds = ["", "C", "CC", "CCC", "CD", "D", "DC", "DCC", "DCCC", "CM"]
    tens = ["", "X", "XX", "XXX", "XL", "L", "LX", "LXX", "LXXX", "XC"]
    ones = ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"]
    return "M" * (number // 1000) + hundreds[number // 100 % 10] + tens[number // 10 % 10] + ones[number % 10]


def from_roman(numeral: str) -> int:
    """The number of a Roman numeral in its usual form."""
    pattern = r"M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})"
    if not numeral or not re.fullmatch(pattern, numeral):
        raise ValueError("not a Roman numeral in its usual form")
    values = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
    total = 0
    for i, letter in enumerate(numeral):
        smaller = i + 1 < len(numeral) and values[letter] < values[numeral[i + 1]]
        total += -values[letter] if smaller else values[letter]
    return total


def luhn(digits: str, complete: bool) -> bool | int:
    """Whether a number passes the Luhn check, or the digit that makes it pass."""
    if not re.fullmatch(r"[0-9]+", digits):
        raise ValueError("there must be digits and nothing else")
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == (1 if complete else 0) else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0 if complete else (10 - total % 10) % 10


def ean13(digits: str) -> int:
    """The check digit of the first twelve digits of an EAN-13."""
    if not re.fullmatch(r"[0-9]{12}", digits):
        raise ValueError("there must be exactly twelve digits")
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return (10 - total % 10) % 10


def isbn10(code: str) -> bool:
    """Whether ten characters are a right ISBN-10."""
    if not re.fullmatch(r"[0-9]{9}[0-9X]", code):
        raise ValueError("an ISBN-10 has nine digits and then a digit or X")
    values = [10 if c == "X" else int(c) for c in code]
    return sum((10 - place) * value for place, value in enumerate(values)) % 11 == 0


def _letters(alphabet: str, fewest: int, most: int) -> Sampler:
    return lambda random, _: "".join(random.choices(alphabet, k=random.randint(fewest, most)))


def _isbn(random: Random, _: object) -> str:
    body = [random.randint(0, 9) for _ in range(9)]
    check = -sum((10 - place) * value for place, value in enumerate(body)) % 11
    last = random.choice((check, check, random.randint(0, 10)))
    return "".join(map(str, body)) + ("X" if last == 10 else str(last))


def _luhn_number(random: Random, _: object) -> str:
    digits = "".join(random.choices("0123456789", k=random.randint(1, 16)))
    return digits + (str(luhn(digits, False)) if random.random() < 0.5 else random.choice("0123456789"))


_NO_DIGITS = (
    Refusal("{digits} is empty", {"digits": ""}),
    Refusal("{digits} holds anything but the digits 0 to 9", {"digits": "12a4"}),
    Refusal("{digits} holds anything but the digits 0 to 9", {"digits": "12 34"}),
)

FAMILIES = (
    Family(
        name="roman_numeral",
        title="Roman numeral of a number",
        says="Write a number as a Roman numeral in its usual, subtractive form (IV, IX, XL, XC, CD, CM).",
        formula="thousands, hundreds, tens and ones of {number} are written one after the other, in upper case.",
        source="The Unicode Standard, chapter 22.3 (Roman numerals); usual subtractive notation",
        core=roman,
        takes=(Quantity("number", "the number, from 1 to 3999", whole(1, 3999), "int"),),
        gives=Result("Roman numeral", "other", "str"),
        refuses=(
            Refusal("{number} is less than 1", {"number": 0}),
            Refusal("{number} is less than 1", {"number": -4}),
            Refusal("{number} is greater than 3999", {"number": 4000}),
        ),
        edges=({"number": 1}, {"number": 4}, {"number": 1994}, {"number": 3999}),
        tags=("numerals",),
    ),
    Family(
        name="roman_number",
        title="Number of a Roman numeral",
        says="Read a Roman numeral in its usual, subtractive form.",
        formula="only upper case and only the one usual form of each number from 1 to 3999 is accepted (IV, not "
        "IIII; XCIX, not IC).",
        source="The Unicode Standard, chapter 22.3 (Roman numerals); usual subtractive notation",
        core=from_roman,
        takes=(Quantity("numeral", "the numeral", lambda random, _: roman(random.randint(1, 3999)), "str"),),
        gives=Result("number", "other", "int"),
        refuses=tuple(
            Refusal("{numeral} is not the usual form of a number from 1 to 3999", {"numeral": wrong})
            for wrong in ("", "IIII", "IC", "VV", "iv", "MMMM", "XIA", "IXI")
        ),
        edges=({"numeral": "I"}, {"numeral": "MCMXCIV"}, {"numeral": "MMMCMXCIX"}),
        tags=("numerals", "inverse"),
    ),
    Family(
        name="luhn_valid",
        title="Luhn check of a number",
        says="The last digit of many numbers is a check digit by the Luhn formula. Return True if the number is "
        "right, else False.",
        formula="going from the right, double every second digit of {digits}, beginning with the last but one; "
        "take 9 from results "
        "above 9; the sum of all digits must be divisible by 10.",
        source="ISO/IEC 7812-1:2017, annex B (Luhn formula)",
        core=luhn,
        takes=(Quantity("digits", "the number with its check digit, a string of digits", _luhn_number, "str"),),
        gives=Result("answer", "other", "bool"),
        refuses=_NO_DIGITS,
        edges=({"digits": "0"}, {"digits": "79927398713"}, {"digits": "79927398710"}),
        options=(Option("", {"complete": True}),),
        tags=("check digit",),
    ),
    Family(
        name="luhn_check_digit",
        title="Luhn check digit of a number",
        says="The Luhn formula gives the check digit that is put behind a number.",
        formula="going from the right, double every second digit of {digits}, beginning with the last; take 9 "
        "from results above 9; "
        "the check digit is what the sum of all digits lacks to the next multiple of 10 (0 if it is one).",
        source="ISO/IEC 7812-1:2017, annex B (Luhn formula)",
        core=luhn,
        takes=(
            Quantity(
                "digits",
                "the number without its check digit, a string of digits",
                _letters("0123456789", 1, 15),
                "str",
            ),
        ),
        gives=Result("check digit", "other", "int"),
        refuses=_NO_DIGITS,
        edges=({"digits": "0"}, {"digits": "7992739871"}),
        options=(Option("", {"complete": False}),),
        tags=("check digit",),
    ),
    Family(
        name="ean13_check_digit",
        title="Check digit of an EAN-13",
        says="The thirteenth digit of an article number EAN-13 is a check digit.",
        formula="multiply the twelve digits, from the left, by 1, 3, 1, 3 and so on; the check digit is what the "
        "sum of the products "
        "lacks to the next multiple of 10 (0 if it is one).",
        source="GS1 General Specifications, section 7.9 (check digit calculation)",
        core=ean13,
        takes=(Quantity("digits", "the first twelve digits, a string", _letters("0123456789", 12, 12), "str"),),
        gives=Result("check digit", "other", "int"),
        refuses=(
            Refusal("{digits} is not exactly twelve digits", {"digits": "40063813339"}),
            Refusal("{digits} is not exactly twelve digits", {"digits": "4006381333931"}),
            Refusal("{digits} is not exactly twelve digits", {"digits": "40063813339a"}),
        ),
        edges=({"digits": "400638133393"}, {"digits": "000000000000"}),
        tags=("check digit",),
    ),
    Family(
        name="isbn10_valid",
        title="Is an ISBN-10 right",
        says="The last character of an ISBN-10 is a check digit; X stands for 10. Return True if it is right, "
        "else False.",
        formula="multiply the ten values, from the left, by 10, 9, 8 and so on down to 1; the sum must be "
        "divisible by 11.",
        source="ISO 2108:1992 (ISBN of ten digits)",
        core=isbn10,
        takes=(Quantity("code", "the ISBN-10 without hyphens", _isbn, "str"),),
        gives=Result("answer", "other", "bool"),
        refuses=(
            Refusal("{code} is not nine digits followed by a digit or an upper-case X", {"code": "030640615"}),
            Refusal("{code} is not nine digits followed by a digit or an upper-case X", {"code": "03064X6152"}),
            Refusal("{code} is not nine digits followed by a digit or an upper-case X", {"code": "0-306-40615-2"}),
        ),
        edges=({"code": "0306406152"}, {"code": "0306406153"}, {"code": "080442957X"}, {"code": "0804429570"}),
        tags=("check digit",),
    ),
)
