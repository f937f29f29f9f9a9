import asyncio
from pathlib import Path

import pytest

from kanhu.harness.demo.conduct import Options, Outcome, bring_up, play, settle, village
from kanhu.harness.demo.show import Timeline
from kanhu.harness.ports import free_port
from kanhu.harness.village.county import SeenAlert

HERE = Path(__file__).parent


@pytest.mark.broker
@pytest.mark.timeout(120)
async def test_device_bytes_become_an_alert_that_a_named_person_claims_and_closes() -> None:
    options = Options(
        seconds=None,
        script_s=14,
        kill=(),
        seed=1,
        http_port=free_port(),
        scenario=HERE / "one_home.toml",
        site=HERE / "one_home_site.toml",
    )
    outcome = Outcome()
    async with village(options, Timeline(), outcome) as stage:
        await bring_up(stage)

        async def answer_the_help_button() -> SeenAlert:
            while not stage.county.alerts:  # noqa: ASYNC110  # the board is another process
                await asyncio.sleep(0.05)
            (alert,) = stage.county.alerts.values()
            await stage.county.act(f"/api/v1/alerts/{alert.id}/claim", key="claim-1")
            await stage.county.act(
                f"/api/v1/alerts/{alert.id}/close", key="close-1", outcome="true_action", note="went there"
            )
            return alert

        async with asyncio.TaskGroup() as both:
            answered = both.create_task(answer_the_help_button())
            both.create_task(play(stage))
        page = await stage.county.read(f"/api/v1/alerts/{answered.result().id}")
        board = await stage.county.read("/api/v1/board")
        await settle(stage)
        folder = stage.folder

    assert outcome.problems == []
    assert [(alert.subject, alert.rule, alert.priority) for alert in outcome.alerts] == [("r-0001", "SOS", "high")]
    assert (page["row"]["handling"], page["row"]["outcome"]) == ("closed", "true_action")
    assert page["row"]["claim"]["name"] == "李静"
    assert board["rows"] == []
    assert outcome.account is not None
    assert (outcome.account.emitted, outcome.account.stored) == (3, 3)
    assert not folder.exists(), "the demo leaves nothing behind"
