"""What a person does when something befalls: feels it, measures, measures again, calls. Times are a project choice."""

import random

from kanhu.contract import Meal
from kanhu.firmware_sim.bodies import Episode, full
from kanhu.firmware_sim.population.rates import CALLS_IN_AN_EMERGENCY_SHARE
from kanhu.firmware_sim.recording.person import Player
from kanhu.firmware_sim.recording.small_devices import call, prick
from kanhu.firmware_sim.truth import HappeningKind

_DAY_S, _MINUTE_S = 86_400.0, 60.0


def act_on(player: Player, day: int) -> None:
    """Everything done about what begins on this day."""
    for episode in player.fate.episodes:
        if int(episode.onset_s // _DAY_S) != day:
            continue
        draw = player.draw(day, f"emergency/{episode.kind}/{episode.onset_s:.0f}")
        match episode.kind:
            case HappeningKind.DESATURATION:
                _breathless(player, episode, draw)
            case HappeningKind.HYPERTENSIVE:
                _headache(player, episode, draw)
            case HappeningKind.FAST_HEART | HappeningKind.SLOW_HEART:
                _palpitations(player, episode, draw)
            case HappeningKind.HYPOGLYCAEMIA:
                _shaky(player, episode, draw)
            case HappeningKind.FALL:
                _press(player, episode.onset_s + draw.uniform(20, 0.5 * episode.lasts_s), draw)
            case HappeningKind.CALL:
                _press(player, episode.onset_s, draw)
            case _:  # illness of days is measured as usual, and nobody presses who lies out of reach
                pass


def _breathless(player: Player, episode: Episode, draw: random.Random) -> None:
    """Wears the clip for some minutes, and again after a while."""
    from_s, to_s = full(episode)
    if player.oximeter is not None:
        second = from_s + draw.uniform(0, 6) * _MINUTE_S
        for _ in range(3):
            if second + 4 * _MINUTE_S > to_s:
                break
            player.oximeter.wear(second, windows=draw.randint(18, 24), diary=player.diary, draw=draw)
            second += draw.uniform(20, 45) * _MINUTE_S
    _maybe_press(player, from_s + draw.uniform(4, 10) * _MINUTE_S, episode, draw)


def _headache(player: Player, episode: Episode, draw: random.Random) -> None:
    """Measures, again after one to five minutes, and once more an hour later."""
    from_s, to_s = full(episode)
    second = from_s + draw.uniform(0, 20) * _MINUTE_S
    for _ in range(2):
        if player.cuff is None or second + 8 * _MINUTE_S > to_s:
            break
        first = player.cuff.sit(second, diary=player.diary, draw=draw)
        again_s = second + draw.uniform(75, 280)
        again = player.cuff.sit(again_s, diary=player.diary, draw=draw, first_high_mmhg=0.0)
        if (first is not None and first.noticed) or (again is not None and again.noticed):  # it showed that it failed
            player.cuff.sit(again_s + draw.uniform(75, 120), diary=player.diary, draw=draw, first_high_mmhg=0.0)
        second += draw.uniform(45, 75) * _MINUTE_S
    _maybe_press(player, from_s + draw.uniform(10, 25) * _MINUTE_S, episode, draw)


def _palpitations(player: Player, episode: Episode, draw: random.Random) -> None:
    """Puts on the strap and sits down with it."""
    from_s, to_s = full(episode)
    second = from_s + draw.uniform(0.5, 4) * _MINUTE_S
    seconds = int(min(draw.uniform(15, 25) * _MINUTE_S, to_s - second))
    if player.strap is not None and seconds > 0:
        player.strap.wear(second, seconds=seconds, fibrillating=(), diary=player.diary, draw=draw)
    if player.cuff is not None and second + 6 * _MINUTE_S < to_s:
        player.cuff.sit(second + 4 * _MINUTE_S, diary=player.diary, draw=draw)
    _maybe_press(player, from_s + draw.uniform(3, 8) * _MINUTE_S, episode, draw)


def _shaky(player: Player, episode: Episode, draw: random.Random) -> None:
    """Pricks the finger, eats sugar, and again after a quarter of an hour."""
    from_s, to_s = full(episode)
    second = from_s + draw.uniform(0.5, 3) * _MINUTE_S
    for turn in range(3):
        if player.meter is None or (turn and second > to_s + 20 * _MINUTE_S):
            break
        prick(player.meter, second, meal=Meal.CASUAL, diary=player.diary, draw=draw)
        second += draw.uniform(14, 18) * _MINUTE_S
    _maybe_press(player, from_s + draw.uniform(2, 6) * _MINUTE_S, episode, draw)


def _maybe_press(player: Player, second: float, episode: Episode, draw: random.Random) -> None:
    if draw.random() < CALLS_IN_AN_EMERGENCY_SHARE:
        _press(player, min(second, episode.onset_s + episode.lasts_s * 0.9), draw)


def _press(player: Player, second: float, draw: random.Random) -> None:
    """Once, or again and again while waiting."""
    if player.button is None:
        return
    presses = [second]
    for _ in range(draw.choice((0, 0, 0, 1, 1, 2, 4))):
        presses.append(presses[-1] + draw.uniform(8, 90))
    call(player.button, presses, diary=player.diary)
