"""Codes and formats: numerals, check digits, durations, versions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tools.tasks.family import Family, Option, Quantity, Refusal, Result
from tools.tasks.samples import whole

if TYPE_CHECKING:
    from random import Random

    from tools.tasks.samples import Sampler


def run_lengths(text: str) -> list[list[object]]:
    """Each run of equal characters with its length."""
    runs: list[list[object]] = []
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or text[end] != text[start]:
            runs.append([text[start], end - start])
            start = end
    return runs


def expanded(code: str) -> str:
    """The text of a run-length code such as a3b1."""
    if not re.fullmatch(r"([A-Za-z][1-9][0-9]*)*", code):
        raise ValueError("the code is not letters each followed by a count from 1")
    return "".join(letter * int(count) for letter, count in re.findall(r"([A-Za-z])([0-9]+)", code))


def duration_seconds(text: str) -> int:
    """Seconds of a duration such as 1h30m5s."""
    match = re.fullmatch(r"(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?", text)
    if not text or match is None:
        raise ValueError("not a duration such as 1h30m5s")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def clock(seconds: int, days: bool) -> str:
    """Seconds as HH:MM:SS, with days in front where they are wanted and there are any."""
    if seconds < 0:
        raise ValueError("seconds must not be negative")
    rest, hours = seconds % 3600, seconds // 3600
    prefix = ""
    if days and hours >= 24:
        prefix, hours = f"{hours // 24}d ", hours % 24
    return f"{prefix}{hours:02d}:{rest // 60:02d}:{rest % 60:02d}"


def key_values(text: str, separator: str) -> dict[str, str]:
    """Pairs of key=value."""
    found: dict[str, str] = {}
    for part in text.split(separator):
        if not part.strip():
            continue
        key, sign, value = part.partition("=")
        key = key.strip()
        if not sign or not key or key in found:
            raise ValueError("a part has no =, no key, or a key that came before")
        found[key] = value.strip()
    return found


def colour(code: str) -> list[int]:
    """Red, green and blue of #rgb or #rrggbb."""
    if not re.fullmatch(r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})", code):
        raise ValueError("not a colour such as #fa0 or #ffaa00")
    digits = code[1:] if len(code) == 7 else "".join(digit * 2 for digit in code[1:])
    return [int(digits[i : i + 2], 16) for i in (0, 2, 4)]


def version_order(first: str, second: str) -> int:
    """-1, 0 or 1 as the first version is lower, equal or higher."""
    parts = []
    for version in (first, second):
        if not re.fullmatch(r"[0-9]+(\.[0-9]+)*", version):
            raise ValueError("a version is whole numbers joined by full stops")
        parts.append([int(part) for part in version.split(".")])
    length = max(map(len, parts))
    a, b = ([*part, *[0] * (length - len(part))] for part in parts)
    return (a > b) - (a < b)


def _duration(random: Random, _: object) -> str:
    parts = [f"{random.randint(0, 90)}{unit}" for unit in "hms" if random.random() < 0.7]
    return "".join(parts) or "45s"


def _pairs(separator: str) -> Sampler:
    def sample(random: Random, _: object) -> str:
        keys = random.sample(["line", "part", "lot", "speed", "tool"], random.randint(0, 4))
        return f"{separator} ".join(f"{key}{random.choice(('=', ' = '))}{random.randint(1, 99)}" for key in keys)

    return sample


def _near_versions(random: Random, _: object) -> str:
    return ".".join(str(random.choice((0, 1, 2, 10))) for _ in range(random.randint(1, 4)))


_RUNS = Quantity(
    "text",
    "the text, ASCII only",
    lambda random, _: "".join(random.choice("abX 1") * random.randint(1, 12) for _ in range(random.randint(0, 4))),
    "str",
)

FAMILIES = (
    Family(
        name="run_lengths",
        title="Run lengths of a text",
        says="Run-length coding writes each run of equal characters once, with its length.",
        formula="return a list with [character, length] for each longest run of the same character in {text}, in "
        "order. Case matters. "
        "An empty text gives an empty list.",
        source="ITU-T Recommendation T.4 (run-length coding)",
        core=run_lengths,
        takes=(_RUNS,),
        gives=Result("runs", "other", "list[list[str | int]]"),
        edges=({"text": ""}, {"text": "a"}, {"text": "aaAb  b"}, {"text": "aba"}),
        tags=("compression", "list"),
    ),
    Family(
        name="run_length_text",
        title="Text of a run-length code",
        says="A run-length code such as a3b1 stands for aaab: each letter is followed by how often it occurs.",
        formula="{code} is any number of pairs of one letter (a-z, A-Z) and a whole number from 1 without "
        "leading zeros; write each "
        "letter as often as its number says. An empty code gives an empty text.",
        source="ITU-T Recommendation T.4 (run-length coding)",
        core=expanded,
        takes=(
            Quantity(
                "code",
                "the code",
                lambda random, _: "".join(
                    f"{random.choice('abXY')}{random.randint(1, 14)}" for _ in range(random.randint(0, 4))
                ),
                "str",
            ),
        ),
        gives=Result("text", "other", "str"),
        refuses=(
            Refusal("{code} is not such a sequence of pairs", {"code": "3a"}),
            Refusal("{code} is not such a sequence of pairs", {"code": "ab2"}),
            Refusal("{code} is not such a sequence of pairs", {"code": "a0"}),
            Refusal("{code} is not such a sequence of pairs", {"code": "a02"}),
            Refusal("{code} is not such a sequence of pairs", {"code": "a2-b3"}),
        ),
        edges=({"code": ""}, {"code": "a1"}, {"code": "a10b2"}, {"code": "a2a3"}),
        tags=("compression", "inverse"),
    ),
    Family(
        name="duration_seconds",
        title="Seconds of a duration in words",
        says="Read a duration such as 1h30m5s.",
        formula="{text} has hours (h), minutes (m) and seconds (s), each a whole number of any size followed by "
        "its letter, in this "
        "order; each may be missing, but not all. There are no spaces and no signs.",
        source="The format of durations in Prometheus and Go (time.ParseDuration), whole hours, minutes and "
        "seconds",
        core=duration_seconds,
        takes=(Quantity("text", "the duration", _duration, "str"),),
        gives=Result("number of seconds", "other", "int"),
        refuses=tuple(
            Refusal("{text} is not such a duration", {"text": wrong})
            for wrong in ("", "90", "5s1h", "1h 30m", "-5s", "1.5h", "1H")
        ),
        edges=({"text": "0s"}, {"text": "90m"}, {"text": "1h1m1s"}, {"text": "2h5s"}),
        tags=("time", "parse"),
    ),
    Family(
        name="clock_time",
        title="Seconds as hours, minutes and seconds",
        says="Write a number of seconds in the form HH:MM:SS.",
        formula="hours, minutes and seconds of {seconds} have at least two digits each, minutes and seconds at "
        "most 59.",
        source="ISO 8601-1:2019 (extended time format)",
        core=clock,
        takes=(Quantity("seconds", "the number of seconds", whole(0, 400000), "int"),),
        gives=Result("text", "other", "str"),
        refuses=(Refusal("{seconds} is negative", {"seconds": -1}),),
        edges=({"seconds": 0}, {"seconds": 59}, {"seconds": 86399}, {"seconds": 86400}, {"seconds": 360000}),
        options=(
            Option("There are no days: 25 hours are written 25:00:00, and 100 hours 100:00:00.", {"days": False}),
            Option(
                'From 24 hours on, full days come first, with a "d" and a space: 90061 gives "1d 01:01:01". '
                "Below 24 hours there "
                "are no days.",
                {"days": True},
                "with_days",
            ),
        ),
        tags=("time", "format"),
    ),
    Family(
        name="key_values",
        title="Dict of a text of key=value parts",
        says="Read a text of parts of the form key=value.",
        formula="split {text} at each separator; skip parts that are empty or only white space; a part is split "
        "at its first '='; "
        "white space around key and value is removed; both are strings, and the value may be empty or hold "
        "another '='.",
        source="RFC 6265, section 5.2 (name-value pairs of an attribute list)",
        core=key_values,
        takes=(Quantity("text", "the text", _pairs(";"), "str"),),
        gives=Result("dict", "other", "dict[str, str]"),
        refuses=(
            Refusal("a part has no '='", {"text": "line"}),
            Refusal("a key is empty", {"text": "=5"}),
            Refusal("a key comes twice", {"text": "a=1;a=1"}),
        ),
        edges=({"text": ""}, {"text": " ; "}, {"text": "a=1;b = x=y ;c="}),
        options=(Option("The separator is a semicolon.", {"separator": ";"}),),
        tags=("parse", "dict"),
    ),
    Family(
        name="colour_parts",
        title="Red, green and blue of a colour code",
        says="Read a colour such as #ffaa00, or its short form #fa0.",
        formula="after '#', {code} has six hexadecimal digits (two each for red, green and blue) or three (each "
        "stands for two of the "
        "same); upper and lower case are equal. Return the list [red, green, blue] of numbers from 0 to 255.",
        source="W3C, CSS Color Module Level 4, section 5.2 (hexadecimal notation)",
        core=colour,
        takes=(
            Quantity(
                "code",
                "the colour code",
                lambda random, _: "#" + "".join(random.choices("0123456789abcdefABCDEF", k=random.choice((3, 6)))),
                "str",
            ),
        ),
        gives=Result("parts", "other", "list[int]"),
        refuses=tuple(
            Refusal("{code} is not such a colour code", {"code": wrong})
            for wrong in ("", "ffaa00", "#ffaa0", "#ggg", "#ffaa00ff", " #fff")
        ),
        edges=({"code": "#000"}, {"code": "#FfAa00"}, {"code": "#fa0"}),
        tags=("parse", "list"),
    ),
    Family(
        name="version_order",
        title="Order of two version numbers",
        says="Compare two versions such as 1.2.10.",
        formula="compare the whole numbers between the full stops of {first} and {second} from the left; missing "
        "numbers count as 0, "
        "so 1.2 equals 1.2.0. Return -1 if {first} is lower, 0 if they are equal, 1 if {first} is higher.",
        source="PEP 440 (release segments)",
        core=version_order,
        takes=(
            Quantity("first", "the first version", _near_versions, "str"),
            Quantity("second", "the second version", _near_versions, "str"),
        ),
        gives=Result("order", "other", "int"),
        refuses=(
            Refusal("{first} or {second} is not whole numbers joined by full stops", {"first": "1..2"}),
            Refusal("{first} or {second} is not whole numbers joined by full stops", {"second": "1.2b"}),
            Refusal("{first} or {second} is not whole numbers joined by full stops", {"second": ""}),
        ),
        edges=(
            {"first": "1.2", "second": "1.2.0"},
            {"first": "1.10", "second": "1.9"},
            {"first": "01", "second": "1"},
        ),
        tags=("compare",),
    ),
)
