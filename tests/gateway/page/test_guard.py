"""Whom the page obeys: its own browser on its own address, with its own forms."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.gateway.page.guard import (
    MOST_FIELDS,
    STATUS,
    Refusal,
    Refused,
    check_site,
    headers_of,
    own_hosts,
    read_form,
)

HOSTS = own_hosts("127.0.0.1", 8780)
FORM = {"content-type": "application/x-www-form-urlencoded"}


def refusal(headers: dict[str, str]) -> Refusal | None:
    try:
        check_site(headers, hosts=HOSTS)
    except Refused as refused:
        return refused.reason
    return None


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ({"host": "127.0.0.1:8780"}, None),
        ({"host": "LOCALHOST:8780"}, None),
        ({"host": "localhost:8780", "origin": "http://localhost:8780", "sec-fetch-site": "same-origin"}, None),
        ({}, Refusal.HOST),
        ({"host": "127.0.0.1"}, Refusal.HOST),
        ({"host": "127.0.0.1:8781"}, Refusal.HOST),
        ({"host": "rebound.example:8780"}, Refusal.HOST),
        ({"host": "127.0.0.1:8780.rebound.example"}, Refusal.HOST),
        ({"host": "127.0.0.1:8780", "origin": "http://rebound.example"}, Refusal.CROSS_SITE),
        ({"host": "127.0.0.1:8780", "origin": "null"}, Refusal.CROSS_SITE),
        ({"host": "127.0.0.1:8780", "origin": "https://127.0.0.1:8780"}, Refusal.CROSS_SITE),
        ({"host": "127.0.0.1:8780", "sec-fetch-site": "cross-site"}, Refusal.CROSS_SITE),
        ({"host": "127.0.0.1:8780", "sec-fetch-site": "same-site"}, Refusal.CROSS_SITE),
    ],
)
def test_only_this_address_and_its_own_pages_are_obeyed(headers: dict[str, str], answer: Refusal | None) -> None:
    assert refusal(headers) is answer


def test_an_address_that_is_not_loopback_is_known_by_itself_only() -> None:
    assert own_hosts("192.0.2.7", 9000) == {"192.0.2.7:9000"}
    assert own_hosts("::1", 9000) == {"[::1]:9000", "localhost:9000"}


def test_a_header_that_decides_comes_once() -> None:
    with pytest.raises(Refused):
        headers_of([(b"Host", b"127.0.0.1:8780"), (b"host", b"rebound.example")])
    assert headers_of([(b"Accept", b"a"), (b"accept", b"b")]) == {"accept": "b"}


@pytest.mark.parametrize(
    ("headers", "body", "reason"),
    [
        (FORM, b"token=wrong&resident=r-0001", Refusal.STALE_FORM),
        (FORM, b"resident=r-0001", Refusal.STALE_FORM),
        (FORM, b"token=", Refusal.STALE_FORM),
        (FORM, b"", Refusal.STALE_FORM),
        (FORM, b"token=good&token=good", Refusal.FORM),
        (FORM, b"token=good&resident=%FF", Refusal.FORM),
        (FORM, "token=good&resident=李".encode(), Refusal.FORM),
        (FORM, b"&".join(b"f%d=1" % number for number in range(MOST_FIELDS + 1)), Refusal.FORM),
        ({"content-type": "text/plain"}, b"token=good", Refusal.TYPE),
        ({"content-type": "multipart/form-data; boundary=x"}, b"token=good", Refusal.TYPE),
        ({}, b"token=good", Refusal.TYPE),
    ],
)
def test_a_form_that_is_not_ours_is_refused_with_a_reason(
    headers: dict[str, str], body: bytes, reason: Refusal
) -> None:
    with pytest.raises(Refused) as refused:
        read_form(headers, body, token="good")
    assert refused.value.reason is reason
    assert reason in STATUS


def test_our_own_form_is_read() -> None:
    form = read_form(FORM, b"token=good&code=KH%E6%9D%8E+7", token="good")
    assert form["code"] == "KH李 7"


@given(st.binary(max_size=200))
def test_any_body_is_a_form_or_refused(body: bytes) -> None:
    with suppress(Refused):
        assert read_form(FORM, body, token="good")["token"] == "good"
