"""Secrets of the environment and everything shaped like a key go; ordinary words stay."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.redaction import MASK, redact, redacted

BODY = "MIIEpAIBAAKCAQEA" + "q8Z3" * 12
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\n{BODY}==\n-----END RSA PRIVATE KEY-----"
ENCRYPTED = PEM.replace("KEY-----\nMII", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\nMII", 1)
SHAPED = [
    "sk-" + "a1B2" * 6,
    "sk-proj-" + "x_9-" * 8,
    "sk_" + "live_" + "4eC39HqLyjWDarjt",
    "ghp_" + "Ab12" * 9,
    "github_pat_" + "Ab1_" * 9,
    "glpat-" + "Ab1-" * 5,
    "hf_" + "Ab12" * 8,
    "lsv2_pt_" + "0a" * 16 + "_" + "0b" * 5,
    "AIza" + "Sy12_" * 7,
    "AKIA" + "ABCD" * 4,
    "xoxb-" + "1234567890-abc",
    PEM,
    ENCRYPTED,
    PEM[:90],
    PEM.replace("\n", "\\n"),
]


@pytest.mark.parametrize("secret", SHAPED, ids=lambda s: s[:14])
def test_what_is_shaped_like_a_key_is_taken_out(secret: str) -> None:
    assert redact(f"before ({secret}) after") == f"before ({MASK}) after"
    assert redact(f"KEY={secret}") == f"KEY={MASK}"


@pytest.mark.parametrize(
    "text",
    [
        "docs/risk-assessment-and-mitigation-plan.md",
        ".mask-image-linear-gradient-to-right {}",
        "disk-usage-report-generator-cli",
        "task-management-application-backend",
        'MARK = "-----BEGIN PRIVATE KEY-----"\nEND = "-----END PRIVATE KEY-----"\n',
        'if "-----BEGIN RSA PRIVATE KEY-----" in text:\n    raise ValueError("a key")\n',
        "sk-short",
        "sha256 " + "0a1b" * 16,
        "http://user:secret@localhost/path",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SOME_API_KEY", "correct horse battery"),
        ("my_token", "0123456789"),
        ("DB_PASSWORD", "päss wörd!"),
        ("PGPASS", "hunter22!"),
        ("SSH_PASSPHRASE", 'with "quotes" in it'),
        ("CLIENT_SECRET", "line one\nline two"),
        ("GOOGLE_CREDENTIALS", '{"private": "x"}'),
    ],
)
def test_secret_values_of_the_environment_are_taken_out(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert redact(f"it is {value}.") == f"it is {MASK}."
    inner = json.dumps({"content": value}, ensure_ascii=False)
    assert json.loads(redact(inner)) == {"content": MASK}


def test_the_password_of_an_address_in_the_environment_is_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://crew:s3cr3t-s3cr3t@db/runs")
    assert redact("connected with s3cr3t-s3cr3t") == f"connected with {MASK}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOKENIZERS_PARALLELISM", "disabled"),
        ("KEYBOARD_LAYOUT", "colemak-dh"),
        ("COMPASS_MODE", "northward"),
        ("SSH_KEY_FILE", "/home/me/.ssh/id_ed25519"),
        ("SHORT_KEY", "abc"),
    ],
)
def test_settings_that_only_sound_like_secrets_stay(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    assert redact(f"set to {value}") == f"set to {value}"


def test_a_secret_that_contains_another_goes_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", "abcdefgh")
    monkeypatch.setenv("B_TOKEN", "abcdefgh-ijklmnop")
    assert redact("x abcdefgh-ijklmnop y") == f"x {MASK} y"


CANARY = "canary-0123456789"
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(f"a {CANARY} b"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just(CANARY) | st.text(max_size=3), inner),
    max_leaves=12,
)


@settings(deadline=None, max_examples=40)
@given(value=values)
def test_no_depth_hides_a_secret_and_taking_out_twice_changes_nothing(value: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CANARY_TOKEN", CANARY)
        cleaned = redacted(value)
        assert CANARY not in json.dumps(cleaned)
        assert redacted(cleaned) == cleaned
        if CANARY not in json.dumps(value):
            assert cleaned == value
