"""What the doctor says of updates."""

from datetime import UTC, datetime

from kanhu.gateway.check import Check, Level
from kanhu.gateway.config import GatewayConfig
from kanhu.gateway.updates.errors import ReleaseRefused
from kanhu.gateway.updates.release import fit
from kanhu.gateway.updates.store import Round, State, Store

_REMEDIES = {
    Round.UNREACHABLE: "The same settings and rules run on; see the way to the county if readings do not arrive either",
    Round.UNTRUSTED: "Nothing was taken. Tell the county: its files are not what its people signed",
    Round.EXPIRED: "Nothing was taken. The county has not said for a week what is newest: does kanhu-cloud run?",
    Round.OLDER: "Nothing was taken. Tell the county: it shows older files than before",
    Round.TOO_LARGE: "Nothing was taken. Tell the county: a file is larger than any gateway takes",
    Round.TIME_UNKNOWN: "Nothing is taken by a clock that nobody set: let it reach a time server or the county",
    Round.ROOT_UNUSABLE: "Put the county's first root where `updates.root` says; enrol, or set `updates.url`",
    Round.CARD_FAILED: "Free some space, or replace the card",
    Round.FETCHER_FAILED: "Install kanhu-gateway anew: the part that fetches does not start",
}
_QUIET = frozenset({Round.CURRENT, Round.STAGED, Round.REFUSED_BEFORE, Round.UNREACHABLE})


def update_checks(config: GatewayConfig) -> list[Check]:
    """Of a gateway that takes something from afar; empty for another."""
    if config.updates is None:
        return []
    store = Store(config.folder)
    state = store.state()
    checks = [_asked(state)]
    try:
        fit(config, store.read(state.running))
    except ReleaseRefused as error:
        remedy = "It starts with its own settings and rules; the county signs the release anew"
        checks.append(Check("release", Level.ATTENTION, str(error), remedy))
    if state.refused:
        last = state.refused[-1]
        found = f"release {last.release.number} was refused: {last.reason.value}: {last.detail}"
        remedy = (
            "What ran before runs. Let the county mend and sign it anew; docs/updates.md says what each reason means"
        )
        checks.append(Check("refused release", Level.ATTENTION, found, remedy))
    return checks


def _asked(state: State) -> Check:
    runs = "its own settings and rules" if state.running is None else f"release {state.running.number}"
    on_trial = "" if state.trial is None else f"; release {state.trial.release.number} is on trial"
    found = f"runs {runs}{on_trial}"
    if state.round is None:
        return Check("updates", Level.OK, f"{found}; the county was not asked yet")
    when = datetime.fromtimestamp(state.round_ms / 1000, UTC)
    found += f"; asked {when:%Y-%m-%d %H:%M} UTC by this clock: {state.round.value}"
    if state.round in _QUIET:
        return Check("updates", Level.OK, found)
    return Check("updates", Level.ATTENTION, f"{found}: {state.round_detail}", _REMEDIES[state.round])
