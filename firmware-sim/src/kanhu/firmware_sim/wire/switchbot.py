"""SwitchBot sensors: service data of UUID 0xFD3D, by model."""


def thermometer_frame(tenths_c: int, *, humidity_percent: int, battery_percent: int, model: bytes = b"T") -> bytes:
    """Six bytes: tenths, then whole degrees with the bit that says not below zero."""
    whole, tenths = divmod(abs(tenths_c), 10)
    warm = 0x80 if tenths_c >= 0 else 0
    return model + bytes([0, battery_percent, tenths, warm | whole, humidity_percent])


def motion_frame(
    *, moved: bool, tested: bool, battery_percent: int, seconds: int, led: bool, distance: int, bright: bool
) -> bytes:
    """Six bytes; the highest bit of the seconds since the last motion is in the last one."""
    state = tested << 7 | moved << 6
    sensing = (seconds >> 16) << 7 | led << 5 | distance << 2 | (2 if bright else 1)
    return b"s" + bytes([state, battery_percent]) + (seconds & 0xFFFF).to_bytes(2, "big") + bytes([sensing])


def contact_frame(
    *, state: int, moved: bool, tested: bool, battery_percent: int, bright: bool, moved_s: int, changed_s: int,
    counts: tuple[int, int, int],
) -> bytes:  # fmt: skip  # fields by rows
    """Nine bytes; `state` 0 closed, 1 open, 2 left open; `counts` of entrances, exits and presses."""
    flags = tested << 7 | moved << 6
    door = (moved_s >> 16) << 7 | (changed_s >> 16) << 6 | state << 1 | bright
    entrances, exits, presses = counts
    return (
        b"d" + bytes([flags, battery_percent, door])
        + (moved_s & 0xFFFF).to_bytes(2, "big") + (changed_s & 0xFFFF).to_bytes(2, "big")
        + bytes([entrances << 6 | exits << 4 | presses])
    )  # fmt: skip  # fields by rows
