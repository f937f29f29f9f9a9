"""Detector states travel whole, in pages, and what was changed on the way is known by its digest."""

import hashlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import (
    Checkpoint,
    MessageRefused,
    MessageTooLarge,
    RefusalReason,
    StateKept,
    StateRefusal,
    StatesAsked,
    StatesGiven,
    StatesKept,
    StatesSent,
    decode_states,
    encode_states,
)
from kanhu.contract.states import MAX_STATE_BYTES, PAGE_BYTES, StatesMessage, first_page, sealed
from tests.contract.strategies import epochs, gateways

EPOCH = "0123456789abcdef" * 2
names = st.text(max_size=20)
numbers = st.integers(0, 2**63 - 1)


def checkpoint(subject: str, *, seq: int, state: bytes = b"state", gateway: str = "home-03") -> Checkpoint:
    return sealed(gateway, Checkpoint(subject, EPOCH, seq, 1_790_000_000_000, ("a" * 26,), state, b""))


checkpoints = st.lists(
    st.builds(
        lambda subject, epoch, seq, alerts, state: Checkpoint(subject, epoch, seq, seq, alerts, state, b"\x00" * 32),
        names,
        epochs,
        numbers,
        st.lists(names, max_size=3).map(tuple),
        st.binary(max_size=50),
    ),
    max_size=5,
).map(tuple)
messages: st.SearchStrategy[StatesMessage] = st.one_of(
    st.builds(StatesSent, gateways, epochs, checkpoints),
    st.builds(StatesAsked, gateways, epochs, names, names),
    st.builds(
        StatesKept,
        gateways,
        epochs,
        st.lists(
            st.builds(StateKept, names, numbers, st.none() | st.sampled_from(StateRefusal)),
            max_size=4,
        ).map(tuple),
    ),
    st.builds(StatesGiven, gateways, epochs, names, checkpoints, more=st.booleans()),
)


@given(messages)
def test_any_message_survives_the_wire(message: StatesMessage) -> None:
    assert decode_states(encode_states(message)) == message


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "r-0004"},
        {"epoch": "f" * 32},
        {"seq": 8},
        {"taken_ms": 0},
        {"alerts": ()},
        {"state": b"other"},
        {"sha256": b""},
    ],
    ids=str,
)
def test_whatever_is_changed_is_known_by_the_digest(change: dict[str, object]) -> None:
    kept = checkpoint("r-0003", seq=7)
    assert kept.is_of("home-03")
    assert not kept.is_of("home-04")
    assert not msgspec.structs.replace(kept, **change).is_of("home-03")


def test_a_page_ends_where_it_should_and_one_state_always_goes() -> None:
    noise = [hashlib.shake_256(bytes([n])).digest(900) for n in range(20)]
    message = StatesSent("home-03", EPOCH, tuple(checkpoint(f"r-{n}", seq=n, state=noise[n]) for n in range(20)))
    page = first_page(message)
    assert 3 <= len(page.checkpoints) < 20
    assert len(encode_states(page)) <= PAGE_BYTES
    assert page.checkpoints == message.checkpoints[: len(page.checkpoints)]
    large = hashlib.shake_256(b"large").digest(MAX_STATE_BYTES // 2)
    alone = StatesSent("home-03", EPOCH, (checkpoint("r-1", seq=1, state=large), *message.checkpoints))
    assert len(first_page(alone).checkpoints) == 1
    huge = hashlib.shake_256(b"huge").digest(MAX_STATE_BYTES)
    too_large = StatesSent("home-03", EPOCH, (checkpoint("r-1", seq=1, state=huge),))
    with pytest.raises(MessageTooLarge):
        encode_states(too_large)


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        (b"", RefusalReason.EMPTY),
        (b"KS", RefusalReason.NOT_KANHU),
        (b"KH\x01\x00\x90", RefusalReason.NOT_KANHU),
        (b"KS\x02\x00\x90", RefusalReason.UNKNOWN_VERSION),
        (b"KS\x01\x07\x90", RefusalReason.UNKNOWN_COMPRESSION),
        (b"KS\x01\x01\x90", RefusalReason.BAD_COMPRESSION),
        (b"KS\x01\x00\x90", RefusalReason.MALFORMED),
        (b"KS\x01\x00" + msgspec.msgpack.encode(("asked", "No Gateway", EPOCH, "n")), RefusalReason.INCONSISTENT),
        (b"KS\x01\x00" + msgspec.msgpack.encode(("asked", "home-03", "no epoch", "n")), RefusalReason.MALFORMED),
        (b"KS\x01\x00" + bytes(70_000), RefusalReason.TOO_LARGE),
    ],
)
def test_what_is_no_message_is_refused_by_name(wire: bytes, reason: RefusalReason) -> None:
    with pytest.raises(MessageRefused) as refused:
        decode_states(wire)
    assert refused.value.reason is reason


def test_another_version_is_refused_in_words() -> None:
    newer = bytearray(encode_states(StatesAsked("home-03", EPOCH, "n")))
    newer[2] = 2
    with pytest.raises(MessageRefused, match="states of version 2, this software reads 1"):
        decode_states(bytes(newer))


def test_version_1_is_what_it_was_on_the_first_day() -> None:
    kept = checkpoint("r-0003", seq=7)
    assert kept.sha256.hex() == "b30f36f471861073b62e8e073892d0a04f8903bc52db62a29d26aff148de98fe"
    pinned = (
        StatesSent("home-03", EPOCH, (kept,)),
        StatesAsked("home-03", EPOCH, "n", "r-0002"),
        StatesKept("home-03", EPOCH, (StateKept("r-0003", 7, StateRefusal.OLDER),)),
        StatesGiven("home-03", EPOCH, "n", (kept,), ("b" * 26,), ("c" * 26,), more=True),
    )
    bodies = b"".join(msgspec.msgpack.encode(message) for message in pinned)
    assert hashlib.sha256(bodies).hexdigest() == "5a7a262385e3d04102806ba5df0badbdf0eea4a01b1b19963e2d21455079399b"
    for message in pinned:
        assert decode_states(b"KS\x01\x00" + msgspec.msgpack.encode(message)) == message
