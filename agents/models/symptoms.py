"""What each failure looks like from outside: codes, statuses, classes and words of the providers' errors.

Sources: Ollama server/routes.go, llm/llama_server.go and model/parsers; OpenAI's and Anthropic's pages on errors.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from agents.models.kinds import FailureKind

if TYPE_CHECKING:
    from collections.abc import Mapping

K = FailureKind


def _words(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(parts), re.IGNORECASE)


CODES: Mapping[str, FailureKind] = {
    "authentication_error": K.AUTH,
    "invalid_api_key": K.AUTH,
    "permission_error": K.AUTH,
    "billing_error": K.QUOTA,
    "billing_hard_limit_reached": K.QUOTA,
    "credit_balance_exhausted": K.QUOTA,
    "enforced_spend_limit_reached": K.QUOTA,
    "insufficient_quota": K.QUOTA,
    "rate_limit_error": K.RATE_LIMIT,
    "rate_limit_exceeded": K.RATE_LIMIT,
    "overloaded_error": K.OVERLOADED,
    "unavailable_error": K.OVERLOADED,
    "timeout_error": K.TIMEOUT,
    "api_error": K.INTERNAL,
    "server_error": K.INTERNAL,
    "model_not_found": K.MODEL_MISSING,
    "not_found_error": K.MODEL_MISSING,
    "context_length_exceeded": K.CONTEXT_OVERFLOW,
    "exceed_context_size_error": K.CONTEXT_OVERFLOW,
    "request_too_large": K.CONTEXT_OVERFLOW,
    "content_filter": K.REFUSED,
    "content_policy_violation": K.REFUSED,
}

GENERAL = frozenset({"api_error", "server_error"})
"""Codes that say no more than that something failed."""

STATUSES: Mapping[int, FailureKind] = {
    401: K.AUTH,
    402: K.QUOTA,
    403: K.AUTH,
    404: K.MODEL_MISSING,
    408: K.TIMEOUT,
    409: K.TRANSIENT,
    413: K.CONTEXT_OVERFLOW,
    425: K.TRANSIENT,
    429: K.RATE_LIMIT,
    499: K.TRANSIENT,
    502: K.TRANSIENT,
    503: K.OVERLOADED,
    504: K.TIMEOUT,
    529: K.OVERLOADED,
}

# Class names of httpx, langchain-core, OpenAI's and Anthropic's clients, and Python itself.
CLASSES: Mapping[str, FailureKind] = {
    "ModelAuthenticationError": K.AUTH,
    "ModelPermissionDeniedError": K.AUTH,
    "ModelInvalidRequestError": K.CONFIG,
    "ModelNotFoundError": K.MODEL_MISSING,
    "ModelRateLimitError": K.RATE_LIMIT,
    "ModelTimeoutError": K.TIMEOUT,
    "ModelConnectionError": K.UNREACHABLE,
    "ContextOverflowError": K.CONTEXT_OVERFLOW,
    "ModelAPIError": K.INTERNAL,
    "APITimeoutError": K.TIMEOUT,
    "APIConnectionError": K.UNREACHABLE,
    "LengthFinishReasonError": K.CUT,
    "ContentFilterFinishReasonError": K.REFUSED,
    "OutputParserException": K.INVALID_ANSWER,
    "ConnectError": K.UNREACHABLE,
    "ConnectTimeout": K.UNREACHABLE,
    "UnsupportedProtocol": K.CONFIG,
    "InvalidURL": K.CONFIG,
    "TimeoutException": K.TIMEOUT,
    "TransportError": K.TRANSIENT,
    "DecodingError": K.TRANSIENT,
    "TimeoutError": K.TIMEOUT,
    "RecursionError": K.FORMAT_FAULT,  # arguments that are nested too deeply to be read
    "ValidationError": K.FORMAT_FAULT,  # a call that the provider's own library cannot read
    "JSONDecodeError": K.TRANSIENT,  # from here on: an answer of another shape than the library expects
    "KeyError": K.TRANSIENT,
    "IndexError": K.TRANSIENT,
    "TypeError": K.TRANSIENT,
    "ConnectionError": K.UNREACHABLE,
}


# The first match counts: what a model wrote may be quoted in the text, so its fault comes first.
WORDS: tuple[tuple[FailureKind, re.Pattern[str]], ...] = (
    (
        K.FORMAT_FAULT,
        _words(
            "pars(?:e|ing).{0,20} tool call",
            "tool call parsing",
            "XML syntax error",
            "failed to parse (?:XML|JSON|function call|arguments|value|[A-Z][a-z]+ JSON tool call)",
            "expected element (?:type|name)",
            "element <.{1,60}> closed by",
            "invalid character .{1,12} (?:after|looking|in|before)",
            "unexpected end of JSON",
            "mismatched arg_key",
            "empty (?:function|argument|\\w+ function|\\w+ tool call) name",
            "tool .{1,80} (?:is not declared|not found)",
            "required argument .{1,80} is missing",
            "(?:invalid|incomplete|malformed|unterminated|missing|undeclared) "
            "(?:function call|argument|object entry|GLM|ATEM|Glimmer)",
        ),
    ),
    (K.NO_TOOLS, _words("does not support tools")),
    (K.CONFIG, _words("does not support", "page not found")),
    (
        K.CONTEXT_OVERFLOW,
        _words(
            "exceeds the available context",
            "exceeds? the context length",
            "longer than the context",
            "maximum context length",
            "prompt is too long",
        ),
    ),
    (
        K.RESOURCES,
        _words("requires more system memory", "out.of.memory", "failed to allocate", "insufficient memory"),
    ),
    (K.QUOTA, _words("credit balance", "spend(?:ing)? limit", "exceeded your current quota", "usage limit")),
    (K.OVERLOADED, _words("server busy", "overloaded")),
    (K.LOAD, _words("loading model", "timed out waiting for llama")),
    (K.MODEL_MISSING, _words("model .{1,300} not found", "try pulling it")),
    (K.TRANSIENT, _words("no longer running", "has terminated", "unexpectedly stopped", "while running the model")),
)
