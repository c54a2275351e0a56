"""Read a reply from left to right: thoughts, fences, quotations and calls, each consumed whole.

What a call holds is never read again as calls, whether the call was accepted or not; what was thought, quoted or
shown is passed over.
"""

# ruff: noqa: RUF001  # the look-alike characters are those of the formats

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from agents.models.salvage import (
    bare,
    bracketed,
    elements,
    harmony,
    named,
    python_tag,
    sections,
    tagged,
    thoughts,
    xml,
)
from agents.models.salvage.quoting import changes_things, is_labelled, is_shown
from agents.models.salvage.reader import Cut, Found, Reader, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

Opener = tuple[re.Pattern[str], "Callable[[Reader, re.Match[str], str], Span | None]"]

FAMILIES: tuple[Opener, ...] = (
    (elements.MINIMAX_OPENS, elements.minimax),
    (elements.KIMI_OPENS, elements.kimi),
    (sections.OPENS, sections.read),
    (harmony.OPENS, harmony.read),
    (tagged.OPENS, tagged.read),
)
"""Families whose calls begin with a tag, by the tag's name; the first that knows the name reads it."""

# Every alternative begins with a plain character: so the engine skips ordinary text at memory speed.
_LINE = (
    r"(?:[ ]{0,3}(?P<fence>`{3,40}+|~{3,40}+)(?P<info>[^\n`]*)(?=\n|\Z)"
    r"|(?P<turn>(?:\*\*|\#{1,6} ?)?(?i:user|human)(?:\*\*)?:)|(?P<labelled>(?:\*\*)?Action:|✿FUNCTION✿:))"
)
_LINE_TOKEN = re.compile(_LINE)
_TOKEN = re.compile(
    r"<(?P<tag>[^<>\n]{1,200})>"
    r"|<(?P<comment>!--)"
    r"|\[(?P<bracket>TOOL_CALLS|TOOL_REQUEST|ARGS|THINK|/THINK|BEGIN FINAL RESPONSE)\]"
    r"|f(?P<functools>unctools\[)"
    rf"|\n{_LINE}"
    r"|\[(?P<pythonic>(?=\s*+[A-Za-z_][\w.-]{0,80}+\())"
    r"|\[(?P<list>(?=\s*+[{\"']))"
    r"|\{(?P<json>(?=\s*+[\"']))"
)
_OPAQUE = {
    "example",
    "examples",
    "quote",
    "blockquote",
    "transcript",
    "conversation",
    "log",
    "logs",
    "documentation",
}
_INTERESTING = re.compile(
    r"tool|function|invoke|call|think|thought|reason|reflect|channel|message|open|close|action|python|plugin|interpreter"
    r"|role|start|user|observ|minimax|prefix|example|quote|transcript|conversation|log|documentation"
)
_TURNS = re.compile(
    r"\|im_start\|>\s*(?:user|system|tool)\b|\|start_header_id\|>\s*(?:user|system|ipython)\b|\|(?:user|observation)\|>"
    r"|start_of_turn>\s*user\b|tool_response>|function_results>|\|start_of_role\|>\s*(?:user|tool)",
    re.IGNORECASE,
)
_CALL_FENCES = {
    "", "json", "jsonc", "json5", "xml", "tool", "tools", "tool_call", "tool_calls", "tool_use", "tool_code",
    "function", "function_call", "function_calls", "call", "action",
}  # fmt: skip
_SPECIAL = re.compile(
    r"\s+|</?s>|<\|[^<>|\n]{1,40}\|>|<｜[^<>｜\n]{1,40}｜>|</?[\w:]*(?:tool|function)_?calls?(?::\w+)?>|[,;]",
    re.IGNORECASE,
)
_WORD = re.compile(r"\s*+([\w.-]{1,128}+)")
_KIMI_BEGINS = ("<|tool_calls_section_begin|>", "<|tool_call_begin|>")


class Scanner:
    """One pass over one reply."""

    def __init__(self, reader: Reader, offered: Mapping[str, dict[str, Any]]) -> None:
        """Begin at the start; `offered` maps tools to schemas, needed where a name is the only marker."""
        self.reader, self.text, self.offered = reader, reader.text, offered
        self.spans: list[Span] = []
        self.thought = False
        self.was_cut = False
        self.at = 0
        self.floor = 0
        self._line = (0, 0)

    def run(self) -> list[Span]:
        """The spans understood, in order; those after a place where the reply was cut are missing. Raises Tangled."""
        try:
            first = bare.name_line(self.reader, self.offered)
            if first is not None:
                self.accept(first)
            while (token := self.next()) is not None:
                self.at = self.step(token)
        except Cut:
            self.at = len(self.text)
            self.was_cut = True
        return self.spans

    def next(self) -> re.Match[str] | None:
        """The next token; what follows the end of thoughts counts as the beginning of a line."""
        if self.at and self.at == self.floor and (token := _LINE_TOKEN.match(self.text, self.at)) is not None:
            return token
        return _TOKEN.search(self.text, self.at)

    def step(self, token: re.Match[str]) -> int:
        """Deal with one token and say where to go on. Raises Cut to stop."""
        kind = token.lastgroup
        if kind == "tag":
            return self.tag(token)
        self.reader.charge()
        if kind == "info":
            return self.fence(token)
        if kind == "comment":
            return self.past(token, "-->")
        if kind == "turn":
            raise Cut
        if kind == "bracket":
            return self.bracket(token)
        if kind == "functools":
            return self.take(token, bracketed.functools(self.reader, token))
        if kind == "labelled":
            return self.take(token, bare.labelled(self.reader, token))
        return self.unmarked(token, bare.pythonic_list if kind == "pythonic" else bare.json_value)

    def tag(self, token: re.Match[str]) -> int:
        """A tag: the end or beginning of thoughts, someone else's turn, an opaque block, or a call."""
        tag = token["tag"]
        name = tag.lower()
        is_tool = tag in self.offered
        if not is_tool and not _INTERESTING.search(name):
            return token.end()
        self.reader.charge()
        if name in thoughts.CLOSERS or (name == "|close|" and self.text.startswith("think", token.end())):
            return self.thought_ends(token)
        if name in thoughts.CLOSE_OF:
            return self.thoughts(token, thoughts.CLOSE_OF[name])
        if name == "|open|" and self.text.startswith("think", token.end()):
            return self.thoughts(token, "<|close|>think<|sep|>")
        if name in _OPAQUE:
            return self.past(token, f"</{tag}>")
        if _TURNS.match(self.text, token.start() + 1):
            raise Cut
        if is_tool and (span := named.read(self.reader, token, tag, self.parameters(tag))) is not None:
            return self.take(token, span if self.is_apart(span) else Span(span.start, span.end))
        if name == python_tag.TAG:
            return self.take(token, python_tag.read(self.reader, token, self.offered))
        element = xml.OPENS.fullmatch(tag)
        if element is not None:
            return self.take(token, xml.read(self.reader, token, element))
        name = tagged.name_of(tag)
        for opens, read in FAMILIES:
            if opens.fullmatch(name) and not tag.startswith("/"):
                return self.take(token, read(self.reader, token, name))
        return token.end()

    def bracket(self, token: re.Match[str]) -> int:
        """One of Mistral's words in brackets."""
        word = token["bracket"].upper()
        if word == "THINK":
            return self.thoughts(token, "[/THINK]")
        if word in ("/THINK", "BEGIN FINAL RESPONSE"):
            return self.thought_ends(token)
        reads = {"TOOL_CALLS": bracketed.tool_calls, "ARGS": bracketed.args, "TOOL_REQUEST": bracketed.tool_request}
        return self.take(token, reads[word](self.reader, token))

    def thoughts(self, token: re.Match[str], close: str) -> int:
        """Pass over thoughts. Kimi forgets to close them before its section tokens; any other open end stops."""
        self.thought = True
        end = self.reader.find(close, token.end())
        if end >= 0:
            self.floor = end + len(close)
            return self.floor
        begins = [at for marker in _KIMI_BEGINS if (at := self.reader.find(marker, token.end())) >= 0]
        if not begins:
            raise Cut
        return min(begins)

    def thought_ends(self, token: re.Match[str]) -> int:
        """The end of thoughts whose beginning was in the prompt: all before it was thinking."""
        if not self.thought:
            self.spans.clear()
        self.thought = True
        self.floor = token.end()
        return self.floor

    def past(self, token: re.Match[str], close: str) -> int:
        """Pass over a block up to its end; without an end the tag is only a word."""
        end = self.reader.find(close, token.end())
        return token.end() if end < 0 else end + len(close)

    def fence(self, token: re.Match[str]) -> int:
        """A code block: calls only if it is of a kind for calls and holds nothing else."""
        closing = re.compile(rf"^[ ]{{0,3}}{token['fence']}[`~]*[ \t]*$", re.MULTILINE).search(
            self.text, token.end() + 1
        )
        self.reader.charge((closing.end() if closing else len(self.text)) - token.end())
        end = closing.end() if closing else len(self.text)
        info = token["info"].split()
        language = info[0].lower() if info else ""
        if language not in _CALL_FENCES or self.is_example(token.start(), end, marked=False):
            return end
        body = self.text[token.end() : closing.start() if closing else end]
        inner = Scanner(Reader("\n" + body, self.reader.spent), self.offered)
        calls = inner.whole(code=language == "tool_code")
        self.reader.spent = inner.reader.spent
        if inner.was_cut and not calls:
            # The block's end may stand inside an argument.
            raise Cut
        if calls:
            self.accept(Span(token.start(), end, calls))
        return end

    def whole(self, *, code: bool = False) -> tuple[Found, ...]:
        """The calls of a text that must consist of them alone."""
        if code:
            return bare.code_calls(self.reader)
        at = 0
        found: list[Found] = []
        for span in self.run():
            if not self.is_blank(at, span.start):
                return ()
            found += span.found
            at = span.end
        return tuple(found) if self.is_blank(at, len(self.text)) else ()

    def is_blank(self, at: int, end: int) -> bool:
        """Whether nothing but white space, separators and special tokens stands here."""
        while at < end:
            special = _SPECIAL.match(self.text, at, end)
            if special is None:
                return False
            at = special.end()
        return True

    def take(self, token: re.Match[str], span: Span | None) -> int:
        """Note a marked span unless it is quoted; without one the marker was only mentioned."""
        if span is None:
            return token.end()
        if span.found and (
            self.in_quotation(self.reader.blank(span.start)) or self.is_example(span.start, span.end, marked=True)
        ):
            span = Span(span.start, span.end)
        self.accept(span)
        return max(span.end, token.end())

    def unmarked(self, token: re.Match[str], read: Callable[[Reader, re.Match[str]], Span | None]) -> int:
        """JSON or Python without a marker: judged by where it stands and what the words around it say."""
        span = read(self.reader, token)
        if span is None:
            if self.names_a_tool(token.end()):
                raise Cut
            return token.end()
        if span.found and not self.is_meant(span):
            span = Span(span.start, span.end)
        self.accept(span)
        return span.end

    def names_a_tool(self, at: int) -> bool:
        """Whether the word here is an offered tool: then a call began that could not be read."""
        word = _WORD.match(self.text, at)
        return word is not None and word[1] in self.offered

    def is_meant(self, span: Span) -> bool:
        """Whether an unmarked value stands where a call would: on its own lines, or harmlessly in prose."""
        if self.in_quotation(span.start) or self.is_example(span.start, span.end, marked=False):
            return False
        return self.is_apart(span)

    def is_apart(self, span: Span) -> bool:
        """Whether a call has its lines to itself or a label before it; in a sentence only a harmless one may stand."""
        previous = self.previous()
        line = max(self.text.rfind("\n", previous, span.start) + 1, previous)
        before = self.text[line : span.start]
        after = self.text.find("\n", span.end)
        alone = self.is_blank(line, span.start) and self.is_blank(span.end, after if after >= 0 else len(self.text))
        if alone or is_labelled(before):
            return True
        return span.found[0].format != "pythonic" and not any(changes_things(call.name) for call in span.found)

    def parameters(self, tool: str) -> Collection[str]:
        """The names of the parameters that a tool declares."""
        declared = self.offered[tool].get("properties") if isinstance(self.offered[tool], dict) else None
        return declared if isinstance(declared, dict) else ()

    def is_example(self, start: int, end: int, *, marked: bool) -> bool:
        """Whether the words around these positions say that the text between them is only shown."""
        before = self.text[max(self.previous(), start - 400) : start]
        return is_shown(before, self.text[end : end + 60], marked=marked)

    def in_quotation(self, at: int) -> bool:
        """Whether this place is inside inline code or a block quotation. Linear over the whole pass."""
        line, ticks_from = self._line
        newline = self.text.rfind("\n", ticks_from, at)
        if newline >= 0:
            line = ticks_from = newline + 1
        previous = self.previous()
        self._line = (line, ticks_from)
        begin = max(line, previous, at - 4000)
        odd = self.text.count("`", begin, at) % 2 == 1
        return odd or self.text[line : line + 4].lstrip().startswith(">")

    def previous(self) -> int:
        """Where the last thing that was understood ends."""
        return max(self.spans[-1].end if self.spans else 0, self.floor)

    def accept(self, span: Span) -> None:
        """Note a span and go on behind it."""
        self.spans.append(span)
        self.at = max(self.at, span.end)
