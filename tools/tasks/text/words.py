"""Words and characters: counting, naming, shortening and marking."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tools.tasks.family import Family, Option, Quantity, Refusal, Result
from tools.tasks.samples import whole

if TYPE_CHECKING:
    from random import Random

    from tools.tasks.samples import Sampler

STRINGS = "The Python Standard Library, Text Sequence Type"
UNICODE = "Unicode Standard, version 15.0, chapter 3 (default case conversion), for the letters of ASCII"
_WORDS = (
    "Order the spare part for line 7 today Press stops at Night shift UNIT test data of a pump and the Pump belt".split()  # noqa: SIM905 - read as a sentence
)


def word_count(text: str, distinct: bool) -> int:
    """Number of words, or of different words in lower case."""
    words = text.lower().split()
    return len(set(words)) if distinct else len(words)


def slug(text: str, separator: str) -> str:
    """Lower-case letters and digits, everything else one separator."""
    return separator.join(re.findall(r"[a-z0-9]+", text.lower()))


def split_camel(name: str, separator: str) -> str:
    """A separator before every upper-case letter but the first character, then all in lower case."""
    return "".join(separator + c.lower() if "A" <= c <= "Z" and i > 0 else c.lower() for i, c in enumerate(name))


def join_camel(name: str, upper: bool) -> str:
    """Parts between underscores, each begun with an upper-case letter."""
    parts = [part.lower() for part in name.split("_") if part]
    joined = "".join(part[0].upper() + part[1:] for part in parts)
    return joined if upper else joined[:1].lower() + joined[1:]


def palindrome(text: str, loose: bool) -> bool:
    """Whether a text reads the same in both directions."""
    read = [c.lower() for c in text if c.isalnum()] if loose else list(text)
    return read == read[::-1]


def caesar(text: str, shift: int) -> str:
    """Letters moved along the alphabet, with wrap-around."""
    moved = []
    for c in text:
        if "a" <= c <= "z":
            moved.append(chr((ord(c) - ord("a") + shift) % 26 + ord("a")))
        elif "A" <= c <= "Z":
            moved.append(chr((ord(c) - ord("A") + shift) % 26 + ord("A")))
        else:
            moved.append(c)
    return "".join(moved)


def acronym(text: str) -> str:
    """First letters of the words, in upper case."""
    return "".join(word[0].upper() for word in re.findall(r"[A-Za-z]+", text))


def shortened(text: str, width: int) -> str:
    """The text, or its beginning with three full stops."""
    if width < 3:
        raise ValueError("width must be at least 3")
    return text if len(text) <= width else text[: width - 3] + "..."


def masked(text: str, shown: int) -> str:
    """Every character but the last few as a star."""
    if shown < 0:
        raise ValueError("shown must not be negative")
    hidden = max(0, len(text) - shown)
    return "*" * hidden + text[hidden:]


def letter_counts(text: str) -> dict[str, int]:
    """How often each letter occurs, in lower case."""
    counts: dict[str, int] = {}
    for c in text.lower():
        if "a" <= c <= "z":
            counts[c] = counts.get(c, 0) + 1
    return counts


def common_start(texts: list[str]) -> str:
    """The longest beginning that all texts share."""
    if not texts:
        return ""
    shortest = min(texts, key=len)
    for i, c in enumerate(shortest):
        if any(text[i] != c for text in texts):
            return shortest[:i]
    return shortest


def balanced(text: str) -> bool:
    """Whether brackets are closed in the right order."""
    opened = []
    partners = {")": "(", "]": "[", "}": "{"}
    for c in text:
        if c in "([{":
            opened.append(c)
        elif c in partners and (not opened or opened.pop() != partners[c]):
            return False
    return not opened


def _sentence(fewest: int = 0, most: int = 9) -> Sampler:
    def sample(random: Random, _: object) -> str:
        words = random.choices(_WORDS, k=random.randint(fewest, most))
        return random.choice((" ", "  ", " - ", ", ")).join(words)

    return sample


def _letters(alphabet: str, fewest: int, most: int) -> Sampler:
    return lambda random, _: "".join(random.choices(alphabet, k=random.randint(fewest, most)))


def _mirrored(random: Random, _: object) -> str:
    half = "".join(random.choices("abA c", k=random.randint(0, 4)))
    text = half + random.choice(("", "x", "Y ")) + half[::-1]
    return random.choice((text, text.upper(), text + random.choice("!ab"), text[:2].swapcase() + text[2:]))


_TEXT = Quantity("text", "the text, ASCII only", _sentence(), "str")

FAMILIES = (
    Family(
        name="word_count",
        title="Number of words in a text",
        says="Words are the parts of a text between white space; punctuation belongs to the word that it touches.",
        formula="split {text} at white space, as str.split() does, and count. A text without words gives 0.",
        source=f"{STRINGS} (str.split)",
        core=word_count,
        takes=(_TEXT,),
        gives=Result("number of words", "other", "int"),
        edges=({"text": ""}, {"text": "   "}, {"text": "Pump pump PUMP"}, {"text": "a-b, c"}),
        options=(
            Option("Every word counts, however often it occurs.", {"distinct": False}),
            Option("Words that differ only in upper and lower case count once.", {"distinct": True}, "distinct"),
        ),
        tags=("words", "count"),
    ),
    Family(
        name="slug",
        title="Slug of a text for an address or a file name",
        says="A slug keeps the letters and digits of a text in lower case and joins them by a separator.",
        formula="put {text} into lower case; the runs of characters a-z and 0-9 are the parts, every other "
        "character separates them; "
        "join the parts. There is no separator at either end; a text without parts gives an empty string.",
        source="W3C, Cool URIs don't change; RFC 3986, section 2.3 (unreserved characters)",
        core=slug,
        takes=(_TEXT,),
        gives=Result("slug", "other", "str"),
        edges=({"text": ""}, {"text": "--"}, {"text": " Line 7: Stop! "}, {"text": "a_b.c"}),
        options=(
            Option('The separator is a hyphen "-".', {"separator": "-"}),
            Option('The separator is an underscore "_".', {"separator": "_"}, "underscored"),
            Option('The separator is a full stop ".".', {"separator": "."}, "dotted"),
        ),
        tags=("names", "format"),
    ),
    Family(
        name="split_camel_case",
        title="Camel case taken apart",
        says="A name in camel case such as maxSpeed is written with separators and in lower case.",
        formula="put the separator before every character A-Z of {name} except the very first character, then "
        "put everything into "
        "lower case. Other characters stay as they are, so HTTPPort gets a separator before each of its "
        "upper-case letters but "
        "the first.",
        source="PEP 8 (naming styles)",
        core=split_camel,
        takes=(
            Quantity(
                "name",
                "the name, ASCII only",
                lambda random, _: "".join(
                    random.choices(
                        ("max", "Speed", "HTTP", "Id", "x", "Line", "2", "_", "no"), k=random.randint(1, 4)
                    )
                ),
                "str",
            ),
        ),
        gives=Result("name with separators", "other", "str"),
        edges=({"name": ""}, {"name": "A"}, {"name": "maxSpeed"}, {"name": "HTTPPort"}),
        options=(
            Option('The separator is an underscore "_".', {"separator": "_"}),
            Option('The separator is a hyphen "-".', {"separator": "-"}, "hyphenated"),
            Option('The separator is a space " ".', {"separator": " "}, "spaced"),
        ),
        tags=("names", "format"),
    ),
    Family(
        name="camel_case",
        title="Camel case of a name with underscores",
        says="A name such as max_line_speed is written in camel case.",
        formula="split {name} at underscores and drop empty parts; put each part into lower case and its first "
        "character into upper "
        "case; join the parts. A name without parts gives an empty string.",
        source="PEP 8 (naming styles)",
        core=join_camel,
        takes=(
            Quantity(
                "name",
                "the name, ASCII only",
                lambda random, _: "_".join(
                    random.choices(("max", "Speed", "HTTP", "id", "x", "2nd", ""), k=random.randint(1, 4))
                ),
                "str",
            ),
        ),
        gives=Result("name in camel case", "other", "str"),
        edges=({"name": ""}, {"name": "___"}, {"name": "max_speed"}, {"name": "_HTTP_id"}),
        options=(
            Option("The very first character of the result is in lower case (maxSpeed).", {"upper": False}),
            Option("The very first character of the result is in upper case (MaxSpeed).", {"upper": True}, "upper"),
        ),
        tags=("names", "format"),
    ),
    Family(
        name="palindrome",
        title="Is a text a palindrome",
        says="A palindrome reads the same forwards and backwards. Return True or False.",
        formula="compare what is read of {text} with its reverse. Nothing to read is a palindrome.",
        source="Oxford English Dictionary (palindrome)",
        core=palindrome,
        takes=(Quantity("text", "the text, ASCII only", _mirrored, "str"),),
        gives=Result("answer", "other", "bool"),
        edges=(
            {"text": ""},
            {"text": "a"},
            {"text": "Never odd, or even"},
            {"text": "!?"},
            {"text": "Ab"},
            {"text": "aA"},
        ),
        options=(
            Option("Every character counts, also case and spaces.", {"loose": False}, "exact"),
            Option("Only letters and digits are read, and case does not matter.", {"loose": True}, "loose"),
        ),
        tags=("check",),
    ),
    Family(
        name="caesar_cipher",
        title="Caesar cipher",
        says="The Caesar cipher moves each letter along the alphabet by a fixed number of places.",
        formula="move each letter a-z and A-Z of {text} by {shift} places, going on at the other end of the "
        "alphabet; the case stays, "
        "and other characters stay as they are. {shift} may be negative or greater than 26.",
        source="Suetonius, De vita Caesarum, Divus Iulius 56",
        core=caesar,
        takes=(_TEXT, Quantity("shift", "number of places", whole(-40, 60), "int")),
        gives=Result("enciphered text", "other", "str"),
        edges=(
            {"text": "", "shift": 3},
            {"text": "xyz XYZ 9", "shift": 3},
            {"text": "abc", "shift": -1},
            {"shift": 26},
        ),
        tags=("cipher",),
    ),
    Family(
        name="acronym",
        title="Acronym of a text",
        says="An acronym is made of the first letters of the words.",
        formula="the words are the runs of letters a-z and A-Z in {text}; join their first letters in upper case.",
        source="ISO 704:2022 (acronyms)",
        core=acronym,
        takes=(_TEXT,),
        gives=Result("acronym", "other", "str"),
        edges=({"text": ""}, {"text": "12 34"}, {"text": "first-in first-out"}, {"text": "don't stop"}),
        tags=("words", "names"),
    ),
    Family(
        name="shortened",
        title="Text shortened to a width",
        says="A text that is too long for a column is cut and ends with three full stops.",
        formula="if {text} has at most {width} characters, return it unchanged; else its first {width} - 3 "
        "characters and then '...', "
        "which is {width} characters in all. Spaces before the full stops stay.",
        source="The Chicago Manual of Style, 17th edition, section 13.50 (ellipses)",
        core=shortened,
        takes=(_TEXT, Quantity("width", "largest number of characters", whole(3, 40), "int")),
        gives=Result("text", "other", "str"),
        refuses=(Refusal("{width} is less than 3", {"width": 2}), Refusal("{width} is less than 3", {"width": -1})),
        edges=({"text": "", "width": 3}, {"text": "abcd", "width": 3}, {"text": "abc", "width": 3}),
        tags=("format",),
    ),
    Family(
        name="masked",
        title="Masked text with its end shown",
        says="Of a secret text only the last characters are shown.",
        formula="replace every character of {text} by '*' except the last {shown} characters. If {text} has "
        "{shown} characters or "
        "fewer, nothing is replaced.",
        source="PCI DSS 4.0, requirement 3.4 (masking of displayed numbers)",
        core=masked,
        takes=(
            Quantity("text", "the text, ASCII only", _letters("AB0123456789", 0, 16), "str"),
            Quantity("shown", "number of characters that are shown", whole(0, 6), "int"),
        ),
        gives=Result("masked text", "other", "str"),
        refuses=(Refusal("{shown} is negative", {"shown": -1}),),
        edges=(
            {"text": ""},
            {"text": "1234", "shown": 0},
            {"text": "1234", "shown": 4},
            {"text": "12", "shown": 4},
        ),
        tags=("format", "privacy"),
    ),
    Family(
        name="letter_counts",
        title="How often each letter occurs",
        says="Count the letters of a text, upper and lower case together.",
        formula="put {text} into lower case and count each of the letters a-z; return a dict from letter to "
        "number that holds only "
        "the letters that occur.",
        source="D. Kahn, The Codebreakers, Scribner, 1996 (frequency counts)",
        core=letter_counts,
        takes=(_TEXT,),
        gives=Result("counts as a dict", "other", "dict[str, int]"),
        edges=({"text": ""}, {"text": "7 - 7"}, {"text": "Aa b"}),
        tags=("count", "dict"),
    ),
    Family(
        name="common_start",
        title="Longest common beginning of several texts",
        says="Find the longest text with which all the given texts begin.",
        formula="compare the texts character by character from the start; case matters. No texts give an empty "
        "string.",
        source="The Python Standard Library, os.path.commonprefix",
        core=common_start,
        takes=(
            Quantity(
                "texts",
                "the texts, ASCII only",
                lambda random, _: [
                    "press line"[: random.randint(2, 10)] + random.choice(("", "s", "x1"))
                    for _ in range(random.randint(1, 4))
                ],
                "list[str]",
            ),
        ),
        gives=Result("common beginning", "other", "str"),
        edges=(
            {"texts": []},
            {"texts": ["abc"]},
            {"texts": ["", "abc"]},
            {"texts": ["abc", "xbc"]},
            {"texts": ["Ab", "ab"]},
        ),
        tags=("list",),
    ),
    Family(
        name="balanced_brackets",
        title="Are the brackets of a text balanced",
        says="Brackets are balanced if every opening one is closed by one of its kind, and those opened last are "
        "closed first. Return "
        "True or False.",
        formula="look at the characters ( ) [ ] {{ }} of {text} and ignore all others. A text without brackets "
        "is balanced.",
        source="D. E. Knuth, The Art of Computer Programming, volume 1, 3rd edition, section 2.2.1 (stacks)",
        core=balanced,
        takes=(
            Quantity(
                "text",
                "the text, ASCII only",
                lambda random, _: "".join(
                    random.choices(("()", "[]", "{}", "(a)", "[(", ")]", "x", "(", "}"), k=random.randint(1, 5))
                ),
                "str",
            ),
        ),
        gives=Result("answer", "other", "bool"),
        edges=({"text": ""}, {"text": "a(b[c]{d})"}, {"text": "([)]"}, {"text": ")("}, {"text": "(("}),
        tags=("check", "stack"),
    ),
)
