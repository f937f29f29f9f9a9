"""The shipped dictionary is the one that gateways in the field hold, and it pays for its place."""

import hashlib
from importlib import resources

import pytest
import zstandard

from kanhu.contract import MessageRefused, RefusalReason, decode_envelope, encode_envelope
from kanhu.contract.envelope import encode_body
from kanhu.harness.dictionary import DICTIONARY_ID, envelopes, figures, main, train
from tests.contract.test_envelope import batch

SHIPPED = resources.files("kanhu.contract").joinpath("envelope_v1.zdict").read_bytes()


def test_the_id_in_the_dictionary_and_in_every_frame_is_pinned() -> None:
    assert DICTIONARY_ID == 0x6B680001
    assert zstandard.ZstdCompressionDict(SHIPPED).dict_id() == DICTIONARY_ID
    assert zstandard.get_frame_parameters(encode_envelope(batch(1))[4:]).dict_id == DICTIONARY_ID


def test_the_shipped_bytes_never_change() -> None:
    assert len(SHIPPED) <= 16 * 1024
    assert hashlib.sha256(SHIPPED).hexdigest() == "178942ad6ebb6d47bedd43b2da1e01aaed65783fe7fb6d337f933bca57e524c9"


def test_a_frame_of_another_dictionary_is_refused() -> None:
    other = zstandard.ZstdCompressionDict(bytes([*SHIPPED[:4], 2, *SHIPPED[5:]]))
    packed = zstandard.ZstdCompressor(dict_data=other).compress(encode_body(batch(3)))
    with pytest.raises(MessageRefused) as caught:
        decode_envelope(b"KH\x01\x02" + packed)
    assert caught.value.reason is RefusalReason.BAD_COMPRESSION


def test_the_dictionary_saves_bytes_on_traffic_it_was_not_trained_on() -> None:
    measured = figures(SHIPPED, seed=99)
    assert measured["batch_1_shipped_bytes_a_reading"] < 0.7 * measured["batch_1_plain_bytes_a_reading"]
    assert measured["batch_10_shipped_bytes_a_reading"] < 0.8 * measured["batch_10_plain_bytes_a_reading"]
    assert measured["batch_100_shipped_bytes_a_reading"] < measured["batch_100_plain_bytes_a_reading"]
    assert measured["batch_100_shipped_bytes_a_reading"] < 0.1 * measured["batch_100_rows_bytes_a_reading"]


def test_simulated_traffic_survives_the_wire_and_repeats_with_its_seed() -> None:
    traffic = list(envelopes(7, 200))
    assert [decode_envelope(encode_envelope(envelope)) for envelope in traffic] == traffic
    assert list(envelopes(7, 20)) == traffic[:20]
    assert list(envelopes(8, 20)) != traffic[:20]


def test_training_gives_a_dictionary_with_the_pinned_id() -> None:
    trained = train(3)
    assert zstandard.ZstdCompressionDict(trained).dict_id() == DICTIONARY_ID
    assert len(trained) <= 8 * 1024


def test_weighing_writes_nothing_and_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "2", "--json"]) == 0
    assert '"name": "dictionary"' in capsys.readouterr().out.splitlines()[-1]
