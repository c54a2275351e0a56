"""Hashed words: the rung that every machine has."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tools.memory.embeddings.lexical import Lexical


def cosine(first: str, second: str) -> float:
    rows = Lexical().embed([first, second])
    return float(rows[0] @ rows[1])


@given(st.lists(st.text(), max_size=5))
def test_any_text_gives_a_row_of_length_one_or_of_zeros(texts: list[str]) -> None:
    rows = Lexical().embed(texts)
    assert rows.shape == (len(texts), Lexical.dimensions)
    assert rows.dtype == np.float32
    lengths = np.linalg.norm(rows, axis=1)
    assert np.all((np.abs(lengths - 1) < 1e-5) | (lengths == 0))


def test_forms_synonyms_and_misspellings_are_near_and_strangers_far() -> None:
    text = "Average of a list of numbers"
    assert cosine(text, "averaging numbers of lists") > 0.9
    assert cosine(text, "mean of an array of numbers") > cosine(text, "colour of an array of numbers")
    assert cosine("efficiency of the assembly line", "eficiency of the assembly lines") > 0.7
    assert cosine(text, "Bake a cake with cherries") < Lexical.floor


def test_a_name_and_its_words_are_the_same() -> None:
    assert cosine("takt_time", "Takt Time") > 0.999
    assert cosine("taktTime", "takt-time") > 0.999


def test_two_processes_make_the_same_vector() -> None:
    call = "Lexical().embed(['takt time of a line']).tobytes().hex()"
    code = f"from tools.memory.embeddings.lexical import Lexical; print({call})"
    here = Lexical().embed(["takt time of a line"]).tobytes().hex()
    for seed in ("1", "2"):
        command = [sys.executable, "-c", code]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."}
        )
        assert done.stdout.strip() == here


def test_what_was_embedded_before_keeps_its_vector() -> None:
    """The fingerprint has to change with the vectors: stored ones are compared with new ones."""
    row = Lexical().embed(["Available production time per customer demand, in minutes"])[0]
    digest = hashlib.sha256(np.round(row * 1000).astype("<i2").tobytes()).hexdigest()
    assert (Lexical.fingerprint, digest[:16]) == ("lexical@2:1024", "04e39e516d2dffff")
