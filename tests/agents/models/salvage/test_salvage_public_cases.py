"""The cases of public test suites, read beside the checkout: what the salvager must reach on them."""

from __future__ import annotations

import pytest

from benchmarks import salvage as benchmark


@pytest.fixture(scope="module")
def score() -> benchmark.Score:
    if not benchmark.CASES.exists():
        pytest.skip(f"{benchmark.CASES} is not here")
    return benchmark.score("salvage", benchmark.ours, benchmark.load())


def test_positives_are_found(score):
    assert score.rate("core") >= 0.9
    assert score.rate("all") >= 0.75


def test_no_negative_gives_a_call(score):
    assert score.negatives > 0
    assert score.false_calls == []


def test_cut_texts_give_no_wrong_call(score):
    assert score.cut > 4000
    assert len(score.wrong_cut) / score.cut <= 0.001


def test_edits_are_found(score):
    assert score.edits > 0
    assert score.edits_right == score.edits
