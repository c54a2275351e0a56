"""Thinking in front of an answer is told from the answer, however the stream cuts it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from servers.ollama import OllamaServer, Reply

from agents.models.ollama import OllamaChat
from agents.models.thinking import ThinkFilter, strip_thinking

CASES = [
    ("plain", "plain", ""),
    ("<think>hm</think>\n\nyes", "yes", "hm"),
    (" \n<think>a</think> <think>b</think>\nyes", "yes", "ab"),
    ("<thinking>a < b</thinking>\n  indented", "  indented", "a < b"),
    ("<think>never closed", "", "never closed"),
    ("<this is html>", "<this is html>", ""),
    ("text <think>kept</think>", "text <think>kept</think>", ""),
    ("<thi", "<thi", ""),
    ("", "", ""),
]


@pytest.mark.parametrize(("text", "answer", "thinking"), CASES)
def test_every_way_to_cut_the_text_gives_the_same(text, answer, thinking):
    for size in range(1, len(text) + 1):
        pieces = [text[i : i + size] for i in range(0, len(text), size)]
        assert _run(pieces) == (answer, thinking)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from(["<think>", "</think>", "<", "a", "\n", " ", "</", "think>"]), max_size=12))
def test_nothing_is_lost_but_tags_and_white_space(pieces):
    answer, thinking = _run(pieces)
    text = "".join(pieces)
    whole = _run([text])
    assert (answer, thinking) == whole
    letters = [c for c in answer + thinking if c == "a"]
    assert len(letters) == text.count("a")


def _run(pieces):
    think = ThinkFilter()
    parts = [*(think.feed(piece) for piece in pieces), think.end()]
    return "".join(a for a, _ in parts), "".join(t for _, t in parts)


def test_an_end_without_a_beginning_counts_only_on_a_line_of_its_own():
    assert strip_thinking("so\nit is\n</think>\n\nyes") == "yes"
    assert strip_thinking('TAG = "</think>"\n') == 'TAG = "</think>"\n'
    assert strip_thinking("see <think>\n</think>\n") == "see <think>\n</think>\n"


@pytest.mark.parametrize("reply", [Reply("<think>hm</think>\n\nyes", chunks=9), Reply("yes", thinking="hm")])
async def test_the_provider_keeps_thinking_out_of_the_content(reply):
    with OllamaServer(lambda _: reply) as server:
        model = OllamaChat(model="qwen2.5-coder:7b", base_url=server.url)
        message = await model.ainvoke("go")
        streamed = [chunk.content async for chunk in model.astream("go")]
    assert (message.content, message.additional_kwargs) == ("yes", {"reasoning_content": "hm"})
    assert "".join(streamed) == "yes"
