"""Telling a model's thinking from its answer when both come in one text."""

from __future__ import annotations

import re

_TAGS = {"<think>": "</think>", "<thinking>": "</thinking>"}
# Templates that open the block in the prompt leave only its end in the answer, on a line of its own.
_LONE_END = re.compile(r"^[ \t]*</think(?:ing)?>[ \t]*$\n*", re.MULTILINE)


class ThinkFilter:
    """Splits a stream of text into answer and thinking, piece by piece.

    Only blocks in front of the answer are thinking: a tag further on is text, for example of a file.
    """

    def __init__(self) -> None:
        """Start in front of the answer."""
        self._held = ""
        self._closing = ""
        self._thought = False
        self._in_answer = False

    def feed(self, text: str) -> tuple[str, str]:
        """Take the next piece; return what of the answer and of the thinking is certain by now."""
        if self._in_answer:
            return text, ""
        self._held += text
        thinking = ""
        while self._closing or self._open():
            before, closing, after = self._held.partition(self._closing)
            if not closing:
                certain = max(0, len(before) - len(self._closing) + 1)
                self._held = before[certain:]
                return "", thinking + before[:certain]
            thinking, self._held, self._closing = thinking + before, after, ""
        return self._answer(), thinking

    def end(self) -> tuple[str, str]:
        """What was held back, now that the text is over; a block without its end is thinking."""
        held, self._held = self._held, ""
        return ("", held) if self._closing else (held, "")

    def _open(self) -> bool:
        """Enter the block that starts here, if one does."""
        start = self._held.lstrip()
        for opening, closing in _TAGS.items():
            if start.startswith(opening):
                self._held, self._closing, self._thought = start.removeprefix(opening), closing, True
                return True
        return False

    def _answer(self) -> str:
        """The text held so far, unless it may still become an opening tag."""
        start = self._held.lstrip()
        if any(opening.startswith(start) for opening in _TAGS):
            return ""
        self._in_answer = True
        held, self._held = self._held, ""
        return held.lstrip("\r\n") if self._thought else held


def strip_thinking(text: str) -> str:
    """The answer without the thinking in front of it, also where only the end of the block is left."""
    think = ThinkFilter()
    answer = think.feed(text)[0] + think.end()[0]
    end = _LONE_END.search(answer)
    if end is None or any(tag in answer[: end.start()] for tag in _TAGS):
        return answer
    return answer[end.end() :]
