"""Rules come in another version, on trial or for good, and may go back: what each version knew waits for it."""

import msgspec
import pytest

from kanhu.contract import Phase
from kanhu.vitals import MAX_STATE_BYTES, RulePack, alerts_in, core_pack
from tests.vitals.story import RESIDENT, Story, intervals

DAY_S = 86_400
FIBRILLATION = intervals("afdb_06995_fibrillation")
REGULAR = intervals("afdb_06995_regular")


def core(number: int) -> RulePack:
    """The shipped rules, each in a version of its own."""
    rules = tuple(msgspec.structs.replace(rule, version=f"{rule.version}.{number}") for rule in core_pack().rules)
    return msgspec.structs.replace(core_pack(), rules=rules)


def run_with(story: Story, pack: RulePack) -> None:
    story.pack = pack
    story.restart()


@pytest.mark.parametrize("beats", [REGULAR, FIBRILLATION[:20], ()], ids=["regular", "a few", "none"])
def test_an_irregular_day_outlasts_a_trial_of_another_version(beats: tuple[int, ...]) -> None:
    story = Story()
    story.beats(FIBRILLATION)
    run_with(story, core(1))
    story.beats(beats)
    story.wait(DAY_S)
    assert story.findings == []
    run_with(story, core_pack())
    story.restart()  # what it knew is in its state again, not only in memory
    story.beats(FIBRILLATION)
    assert [finding.rule for finding in story.findings] == ["RHYTHM"]


def test_another_version_begins_afresh() -> None:
    story = Story()
    story.beats(FIBRILLATION)
    run_with(story, core(1))
    story.wait(DAY_S)
    story.beats(FIBRILLATION)
    assert story.findings == []


def test_an_alert_of_before_is_open_again_and_no_row_goes_on_over_a_trial() -> None:
    story = Story()
    for _ in range(3):
        story.oximeter(84)
        story.wait(60)
    (alert,) = {finding.alert_id for finding in story.findings}
    story.oximeter(97)  # one of the two that clear it
    run_with(story, core(1))
    story.oximeter(91)
    assert alerts_in(story.judge.state(RESIDENT.id)) == (alert,), "a new card asks the county about it as well"
    story.wait(30)
    run_with(story, core_pack())
    story.oximeter(97)
    assert story.findings[-1].phase is not Phase.END
    story.wait(60)
    story.oximeter(97)
    assert (story.findings[-1].phase, story.findings[-1].alert_id) == (Phase.END, alert)


def test_one_version_rests_however_many_were_tried() -> None:
    story, sizes = Story(), []
    for number in range(6):
        run_with(story, core(number))
        story.beats(FIBRILLATION[:20])
        sizes.append(len(story.judge.state(RESIDENT.id)))
    assert len(set(sizes[1:])) == 1


def test_what_rests_goes_first_where_there_is_no_room() -> None:
    story = Story()
    story.press()
    version, kept, resumed, _ = msgspec.msgpack.decode(story.judge.state(RESIDENT.id))
    ((key, one),) = kept.items()
    most = (MAX_STATE_BYTES - 500) // (len(msgspec.msgpack.encode(one)) + len(key) + 8)
    resting = {f"{key}-{number:05}": one for number in range(most)}
    full = msgspec.msgpack.encode([version, kept, resumed, resting])
    assert MAX_STATE_BYTES - 1000 < len(full) < MAX_STATE_BYTES
    story.judge.restore(RESIDENT.id, full)
    for _ in range(8):
        story.beats(FIBRILLATION[:100])
        story.oximeter(84)
    _, kept, _, resting = msgspec.msgpack.decode(story.judge.state(RESIDENT.id))
    assert {"resident:SOS", "resident:SPO2-LOW", "resident:RHYTHM"} <= kept.keys()
    assert resting == {}
