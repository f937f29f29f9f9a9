"""Identities: the epoch of an outbox, and the id of an alert, made once and equal wherever it is made."""

import base64
import hashlib
import secrets

import msgspec

from kanhu.contract.records import Evidence, Subject

_ALERT_ID_BYTES = 16


def new_epoch() -> str:
    """32 hex digits, made with the outbox file, so that a new card cannot collide with the old one."""
    return secrets.token_hex(16)


def alert_id(subject: Subject, rule: str, first: Evidence) -> str:
    """Id of the alert that this rule raises for this subject on this first evidence: 26 of a-z, 2-7.

    The same evidence gives the same id on the gateway and in the county, so both see one alert.
    """
    key = (subject.kind.value, subject.id, rule, first.device, first.metric, first.boot, first.mono_ns)
    data = msgspec.msgpack.encode(key)  # states the length of every text, so that no two keys give the same bytes
    digest = hashlib.blake2b(data, digest_size=_ALERT_ID_BYTES, person=b"kanhu alert").digest()
    return base64.b32encode(digest).decode("ascii").rstrip("=").lower()
