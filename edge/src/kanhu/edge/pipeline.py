"""From a decoded reading to what it means: quality first, then the rules, in one synchronous step."""

from collections.abc import Mapping
from dataclasses import dataclass

from kanhu.contract import Finding, Observation, decode_record, encode_record
from kanhu.contract.errors import MessageRefused
from kanhu.vitals.decisions import Decision
from kanhu.vitals.judge import Judge
from kanhu.vitals.profile import Profile
from kanhu.vitals.quality.gate import assess

_JUDGE = "judge/"
_LAST = "last/"


@dataclass(frozen=True, slots=True)
class Judged:
    """One reading with everything that must be committed together with it."""

    observation: Observation
    """With its assessed quality."""
    findings: tuple[Finding, ...]
    decisions: tuple[Decision, ...]
    states: dict[str, bytes]
    """What `restore` needs after a restart; keys are opaque, a later value replaces an earlier one."""


class SensingPipeline:
    """Assesses and judges readings, one at a time; does no input or output."""

    def __init__(self, judge: Judge, *, profiles: Mapping[str, Profile]) -> None:
        """Judge with `judge`; `profiles` are the same persons it was built with."""
        self._judge = judge
        self._profiles = profiles
        self._previous: dict[tuple[str, str], Observation] = {}

    def take(self, observation: Observation) -> Judged:
        """Judge one reading. Call it once a reading, in the order of arrival, and commit what it returns."""
        key = (observation.device, observation.metric)
        subject = observation.subject
        previous = self._previous.get(key)
        if previous is not None and previous.subject != subject:
            previous = None  # another person's reading is no comparison
        profile = self._profiles.get(subject.id) or Profile(subject=subject.id)
        assessed = assess(observation, previous=previous, profile=profile)
        self._previous[key] = assessed
        decisions = tuple(self._judge.judge(assessed))
        states = {f"{_LAST}{observation.device}/{observation.metric}": encode_record(assessed)}
        state = self._judge.state(subject.id)
        if state:
            states[f"{_JUDGE}{subject.id}"] = state
        findings = tuple(decision.finding for decision in decisions if decision.finding is not None)
        return Judged(assessed, findings, decisions, states)

    def restore(self, states: Mapping[str, bytes]) -> None:
        """Continue where committed states left off; a state this version cannot read is as if it never was."""
        for key, state in states.items():
            if key.startswith(_JUDGE):
                self._judge.restore(key.removeprefix(_JUDGE), state)
            elif key.startswith(_LAST):
                self._restore_previous(state)

    def _restore_previous(self, state: bytes) -> None:
        try:
            record = decode_record(state)
        except MessageRefused:
            return
        if isinstance(record, Observation):
            self._previous[record.device, record.metric] = record
