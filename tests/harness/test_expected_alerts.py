"""The demo's verdict on alerts: each expected one once, nothing else, and what a short run did not wait for is said."""

import asyncio

import pytest

from kanhu.harness.demo.conduct import Options, Outcome, compare_alerts, share_out
from kanhu.harness.demo.report import as_json, as_rows
from kanhu.harness.demo.show import Timeline
from kanhu.harness.ledger import Account
from kanhu.harness.village.county import County, SeenAlert
from kanhu.harness.village.script import Expected

SOS = Expected("r-0005", "SOS", "high", 10)
OXYGEN = Expected("r-0002", "SPO2-LOW", "medium", 77)
SCRIPT = (SOS, OXYGEN)


def seen(expected: Expected, *, number: int = 1, priority: str = "") -> SeenAlert:
    """That alert, as it came to the board."""
    return SeenAlert(
        id=f"{expected.rule}-{number}",
        subject=expected.subject,
        rule=expected.rule,
        priority=priority or expected.priority,
        sentence="",
        heard_ns=0,
        evidence_ms=None,
        who="",
    )


def judged(*came: SeenAlert, played_s: float = 90) -> Outcome:
    """The outcome of a run in which these came."""
    outcome = Outcome(alerts=list(came))
    share_out(outcome, SCRIPT, played_s=played_s)
    outcome.problems += compare_alerts(outcome)
    return outcome


def test_each_expected_alert_once_is_no_problem() -> None:
    assert judged(seen(OXYGEN), seen(SOS)).problems == []


@pytest.mark.parametrize(
    ("came", "problem"),
    [
        ([seen(SOS)], "expected alert did not come: r-0002 SPO2-LOW medium"),
        ([seen(SOS), seen(SOS, number=2), seen(OXYGEN)], "came twice: r-0005 SOS high"),
        ([seen(SOS), seen(OXYGEN), seen(Expected("r-0007", "RHYTHM", "low", 0))], "not expected"),
        ([seen(SOS), seen(OXYGEN, priority="high")], "did not come: r-0002 SPO2-LOW medium"),
        ([], "did not come: r-0005 SOS high"),
    ],
    ids=["missing", "twice", "unexpected", "of another priority", "nothing"],
)
def test_every_difference_is_named(came: list[SeenAlert], problem: str) -> None:
    assert any(problem in said for said in judged(*came).problems)


def test_what_a_short_run_did_not_wait_for_is_reported_and_not_hidden() -> None:
    outcome = judged(seen(SOS), played_s=30)
    assert outcome.problems == []
    assert (outcome.expected, outcome.not_due) == ((SOS,), (OXYGEN,))
    report = as_json(outcome, Options(seconds=60, kill=("cloud",), seed=1, http_port=1))
    assert report["not_due_alerts"] == [{"subject": "r-0002", "rule": "SPO2-LOW", "priority": "medium"}]
    assert report["killed"] == [], "what was asked for is not what happened"


def test_what_came_early_counts_as_expected() -> None:
    outcome = judged(seen(SOS), seen(OXYGEN), played_s=30)
    assert (outcome.expected, outcome.not_due) == (SCRIPT, ())


def test_the_terminal_says_what_was_not_yet_due() -> None:
    outcome = judged(seen(SOS), played_s=30)
    outcome.account = Account(1, 1, {}, 1, lost=0, duplicated=0, wrong=0, unclaimed=0)
    assert as_rows(outcome)["alerts"] == "1 came, 1 expected; not yet due: SPO2-LOW"


def test_words_of_a_log_cannot_break_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    timeline = Timeline()
    timeline.result({}, problems=["cloud ended: [/data] is [full]"])
    timeline.alert(priority="high", who="[Li]", rule="SOS", sentence="[/x]", delay_ms=None)
    said = capsys.readouterr().out
    assert "[/data] is [full]" in said
    assert "[Li]  SOS: [/x]" in said


async def test_a_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        county = County(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "li.jing", "secret")
        assert await county.is_up()
        await county.close()
