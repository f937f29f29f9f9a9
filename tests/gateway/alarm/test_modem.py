"""The driver against the simulated modem on a pseudo terminal, with whatever can be wrong with it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from kanhu.contract import SystemClock
from kanhu.firmware_sim.modem import conversation
from kanhu.firmware_sim.modem.conversation import Fault
from kanhu.firmware_sim.modem.line import ModemLine
from kanhu.gateway.alarm import modem as driver
from kanhu.gateway.alarm.contacts import Contact, Role
from kanhu.gateway.alarm.errors import ModemError, ModemReason
from kanhu.gateway.alarm.modem import Modem
from kanhu.gateway.alarm.settings import ModemMode
from kanhu.gateway.alarm.sms import Mailbox

DOCTOR = "+8613912345678"
TEXT = "【看护】东头：按下求助按钮，22:10。县里联系不上。请马上打电话；无人接听请上门。"


class RememberedPin:
    """What the card of the gateway keeps, in memory."""

    def __init__(self) -> None:
        self.tried = False
        self.was_accepted = False

    async def may_try(self) -> bool:
        before, self.tried = self.tried, True
        return not before

    async def accepted(self) -> None:
        self.tried = False
        self.was_accepted = True


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in {
        "_ANSWER_S": 1.0,
        "_CARD_S": 1.0,
        "_REGISTER_S": 0.5,
        "_ASK_AGAIN_S": 0.1,
        "_PROMPT_S": 1.5,
        "_SEND_S": 1.0,
        "_SETTLE_S": 0.2,
    }.items():
        monkeypatch.setattr(driver, name, seconds)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Callable[..., ModemLine]]:
    """Return a function that plugs a modem in."""
    lines: list[ModemLine] = []

    def plug(*faults: Fault, pin: str | None = None) -> ModemLine:
        lines.append(ModemLine(tmp_path / "modem", clock=SystemClock(), pin=pin))
        lines[-1].faults.update(faults)
        return lines[-1]

    yield plug
    for one in lines:
        one.close()


@pytest.fixture
async def modem(tmp_path: Path) -> AsyncIterator[Callable[..., Modem]]:
    """Return a function that makes the driver."""
    modems: list[Modem] = []

    def make(*, mode: ModemMode = ModemMode.PDU, pin: str | None = None, memory: RememberedPin | None = None) -> Modem:
        port = str(tmp_path / "modem")
        modems.append(Modem(port, baud=115200, mode=mode, clock=SystemClock(), pin=pin, memory=memory))
        return modems[-1]

    yield make
    for one in modems:
        await one.close()


async def reported(modem: Modem, *, within_s: float = 6.0) -> dict[int, bool]:
    """Wait for a delivery report."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        found = await modem.reports()
        if found:
            return found
        await asyncio.sleep(0.05)
    return {}


async def went_through(modem: Modem) -> bool:
    """Whether a message left; where the modem is still without power it did not."""
    try:
        await modem.send(DOCTOR, TEXT)
    except ModemError as error:
        return error.reason is not ModemReason.UNPLUGGED
    return True


@pytest.mark.parametrize("mode", list(ModemMode))
@pytest.mark.parametrize("noise", [(), (Fault.GARBAGE,), (Fault.STORED_REPORT,)])
async def test_a_message_arrives_as_it_was_written_and_its_delivery_is_heard(
    line: Callable[..., ModemLine], modem: Callable[..., Modem], mode: ModemMode, noise: tuple[Fault, ...]
) -> None:
    network = line(*noise)
    village = modem(mode=mode)
    (reference,) = await village.send(DOCTOR, TEXT)
    (message,) = network.messages()
    assert (message["to"], message["text"], message["coding"]) == (DOCTOR, TEXT, "ucs2")
    if mode is ModemMode.TEXT and Fault.STORED_REPORT in noise:
        return  # a stored report is given as a unit by this modem; in text mode it is not understood
    assert await reported(village) == {reference: True}


async def test_a_long_message_arrives_in_parts_of_one_group(
    line: Callable[..., ModemLine], modem: Callable[..., Modem]
) -> None:
    network = line()
    references = await modem().send(DOCTOR, TEXT * 3)
    messages = network.messages()
    assert len(references) == len(messages) == 2
    assert "".join(str(message["text"]) for message in messages) == TEXT * 3
    assert len({message["group"] for message in messages}) == 1


async def test_a_second_message_does_not_begin_from_the_start(
    line: Callable[..., ModemLine], modem: Callable[..., Modem]
) -> None:
    network = line()
    village = modem()
    await village.send(DOCTOR, "one")
    await village.send(DOCTOR, "two")
    assert [message["text"] for message in network.messages()] == ["one", "two"]
    assert [event["said"] for event in network.events if event.get("said") == "ATE0"] == ["ATE0"]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.NO_NETWORK, ModemReason.NO_NETWORK),
        (Fault.SIM_MISSING, ModemReason.SIM_MISSING),
        (Fault.SEND_ERROR, ModemReason.SEND_REFUSED),
        (Fault.SILENT, ModemReason.SILENT),
        (Fault.SWALLOWED, ModemReason.SILENT),
        (Fault.UNPLUG, ModemReason.UNPLUGGED),
    ],
)
async def test_each_fault_has_its_name_and_the_next_try_after_it_goes_through(
    line: Callable[..., ModemLine], modem: Callable[..., Modem], fault: Fault, reason: ModemReason
) -> None:
    network = line(fault)
    village = modem()
    with pytest.raises(ModemError) as refused:
        await village.send(DOCTOR, TEXT)
    assert refused.value.reason is reason
    assert DOCTOR[3:] not in str(refused.value)
    network.faults.clear()
    for _ in range(100):
        if await went_through(village):
            break
        await asyncio.sleep(0.1)  # it takes two seconds to come back
    assert network.messages()[-1]["text"] == TEXT


async def test_a_slow_modem_is_waited_for_and_its_answers_stay_in_step(
    line: Callable[..., ModemLine], modem: Callable[..., Modem], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "_SLOW_S", 0.3)
    network = line(Fault.SLOW, Fault.GARBAGE)
    village = modem()
    await village.send(DOCTOR, TEXT)
    await village.send(DOCTOR, "two")
    assert [message["text"] for message in network.messages()] == [TEXT, "two"]


async def test_a_modem_that_answers_too_late_at_first_does_not_answer_the_next_command(
    line: Callable[..., ModemLine], modem: Callable[..., Modem], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "_SETTLE_S", 1.5)
    monkeypatch.setattr(conversation, "_SLOW_S", 1.4)
    network = line(Fault.SLOW)
    sending = asyncio.create_task(modem().send(DOCTOR, TEXT))
    await asyncio.sleep(1.2)  # the second greeting is under way; the first was answered late
    network.faults.clear()
    await sending
    assert [message["text"] for message in network.messages()] == [TEXT]


async def test_a_modem_that_is_not_there_is_unplugged(modem: Callable[..., Modem]) -> None:
    with pytest.raises(ModemError) as refused:
        await modem().check()
    assert refused.value.reason is ModemReason.UNPLUGGED


async def test_a_lost_report_leaves_the_message_without_one(
    line: Callable[..., ModemLine], modem: Callable[..., Modem]
) -> None:
    line(Fault.LOST_REPORT)
    village = modem()
    await village.send(DOCTOR, TEXT)
    assert await reported(village, within_s=1.3) == {}


async def test_a_message_that_could_not_be_delivered_is_told(
    line: Callable[..., ModemLine], modem: Callable[..., Modem]
) -> None:
    line(Fault.NOT_DELIVERED)
    village = modem()
    (reference,) = await village.send(DOCTOR, TEXT)
    assert await reported(village) == {reference: False}


@pytest.mark.parametrize(
    ("mode", "faults"),
    [(ModemMode.PDU, ()), (ModemMode.TEXT, ()), (ModemMode.TEXT, (Fault.PLAIN_TEXT,))],
    ids=["pdu", "text", "text_as_it_is"],
)
@pytest.mark.parametrize(
    ("sender", "text", "roles"),
    [
        (DOCTOR, "1", ["village_doctor"]),
        (DOCTOR.removeprefix("+86"), " 1 ", ["village_doctor"]),
        (DOCTOR, "", []),
        (DOCTOR, "I am driving and will answer later", []),
        ("+8613900000099", "1", []),
        ("5678", "1", []),
    ],
)
async def test_an_answer_counts_from_whom_it_was_written_to_and_only_as_agreed(
    line: Callable[..., ModemLine],
    modem: Callable[..., Modem],
    mode: ModemMode,
    faults: tuple[Fault, ...],
    sender: str,
    text: str,
    roles: list[str],
) -> None:
    network = line(*faults)
    village = modem(mode=mode)
    mailbox = Mailbox(village, [Contact(role=Role.VILLAGE_DOCTOR, number=DOCTOR)])
    await village.send(DOCTOR, TEXT)
    network.reply(sender, text)
    network.reply(DOCTOR, "1")  # behind the other: once this is there, the other was as well
    heard: list[str] = []
    for _ in range(100):
        heard += [answer.role for answer in (await mailbox.news()).seen_to]
        if len(heard) > len(roles):
            break
        await asyncio.sleep(0.05)
    assert heard == [*roles, "village_doctor"]


async def test_a_right_pin_unlocks_the_card(line: Callable[..., ModemLine], modem: Callable[..., Modem]) -> None:
    network = line(pin="4711")
    memory = RememberedPin()
    await modem(pin="4711", memory=memory).send(DOCTOR, TEXT)
    assert memory.was_accepted
    assert len(network.messages()) == 1


async def test_a_wrong_pin_is_given_to_the_card_once_and_never_again(
    line: Callable[..., ModemLine], modem: Callable[..., Modem]
) -> None:
    network = line(pin="4711")
    memory = RememberedPin()
    for _ in range(3):
        village = modem(pin="1234", memory=memory)
        with pytest.raises(ModemError) as refused:
            await village.send(DOCTOR, TEXT)
        assert refused.value.reason is ModemReason.PIN_REFUSED
        await village.close()
    assert [event["right"] for event in network.events if event["kind"] == "pin"] == [False]


async def test_a_card_that_wants_a_pin_nobody_set_is_named(
    line: Callable[..., ModemLine], modem: Callable[..., Modem]
) -> None:
    line(pin="4711")
    with pytest.raises(ModemError) as refused:
        await modem().send(DOCTOR, TEXT)
    assert refused.value.reason is ModemReason.PIN_MISSING


async def test_a_send_that_was_cut_off_does_not_spoil_the_next(
    line: Callable[..., ModemLine], modem: Callable[..., Modem]
) -> None:
    network = line(Fault.SWALLOWED)
    village = modem()
    cut = asyncio.create_task(village.send(DOCTOR, "one"))
    deadline = time.monotonic() + 5
    while not network.messages():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    cut.cancel()
    await asyncio.wait({cut})
    network.faults.clear()
    await village.send(DOCTOR, "two")
    assert network.messages()[-1]["text"] == "two"
