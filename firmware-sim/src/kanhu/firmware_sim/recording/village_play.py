"""Plays one village from its first day to its last and writes it down."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from kanhu.contract import ClockState, Subject, SubjectKind
from kanhu.contract.recording import Silence, VillagePlan
from kanhu.firmware_sim.homes import ClockFault, Dwelling, Outage, gateway_clock, outages
from kanhu.firmware_sim.population import Village, draw_fate, draw_village
from kanhu.firmware_sim.recording.diary import Site
from kanhu.firmware_sim.recording.emergency import act_on
from kanhu.firmware_sim.recording.folder import Done, RecordingFolder, Settings
from kanhu.firmware_sim.recording.gateway_clock import BOOT_TAKES_MS, ClockStart, GatewayClock
from kanhu.firmware_sim.recording.person import Player, player_of
from kanhu.firmware_sim.recording.readings import sensor_change
from kanhu.firmware_sim.recording.rhythms import Rhythms
from kanhu.firmware_sim.recording.routine import measure_as_usual
from kanhu.firmware_sim.recording.staff import absences, reactions
from kanhu.firmware_sim.recording.strangers import clinic_cuff, go_to_the_clinic, let_visitors_measure
from kanhu.firmware_sim.recording.village_writer import VillageWriter
from kanhu.firmware_sim.truth import Happening, HappeningKind, Person, Truth

Told = Callable[[int], None]
"""Called with the number of days that are done."""

_MS_PER_S = 1000
_ANSWER_S = 60.0
"""A gateway says every minute that it is there: a shorter silence is none."""


def play_village(folder: RecordingFolder, number: int, *, people: int, rhythms: Rhythms, told: Told) -> Done:
    """Make the village with this number, counted from 1, from its start."""
    settings = folder.settings
    seed, days = str(settings.seed), settings.days
    village = draw_village(number, people=people, seed=seed)
    away = outages(village.id, village.gateways, seed=seed, days=days)
    faults = {gateway: gateway_clock(gateway, seed=seed) for gateway in village.gateways}
    clocks = {gateway: _clock(gateway, settings, away, faults[gateway]) for gateway in village.gateways}
    writer = folder.village(village.id, gateways=clocks)
    try:
        players, dwellings = _settle(village, settings, away, rhythms=rhythms, writer=writer)
        clinic = clinic_cuff(village.clinic, seed=seed)
        for day in range(days):
            for home in village.homes:
                dwelling = dwellings[home.gateway]
                bodies = {person.id: players[person.id].body for person in home.people}
                visits = dwelling.visits(bodies, day)
                for person in home.people:
                    player = players[person.id]
                    act_on(player, day)
                    measure_as_usual(player, day)
                    let_visitors_measure(player, visits, day)
                    go_to_the_clinic(player, clinic, day)
                if home.has_sensors:  # one lives there
                    _watch_rooms(dwelling, players[home.people[0].id], day)
            writer.end_day(day)
            told(day + 1)
        plan = VillagePlan(
            village=village.id,
            silences=_silences(away, settings),
            absences=absences(village.id, seed=seed, starts_ms=settings.starts_ms, days=days),
            reactions=reactions(village.id, seed=seed),
        )
        truth = [*_truth(village, players, away, faults, settings)]
        return writer.finish(settings=settings.digest(), plan=plan, truth=truth, people=len(village.people))
    finally:
        writer.close()


def _settle(
    village: Village,
    settings: Settings,
    away: Sequence[Outage],
    *,
    rhythms: Rhythms,
    writer: VillageWriter,
) -> tuple[dict[str, Player], dict[str, Dwelling]]:
    seed, days = str(settings.seed), settings.days
    players: dict[str, Player] = {}
    dwellings: dict[str, Dwelling] = {}
    for home in village.homes:
        dark = [(each.from_s, each.to_s) for each in away if each.gateway == home.gateway and each.cause == "power"]
        dwellings[home.gateway] = Dwelling(home.dwelling, [each.resident for each in home.people], seed=seed)
        for person in home.people:
            fate = draw_fate(person, home.household, seed=seed, days=days, dark=dark)
            players[person.id] = player_of(
                person,
                fate,
                site=Site(village.id, home.gateway, person.id, settings.starts_ms),
                seed=seed,
                days=days,
                rhythms=rhythms,
                sink=writer.take,
            )
    return players, dwellings


def _watch_rooms(dwelling: Dwelling, player: Player, day: int) -> None:
    """What sensors see of the one who lives there; they show a happening as well as any device worn."""
    site = player.diary.site
    subject = Subject(SubjectKind.DWELLING, site.gateway)
    for movement in dwelling.movements({player.person.id: player.body}, day):
        reading = sensor_change(
            site.ms(movement.at_s),
            f"{movement.sensor}-{site.gateway}",
            metric=movement.kind,
            state=int(movement.on),
            dwelling=subject,
        )
        player.diary.note(site.gateway, reading)


def _clock(gateway: str, settings: Settings, away: Sequence[Outage], fault: ClockFault | None) -> GatewayClock:
    def stretches(cause: str) -> list[tuple[int, int]]:
        own = (each for each in away if each.gateway == gateway and each.cause == cause)
        return [(_ms(settings, each.from_s), _ms(settings, each.to_s)) for each in own]

    start = None
    if fault is not None and fault.starts_at_1970:
        start = ClockStart(wall_ms=0, synced_after_ms=round(fault.until_s * _MS_PER_S), state=ClockState.UNSET)
    elif fault is not None:
        wall_ms = settings.starts_ms + round(fault.offset_s * _MS_PER_S)
        start = ClockStart(wall_ms=wall_ms, synced_after_ms=round(fault.until_s * _MS_PER_S))
    return GatewayClock(
        gateway,
        seed=str(settings.seed),
        starts_ms=settings.starts_ms,
        cuts=stretches("power"),
        unlinked=stretches("link"),
        start=start,
    )


def _silences(away: Sequence[Outage], settings: Settings) -> tuple[Silence, ...]:
    return tuple(
        Silence(each.gateway, _ms(settings, each.from_s), _back_ms(settings, each), each.cause) for each in away
    )


def _truth(
    village: Village,
    players: Mapping[str, Player],
    away: Sequence[Outage],
    faults: Mapping[str, ClockFault | None],
    settings: Settings,
) -> Iterator[Truth]:
    for home in village.homes:
        for person in home.people:
            yield Person(
                village=village.id,
                gateway=home.gateway,
                subject=person.id,
                age_years=person.resident.age_years,
                sex=person.resident.sex,
                tags=person.tags,
            )
    for player in players.values():
        yield from player.diary.happenings()
    for number, outage in enumerate(away, 1):
        if outage.to_s - outage.from_s >= _ANSWER_S:
            yield _of_gateway(
                village,
                outage.gateway,
                HappeningKind.GATEWAY_SILENT,
                number=number,
                ms=(_ms(settings, outage.from_s), _back_ms(settings, outage)),
            )
    for gateway, fault in faults.items():
        if fault is not None:
            wrong_ms = (settings.starts_ms, _ms(settings, fault.until_s))
            yield _of_gateway(village, gateway, HappeningKind.WRONG_CLOCK, number=1, ms=wrong_ms)
    for player in players.values():
        yield from player.diary.extremes()


def _of_gateway(village: Village, gateway: str, kind: HappeningKind, *, number: int, ms: tuple[int, int]) -> Happening:
    return Happening(
        id=f"{gateway}/{kind}/{number}", kind=kind, village=village.id, gateway=gateway, onset_ms=ms[0], end_ms=ms[1]
    )


def _ms(settings: Settings, second: float) -> int:
    return settings.starts_ms + round(second * _MS_PER_S)


def _back_ms(settings: Settings, outage: Outage) -> int:
    """When the gateway is heard again: after a cut it boots first."""
    boots_ms = BOOT_TAKES_MS if outage.cause == "power" else 0
    return min(settings.ends_ms, _ms(settings, outage.to_s) + boots_ms)
