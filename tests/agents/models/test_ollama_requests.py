"""What the provider asks of the server: window, limits, options, thinking."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from pydantic import BaseModel
from servers.ollama import Model, OllamaServer, Reply

from agents.models.ollama import OllamaChat
from agents.models.sampling import sampling_for
from agents.models.windows import answer_room, prompt_tokens, text_tokens, window
from tools.errors import ModelFault

NAME = "qwen2.5-coder:7b"


def _server(**model):
    return OllamaServer(lambda _: Reply("fine"), [Model(NAME, **model)])


def test_the_window_fits_the_prompt_and_is_not_changed_by_every_call():
    with _server(context_length=131072) as server:
        model = OllamaChat(model=NAME, base_url=server.url)
        for size in (10, 2_000, 20_000, 100, 60_000, 5_000, 60_000):
            model.invoke("word " * (size // 5))
        windows = [chat.options["num_ctx"] for chat in server.chats]
        assert windows == [16384, 16384, 32768, 32768, 65536, 65536, 65536]
        assert len(server.loads) == 3
        for chat in server.chats:
            assert chat.options["num_ctx"] >= 1.25 * chat.prompt_tokens + 8192
            assert chat.options["num_predict"] == 8192


def test_the_window_stays_inside_the_model_and_the_answer_inside_the_window():
    with _server(context_length=4096) as server:
        model = OllamaChat(model=NAME, base_url=server.url)
        model.invoke("word " * 600)
        options = server.chats[0].options
    assert options["num_ctx"] == 4096
    assert 1024 <= options["num_predict"] < 4096


def test_the_limit_is_asked_once_and_its_absence_is_survived():
    with _server() as server:
        model = OllamaChat(model=NAME, base_url=server.url)
        asyncio.run(model.ainvoke("a"))
        model.invoke("b")
        assert [request.path for request in server.requests].count("/api/show") == 1
        assert asyncio.run(model.facts()).context_length == 32768


def test_options_may_come_with_the_model_or_with_the_call_and_the_model_keeps_its_own():
    with _server(parameters="temperature 0.3\nstop <|im_end|>") as server:
        model = OllamaChat(model=NAME, base_url=server.url, top_p=0.5, num_predict=100)
        model.invoke("a")
        model.bind(temperature=0, num_predict=7, num_ctx=2048, seed=1).invoke("a")
        model.bind(num_ctx=10**6).invoke("a")
        assert server.chats.pop().options["num_ctx"] == 32768
        plain, bound = (chat.options for chat in server.chats)
        assert "temperature" not in plain
        assert (plain["top_p"], plain["num_predict"], plain["top_k"]) == (0.5, 100, 20)
        assert (bound["temperature"], bound["num_predict"], bound["num_ctx"], bound["seed"]) == (0, 7, 2048, 1)


def test_half_a_character_in_the_history_does_not_stop_the_request():
    with _server() as server:
        OllamaChat(model=NAME, base_url=server.url).invoke("cut \ud83d")
        assert server.chats[0].last == "cut \ud83d"


def test_an_answer_with_the_form_of_a_schema_is_asked_for_and_read():
    class Verdict(BaseModel):
        passed: bool

    with OllamaServer([Reply('{"passed": true}'), Reply('{"passed": tr', done_reason="length")]) as server:
        judge = OllamaChat(model=NAME, base_url=server.url).with_structured_output(Verdict)
        assert judge.invoke("a") == Verdict(passed=True)
        assert server.chats[0].body["format"] == Verdict.model_json_schema()
        with pytest.raises(ModelFault, match="cut"):
            judge.invoke("a")


@pytest.mark.parametrize("unlimited", [-1, -2, 0])
def test_an_answer_is_never_without_a_limit(unlimited):
    with _server() as server:
        OllamaChat(model=NAME, base_url=server.url, num_predict=unlimited).invoke("a")
        assert server.chats[0].options["num_predict"] == 8192


def test_a_schema_tools_and_keep_alive_reach_the_server_whole():
    schema = {
        "type": "object",
        "properties": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}},
        "$defs": {"b": {"const": 1}},
    }
    tool = {"type": "function", "function": {"name": "f", "description": "d", "parameters": schema}}
    with _server() as server:
        OllamaChat(model=NAME, base_url=server.url).bind(format=schema, tools=[tool]).invoke("a")
        body = server.chats[0].body
    assert body["format"] == schema
    assert body["tools"] == [tool]
    assert (body["keep_alive"], body["truncate"], body["stream"]) == ("30m", False, True)


@pytest.mark.parametrize(
    ("capabilities", "reasoning", "sent"),
    [(["thinking"], False, False), (["thinking"], True, True), ([], True, None), ([], False, None)],
)
def test_thinking_is_asked_for_by_name_and_only_where_the_model_can(capabilities, reasoning, sent):
    with _server(capabilities=["completion", *capabilities]) as server:
        OllamaChat(model=NAME, base_url=server.url, reasoning=reasoning).invoke("a")
        assert server.chats[0].body.get("think") is sent


def test_old_thinking_is_never_sent_again():
    history = [
        SystemMessage("be brief"),
        HumanMessage("a"),
        AIMessage("<think>hm</think>\n\nb", additional_kwargs={"reasoning_content": "hm"}),
        HumanMessage("c"),
        AIMessage("so it is\n</think>\n\nd"),
        HumanMessage("e"),
    ]
    with _server() as server:
        OllamaChat(model=NAME, base_url=server.url).invoke(history)
        sent = server.chats[0].messages
    assert [message["content"] for message in sent] == ["be brief", "a", "b", "c", "d", "e"]
    assert not any("thinking" in message for message in sent)
    assert history[2].content.startswith("<think>")


def test_the_answer_tells_what_was_sent_so_that_a_lost_context_shows():
    prompt = "def f(x):\n    return x + 1\n" * 200
    with _server() as server:
        model = OllamaChat(model=NAME, base_url=server.url)
        facts = model.invoke(prompt).response_metadata
        assert facts["prompt_tokens_estimated"] == model.estimate([HumanMessage(prompt)])
        assert facts["prompt_eval_count"] <= facts["prompt_tokens_estimated"] <= 2 * facts["prompt_eval_count"]
        assert facts["options"] == server.chats[0].options


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 300_000), st.integers(1, 50_000), st.none() | st.integers(1024, 200_000))
def test_a_window_holds_prompt_and_answer_or_is_the_whole_of_the_model(prompt, answer, limit):
    size = window(prompt, answer, limit)
    assert limit is None or size <= limit
    assert size == limit or size >= 1.25 * prompt + max(answer, 8192)
    room = answer_room(size, prompt, answer)
    assert 0 < room <= answer
    assert prompt + room <= size or room <= size // 4


def test_the_estimate_counts_digits_one_by_one_and_images_and_tools():
    assert text_tokens("1234567890") == 10
    assert text_tokens("a" * 300) == 100
    assert text_tokens("日本語") == 3
    assert prompt_tokens([{"role": "user", "content": "", "images": ["AAAA"]}]) == 776
    bare = prompt_tokens([{"role": "user", "content": "a"}])
    assert prompt_tokens([{"role": "user", "content": "a"}], [{"type": "function"}]) > bare


def test_sampling_is_that_of_the_longest_family_name():
    assert sampling_for("hf.co/owner/Qwen3-Coder-30B:Q4")["repeat_penalty"] == 1.05
    assert "repeat_penalty" not in sampling_for("qwen3:8b")
    assert sampling_for("unheard-of:1b") == {"temperature": 0.2}
