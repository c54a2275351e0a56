"""Word stems by Porter's algorithm: `calculates`, `calculated` and `calculation` become one.

M. F. Porter, "An algorithm for suffix stripping", Program 14 (3), 1980, pages 130-137; the names of the steps are his.
With his two later departures (`bli`, `logi`) it stems exactly as the `porter` tokenizer of SQLite's FTS5 does.
"""

from __future__ import annotations

import functools
import re

_SHORTEST = 3
_STEP_2 = {
    "ational": "ate", "tional": "tion", "enci": "ence", "anci": "ance", "izer": "ize", "bli": "ble", "alli": "al",
    "entli": "ent", "eli": "e", "ousli": "ous", "ization": "ize", "ation": "ate", "ator": "ate", "alism": "al",
    "iveness": "ive", "fulness": "ful", "ousness": "ous", "aliti": "al", "iviti": "ive", "biliti": "ble", "logi": "log",
}  # fmt: skip
_STEP_3 = {"icate": "ic", "ative": "", "alize": "al", "iciti": "ic", "ical": "ic", "ful": "", "ness": ""}
_STEP_4 = (
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti",
    "ous", "ive", "ize",
)  # fmt: skip
_STEP_4_LONGEST_FIRST = tuple(sorted(_STEP_4, key=len, reverse=True))


@functools.lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The stem of a lower-case word; one that is no English word is left nearly as it is."""
    if len(word) < _SHORTEST or not word.isalpha():
        return word
    word = _past_and_progressive(_plural(word))
    if word.endswith("y") and _has_vowel(word[:-1]):
        word = word[:-1] + "i"
    word = _replaced(_replaced(word, _STEP_2), _STEP_3)
    return _without_last_e(_stripped(word))


def _plural(word: str) -> str:
    """Step 1a."""
    if word.endswith(("sses", "ies")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _past_and_progressive(word: str) -> str:
    """Step 1b."""
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) > 0 else word
    for suffix in ("ed", "ing"):
        rest = word.removesuffix(suffix)
        if rest != word and _has_vowel(rest):
            return _mended(rest)
    return word


def _mended(word: str) -> str:
    """Give back what a removed `ed` or `ing` had taken: `hop(p)ing` is not `hop(e)ing`."""
    if word.endswith(("at", "bl", "iz")):
        return word + "e"
    if _ends_double(word) and not word.endswith(("l", "s", "z")):
        return word[:-1]
    return word + "e" if _measure(word) == 1 and _ends_short(word) else word


def _replaced(word: str, table: dict[str, str]) -> str:
    """Steps 2 and 3: the longest suffix of the table that fits, behind a stem of some length."""
    for length in range(7, 2, -1):
        suffix = word[-length:]
        if suffix in table and len(suffix) < len(word):
            rest = word[: -len(suffix)]
            return rest + table[suffix] if _measure(rest) > 0 else word
    return word


def _stripped(word: str) -> str:
    """Step 4."""
    for suffix in _STEP_4_LONGEST_FIRST:
        if word.endswith(suffix):
            rest = word[: -len(suffix)]
            fits = _measure(rest) > 1 and (suffix != "ion" or rest.endswith(("s", "t")))
            return rest if fits else word
    return word


def _without_last_e(word: str) -> str:
    """Step 5."""
    if word.endswith("e"):
        rest = word[:-1]
        if _measure(rest) > 1 or (_measure(rest) == 1 and not _ends_short(rest)):
            word = rest
    return word[:-1] if word.endswith("ll") and _measure(word) > 1 else word


def _form(word: str) -> str:
    """The word with `v` for each vowel and `c` for each consonant; a `y` behind a consonant is a vowel."""
    form = ""
    for letter in word:
        vowel = letter in "aeiou" or (letter == "y" and form.endswith("c"))
        form += "v" if vowel else "c"
    return form


def _measure(word: str) -> int:
    """How often a vowel run is followed by a consonant run: Porter's m."""
    return len(re.findall("v+c+", _form(word)))


def _has_vowel(word: str) -> bool:
    return "v" in _form(word)


def _ends_double(word: str) -> bool:
    return len(word) > 1 and word[-1] == word[-2] and _form(word).endswith("c")


def _ends_short(word: str) -> bool:
    return _form(word).endswith("cvc") and not word.endswith(("w", "x", "y"))
