"""The closed list of how a call to a model fails: who has to act, whether asking again may help, the way out."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Blame = Literal["model", "api", "user"]


class FailureKind(StrEnum):
    """Every way a call can fail; `retryable` says whether the same request, or a changed one, may succeed later."""

    AUTH = "auth"
    QUOTA = "quota"
    CONFIG = "config"
    MODEL_MISSING = "model_missing"
    RESOURCES = "resources"
    RATE_LIMIT = "rate_limit"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TRANSIENT = "transient"
    OVERLOADED = "overloaded"
    LOAD = "load"
    INTERNAL = "internal"
    UNKNOWN = "unknown"
    FORMAT_FAULT = "format_fault"
    INVALID_ANSWER = "invalid_answer"
    EMPTY = "empty"
    DISCARDED = "discarded"
    REASONING_ONLY = "reasoning_only"
    CUT = "cut"
    REPETITION = "repetition"
    TIME_LIMIT = "time_limit"
    REFUSED = "refused"
    NO_TOOLS = "no_tools"
    CONTEXT_OVERFLOW = "context_overflow"

    @property
    def blame(self) -> Blame:
        """Who has to act."""
        return _MEANING[self][0]

    @property
    def retryable(self) -> bool:
        """Whether asking again may help."""
        return _MEANING[self][1]

    @property
    def sentence(self) -> str:
        """What is wrong and the way out."""
        return _MEANING[self][2]


K = FailureKind
_MEANING: Mapping[FailureKind, tuple[Blame, bool, str]] = {
    K.AUTH: ("user", False, "the model's server refuses the credentials; set the right API key"),
    K.QUOTA: ("user", False, "the account's quota or credit is used up; raise it, or choose another model"),
    K.CONFIG: (
        "user",
        False,
        "the model's server refuses the request; check the model's name, options and address",
    ),
    K.MODEL_MISSING: ("user", False, "the model's server has no such model; pull it, or choose another"),
    K.RESOURCES: ("user", False, "the model does not fit into memory; choose a smaller one, or a smaller num_ctx"),
    K.RATE_LIMIT: ("api", True, "the model's server asks for a pause; wait"),
    K.UNREACHABLE: ("api", True, "the model's server does not answer; start it, or check its address"),
    K.TIMEOUT: ("api", True, "the model's server did not answer in time; wait, or allow more seconds"),
    K.TRANSIENT: ("api", True, "the model's server failed in the middle of the call; ask again"),
    K.OVERLOADED: ("api", True, "the model's server is busy; wait"),
    K.LOAD: ("api", True, "the server only loaded the model and did not ask it; ask again"),
    K.INTERNAL: ("api", True, "the model's server has an internal error; see its log"),
    K.UNKNOWN: ("api", False, "the call failed in a way that is not known"),
    K.FORMAT_FAULT: ("model", True, "the model wrote a tool call that its server cannot read; ask in another form"),
    K.INVALID_ANSWER: ("model", True, "the model's answer is not valid; tell it what is wrong"),
    K.EMPTY: ("model", True, "the model answered nothing; ask again"),
    K.DISCARDED: ("model", True, "the model wrote an answer that its server dropped; ask without tools"),
    K.REASONING_ONLY: ("model", True, "the model only thought and answered nothing; ask without reasoning"),
    K.CUT: ("model", True, "the answer was cut at the token limit; ask for less, or raise num_predict"),
    K.REPETITION: ("model", True, "the model repeated itself without end; ask for less, or at another temperature"),
    K.TIME_LIMIT: ("model", True, "the model did not come to an end in time; ask for less, or allow more seconds"),
    K.REFUSED: ("model", False, "the model or its filter refuses to answer; ask in another way"),
    K.NO_TOOLS: ("model", False, "the model cannot call tools; ask in a textual form"),
    K.CONTEXT_OVERFLOW: ("model", False, "the prompt is longer than the model's context; shorten it"),
}
