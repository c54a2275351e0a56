"""A signed envelope that others' tools read: DSSE version 1.0.2, with Ed25519 keys.

https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md says what is signed, envelope.md beside it how it
is written. Keys are PEM files as OpenSSL makes them (RFC 8410): PKCS #8 for the private one, SPKI for the public one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tools.errors import ProofBroken, UsageError
from tools.storage import canonical

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_MISSING = "signing needs the package cryptography, which is not installed; pip install 'millwright[sign]'"


@dataclass(frozen=True)
class Envelope:
    """A payload with its type and signatures, not yet checked."""

    payload: bytes
    payload_type: str
    signatures: tuple[dict[str, str], ...]

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The key of each signature, as the envelope names it."""
        return tuple(signature["keyid"] for signature in self.signatures)


def pae(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed: the pre-authentication encoding of the DSSE protocol."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sealed(payload_type: str, payload: bytes, key: Ed25519PrivateKey | None = None) -> bytes:
    """The envelope as JSON, signed when there is a key; without one its list of signatures is empty."""
    signatures = []
    if key is not None:
        signature = base64.b64encode(key.sign(pae(payload_type, payload))).decode()
        signatures = [{"keyid": key_id(key.public_key()), "sig": signature}]
    text = base64.b64encode(payload).decode()
    return canonical({"payload": text, "payloadType": payload_type, "signatures": signatures}) + b"\n"


def opened(content: bytes, payload_type: str) -> Envelope:
    """Read an envelope that was written by `sealed`.

    Raises:
        ProofBroken: it is spelled in another way or holds another type of payload.
    """
    try:
        found: Any = json.loads(content)
        payload = base64.b64decode(found["payload"], validate=True)
        envelope = Envelope(payload, found["payloadType"], tuple(found["signatures"]))
        again = {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": payload_type,
            "signatures": [{"keyid": str(s["keyid"]), "sig": str(s["sig"])} for s in envelope.signatures],
        }
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ProofBroken(f"the envelope is no DSSE envelope ({error!r}); export the run again") from error
    if canonical(again) + b"\n" != content:
        raise ProofBroken(
            f"the envelope is not spelled as Millwright writes {payload_type!r}; export the run again"
        )
    return envelope


def require_signature(envelope: Envelope, key: Ed25519PublicKey) -> str:
    """Make sure that the owner of `key` signed this payload; return the key's id.

    Raises:
        ProofBroken: no signature is of that key.
    """
    from cryptography.exceptions import InvalidSignature

    signed = pae(envelope.payload_type, envelope.payload)
    for signature in envelope.signatures:
        try:
            key.verify(base64.b64decode(signature["sig"], validate=True), signed)
        except (InvalidSignature, binascii.Error):
            continue
        return key_id(key)
    made_by = ", ".join(envelope.key_ids) or "nobody"
    raise ProofBroken(f"no signature is of the key {key_id(key)}; it was signed by {made_by}")


def key_id(key: Ed25519PublicKey) -> str:
    """A key's name: SHA256 and the hash in hex of its SPKI in DER, as `openssl pkey -pubin -outform DER` prints it."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"SHA256:{hashlib.sha256(der).hexdigest()}"


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """The signing key in a PEM file.

    Raises:
        UsageError: it cannot be read or is no unencrypted Ed25519 key, or signing is not installed.
    """
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    except ImportError as error:
        raise UsageError(_MISSING) from error
    key = _loaded(path, "private")
    if not isinstance(key, Ed25519PrivateKey):
        raise _unusable(path, "private", f"it is a {type(key).__name__}")
    return key


def read_public_key(path: Path) -> Ed25519PublicKey:
    """The public key in a PEM file.

    Raises:
        UsageError: it cannot be read or is no Ed25519 key, or signing is not installed.
    """
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError as error:
        raise UsageError(_MISSING) from error
    key = _loaded(path, "public")
    if not isinstance(key, Ed25519PublicKey):
        raise _unusable(path, "public", f"it is a {type(key).__name__}")
    return key


def _loaded(path: Path, half: Literal["private", "public"]) -> object:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

    try:
        content = path.read_bytes()
        return load_pem_private_key(content, None) if half == "private" else load_pem_public_key(content)
    except OSError as error:
        raise _unusable(path, half, error.strerror or str(error)) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # The library's own words could quote the file, which may be a secret.
        raise _unusable(path, half, "it is no unencrypted PEM file of a key") from error


def _unusable(path: Path, half: str, why: str) -> UsageError:
    make = (
        "openssl genpkey -algorithm ed25519 -out key.pem"
        if half == "private"
        else "openssl pkey -in key.pem -pubout -out public.pem"
    )
    return UsageError(f"{str(path)!r} is not usable as a {half} Ed25519 key: {why}; make one with `{make}`")
