"""Values as models write them: JSON first, then the wider grammar of JSON, Python and Gemma literals."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from agents.models.salvage.reader import Cut, Malformed

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents.models.salvage.reader import Reader

_DEPTH = 64
_SPACE = re.compile(r"\s*")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])")
_WORD = re.compile(r"[A-Za-z_$][\w$.-]*")
_WORDS = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None}
_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "b": "\b",
    "f": "\f",
    "/": "/",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "\n": "",
}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[\s\S])")
_QUOTES = re.compile(r'"""|\'\'\'|"|\'')
_RAW_QUOTES = ('<|"|>', "<escape>")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
# A quote that an operator or a method follows ends a string of an expression, and that is nothing to guess at.
_COMPUTES = re.compile(r"[\"']\s*+(?:[+%]|\.\w+\()")
_CLOSES_ARGUMENT = re.compile(r"\s*(?:,\s*[A-Za-z_]\w*\s*=|\)\s*(?:\]|,\s*[A-Za-z_][\w.]*\(|\n|<|$))")


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(number)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate key")
    return value


_DECODER = json.JSONDecoder(strict=False, parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_unique)


def value_at(reader: Reader, at: int) -> tuple[Any, int]:
    """The value that begins here and the position after it.

    Strict JSON is tried first; what Python or Gemma write differently is read by their own grammar. Raises Cut
    when the text ends inside the value, Malformed when it is neither.
    """
    if reader.text.startswith('"""', at):
        # JSON would see an empty string here.
        return literal_at(reader, at)
    try:
        value, end = _DECODER.raw_decode(reader.text, at)
    except json.JSONDecodeError as error:
        reader.charge(error.pos - at)
        if error.msg.startswith("Unterminated") or error.pos >= len(reader.text.rstrip()):
            raise Cut from error
    except (ValueError, RecursionError) as error:
        reader.charge(len(reader.text) - at)
        raise Malformed from error
    else:
        reader.charge(end - at)
        return value, end
    return literal_at(reader, at)


def literal_at(reader: Reader, at: int, *, loose: bool = False, barewords: bool = False) -> tuple[Any, int]:
    """The Python, JSON or Gemma literal that begins here and the position after it.

    `loose` lets a string hold its own quotes where a following argument or the call's end shows where it stops;
    `barewords` reads unquoted words as strings. Raises Cut or Malformed.
    """
    literal = _Literal(reader.text, at, loose=loose, barewords=barewords)
    try:
        value = literal.value()
    finally:
        reader.charge(4 * (literal.at - at))
    return value, literal.at


def unescaped(raw: str) -> str:
    """The string that this source text between quotes stands for; an unknown escape keeps its backslash."""
    if "\\" not in raw:
        return raw
    text = _ESCAPE.sub(_unescape, raw)
    return _PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    if len(code) > 1:
        return chr(int(code[1:], 16))
    return _ESCAPES.get(code, match[0])


class _Literal:
    """A recursive reader of one literal, bounded in depth."""

    def __init__(self, text: str, at: int, *, loose: bool, barewords: bool) -> None:
        self.text, self.at, self.depth = text, at, 0
        self.loose, self.barewords = loose, barewords

    def value(self) -> Any:
        kind = self.peek()
        reads: dict[str, Callable[[], Any]] = {
            "{": self.braces,
            "[": lambda: self.items("]"),
            "(": lambda: self.items(")"),
        }
        if kind in reads:
            return self.nested(reads[kind])
        if (text := self.string()) is not None:
            return text
        if (number := _NUMBER.match(self.text, self.at)) is not None:
            self.at = number.end()
            return _number(number[0])
        return self.word()

    def nested(self, read: Callable[[], Any]) -> Any:
        self.depth += 1
        if self.depth > _DEPTH:
            raise Malformed
        self.at += 1
        value = read()
        self.depth -= 1
        return value

    def peek(self) -> str:
        self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]  # the pattern matches always
        if self.at >= len(self.text):
            raise Cut
        return self.text[self.at]

    def items(self, close: str) -> list[Any]:
        values: list[Any] = []
        while self.peek() != close:
            values.append(self.value())
            self.comma(close)
        self.at += 1
        return values

    def comma(self, close: str) -> None:
        after = self.peek()
        if after == ",":
            self.at += 1
        elif after != close:
            raise Malformed

    def braces(self) -> Any:
        """A dict, or a set (which JSON must carry as a list)."""
        pairs: dict[str, Any] = {}
        values: list[Any] = []
        while self.peek() != "}":
            key = self.key()
            if self.peek() == ":":
                if not isinstance(key, str) or key in pairs:
                    raise Malformed
                self.at += 1
                pairs[key] = self.value()
            else:
                values.append(key)
            self.comma("}")
        self.at += 1
        if pairs and values:
            raise Malformed
        return values or pairs

    def key(self) -> Any:
        word = _WORD.match(self.text, self.at)
        if word is not None:
            self.at = word.end()
            if self.peek() == ":":
                return word[0]
            self.at = word.start()
        return self.value()

    def string(self) -> str | None:
        for quote in _RAW_QUOTES:
            if self.text.startswith(quote, self.at):
                return self.until(quote)
        opening = _QUOTES.match(self.text, self.at)
        if opening is None:
            return None
        empty = opening[0] * 2
        if len(opening[0]) == 1 and self.text.startswith(empty, self.at):
            self.at += 2
            return ""
        self.at = opening.end()
        end = self.closing(opening[0])
        raw = self.text[self.at : end]
        if self.loose and _COMPUTES.search(raw):
            raise Malformed
        self.at = end + len(opening[0])
        return unescaped(raw)

    def until(self, quote: str) -> str:
        start = self.at + len(quote)
        end = self.text.find(quote, start)
        if end < 0:
            raise Cut
        self.at = end + len(quote)
        return self.text[start:end]

    def closing(self, quote: str) -> int:
        """Where the string that began here ends: the first quote that no backslash escapes."""
        mark = re.compile(r"\\[\s\S]|" + quote)
        at = self.at
        while (hit := mark.search(self.text, at)) is not None:
            at = hit.end()
            if hit[0] == quote and (not self.loose or _CLOSES_ARGUMENT.match(self.text, at)):
                return hit.start()
        self.at = len(self.text)
        raise Cut

    def word(self) -> Any:
        word = _WORD.match(self.text, self.at)
        if word is None:
            raise Malformed
        if word[0] in _WORDS:
            self.at = word.end()
            return _WORDS[word[0]]
        if not self.barewords:
            raise Malformed
        bare = re.compile(r"[^,{}\[\]<>]*").match(self.text, self.at)
        if bare is None or bare.end() >= len(self.text):
            raise Cut
        self.at = bare.end()
        return bare[0].strip()


def _number(source: str) -> int | float:
    try:
        return _finite(source) if re.search(r"[.eE]", source) else int(source)
    except ValueError as error:
        raise Malformed from error
