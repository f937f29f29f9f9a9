"""Every reading against every rule that is judged here. No clock: all time comes with the readings."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import tzinfo

import msgspec

from kanhu.contract import Observation, SubjectKind
from kanhu.vitals.decisions import Decision, DecisionReason
from kanhu.vitals.errors import StateRefused
from kanhu.vitals.moment import Moment, moment_of
from kanhu.vitals.profile import Profile, check_profiles
from kanhu.vitals.quality.gate import assess
from kanhu.vitals.rules.event import EventState, judge_event
from kanhu.vitals.rules.gain import GainState, judge_gain
from kanhu.vitals.rules.records import (
    DWELLING,
    EventTrigger,
    GainTrigger,
    RhythmTrigger,
    Rule,
    RulePack,
    Runs,
    ThresholdTrigger,
    heard_metrics,
)
from kanhu.vitals.rules.resuming import DetectorState, after_gap, joined
from kanhu.vitals.rules.rhythm import RhythmState, judge_rhythm
from kanhu.vitals.rules.threshold import ThresholdState, judge_threshold

STATE_VERSION = 1
MAX_STATE_BYTES = 64 * 1024  # about 2 kB in use; ids of the greatest length make it 40 kB


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """What one rule remembers of one subject."""

    rule_version: str
    last: Moment
    state: DetectorState


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    """All of it, as it is written to disk: rules by subject kind and rule id, one version of each and one at rest."""

    version: int
    kept: dict[str, _Kept]
    resumed: str = ""
    """The name of the state taken elsewhere that this one has gone on from."""
    resting: dict[str, _Kept] = {}
    """What the version in use before knew, for the day when it is in use again; the first to go for want of room."""


_NONE: frozenset[str] = frozenset()

_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(_Stored)


class Judge:
    """Judges readings one after another and remembers per subject what its rules need; holds no other state."""

    def __init__(self, pack: RulePack, runs: Runs, profiles: Mapping[str, Profile], timezone: tzinfo) -> None:
        """Obey the rules of `pack` that run here. Profiles by resident id; local days are those of `timezone`.

        Raises:
            ProfileMismatch: a profile stands under another person's id.
        """
        check_profiles(profiles)
        self._pack = pack
        self._profiles = profiles
        self._timezone = timezone
        self._rules: dict[str, list[Rule]] = {}
        self._subjects: dict[str, dict[str, _Kept]] = {}
        self._resting: dict[str, dict[str, _Kept]] = {}
        self._resumed: dict[str, str] = {}
        for rule in pack.rules:
            if rule.runs is runs:
                for metric in heard_metrics(rule.trigger):
                    self._rules.setdefault(metric, []).append(rule)

    def judge(self, observation: Observation) -> list[Decision]:
        """What every rule that listens to this metric answers; a decision with a finding is to be delivered."""
        rules = self._rules.get(observation.metric, [])
        if not rules:
            return []
        subject = observation.subject
        profile = self._profiles.get(subject.id, Profile(subject=subject.id))
        assessed = assess(observation, previous=None, profile=profile)  # nothing slips in unassessed
        decisions: list[Decision] = []
        for rule in rules:
            unheard = _unheard(rule, assessed, profile)
            if unheard is not None:
                decisions.append(Decision(rule.id, unheard))
                continue
            decisions += self._step(rule, assessed, profile)
        return decisions

    def state(self, subject_id: str) -> bytes:
        """What has to be stored with the reading, in the same transaction. Bounded by MAX_STATE_BYTES."""
        kept, resumed = self._subjects.get(subject_id, {}), self._resumed.get(subject_id, "")
        whole = _encoder.encode(_Stored(STATE_VERSION, kept, resumed, self._resting.get(subject_id, {})))
        return whole if len(whole) <= MAX_STATE_BYTES else _encoder.encode(_Stored(STATE_VERSION, kept, resumed))

    def restore(self, subject_id: str, state: bytes) -> None:
        """Go on where `state` was taken.

        What belongs to another version of a rule rests. Where that one is in use again it goes on, as after a gap:
        readings in between were judged by others.

        Raises:
            StateRefused: not such a state; the subject then starts afresh.
        """
        stored = _read(state)
        self._subjects[subject_id], self._resting[subject_id] = self._of_these_rules(stored)
        self._resumed[subject_id] = stored.resumed

    def resume(
        self, subject_id: str, state: bytes, *, name: str, ended: AbstractSet[str], unknown: AbstractSet[str]
    ) -> tuple[str, ...]:
        """Go on from a state that was taken elsewhere, joined to what has been judged here; the time between is a gap.

        `ended` and `unknown` as `rules.resuming` has them. By its `name` a state is joined once only: again, it changes
        nothing. Returns the rules that it knows in another version, which start afresh.

        Raises:
            StateRefused: not such a state; nothing is changed.
        """
        stored = _read(state)
        if self._resumed.get(subject_id) == name:
            return ()
        usable, resting = self._of_these_rules(stored)
        kept = self._subjects.setdefault(subject_id, {})
        for key, before in usable.items():
            known, since = after_gap(before.state, ended=ended, unknown=unknown), kept.get(key)
            if since is None:
                kept[key] = msgspec.structs.replace(before, state=known)
            else:
                kept[key] = msgspec.structs.replace(since, state=joined(known, since.state))
        resting = {
            key: msgspec.structs.replace(one, state=after_gap(one.state, ended=ended, unknown=unknown))
            for key, one in resting.items()
        }
        self._resting[subject_id] = resting | self._resting.get(subject_id, {})
        self._resumed[subject_id] = name
        return tuple(sorted(key.partition(":")[2] for key in stored.kept.keys() - usable.keys()))

    def _of_these_rules(self, stored: _Stored) -> tuple[dict[str, _Kept], dict[str, _Kept]]:
        """What is known by rules of the versions in use, and what rests: of each rule the version used last."""
        versions = {rule.id: rule.version for rules in self._rules.values() for rule in rules}

        def in_use(key: str, one: _Kept) -> bool:
            return versions.get(key.partition(":")[2]) == one.rule_version

        usable = {key: one for key, one in stored.kept.items() if in_use(key, one)}
        resting = stored.resting | {key: one for key, one in stored.kept.items() if key not in usable}
        for key, one in stored.resting.items():
            if key not in usable and in_use(key, one):
                usable[key] = msgspec.structs.replace(one, state=after_gap(one.state, ended=_NONE, unknown=_NONE))
                if resting[key] is one:
                    del resting[key]
        return usable, resting

    def _step(self, rule: Rule, observation: Observation, profile: Profile) -> list[Decision]:
        subject = observation.subject
        kept = self._subjects.setdefault(subject.id, {})
        key = f"{subject.kind}:{rule.id}"
        before = kept.get(key)
        now = moment_of(observation)
        late = None if before is None else _late(rule, before.last, now)
        if late is not None:
            return [Decision(rule.id, late)]
        state = None if before is None else before.state
        after, decisions = self._obey(rule, state, observation=observation, profile=profile)
        kept[key] = _Kept(rule.version, now, after)
        if rule.approved():
            return decisions
        return [_silent(decision) for decision in decisions]

    def _obey(
        self, rule: Rule, state: DetectorState | None, *, observation: Observation, profile: Profile
    ) -> tuple[DetectorState, list[Decision]]:
        if isinstance(rule.trigger, EventTrigger):
            pressed = state if isinstance(state, EventState) else EventState()
            return judge_event(rule, rule.trigger, state=pressed, observation=observation)
        if isinstance(rule.trigger, ThresholdTrigger):
            limit = state if isinstance(state, ThresholdState) else ThresholdState()
            return judge_threshold(rule, rule.trigger, state=limit, observation=observation, profile=profile)
        if isinstance(rule.trigger, RhythmTrigger):
            beats = state if isinstance(state, RhythmState) else RhythmState()
            return judge_rhythm(rule, rule.trigger, state=beats, observation=observation, timezone=self._timezone)
        if isinstance(rule.trigger, GainTrigger):
            weights = state if isinstance(state, GainState) else GainState()
            return judge_gain(rule, rule.trigger, state=weights, observation=observation, timezone=self._timezone)
        return state or EventState(), [Decision(rule.id, DecisionReason.NOT_APPLICABLE)]


def alerts_in(state: bytes) -> tuple[str, ...]:
    """Ids of the last alert of each rule in a state, also of a version at rest.

    Raises:
        StateRefused: not such a state.
    """
    stored = _read(state)
    alerts = (one.state.alert for one in (*stored.kept.values(), *stored.resting.values()))
    return tuple(sorted({alert.id for alert in alerts if alert is not None}))


def _read(state: bytes) -> _Stored:
    if len(state) > MAX_STATE_BYTES:
        raise StateRefused(f"{len(state)} bytes, limit {MAX_STATE_BYTES}")
    try:
        stored = _decoder.decode(state)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise StateRefused(str(error)) from error
    if stored.version != STATE_VERSION:
        raise StateRefused(f"state version {stored.version}, this software reads {STATE_VERSION}")
    return stored


def _unheard(rule: Rule, observation: Observation, profile: Profile) -> DecisionReason | None:
    """Why a rule does not listen to this subject at all."""
    if observation.subject.kind is SubjectKind.UNIDENTIFIED:
        return DecisionReason.IDENTITY_UNKNOWN
    if rule.population == DWELLING:
        return None
    if observation.subject.kind is SubjectKind.DWELLING and not isinstance(rule.trigger, EventTrigger):
        return DecisionReason.NOT_APPLICABLE
    if rule.population != "all" and rule.population.removeprefix("tag:") not in profile.tags:
        return DecisionReason.NOT_APPLICABLE
    return None


def _late(rule: Rule, last: Moment, now: Moment) -> DecisionReason | None:
    """Why a reading comes too late to be judged; a press is never too late."""
    if last.boot != now.boot:
        return None
    if last.mono_ns == now.mono_ns and last.device == now.device:
        return DecisionReason.DUPLICATE
    if now.mono_ns < last.mono_ns and not isinstance(rule.trigger, EventTrigger):
        return DecisionReason.OUT_OF_ORDER
    return None


def _silent(decision: Decision) -> Decision:
    return decision if decision.finding is None else Decision(decision.rule, DecisionReason.SHADOW)
