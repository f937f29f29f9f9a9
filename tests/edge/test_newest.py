"""Of data that a radio service has collected by company, a sensor's kind gets what the sensor sends now."""

from kanhu.edge.transports.newest import NewestMakers

_A, _B = "F0:0D:00:00:00:01", "F0:0D:00:00:00:02"


def test_of_values_that_stand_where_the_company_belongs_the_newest_is_told_again_and_again() -> None:
    newest = NewestMakers()
    held: dict[int, bytes] = {}
    for company in (0x12C2, 0x13C2, 0x14C2):
        held[company] = b"\x01"
        assert newest.of(_A, dict(held)) == {company: b"\x01"}
        assert newest.of(_A, dict(held)) == {company: b"\x01"}, "the same again is still what it sends"


def test_a_value_that_comes_back_is_the_newest_once_it_differs() -> None:
    newest = NewestMakers()
    newest.of(_A, {1: b"a"})
    newest.of(_A, {1: b"a", 2: b"b"})
    assert newest.of(_A, {1: b"c", 2: b"b"}) == {1: b"c"}


def test_one_company_alone_is_handed_over_as_it_is() -> None:
    newest = NewestMakers()
    for data in (b"a", b"a", b"b", b""):
        assert newest.of(_A, {7: data}) == {7: data}
    assert newest.of(_A, {}) == {}


def test_two_companies_of_one_advertisement_come_together_and_addresses_are_apart() -> None:
    newest = NewestMakers()
    assert newest.of(_A, {1: b"a", 2: b"b"}) == {1: b"a", 2: b"b"}
    assert newest.of(_B, {1: b"a"}) == {1: b"a"}
    assert newest.of(_A, {1: b"a", 2: b"b"}) == {1: b"a", 2: b"b"}
