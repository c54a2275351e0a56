"""The settings that every graph shares: which model, what it may spend, how confined its code runs."""

from __future__ import annotations

import os
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

DEFAULT_MODEL = "ollama:qwen2.5-coder:7b"


def default_model() -> str:
    """The model of `MILLWRIGHT_MODEL`, or a coder that most machines can run."""
    return os.environ.get("MILLWRIGHT_MODEL") or DEFAULT_MODEL


class RunContext(BaseModel):
    """How a run asks its model and runs what the model wrote."""

    model_config = ConfigDict(extra="forbid")
    graph: ClassVar[str] = ""
    """The name of the graph that is set up so."""
    inputs: ClassVar[tuple[str, ...]] = ()
    """What the graph is given to work on; kept in `run.json`, so that a run is begun again with it."""

    model: str = Field(
        default_factory=default_model,
        description="The chat model, as provider:name, or cassette:PATH to replay a recording.",
    )
    base_url: str | None = Field(None, description="Where the model's server listens, if not at its usual address.")
    max_calls: int | None = Field(None, ge=1, description="Most model calls of the run.")
    max_tokens: int | None = Field(None, ge=1, description="Most tokens of the run, prompts and answers together.")
    max_seconds: float | None = Field(None, gt=0, description="Most seconds spent in model calls.")
    parallel: int = Field(4, ge=1, le=64, description="Model calls in flight at once.")
    call_seconds: float = Field(600, gt=0, description="Most seconds for one model call.")
    outage_seconds: float = Field(30, ge=0, description="How long to wait for a model server that went away.")
    sandbox: Literal["require", "off"] = Field(
        "require",
        description="require: model-written code runs confined or not at all. off: unconfined, at your risk.",
    )


class AuthoringContext(RunContext):
    """How the agents of a run write files, and how long what they wrote may run."""

    turns: int = Field(24, ge=2, le=200, description="Most model calls for one attempt at one assignment.")
    assignment_tokens: int | None = Field(
        None, ge=1, description="Most tokens for one attempt at one assignment, prompts and answers together."
    )
    assignment_seconds: float | None = Field(
        None, gt=0, description="Most seconds of model calls for one attempt at one assignment."
    )
    test_seconds: float = Field(
        120, gt=0, description="Most seconds for one run of the delivered tests or commands."
    )
