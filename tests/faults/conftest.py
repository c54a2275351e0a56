"""A launcher for all tests, scenes that are closed after each, and what the small build comes to undisturbed."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest
from faults.clients import Launcher
from faults.scenes import Outcome, Scene

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def launcher() -> Iterator[Launcher]:
    """One process per worker that has Millwright imported and forks its clients."""
    started = Launcher()
    yield started
    started.close()


@pytest.fixture
def scene(launcher: Launcher, tmp_path: Path) -> Iterator[Callable[..., Scene]]:
    """Make scenes with `scene(crew, *options, **environment)`."""
    made: list[Scene] = []

    def make(crew: Any, *options: str, **env: str) -> Scene:
        made.append(Scene(launcher, tmp_path / f"scene{len(made)}", crew, options, env))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(scope="session")
def whole(launcher: Launcher, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Outcome]:
    """What a build comes to that nobody disturbs: `whole(crew, *options)`, built once for each."""

    @functools.cache
    def built(crew: Callable[[], Any], *options: str) -> Outcome:
        build = Scene(launcher, tmp_path_factory.mktemp("whole"), crew(), options)
        try:
            ended = build.build()
            assert ended.code == 0, ended.out
            return build.outcome()
        finally:
            build.close()

    return built
