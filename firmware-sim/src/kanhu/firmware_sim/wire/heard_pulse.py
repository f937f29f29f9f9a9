"""Heart rates that are advertised: Polar, XOSS and wristbands of Xiaomi and Amazfit."""


def polar_frame(bpm: int) -> bytes:
    """Behind company 0x006B."""
    return b"\x3b\x16\x44" + bytes([bpm])


def xoss_frame(bpm: int, *, battery_percent: int) -> bytes:
    """Behind company 0xFF04."""
    return b"\x01" + bytes([battery_percent]) + b"\x06" + bytes([bpm])


def wristband_frame(bpm: int | None, *, address: bytes) -> bytes:
    """Behind company 0x0157; 0xFF is no rate."""
    return b"\x02\x02\x01" + bytes([0xFF if bpm is None else bpm]) + b"\xff" * 13 + b"\x02" + address
