"""The signed envelope: the bytes that are signed, what a signature holds, and OpenSSL's opinion of it."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tools.errors import ProofBroken, UsageError
from tools.verification.dsse import (
    key_id,
    opened,
    pae,
    read_private_key,
    read_public_key,
    require_signature,
    sealed,
)

if TYPE_CHECKING:
    from pathlib import Path

TYPE = "application/vnd.in-toto+json"
PKCS8, SPKI = serialization.PrivateFormat.PKCS8, serialization.PublicFormat.SubjectPublicKeyInfo
PEM, PLAIN = serialization.Encoding.PEM, serialization.NoEncryption()


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """A private and a public key in PEM files."""
    key = Ed25519PrivateKey.generate()
    private, public = tmp_path / "key.pem", tmp_path / "public.pem"
    private.write_bytes(key.private_bytes(PEM, PKCS8, PLAIN))
    public.write_bytes(key.public_key().public_bytes(PEM, SPKI))
    return private, public


def test_what_is_signed_is_the_encoding_of_the_specification() -> None:
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("ü", b"") == b"DSSEv1 2 \xc3\xbc 0 "


def test_a_signature_holds_for_its_payload_type_and_key_alone(keys: tuple[Path, Path]) -> None:
    private, public = read_private_key(keys[0]), read_public_key(keys[1])
    envelope = opened(sealed(TYPE, b'{"a":1}', private), TYPE)
    assert envelope.payload == b'{"a":1}'
    assert envelope.key_ids == (key_id(public),)
    assert require_signature(envelope, public) == key_id(public)
    other = Ed25519PrivateKey.generate().public_key()
    with pytest.raises(ProofBroken, match=f"no signature is of the key {key_id(other)}"):
        require_signature(envelope, other)


def test_a_signature_moved_to_another_payload_is_found(keys: tuple[Path, Path]) -> None:
    private, public = read_private_key(keys[0]), read_public_key(keys[1])
    signed = json.loads(sealed(TYPE, b'{"a":1}', private))
    forged = json.loads(sealed(TYPE, b'{"a":2}')) | {"signatures": signed["signatures"]}
    content = json.dumps(forged, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    with pytest.raises(ProofBroken, match="no signature is of the key"):
        require_signature(opened(content, TYPE), public)


def test_an_unsigned_envelope_satisfies_no_key(keys: tuple[Path, Path]) -> None:
    envelope = opened(sealed(TYPE, b"{}"), TYPE)
    assert envelope.signatures == ()
    with pytest.raises(ProofBroken, match="it was signed by nobody"):
        require_signature(envelope, read_public_key(keys[1]))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"nothing",
        b'{"payload":"e30=","payloadType":"other","signatures":[]}\n',
        b'{"payload":"e30=", "payloadType":"application/vnd.in-toto+json","signatures":[]}\n',
        b'{"payload":"*","payloadType":"application/vnd.in-toto+json","signatures":[]}\n',
        b'{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"x"}]}\n',
        b'{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[],"more":1}\n',
        b'{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_envelope_of_ours_is_refused(content: bytes) -> None:
    with pytest.raises(ProofBroken, match="the envelope is"):
        opened(content, TYPE)


def test_keys_that_cannot_sign_are_refused_without_a_word_of_them(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    elliptic = generate_private_key(SECP256R1())
    locked = serialization.BestAvailableEncryption(b"secret")
    for content in (
        b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n",
        b"",
        elliptic.private_bytes(PEM, PKCS8, PLAIN),
        Ed25519PrivateKey.generate().private_bytes(PEM, PKCS8, locked),
    ):
        wrong.write_bytes(content)
        with pytest.raises(UsageError, match="not usable as a private Ed25519 key") as refusal:
            read_private_key(wrong)
        assert "c2VjcmV0" not in str(refusal.value)
    wrong.write_bytes(elliptic.public_key().public_bytes(PEM, SPKI))
    with pytest.raises(UsageError, match="not usable as a public Ed25519 key"):
        read_public_key(wrong)
    with pytest.raises(UsageError, match="No such file"):
        read_private_key(tmp_path / "missing.pem")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_makes_the_keys_and_accepts_the_signature(tmp_path: Path) -> None:
    def openssl(*words: str) -> bytes:
        return subprocess.run(["openssl", *words], cwd=tmp_path, capture_output=True, check=True).stdout

    openssl("genpkey", "-algorithm", "ed25519", "-out", "key.pem")
    openssl("pkey", "-in", "key.pem", "-pubout", "-out", "public.pem")
    envelope = json.loads(sealed(TYPE, b'{"a":1}', read_private_key(tmp_path / "key.pem")))
    (signature,) = envelope["signatures"]
    payload = base64.b64decode(envelope["payload"])
    (tmp_path / "sig.bin").write_bytes(base64.b64decode(signature["sig"]))
    (tmp_path / "signed.bin").write_bytes(b"DSSEv1 %d %b %d %b" % (len(TYPE), TYPE.encode(), len(payload), payload))
    words = ["pkeyutl", "-verify", "-pubin", "-inkey", "public.pem", "-rawin", "-in", "signed.bin"]
    assert b"Verified Successfully" in openssl(*words, "-sigfile", "sig.bin")
    der = openssl("pkey", "-pubin", "-in", "public.pem", "-outform", "DER")
    assert signature["keyid"] == f"SHA256:{hashlib.sha256(der).hexdigest()}"
