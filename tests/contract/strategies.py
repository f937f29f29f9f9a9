"""Any record the contract allows, for property tests: extreme numbers, any text, every metric."""

from hypothesis import strategies as st

from kanhu.contract import (
    METRICS,
    ClockState,
    Context,
    Envelope,
    Evidence,
    Finding,
    Gap,
    GapReason,
    Meal,
    Metric,
    MetricKind,
    Motion,
    Observation,
    Oxygen,
    Part,
    Phase,
    Posture,
    Priority,
    Quality,
    QualityLevel,
    QualityReason,
    Record,
    Subject,
    SubjectKind,
    Times,
    Waveform,
)

STEP_LIMIT = 2**62 - 1
TIME_LIMIT = 2**63 - 1

steps = st.integers(-STEP_LIMIT, STEP_LIMIT) | st.integers(-300, 30_000) | st.sampled_from([-STEP_LIMIT, 0, STEP_LIMIT])
moments = st.integers(0, TIME_LIMIT) | st.integers(0, 2_000_000_000_000) | st.sampled_from([0, TIME_LIMIT])
texts = st.text(max_size=20) | st.sampled_from(["", "cuff-03", "老人-7", "\x00", "\x1f", "\U0001f9d3" * 128])
gateways = st.from_regex(r"\A[a-z0-9-]{1,32}\Z")
epochs = st.binary(min_size=16, max_size=16).map(bytes.hex)
subjects = st.builds(Subject, st.sampled_from(SubjectKind), texts)
contexts = st.builds(
    Context,
    st.none() | st.sampled_from(Meal),
    st.none() | st.sampled_from(Posture),
    st.none() | st.sampled_from(Motion),
    st.none() | st.sampled_from(Oxygen),
)
qualities = st.just(Quality()) | st.builds(
    Quality, st.sampled_from(QualityLevel), st.lists(st.sampled_from(QualityReason), max_size=4).map(tuple)
)


@st.composite
def times(draw: st.DrawFn) -> Times:
    interval = draw(st.none() | st.tuples(steps, steps).map(sorted))
    return Times(
        draw(moments),
        draw(moments),
        draw(texts),
        draw(st.sampled_from(ClockState)),
        draw(st.none() | steps),
        None if interval is None else interval[0],
        None if interval is None else interval[1],
    )


def _part(row: Metric) -> st.SearchStrategy[Part]:
    longest = 40 if row.kind is MetricKind.SERIES else 1
    return st.builds(Part, st.just(row.code), st.lists(steps, min_size=1, max_size=longest).map(tuple))


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    row = draw(st.sampled_from(list(METRICS.values())))
    codes = draw(st.lists(st.sampled_from(row.parts or (row.code,)), min_size=1, unique=True))
    parts = tuple(draw(_part(METRICS[code])) for code in codes)
    return Observation(
        row.code, parts, draw(subjects), draw(texts), draw(times()), draw(qualities), draw(contexts)
    )  # fmt: skip


waveforms = st.builds(
    Waveform,
    st.sampled_from(list(METRICS)),
    subjects,
    texts,
    times(),
    st.integers(1, STEP_LIMIT),
    st.integers(1, STEP_LIMIT),
    st.binary(min_size=1, max_size=60).map(lambda half: half + half),
    qualities,
)
evidence = st.builds(Evidence, texts, steps, texts, texts, moments, moments)
findings = st.builds(
    Finding,
    alert_id=texts,
    rule=texts,
    rule_version=texts,
    subject=subjects,
    priority=st.sampled_from(Priority),
    phase=st.sampled_from(Phase),
    reason=texts,
    times=times(),
    evidence=st.lists(evidence, max_size=4).map(tuple),
    params=st.dictionaries(texts, st.text(max_size=200), max_size=4),
    actions=st.lists(texts, max_size=4).map(tuple),
)


@st.composite
def gaps(draw: st.DrawFn) -> Gap:
    bounds = draw(st.lists(st.integers(1, TIME_LIMIT) | st.integers(1, 500), min_size=2, max_size=12, unique=True))
    rising = sorted(bounds)[: len(bounds) // 2 * 2]
    span = sorted(draw(st.tuples(moments, moments)))
    return Gap(
        draw(st.sampled_from(GapReason)),
        draw(texts),
        tuple(zip(rising[::2], rising[1::2], strict=True)),
        span[0],
        span[1],
        draw(times()),
    )


records: st.SearchStrategy[Record] = st.one_of(observations(), waveforms, findings, gaps())


@st.composite
def envelopes(draw: st.DrawFn, *, most: int = 6) -> Envelope:
    contents = draw(st.lists(records, min_size=1, max_size=most))
    count = len(contents)
    seqs = draw(
        st.lists(
            st.integers(1, 50) | st.integers(1, TIME_LIMIT), min_size=count, max_size=count, unique=True
        ).map(sorted)
    )  # fmt: skip
    return Envelope(draw(gateways), draw(epochs), tuple(zip(seqs, contents, strict=True)))
