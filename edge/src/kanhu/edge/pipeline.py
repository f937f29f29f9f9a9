"""From a decoded reading to what it means: quality first, then the rules, in one synchronous step."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from kanhu.contract import Finding, Observation, SubjectKind
from kanhu.vitals import Decision, Judge, Profile, QualityGate, StateRefused


@dataclass(frozen=True, slots=True)
class Judged:
    """One reading with everything that must be committed together with it."""

    observation: Observation
    """With its assessed quality."""
    findings: tuple[Finding, ...]
    decisions: tuple[Decision, ...]
    states: dict[str, bytes]
    """What `restore` needs after a restart, by subject; a later value replaces an earlier one."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """What became of states that were taken elsewhere."""

    states: dict[str, bytes]
    """By subject, joined to what was judged here: to be committed."""
    afresh: dict[str, tuple[str, ...]]
    """Rules that a state knows in another version, by subject: they start afresh."""
    refused: dict[str, str]
    """Why a state could not be read, by subject."""


class SensingPipeline:
    """Assesses and judges readings, one at a time; does no input or output."""

    def __init__(self, judge: Judge, *, profiles: Mapping[str, Profile]) -> None:
        """Judge with `judge`; `profiles` are the same persons it was built with."""
        self._judge = judge
        self._gate = QualityGate(profiles)

    def take(self, observation: Observation) -> Judged:
        """Judge one reading. Call it once a reading, in the order of arrival, and commit what it returns."""
        assessed = self._gate.assess(observation)
        decisions = tuple(self._judge.judge(assessed))
        findings = tuple(decision.finding for decision in decisions if decision.finding is not None)
        # Nobody known is never judged, and every session of nobody known is another subject: nothing to keep.
        states: dict[str, bytes] = {}
        if decisions and assessed.subject.kind is not SubjectKind.UNIDENTIFIED:
            states[assessed.subject.id] = self._judge.state(assessed.subject.id)
        return Judged(assessed, findings, decisions, states)

    def restore(self, states: Mapping[str, bytes]) -> tuple[str, ...]:
        """Continue where committed states left off; return the subjects whose state this version cannot read.

        Those start afresh. So does the quality gate, which only compares neighbouring readings.
        """
        refused: list[str] = []
        for subject, state in states.items():
            try:
                self._judge.restore(subject, state)
            except StateRefused:
                refused.append(subject)
        return tuple(refused)

    def resume(
        self,
        states: Mapping[str, tuple[str, bytes]],
        *,
        ended: AbstractSet[str],
        unknown: AbstractSet[str],
    ) -> Resumed:
        """Go on from states that were taken elsewhere, each with its name, over a time in which nothing was measured.

        `ended` are alerts whose condition is known to have ended, `unknown` those that nobody ever got.
        """
        joined: dict[str, bytes] = {}
        afresh: dict[str, tuple[str, ...]] = {}
        refused: dict[str, str] = {}
        for subject, (name, state) in states.items():
            try:
                other = self._judge.resume(subject, state, name=name, ended=ended, unknown=unknown)
            except StateRefused as error:
                refused[subject] = str(error)
                continue
            joined[subject] = self._judge.state(subject)
            if other:
                afresh[subject] = other
        return Resumed(joined, afresh, refused)
