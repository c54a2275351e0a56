"""`millwright build` and `millwright demo`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tools.errors import UsageError

if TYPE_CHECKING:
    from pydantic import ValidationError

    from millwright.driving import Result

SIGNING_KEY = "MILLWRIGHT_SIGNING_KEY"
Model = Annotated[str | None, typer.Option(help="Chat model, such as ollama:qwen2.5-coder:7b.", metavar="NAME")]
BaseUrl = Annotated[str | None, typer.Option(help="Where the model's server listens.", metavar="URL")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one machine-readable result and nothing else.")]
MaxCalls = Annotated[int | None, typer.Option(min=1, help="Most model calls.")]
MaxTokens = Annotated[int | None, typer.Option(min=1, help="Most tokens, prompts and answers together.")]
MaxSeconds = Annotated[float | None, typer.Option(min=0.001, help="Most seconds spent in model calls.")]
Unconfined = Annotated[
    str | None,
    typer.Option("--exec-sandbox", help="require (default) or off: off runs model-written code UNCONFINED."),
]
SigningKey = Annotated[
    Path | None,
    typer.Option("--key", help="PEM file of an Ed25519 key that signs what is delivered.", envvar=SIGNING_KEY),
]


def build(
    goal: Annotated[str, typer.Argument(help="What to build, in a sentence or more.", show_default=False)],
    model: Model = None,
    into: Annotated[
        Path | None, typer.Option(help="An existing git repository to build into, on a branch.")
    ] = None,
    approve: Annotated[
        str | None, typer.Option(help="Ask before these steps: plan, tests, delivery (comma-separated).")
    ] = None,
    verification: Annotated[str | None, typer.Option(help="quick, standard or thorough.")] = None,
    max_calls: MaxCalls = None,
    max_tokens: MaxTokens = None,
    max_seconds: MaxSeconds = None,
    parallel: Annotated[int | None, typer.Option(min=1, help="Model calls in flight at once.")] = None,
    base_url: BaseUrl = None,
    exec_sandbox: Unconfined = None,
    skills: Annotated[
        bool | None, typer.Option("--skills/--no-skills", help="Offer the library's tools that fit (default).")
    ] = None,
    hold_out: Annotated[
        float | None,
        typer.Option(min=0, max=0.5, help="Share of builds that are not offered them, to measure their worth (0)."),
    ] = None,
    key: SigningKey = None,
    json: AsJson = False,
) -> None:
    """Build software from a goal, and prove it."""
    from millwright import driving
    from millwright.cli.running import carry_on

    if key is not None:
        os.environ[SIGNING_KEY] = str(key.absolute())
    settings = given(
        model=model,
        base_url=base_url,
        verification=verification,
        max_calls=max_calls,
        max_tokens=max_tokens,
        max_seconds=max_seconds,
        parallel=parallel,
        sandbox=exec_sandbox,
        skills=skills,
        hold_out=hold_out,
        approve=None if approve is None else [word.strip() for word in approve.split(",") if word.strip()],
    )
    carry_on(
        lambda listener: driving.build(
            goal, into=None if into is None else str(into), listener=listener, **settings
        ),
        as_json=json,
    )


def demo(json: AsJson = False) -> None:
    """Replay a recorded build through the whole real machinery: no model, no network, no key."""
    from millwright.cli.running import carry_on
    from millwright.replaying import demo_cassette, replay

    def run(listener: Any) -> Any:
        return replay(demo_cassette(), listener=listener)

    result: Result = carry_on(run, as_json=json, leave=False)
    raise typer.Exit(result.exit_code)


def given(**settings: Any) -> dict[str, Any]:
    """Only the settings that were typed."""
    return {name: value for name, value in settings.items() if value is not None}


def not_an_option(error: ValidationError) -> UsageError:
    """The first setting that does not hold, under the name of the option that sets it."""
    wrong = error.errors()[0]
    name = ".".join(map(str, wrong["loc"])).replace("_", "-")
    option = "exec-sandbox" if name == "sandbox" else name
    return UsageError(f"--{option}: {wrong['msg']} (got {wrong['input']!r})")
