import hashlib
import hmac
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from splus_session._config import Limits
from splus_session._errors import InvalidArgumentError
from splus_session._secrets import VisitorSecret
from splus_session.backend import sign_visitor

# Made with the vendor's example for Node.js 20 (`new Date(ms).toISOString()`, `createHmac`) and, the
# first, again with `printf %s "deviceId=…&authSignatureExpiresAt=…" | openssl dgst -sha256 -hmac …`.
VECTORS = [
    (
        "device-1", "visitor-secret", 1_700_000_000.0, "2023-11-14T22:13:20.000Z",
        "85757306452051eb918e30946189714d55957ef1c9984bd0b6612b2be8a3876b",
    ),
    (
        "ascWebSdk#5c3f6a3e-8a52-4a3d-9d3f-0d9b0f6f1f11", "s", 1_700_003_599.5, "2023-11-14T23:13:19.500Z",
        "026f231c92681531d9520a95d0266c15da33a33182a7f2579c27fcb0ad3e5562",
    ),
    (
        "устройство é 🔑", "ключ", 0.001, "1970-01-01T00:00:00.001Z",
        "06717ffe78ae3bbc8255635a53f2fbab68b62c5b5404a2bcf8530c5945205afc",
    ),
]  # fmt: skip


@pytest.mark.requirement("BACKEND-3")
@pytest.mark.parametrize(("device_id", "secret", "expires_at", "written", "signature"), VECTORS)
def test_it_signs_as_the_vendors_example_does(
    device_id: str, secret: str, expires_at: float, written: str, signature: str
) -> None:
    signed = sign_visitor(device_id, secret, expires_at)
    assert signed.expires_at == written
    assert signed.signature.reveal() == signature
    assert sign_visitor(device_id, VisitorSecret(secret), expires_at) == signed


def hmac_by_hand(key: bytes, message: bytes) -> str:
    """RFC 2104, from the hash alone."""
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in block) + inner).hexdigest()


@pytest.mark.requirement("BACKEND-3")
@given(
    st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="&"), min_size=1, max_size=150),
    st.text(min_size=1, max_size=200),
    st.floats(0, 253_402_300_799),
)
def test_it_is_the_hmac_of_the_device_id_and_the_time_as_javascript_writes_it(
    device_id: str, secret: str, expires_at: float
) -> None:
    signed = sign_visitor(device_id, secret, expires_at)
    message = f"deviceId={device_id}&authSignatureExpiresAt={signed.expires_at}"
    assert signed.signature.reveal() == hmac_by_hand(secret.encode(), message.encode())
    assert len(signed.expires_at) == len("2023-11-14T22:13:20.500Z")
    read = datetime.fromisoformat(signed.expires_at)
    assert read.tzinfo == UTC
    assert read.timestamp() == pytest.approx(expires_at, abs=0.000_6)


@pytest.mark.requirement("BACKEND-3", "LOGIN-10", "SECRET-1")
@pytest.mark.parametrize(
    ("device_id", "secret", "expires_at"),
    [
        ("", "CANARY", 0),
        (" ", "CANARY", 0),
        ("x" * 151, "CANARY", 0),
        ("a&authSignatureExpiresAt=2099-01-01T00:00:00.000Z", "CANARY", 0),
        ("a\nb", "CANARY", 0),
        ("\ud800", "CANARY", 0),
        (5, "CANARY", 0),
        ("device", "", 0),
        ("device", b"CANARY", 0),
        ("device", "CANARY" * 10_000, 0),
        ("device", "CANARY", -1),
        ("device", "CANARY", math.nan),
        ("device", "CANARY", math.inf),
        ("device", "CANARY", 253_402_300_800),
        ("device", "CANARY", 253_402_300_799.999_9),
    ],
)
def test_what_the_platform_could_not_check_is_refused(device_id: Any, secret: Any, expires_at: float) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        sign_visitor(device_id, secret, expires_at)
    frames = [entry.frame for entry in caught.traceback if "splus_session" in str(entry.path)]
    assert "CANARY" not in str([frame.f_locals for frame in frames]) + str(caught.value)


@pytest.mark.requirement("BACKEND-3", "SECRET-1")
def test_no_secret_that_is_text_makes_an_error_that_would_show_it() -> None:
    assert sign_visitor("device", "half a character: \ud800", 0).expires_at


@pytest.mark.requirement("LOGIN-10")
def test_the_platforms_limit_can_be_changed() -> None:
    assert sign_visitor("x" * 151, "secret", 0, limits=Limits(device_id=200)).expires_at


@pytest.mark.requirement("SECRET-1")
def test_a_signature_does_not_show_itself() -> None:
    signed = sign_visitor("device", "secret", 0)
    assert signed.signature.reveal() not in repr(signed)


def test_the_hand_made_hmac_is_an_hmac() -> None:
    for key in (b"k", b"k" * 64, b"k" * 65):
        assert hmac_by_hand(key, b"message") == hmac.digest(key, b"message", "sha256").hex()
