"""One grammar of topics, built and parsed in one place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanhu.contract import ALL_UP, Down, InvalidTopic, Lane, Up, check_gateway_id, down_topic, parse_up_topic, up_topic
from tests.contract.strategies import gateways


@given(gateways, st.sampled_from(Up))
def test_what_a_gateway_publishes_is_parsed_back(gateway: str, kind: Up) -> None:
    assert parse_up_topic(up_topic(gateway, kind)) == (gateway, kind)


@given(gateways)
def test_every_lane_of_an_outbox_has_its_topic(gateway: str) -> None:
    assert [up_topic(gateway, lane) for lane in Lane] == [up_topic(gateway, Up(lane.value)) for lane in Lane]


@given(gateways, st.sampled_from(Down))
def test_the_county_never_hears_its_own_words_as_a_gateways(gateway: str, kind: Down) -> None:
    with pytest.raises(InvalidTopic):
        parse_up_topic(down_topic(gateway, kind))


def test_topics_are_pinned() -> None:
    assert ALL_UP == "kanhu/v1/up/+/+"
    assert [up_topic("home-03", kind) for kind in Up] == [
        "kanhu/v1/up/home-03/alert",
        "kanhu/v1/up/home-03/live",
        "kanhu/v1/up/home-03/backfill",
        "kanhu/v1/up/home-03/status",
        "kanhu/v1/up/home-03/state",
    ]
    assert [down_topic("home-03", kind) for kind in Down] == [
        "kanhu/v1/down/home-03/receipt",
        "kanhu/v1/down/home-03/state",
        "kanhu/v1/down/home-03/config",
        "kanhu/v1/down/home-03/model",
        "kanhu/v1/down/home-03/command",
    ]


@pytest.mark.parametrize(
    "gateway", ["", "Home", "home 3", "home/3", "+", "#", "家", "a" * 33, "home_3", "home\n", "$SYS"]
)
def test_a_gateway_id_outside_the_grammar_is_refused(gateway: str) -> None:
    for use in (check_gateway_id, lambda each: up_topic(each, Up.LIVE), lambda each: down_topic(each, Down.RECEIPT)):
        with pytest.raises(InvalidTopic):
            use(gateway)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "kanhu/v1/up/home-03",
        "kanhu/v1/up/home-03/",
        "kanhu/v1/up/home-03/receipt",
        "kanhu/v1/up/home-03/live/x",
        "kanhu/v1/up/home-03/LIVE",
        "kanhu/v2/up/home-03/live",
        "/kanhu/v1/up/home-03/live",
        "kanhu/v1/up/+/live",
        "kanhu/v1/up/home-03/live\n",
        "kanhu/v1/up/Home/live",
    ],
)
def test_a_topic_that_no_gateway_writes_is_refused(topic: str) -> None:
    with pytest.raises(InvalidTopic):
        parse_up_topic(topic)


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused(topic: str) -> None:
    try:
        gateway, kind = parse_up_topic(topic)
    except InvalidTopic:
        return
    assert up_topic(gateway, kind) == topic
