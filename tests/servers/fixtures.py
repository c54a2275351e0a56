"""Fixtures that start the test servers."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from servers.ollama import OllamaServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def ollama() -> Iterator[Callable[..., OllamaServer]]:
    """Start servers with `ollama(answers, models=…)`; they are closed at the end of the test."""
    with ExitStack() as stack:

        def start(*args: Any, **kwargs: Any) -> OllamaServer:
            return stack.enter_context(OllamaServer(*args, **kwargs))

        yield start
