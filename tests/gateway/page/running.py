"""A clinic with a real outbox, its page on a real port in a thread of its own; readings come when a test says so."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

from kanhu.contract import (
    Clock,
    ClockState,
    Lane,
    Observation,
    Part,
    Quality,
    QualityLevel,
    QualityReason,
    Receipt,
    SeqRanges,
    Subject,
    SubjectKind,
    SystemClock,
    Times,
    metric,
)
from kanhu.edge.cards import Cards
from kanhu.edge.devices import DeviceConfig, DeviceSeen
from kanhu.edge.pipeline import SensingPipeline
from kanhu.edge.sessions import mark_unidentified
from kanhu.edge.whose import Attendance, People
from kanhu.gateway import GatewayConfig, Outbox, load_config
from kanhu.gateway.committer import Committer
from kanhu.gateway.page.clinic import Clinic
from kanhu.gateway.page.serve import serve_page
from kanhu.vitals import Judge, Runs, core_pack, profile_from_tags

CUFF = DeviceConfig(id="cuff-01", kind="cuff-ble", address="F0:0D:00:00:00:03")

HOME = """
gateway = "clinic-01"
data = "data"
timezone = "Asia/Shanghai"

[page]
port = {port}
language = "{language}"
"""
PEOPLE = (
    ("r-0001", "1-1", "1"),
    ("r-0002", "1-2", "1"),
    ("r-0003", "2-1", "2"),
    ("r-0004", "2-2", "2"),
    ("r-0005", "3-1", "3"),
    ("r-0006", "3-2", "3"),
    ("r-0007", "ZXL", None),
    ("r-0008", "LGF", None),
    ("r-0009", "WSY", None),
    ("r-0010", "CDM", None),
)


def settings(
    folder: Path, *, port: int = 8780, language: str = "zh", people: Sequence[tuple[str, str, str | None]] = PEOPLE
) -> GatewayConfig:
    """A clinic whose people have labels, some of them a bed."""
    text = HOME.format(port=port, language=language)
    for identity, label, room in people:
        text += f"[[resident]]\nid = {identity!r}\nlabel = '''{label}'''\ncard = 'KH{identity[2:]}'\n"
        if room is not None:
            text += f'[[bed]]\nid = "{label}"\nroom = "{room}"\n[[stay]]\nbed = "{label}"\nresident = "{identity}"\n'
    file = folder / "gateway.toml"
    file.write_text(text, encoding="utf-8")
    config = load_config(file)
    config.folder.mkdir(exist_ok=True)
    return config


class Bench:
    """The clinic without its page; readings go the way they go in a gateway, without devices and network."""

    def __init__(self, config: GatewayConfig, *, clock: Clock) -> None:
        self.config = config
        self.clock = clock
        self.outbox = Outbox.open(config.outbox_file, clock=clock, max_bytes=1 << 22)
        self.committer = Committer(self.outbox)
        self.attendance = Attendance(clock=clock)
        stays = [stay.in_zone(config.zone) for stay in config.stay]
        self.cards = Cards(self.attendance, config.cards)
        self.people = People(clock=clock, attendance=self.attendance, stays=stays, cards=self.cards)
        self.seen: dict[str, DeviceSeen] = {}
        self.clinic = Clinic(
            config,
            committer=self.committer,
            attendance=self.attendance,
            people=self.people,
            cards=self.cards,
            seen=self.seen,
            clock=clock,
        )
        profiles = {one.id: profile_from_tags(one.id, one.tags) for one in config.resident}
        self.pipeline = SensingPipeline(Judge(core_pack(), Runs.GATEWAY, profiles, config.zone), profiles=profiles)

    async def measure(
        self,
        systolic: int,
        diastolic: int,
        *,
        pulse: int = 72,
        reasons: Sequence[QualityReason] = (),
        level: QualityLevel = QualityLevel.QUESTIONABLE,
        later_s: float = 0,
    ) -> int:
        """The shared cuff measures somebody; returns the number of the reading."""
        parts = tuple(
            Part(code, (metric(code).steps(Decimal(value)),))
            for code, value in (("systolic", systolic), ("diastolic", diastolic), ("pulse_cuff", pulse))
        )
        quality = Quality(level, tuple(reasons)) if reasons else Quality()
        mono_ns = self.clock.mono_ns() + round(later_s * 1e9)
        whose = self.people.whose(CUFF, began_ns=mono_ns)
        subject = (
            Subject(SubjectKind.UNIDENTIFIED, f"cuff-01.{mono_ns}")
            if whose.resident is None
            else Subject(SubjectKind.RESIDENT, whose.resident)
        )
        times = Times(self.clock.wall_ms(), mono_ns, self.clock.boot, ClockState.SYNCED)
        return await self.take(mark_unidentified(Observation("bp", parts, subject, CUFF.id, times, quality)))

    async def take(self, observation: Observation) -> int:
        """Commit a reading and tell the clinic, as the intake does."""
        judged = self.pipeline.take(observation)
        (seq,) = await self.committer.accept([(Lane.LIVE, judged.observation)])
        self.clinic.taken(judged, seq=seq)
        return seq

    async def confirm(self, upto: int) -> None:
        """The county has everything up to this number."""
        receipt = Receipt(1, self.config.gateway, self.committer.epoch, upto)
        self.clinic.receipt(receipt)
        await self.committer.call(lambda outbox: outbox.batch(Lane.LIVE))
        sent = SeqRanges(((1, upto),) if upto else ())
        await self.committer.call(lambda outbox: outbox.settle(receipt, sent=sent))

    async def close(self) -> None:
        await self.committer.close()


class RunningPage:
    """The page on a port, until `stop`."""

    def __init__(self, config: GatewayConfig) -> None:
        self.config = config
        assert config.page is not None
        self.url = f"http://127.0.0.1:{config.page.port}"
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="page", daemon=True)
        self._thread.start()
        assert self._ready.wait(20)

    def call(self, work: Callable[[Bench], object]) -> object:
        """Do something where the clinic lives, and wait for it."""

        async def there() -> object:
            answer = work(self.bench)
            return await answer if asyncio.iscoroutine(answer) else answer

        return asyncio.run_coroutine_threadsafe(there(), self._loop).result(20)

    def stop(self) -> None:
        if not self._thread.is_alive():
            return
        self._loop.call_soon_threadsafe(self._serving.cancel)
        self._thread.join(20)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self.bench = Bench(self.config, clock=SystemClock())
        assert self.config.page is not None
        self._serving = asyncio.create_task(serve_page(self.bench.clinic, self.config.page, pack=core_pack()))
        port = self.config.page.port
        while not self._serving.done():
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
                continue
            writer.close()
            break
        self._ready.set()
        await asyncio.wait({self._serving})
        await self.bench.close()
