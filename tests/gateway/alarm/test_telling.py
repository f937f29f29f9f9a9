"""Voice and light with real small programs, and the words of both languages."""

import re
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from kanhu.contract import ClockState, Priority, Subject, SubjectKind
from kanhu.contract.actions import ActionOutcome, LocalAction, parse_action
from kanhu.gateway.alarm.acting import Message, Result
from kanhu.gateway.alarm.contacts import Contact, Role
from kanhu.gateway.alarm.light import CommandSwitch, FileSwitch, Light
from kanhu.gateway.alarm.modem import Modem
from kanhu.gateway.alarm.settings import AlarmConfig
from kanhu.gateway.alarm.sms import Sms
from kanhu.gateway.alarm.voice import Voice
from kanhu.gateway.alarm.words import spoken, title_of, written
from kanhu.vitals import Language, core_pack
from tests.gateway.records import sos

SHANGHAI = ZoneInfo("Asia/Shanghai")
CALL = msgspec.structs.replace(sos(1), params={"presses": "1"})
COPY = (sys.executable, "-c", "import shutil, sys; shutil.copy(sys.argv[1], sys.argv[2])")
SPEAK = (
    sys.executable,
    "-c",
    "import sys, pathlib; pathlib.Path(sys.argv[3]).write_bytes(sys.stdin.buffer.read())",
)
WORDS_OF_A_DIAGNOSIS = re.compile(
    r"crisis|fibrillation|stroke|heart attack|hypox|injur|危象|房颤|中风|心梗|骨折|低氧血症|确诊|诊断", re.IGNORECASE
)


def voice(folder: Path, **settings: object) -> Voice:
    chosen = {"player": (*COPY, "{file}", str(folder / "played")), "speech": SPEAK, **settings}
    config = msgspec.convert(chosen, AlarmConfig, strict=False)
    return Voice(config, pack=core_pack(), folder=folder)


@pytest.mark.parametrize(
    ("language", "said"), [("zh", "按下求助按钮。现在联系不上县里。"), ("en", "Help button pressed.")]
)
async def test_without_a_recording_it_is_spoken_in_the_language_of_the_house(
    tmp_path: Path, language: str, said: str
) -> None:
    assert await voice(tmp_path, language=language).tell(Message.CALL, CALL) == Result(ActionOutcome.DONE, "spoken")
    assert (tmp_path / "played").read_text(encoding="utf-8").startswith(said)


@pytest.mark.parametrize(
    ("files", "message", "played"),
    [
        (["SOS", "call"], Message.CALL, "SOS"),
        (["call"], Message.CALL, "call"),
        (["call", "called_off"], Message.CALLED_OFF, "called_off"),
    ],
)
async def test_a_recording_is_played_where_there_is_one(
    tmp_path: Path, files: list[str], message: Message, played: str
) -> None:
    (tmp_path / "own" / "zh").mkdir(parents=True)
    for name in files:
        (tmp_path / "own" / "zh" / f"{name}.wav").write_text(name, encoding="utf-8")
    told = await voice(tmp_path, recordings="own").tell(message, CALL)
    assert told == Result(ActionOutcome.DONE, "recorded")
    assert (tmp_path / "played").read_text(encoding="utf-8") == played


@pytest.mark.parametrize(
    ("settings", "detail"),
    [
        ({"player": ("/no/such/player",)}, "player_program_missing"),
        ({"player": (sys.executable, "-c", "raise SystemExit(3)")}, "player_program_failed"),
        ({"speech": ("/no/such/speech",)}, "speech_program_missing"),
        ({"speech": ()}, "no_recording"),
    ],
)
async def test_what_cannot_be_played_is_named(tmp_path: Path, settings: dict[str, object], detail: str) -> None:
    assert await voice(tmp_path, **settings).tell(Message.CALL, CALL) == Result(ActionOutcome.FAILED, detail)


async def test_a_player_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kanhu.gateway.alarm.voice._PLAY_S", 0.2)
    hanging = (sys.executable, "-c", "import time; time.sleep(60)")
    told = await voice(tmp_path, player=hanging).tell(Message.CALL, CALL)
    assert told == Result(ActionOutcome.FAILED, "player_program_hung")


async def test_the_light_is_on_for_a_call_and_off_after_it(tmp_path: Path) -> None:
    file = tmp_path / "brightness"
    light = Light(FileSwitch(file))
    assert await light.tell(Message.CALL, CALL) == Result(ActionOutcome.DONE)
    assert file.read_text(encoding="ascii") == "1\n"
    await light.rest()
    assert file.read_text(encoding="ascii") == "0\n"
    gone = Light(FileSwitch(tmp_path / "no" / "such"))
    assert await gone.tell(Message.CALL, CALL) == Result(ActionOutcome.FAILED, "file_failed")


async def test_a_relay_is_switched_by_commands(tmp_path: Path) -> None:
    write = (sys.executable, "-c", "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])")
    file = tmp_path / "relay"
    relay = Light(CommandSwitch((*write, str(file), "on"), (*write, str(file), "off")))
    assert (await relay.tell(Message.CALL, CALL)).well
    assert file.read_text(encoding="ascii") == "on"
    assert (await relay.tell(Message.CALLED_OFF, CALL)).well
    assert file.read_text(encoding="ascii") == "on", "another alarm may still need it"
    await relay.rest()
    assert file.read_text(encoding="ascii") == "off"


@pytest.mark.parametrize("language", list(Language))
def test_no_sentence_names_an_illness_a_value_or_a_person(language: Language) -> None:
    for rule in core_pack().rules:
        finding = msgspec.structs.replace(
            CALL, rule=rule.id, params={**CALL.params, "spo2": "81", "systolic": "201", "changes": "heart_rate:above"}
        )
        title = title_of(core_pack(), finding, language)
        for message in Message:
            said = [spoken(title, message, language, written_to=roles) for roles in ([], list(Role))]
            said.append(written(title, message, language, home="home-03", finding=finding, zone=SHANGHAI))
            for text in said:
                assert not WORDS_OF_A_DIAGNOSIS.search(text), text
                assert "81" not in text
                assert "201" not in text
                assert "r-0003" not in text


@pytest.mark.parametrize("rule", [rule.id for rule in core_pack().rules if rule.priority is Priority.HIGH])
def test_a_chinese_message_fits_into_one_part(rule: str) -> None:
    finding = msgspec.structs.replace(CALL, rule=rule)
    title = title_of(core_pack(), finding, Language.ZH)
    assert len(written(title, Message.CALL, Language.ZH, home="东" * 20, finding=finding, zone=SHANGHAI)) <= 70


def test_a_message_says_when_only_where_the_clock_was_set() -> None:
    def at(clock: ClockState, arrival_ms: int) -> str:
        times = msgspec.structs.replace(CALL.times, clock=clock, arrival_ms=arrival_ms)
        finding = msgspec.structs.replace(CALL, times=times)
        return written("T", Message.CALL, Language.EN, home="h", finding=finding, zone=SHANGHAI)

    assert "T, 05:20." in at(ClockState.SYNCED, 1_772_400_000_000)
    assert "T. The county" in at(ClockState.UNSET, 0)
    assert "T. The county" in at(ClockState.SYNCED, 2**62)


class PretendedModem(Modem):
    """Remembers what it was to send."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    async def send(self, number: str, text: str) -> tuple[int, ...]:
        self.sent.append((number, text))
        return (1,)


@pytest.mark.parametrize(
    ("subject", "number"),
    [
        (Subject(SubjectKind.RESIDENT, "r-0003"), "3"),
        (Subject(SubjectKind.RESIDENT, "r-0004"), "0"),
        (Subject(SubjectKind.DWELLING, "home-03"), "0"),
    ],
)
async def test_the_message_goes_to_whom_it_concerns(subject: Subject, number: str) -> None:
    modem = PretendedModem()
    contacts = [
        Contact(role=Role.FAMILY, number="3", resident="r-0003", home="东头"),
        Contact(role=Role.FAMILY, number="0"),
        Contact(role=Role.VILLAGE_DOCTOR, number="9"),
    ]
    way = Sms(Role.FAMILY, contacts, modem=modem, pack=core_pack(), language=Language.ZH, home="home-03", zone=SHANGHAI)
    finding = msgspec.structs.replace(CALL, subject=subject)
    assert way.concerns(finding)
    assert await way.tell(Message.CALL, finding) == Result(ActionOutcome.SENT, references=(1,))
    ((to, text),) = modem.sent
    assert to == number
    assert ("东头" if number == "3" else "home-03") in text


async def test_a_family_of_somebody_else_is_not_written_to_and_a_button_of_nobody_reaches_somebody() -> None:
    contacts = [Contact(role=Role.FAMILY, number="3", resident="r-0003")]
    way = Sms(
        Role.FAMILY,
        contacts,
        modem=PretendedModem(),
        pack=core_pack(),
        language=Language.ZH,
        home="home-03",
        zone=SHANGHAI,
    )
    other = msgspec.structs.replace(CALL, subject=Subject(SubjectKind.RESIDENT, "r-0004"))
    wall = msgspec.structs.replace(CALL, subject=Subject(SubjectKind.DWELLING, "home-03"))
    assert not way.concerns(other)
    assert way.concerns(wall)


@pytest.mark.parametrize(
    "action",
    [
        LocalAction("voice", ActionOutcome.DONE, "", "recorded", 62),
        LocalAction("sms", ActionOutcome.FAILED, "village_doctor", "send_refused_cms_38", None),
        LocalAction("light", ActionOutcome.UNKNOWN, after_s=0),
    ],
)
def test_an_action_is_read_back_as_it_was_written(action: LocalAction) -> None:
    assert parse_action(action.text()) == action


@pytest.mark.parametrize(
    "text", ["", "voice", "voice sung +3", "voice done +-3", "VOICE done +3", "voice done +3\n", "x" * 9000]
)
def test_an_action_of_another_make_is_not_understood(text: str) -> None:
    assert parse_action(text) is None


async def test_the_voice_names_only_whom_a_message_goes_to(tmp_path: Path) -> None:
    def way(role: Role, contact: Contact) -> Sms:
        return Sms(
            role,
            [contact],
            modem=PretendedModem(),
            pack=core_pack(),
            language=Language.ZH,
            home="home-03",
            zone=SHANGHAI,
        )

    doctor = way(Role.VILLAGE_DOCTOR, Contact(role=Role.VILLAGE_DOCTOR, number="9"))
    other = way(Role.FAMILY, Contact(role=Role.FAMILY, number="3", resident="r-0099"))
    settings = {"player": (*COPY, "{file}", str(tmp_path / "played")), "speech": SPEAK}
    config = msgspec.convert(settings, AlarmConfig, strict=False)
    await Voice(config, pack=core_pack(), folder=tmp_path, messages=(doctor, other)).tell(Message.CALL, CALL)
    assert "正在给村医发短信。" in (tmp_path / "played").read_text(encoding="utf-8")
    await Voice(config, pack=core_pack(), folder=tmp_path, messages=(other,)).tell(Message.CALL, CALL)
    assert "请让身边的人" in (tmp_path / "played").read_text(encoding="utf-8")
