"""A Nonin oximeter on a serial port that sends format 13, one frame a spot check (9560, 3150)."""

from kanhu.edge.folding import SESSION_PAUSE_S
from kanhu.edge.kinds.kind import SerialKind
from kanhu.edge.spot_checks import SpotChecks
from kanhu.edge.ways import SerialSettings

KIND = SerialKind(
    name="oximeter-nonin-df13",
    zh="血氧仪（Nonin，单次测量）",
    en="oximeter, Nonin spot checks",
    settings=SerialSettings(baud=9600, parity="N"),
    pause_s=SESSION_PAUSE_S,
    receiver=SpotChecks,
)
