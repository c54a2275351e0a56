"""The taxonomy is closed, and the errors of every provider map into it by their shape alone."""

from __future__ import annotations

import httpx
import pytest
from langchain_core.messages import AIMessage
from ollama import ResponseError

from agents.models.failures import FailureKind, classify, failure
from agents.models.replies import check, fault_of
from tools.errors import ModelFault, ModelUnavailable, ToolRefused

K = FailureKind


class APIStatusError(Exception):
    """The shape of OpenAI's and Anthropic's errors: a status code and the decoded body."""

    def __init__(self, status_code, body=None, message="Error code"):
        super().__init__(message)
        self.status_code = status_code
        self.body = body


class APIConnectionError(Exception):
    """The clients' error when no server answers; it has no status."""


class APITimeoutError(APIConnectionError):
    """A connection error that is a timeout."""


class OverloadedError(APIStatusError):
    """A subclass that a provider's package may add."""


def _anthropic(status, kind, **details):
    inner = {"type": kind, "message": kind, **({"details": details} if details else {})}
    return APIStatusError(status, {"type": "error", "error": inner})


def _openai(status, code, kind=None):
    return APIStatusError(status, {"message": "m", "type": kind, "param": None, "code": code})


OLLAMA = [
    (ResponseError("model 'x' not found", 404), K.MODEL_MISSING),
    (ResponseError('model "x" not found, try pulling it first', 404), K.MODEL_MISSING),
    (ResponseError("404 page not found", 404), K.CONFIG),
    (ResponseError("registry.ollama.ai/library/x does not support tools", 400), K.NO_TOOLS),
    (ResponseError('"x" does not support thinking', 400), K.CONFIG),
    (ResponseError("error parsing tool call: raw='model x not found', err=EOF", 500), K.FORMAT_FAULT),
    (ResponseError("failed to parse XML: XML syntax error on line 1: unexpected EOF", 500), K.FORMAT_FAULT),
    (ResponseError("expected element type <function> but have <parameter>"), K.FORMAT_FAULT),
    (ResponseError("invalid character '\\n' in string literal", 500), K.FORMAT_FAULT),
    (ResponseError("unexpected end of JSON input", 500), K.FORMAT_FAULT),
    (ResponseError("mismatched arg_key and arg_value counts: 2 keys, 1 values", 500), K.FORMAT_FAULT),
    (ResponseError('tool "frobnicate" is not declared', 500), K.FORMAT_FAULT),
    (ResponseError("tool 'frobnicate' not found", 500), K.FORMAT_FAULT),
    (ResponseError("json: cannot unmarshal string into Go struct field", 400), K.CONFIG),
    (ResponseError("the input length exceeds the context length", 400), K.CONTEXT_OVERFLOW),
    (
        ResponseError("the prompt is longer than the context length currently available to the model", 400),
        K.CONTEXT_OVERFLOW,
    ),
    (ResponseError("server busy, please try again.  maximum pending requests exceeded", 503), K.OVERLOADED),
    (ResponseError("model requires more system memory (9 GiB) than is available (2 GiB)", 500), K.RESOURCES),
    (ResponseError("llama-server process has terminated: signal: killed", 500), K.TRANSIENT),
    (ResponseError("request canceled", 499), K.TRANSIENT),
    (ResponseError("something new", 500), K.INTERNAL),
    (ResponseError("something new"), K.TRANSIENT),
    (ConnectionError("Failed to connect to Ollama."), K.UNREACHABLE),
]
HTTPX = [
    (httpx.ConnectError("refused"), K.UNREACHABLE),
    (httpx.ConnectTimeout("slow"), K.UNREACHABLE),
    (httpx.ReadTimeout("slow"), K.TIMEOUT),
    (httpx.RemoteProtocolError("peer closed connection"), K.TRANSIENT),
    (httpx.UnsupportedProtocol("ftp"), K.CONFIG),
    (TimeoutError(), K.TIMEOUT),
    (ConnectionResetError("reset"), K.UNREACHABLE),
]
OPENAI = [
    (_openai(401, "invalid_api_key"), K.AUTH),
    (_openai(403, "unsupported_country_region_territory"), K.AUTH),
    (_openai(404, "model_not_found", "invalid_request_error"), K.MODEL_MISSING),
    (_openai(429, "insufficient_quota", "insufficient_quota"), K.QUOTA),
    (_openai(429, "rate_limit_exceeded", "tokens"), K.RATE_LIMIT),
    (APIStatusError(429, None, "You exceeded your current quota, please check your plan"), K.QUOTA),
    (_openai(400, "context_length_exceeded", "invalid_request_error"), K.CONTEXT_OVERFLOW),
    (_openai(400, "content_policy_violation"), K.REFUSED),
    (_openai(400, None, "invalid_request_error"), K.CONFIG),
    (_openai(500, None, "server_error"), K.INTERNAL),
    (APIStatusError(503, None), K.OVERLOADED),
    (APIConnectionError("Connection error."), K.UNREACHABLE),
    (APITimeoutError("Request timed out."), K.TIMEOUT),
]
ANTHROPIC = [
    (_anthropic(401, "authentication_error"), K.AUTH),
    (_anthropic(402, "billing_error"), K.QUOTA),
    (_anthropic(403, "permission_error"), K.AUTH),
    (_anthropic(404, "not_found_error"), K.MODEL_MISSING),
    (_anthropic(413, "request_too_large"), K.CONTEXT_OVERFLOW),
    (_anthropic(429, "rate_limit_error"), K.RATE_LIMIT),
    (_anthropic(429, "rate_limit_error", error_code="enforced_spend_limit_reached"), K.QUOTA),
    (_anthropic(200, "overloaded_error"), K.OVERLOADED),
    (OverloadedError(529), K.OVERLOADED),
    (_anthropic(500, "api_error"), K.INTERNAL),
    (_anthropic(504, "timeout_error"), K.TIMEOUT),
    (
        APIStatusError(400, {"error": {"type": "invalid_request_error"}}, "prompt is too long: 9 > 8"),
        K.CONTEXT_OVERFLOW,
    ),
]


@pytest.mark.parametrize(("error", "kind"), [*OLLAMA, *HTTPX, *OPENAI, *ANTHROPIC])
def test_each_error_has_its_kind_and_keeps_its_words(error, kind):
    found = classify(error)
    assert found.kind is kind
    assert found.message.startswith(kind.sentence)
    assert " ".join(str(error).split()) in found.message


def test_every_kind_says_who_acts_and_raises_accordingly():
    for kind in K:
        error = failure(kind, "detail").error()
        assert (isinstance(error, ModelFault), isinstance(error, ModelUnavailable)) == (
            kind.blame == "model",
            kind.blame != "model",
        )
        assert error.kind == kind
        assert str(error) == f"{kind.sentence}: detail"
        assert kind.blame != "user" or not kind.retryable
        if isinstance(error, ModelUnavailable):
            assert error.retryable is kind.retryable
        assert classify(error).kind is kind


@pytest.mark.parametrize("status", range(400, 600))
def test_every_status_has_a_kind(status):
    kind = classify(APIStatusError(status)).kind
    assert kind is not K.UNKNOWN
    assert kind.retryable or status < 500


def test_the_unknown_is_named_and_its_cause_is_looked_at():
    found = classify(RuntimeError("odd"))
    assert (found.kind, found.retryable) == (K.UNKNOWN, False)
    assert "RuntimeError: odd" in found.message
    wrapper = RuntimeError("wrapped")
    wrapper.__cause__ = httpx.ConnectError("refused")
    assert classify(wrapper).kind is K.UNREACHABLE
    assert classify(ToolRefused("no")).kind is K.UNKNOWN
    assert classify(ModelFault("x", kind="of another room")).kind is K.UNKNOWN


@pytest.mark.parametrize(
    ("metadata", "kind"),
    [
        ({"finish_reason": "length"}, K.CUT),
        ({"stop_reason": "max_tokens"}, K.CUT),
        ({"done_reason": "length"}, K.CUT),
        ({"stop_reason": "refusal"}, K.REFUSED),
        ({"finish_reason": "content_filter"}, K.REFUSED),
        ({"finish_reason": "tool_calls"}, None),
        ({"stop_reason": "end_turn"}, None),
        ({}, None),
    ],
)
def test_a_finished_reply_of_any_provider_is_judged_by_its_end(metadata, kind):
    message = AIMessage("text", response_metadata=metadata)
    assert fault_of(message) is kind
    if kind is None:
        check(message)
    else:
        with pytest.raises(ModelFault) as caught:
            check(message)
        assert caught.value.reply is message
