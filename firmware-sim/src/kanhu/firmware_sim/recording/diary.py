"""What one person's devices gave and what truly was: readings on their way, counts by happening, extremes by day."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from kanhu.contract import Subject
from kanhu.firmware_sim.bodies import Body, Episode
from kanhu.firmware_sim.recording.readings import Reading
from kanhu.firmware_sim.truth import Extremes, Happening, HappeningKind

Sink = Callable[[str, Reading], bool]
"""Takes a reading at a gateway; whether the gateway got it."""

_MS_PER_S = 1000
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Site:
    """Where and whose a person's measurements are, and when the recording began."""

    village: str
    gateway: str
    subject: str
    starts_ms: int

    def ms(self, second: float) -> int:
        """True Unix milliseconds of a second of the recording."""
        return self.starts_ms + round(second * _MS_PER_S)


@dataclass(frozen=True, slots=True)
class Bound:
    """Which device at which gateway, and whom the gateway takes it to measure; None: nobody known."""

    gateway: str
    device: str
    subject: Subject | None


class _Counted:
    """One happening in the making."""

    __slots__ = ("end_ms", "episode", "first_good_ms", "good", "onset_ms", "readings")

    def __init__(self, episode: Episode, site: Site) -> None:
        self.episode = episode
        self.onset_ms = site.ms(episode.onset_s)
        self.end_ms = site.ms(episode.onset_s + episode.lasts_s)
        self.readings: dict[str, int] = {}
        self.good: dict[str, int] = {}
        self.first_good_ms: dict[str, int] = {}


class Diary:
    """One person's, through the whole recording."""

    def __init__(self, site: Site, *, body: Body, episodes: Sequence[Episode], sink: Sink) -> None:
        """`episodes` become happenings, which count the readings taken of them."""
        self.site = site
        self.body = body
        self._sink = sink
        self._counted = [_Counted(episode, site) for episode in episodes]
        self._extremes: dict[int, dict[str, tuple[float, float]]] = {}

    def note(self, gateway: str, reading: Reading) -> None:
        """A reading that shows what is so."""
        if self._sink(gateway, reading):
            for counted in self._counted:
                if counted.onset_ms <= reading.true_ms <= counted.end_ms:
                    counted.readings[reading.metric] = counted.readings.get(reading.metric, 0) + 1
                    counted.good[reading.metric] = counted.good.get(reading.metric, 0) + 1
                    first_ms = counted.first_good_ms.get(reading.metric, reading.true_ms)
                    counted.first_good_ms[reading.metric] = min(first_ms, reading.true_ms)

    def note_spoilt(self, gateway: str, reading: Reading) -> None:
        """A reading that an artefact spoilt, or that nobody can tell whose it is."""
        if self._sink(gateway, reading):
            for counted in self._counted:
                if counted.onset_ms <= reading.true_ms <= counted.end_ms:
                    counted.readings[reading.metric] = counted.readings.get(reading.metric, 0) + 1

    def note_strange(self, gateway: str, reading: Reading) -> None:
        """A reading of somebody else on this person's device."""
        self._sink(gateway, reading)

    def truly(self, second: float, metric: str, value: float) -> None:
        """What was so at a moment of measurement."""
        day = self._extremes.setdefault(int(second // _DAY_S), {})
        lowest, highest = day.get(metric, (value, value))
        day[metric] = (min(lowest, value), max(highest, value))

    def befell(self, kind: HappeningKind, onset_s: float, end_s: float) -> None:
        """Something besides the script: a call, an artefact, a visitor."""
        self._counted.append(_Counted(Episode(kind, onset_s, end_s - onset_s), self.site))

    def happenings(self) -> Iterator[Happening]:
        """All of them, by onset."""
        number: dict[HappeningKind, int] = {}
        for counted in sorted(self._counted, key=lambda each: (each.onset_ms, each.episode.kind, each.end_ms)):
            kind = counted.episode.kind
            number[kind] = number.get(kind, 0) + 1
            yield Happening(
                id=f"{self.site.subject}/{kind}/{number[kind]}",
                kind=kind,
                village=self.site.village,
                gateway=self.site.gateway,
                subject=self.site.subject,
                onset_ms=counted.onset_ms,
                end_ms=counted.end_ms,
                severity=counted.episode.severity,
                readings=dict(sorted(counted.readings.items())),
                good=dict(sorted(counted.good.items())),
                first_good_ms=dict(sorted(counted.first_good_ms.items())),
            )

    def extremes(self) -> Iterator[Extremes]:
        """A line a day on which anything was measured."""
        for day, values in sorted(self._extremes.items()):
            yield Extremes(
                village=self.site.village,
                subject=self.site.subject,
                from_ms=self.site.ms(day * _DAY_S),
                to_ms=self.site.ms((day + 1) * _DAY_S),
                values={metric: (round(low, 2), round(high, 2)) for metric, (low, high) in sorted(values.items())},
            )
