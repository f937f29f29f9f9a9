"""A small invented county on a fake clock: three villages, a gateway and a resident in each home."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kanhu.cloud.alerting.log import read_events, read_state
from kanhu.cloud.alerting.state import AlertState, Event
from kanhu.cloud.config import CloudConfig, SilenceLimits
from kanhu.cloud.county import County, open_county
from kanhu.cloud.desk.model import AlertRow, Role, Viewer
from kanhu.cloud.ingest.door import Message
from kanhu.cloud.ingest.take import Answers
from kanhu.cloud.ledger.segments import LedgerLine, ledger_lines
from kanhu.cloud.people.site import Gateway, Place, Resident, Site, load_site
from kanhu.contract import (
    ClockState,
    Envelope,
    Evidence,
    FakeClock,
    Finding,
    GatewayState,
    Observation,
    Part,
    Phase,
    Priority,
    Quality,
    Receipt,
    Record,
    Status,
    Subject,
    SubjectKind,
    Times,
    alert_id,
    encode_envelope,
    encode_status,
)
from kanhu.contract.status import STATUS_VERSION
from kanhu.vitals import core_pack

PACK = core_pack()
EPOCH = "0" * 31 + "1"
BOOT = "b" * 32
GOOD = Quality()
DEFAULT_SILENCE = SilenceLimits()

COUNTY = Viewer("li.jing", "李静", Role.COUNTY, "yunling")
OTHER = Viewer("wang", "王医生", Role.COUNTY, "yunling")
VILLAGE = Viewer("zhao", "赵医生", Role.VILLAGE, "liulin")

PLACES = (
    Place(id="yunling", kind="county", zh="云岭县", en="Yunling County"),
    Place(id="qingxi", kind="township", zh="清溪镇", en="Qingxi", parent="yunling"),
    Place(id="dongshan", kind="township", zh="东山乡", en="Dongshan", parent="yunling"),
    Place(id="liulin", kind="village", zh="柳林村", en="Liulin", parent="qingxi"),
    Place(id="shiqiao", kind="village", zh="石桥村", en="Shiqiao", parent="qingxi"),
    Place(id="heping", kind="village", zh="和平村", en="Heping", parent="dongshan"),
)
VILLAGES = ("liulin", "shiqiao", "heping")


@dataclass(slots=True)
class Town:
    """A county with the network replaced by method calls."""

    folder: Path
    clock: FakeClock
    homes: int = 3
    alone: frozenset[int] = frozenset({1})
    silence: SilenceLimits = DEFAULT_SILENCE
    county: County = field(init=False)

    def __post_init__(self) -> None:
        self.start()
        site = Site(
            place=PLACES,
            gateway=tuple(
                Gateway(id=f"home-{n:02}", kind="home", place=VILLAGES[(n - 1) % 3]) for n in range(1, self.homes + 1)
            ),
            resident=tuple(
                Resident(
                    id=f"r-{n:04}",
                    gateway=f"home-{n:02}",
                    place=VILLAGES[(n - 1) % 3],
                    name=f"张{n}",
                    birth_year=1945,
                    tags=("lives_alone",) if n in self.alone else (),
                )
                for n in range(1, self.homes + 1)
            ),
        )
        self.county.writer.run(lambda transaction: load_site(transaction.connection, site))

    def start(self) -> None:
        """Open the county's files, as a start of the service does."""
        config = CloudConfig(data=self.folder, silence=self.silence)
        self.county = open_county(config, pack=PACK, clock=self.clock, broker=lambda: "connected")

    def stop(self) -> None:
        """End the service."""
        self.county.close()

    def deliver(self, *messages: Message) -> list[Receipt]:
        """What a receiver does with waiting messages."""
        return self.answers(*messages).receipts

    def answers(self, *messages: Message) -> Answers:
        """The same, with answers of every kind."""
        return self.county.writer.run(lambda transaction: self.county.ingest.take(transaction, messages))

    def send(self, *records: tuple[int, Record], gateway: str = "home-01", epoch: str = EPOCH) -> list[Receipt]:
        """One envelope of one gateway."""
        return self.deliver(envelope(*records, gateway=gateway, epoch=epoch))

    def beat(self, *gateways: str, retained: bool = False) -> None:
        """A heartbeat of each gateway, at this moment."""
        self.deliver(*(heartbeat(gateway, self.clock.wall_ms(), retained=retained) for gateway in gateways))

    def connected(self) -> None:
        """The broker is there."""
        listening, mono_ns = self.county.ingest.listening, self.clock.mono_ns()
        self.county.writer.run(lambda transaction: listening.begin(transaction.connection, mono_ns=mono_ns))

    def disconnected(self) -> None:
        """The broker is gone."""
        listening, mono_ns = self.county.ingest.listening, self.clock.mono_ns()
        self.county.writer.run(lambda transaction: listening.end(transaction.connection, mono_ns=mono_ns))

    def tick(self) -> None:
        """One tick of the service."""
        for duty in self.county.duties().values():
            self.county.writer.run(duty)

    def pass_time(self, seconds: float, *, beating: Iterable[str] = (), beat_every_s: float = 60) -> None:
        """Let time pass in ticks of at most five seconds, while some gateways keep beating."""
        gateways, left_s, since_beat_s = tuple(beating), seconds, 0.0
        while left_s > 0:
            step_s = min(5.0, left_s)
            self.clock.advance(step_s)
            left_s -= step_s
            since_beat_s += step_s
            if gateways and since_beat_s >= beat_every_s:
                self.beat(*gateways)
                since_beat_s = 0.0
            self.tick()

    def board(self, viewer: Viewer = COUNTY) -> tuple[AlertRow, ...]:
        """Open alerts."""
        return self.county.services.desk.board(viewer).rows

    def state(self, alert: str) -> AlertState | None:
        """State of one alert."""
        with self.county.ledger.read() as connection:
            return read_state(connection, alert)

    def events(self, alert: str) -> list[tuple[int, Event]]:
        """Its log."""
        with self.county.ledger.read() as connection:
            return [(at_ms, event) for at_ms, _, event in read_events(connection, alert)]

    def lines(self) -> list[LedgerLine]:
        """Everything stored."""
        with self.county.ledger.read() as connection:
            return list(ledger_lines(connection))

    def table(self, name: str) -> list[tuple[Any, ...]]:
        """All rows of a table, sorted."""
        with self.county.ledger.read() as connection:
            return sorted(tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {name}"))

    def counter(self, name: str) -> int:
        """One counter; 0 where it was never counted."""
        with self.county.ledger.read() as connection:
            found = connection.exec_driver_sql("SELECT value FROM counter WHERE name = ?", (name,)).scalar()
        return found or 0


def towns(folder: Path) -> Iterator[Path]:
    """Fresh folders for examples of one test."""
    number = 0
    while True:
        number += 1
        yield folder / f"town-{number}"


def envelope(*records: tuple[int, Record], gateway: str = "home-01", epoch: str = EPOCH, lane: str = "live") -> Message:
    """A message with these records."""
    body = encode_envelope(Envelope(gateway, epoch, tuple(records)))
    return Message(f"kanhu/v1/up/{gateway}/{lane}", body, retained=False)


def heartbeat(
    gateway: str,
    sent_ms: int,
    *,
    retained: bool = False,
    state: GatewayState = GatewayState.ONLINE,
    boot: str = BOOT,
    epoch: str = EPOCH,
) -> Message:
    """A status message."""
    status = Status(STATUS_VERSION, gateway, epoch, state, boot=boot, sent_ms=sent_ms, clock=ClockState.SYNCED)
    return Message(f"kanhu/v1/up/{gateway}/status", encode_status(status), retained=retained)


def resident(number: int = 1) -> Subject:
    """A resident of the town."""
    return Subject(SubjectKind.RESIDENT, f"r-{number:04}")


def times(wall_ms: int, *, mono_ns: int | None = None, clock: ClockState = ClockState.SYNCED) -> Times:
    """Times of one arrival."""
    return Times(wall_ms, wall_ms * 1_000_000 % 2**60 if mono_ns is None else mono_ns, BOOT, clock)


def oximetry(wall_ms: int, spo2: int, *, number: int = 1, quality: Quality = GOOD) -> Observation:
    """One oximeter reading, saturation in whole percent."""
    parts = (Part("spo2", (spo2 * 10,)), Part("pulse_oximeter", (720,)))
    return Observation("oximetry", parts, resident(number), "oximeter-01", times(wall_ms), quality)


def pressure(wall_ms: int, systolic: int, diastolic: int, *, number: int = 1) -> Observation:
    """One cuff reading in mmHg."""
    parts = (Part("systolic", (systolic * 100,)), Part("diastolic", (diastolic * 100,)), Part("pulse_cuff", (7200,)))
    return Observation("bp", parts, resident(number), "cuff-01", times(wall_ms))


def finding(
    wall_ms: int,
    *,
    priority: Priority = Priority.HIGH,
    rule: str = "SOS",
    phase: Phase = Phase.START,
    number: int = 1,
    first_ns: int = 1,
    mono_ns: int | None = None,
    clock: ClockState = ClockState.SYNCED,
    params: dict[str, str] | None = None,
) -> Finding:
    """A finding of one alert: the same `first_ns` is the same alert."""
    evidence = Evidence("help_button", 1, "button-01", BOOT, first_ns, wall_ms)
    return Finding(
        alert_id=alert_id(resident(number), rule, evidence),
        rule=rule,
        rule_version="1",
        subject=resident(number),
        priority=priority,
        phase=phase,
        reason="pressed",
        times=times(wall_ms, mono_ns=mono_ns, clock=clock),
        evidence=(evidence,),
        params={"presses": "1"} if params is None else params,
    )


def only(rows: Sequence[AlertRow]) -> AlertRow:
    """The one row there is."""
    (row,) = rows
    return row
