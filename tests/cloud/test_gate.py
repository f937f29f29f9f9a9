"""What the county answers at nats-server's gate, word for word; whether it holds at a real one is proven elsewhere."""

import base64
import binascii
import json
from contextlib import suppress
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from kanhu.cloud.broker.nats_gate import permissions, refusal
from kanhu.cloud.broker.nats_words import Permissions, Question, Signer, read_question
from kanhu.cloud.broker.settings import COUNTY_NAME

_QUESTION = Question("NSERVER", "UUSER", "home-01", b"pem")


def part(text: bytes) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4)))


def claims(signed: bytes, public: str) -> Any:
    """The claims, after the signature was held against the key that nats-server is told."""
    raw = base64.b32decode(public + "=" * (-len(public) % 8))
    assert public.startswith("A")
    assert binascii.crc_hqx(raw[:-2], 0).to_bytes(2, "little") == raw[-2:]
    text, _, signature = signed.rpartition(b".")
    key = Ed25519PublicKey.from_public_bytes(raw[1:-2])
    key.verify(base64.urlsafe_b64decode(signature + b"=" * (-len(signature) % 4)), text)
    assert part(text.split(b".")[0]) == {"typ": "JWT", "alg": "ed25519-nkey"}
    return part(text.split(b".")[1])


def test_yes_carries_the_rights_and_is_signed_twice() -> None:
    signer = Signer()
    rights = Permissions(["a.>"], ["b.>"])
    said = claims(signer.allow(_QUESTION, rights, account="COUNTY", name="home-01", now_s=7), signer.public)
    assert (said["sub"], said["aud"], said["iss"], said["iat"]) == ("UUSER", "NSERVER", signer.public, 7)
    user = claims(said["nats"]["jwt"].encode(), signer.public)
    assert (user["sub"], user["aud"], user["name"]) == ("UUSER", "COUNTY", "home-01")
    assert (user["nats"]["pub"], user["nats"]["sub"]) == ({"allow": ["a.>"]}, {"allow": ["b.>"]})


def test_no_carries_a_reason_and_nothing_else() -> None:
    signer = Signer()
    said = claims(signer.refuse(_QUESTION, why="other_name", now_s=7), signer.public)
    assert said["nats"] == {"error": "other_name", "type": "authorization_response", "version": 2}


@pytest.mark.parametrize(
    ("name", "client_id", "why"),
    [
        (None, "home-01", "unknown_or_revoked"),
        (None, "", "unknown_or_revoked"),
        ("home-01", "home-02", "other_name"),
        ("home-01", "", "other_name"),
        ("home-01", COUNTY_NAME, "other_name"),
        ("home-01", "home-01", ""),
        (COUNTY_NAME, COUNTY_NAME, ""),
    ],
)
def test_who_is_let_in(name: str | None, client_id: str, why: str) -> None:
    assert refusal(name, client_id=client_id) == why


def test_a_gateway_has_its_own_subjects_and_the_county_the_other_ends() -> None:
    assert permissions("home-01") == Permissions(["kanhu.v1.up.home-01.>"], ["kanhu.v1.down.home-01.>"])
    assert permissions(COUNTY_NAME) == Permissions(["kanhu.v1.down.>"], ["kanhu.v1.up.>"])


@given(
    st.binary(max_size=200) | st.binary(max_size=100).map(lambda raw: b"e30." + base64.urlsafe_b64encode(raw) + b".x")
)
def test_any_bytes_are_a_question_or_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_question(body)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(
                st.sampled_from(["nats", "server_id", "id", "user_nkey", "client_info", "client_tls"]), inner
            )
        ),
    )
)
def test_any_json_is_a_question_or_refused(said: object) -> None:
    body = b"e30." + base64.urlsafe_b64encode(json.dumps({"nats": said}).encode()).rstrip(b"=") + b".x"
    with suppress(ValueError):
        read_question(body)
