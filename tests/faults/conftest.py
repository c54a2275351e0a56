"""A launcher for all tests, scenes that are closed after each, and what the small build comes to undisturbed."""

from __future__ import annotations

import functools
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from faults.clients import Launcher
from faults.scenes import Outcome, Scene
from faults.sessions import Night
from servers.ollama import OllamaServer
from toolmakers import solver

from tools.tasks import draw

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


@pytest.fixture
def nights(launcher: Launcher, tmp_path: Path) -> Iterator[Callable[..., Night]]:
    """Make data directories for sessions of the factory, with a server that solves so many tasks of the stream."""
    made: list[Night] = []

    def make(tasks: int = 8) -> Night:
        server = OllamaServer(solver([draw("any", 0, number) for number in range(tasks)])).start()
        made.append(Night(launcher, tmp_path / f"night{len(made)}", server))
        return made[-1]

    yield make
    for night in made:
        night.server.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[Path, int], None]]:
    """Mount file systems of so many KiB."""
    mounted: list[Path] = []

    def mount(path: Path, size: int) -> None:
        path.mkdir(parents=True)
        words = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(path)]
        if os.geteuid() != 0 or subprocess.run(words, capture_output=True).returncode:
            pytest.skip("a small disk is a tmpfs, and only root may mount one")
        mounted.append(path)

    yield mount
    for path in mounted:
        subprocess.run(["umount", "-l", str(path)], check=True)
