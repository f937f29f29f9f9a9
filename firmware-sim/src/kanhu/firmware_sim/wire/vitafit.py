"""The Vitafit VT701 body scale: frames of its notifications."""


def vitafit_weight(hundredths_kg: int, *, settled: bool) -> bytes:
    """Type 0x10."""
    return _frame(b"\x26\x10" + bytes([2 if settled else 1]) + bytes(3) + hundredths_kg.to_bytes(2, "big"), pad=0)


def vitafit_impedance(ohm: int) -> bytes:
    """Type 0x11."""
    return _frame(b"\x26\x11" + bytes(5) + ohm.to_bytes(2, "big"), pad=0)


def _frame(body: bytes, *, pad: int) -> bytes:
    counted = bytes([len(body) + 2 + pad]) + body
    check = 0
    for byte in counted:
        check ^= byte
    return b"\x5a" + counted + bytes([check, 0xAA])
