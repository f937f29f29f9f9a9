"""Scales that advertise a weight: Amazfit, Xiaogui and Laica, behind their UUID or company."""


def amazfit_frame(two_hundredths_kg: int, *, tenths_ohm: int, heart_rate_bpm: int, settled: bool) -> bytes:
    """Service data of UUID 0xFEE0: five bytes, impedance, weight, three that are zero until it rests, pulse, eight."""
    words = tenths_ohm.to_bytes(2, "little") + two_hundredths_kg.to_bytes(2, "little")
    rests = b"\xbf\x46\xec" if settled else bytes(3)
    return bytes(5) + words + rests + bytes([heart_rate_bpm]) + bytes(7)


def xiaogui_frame(weight: int, *, tenths_ohm: int, state: int, address: bytes) -> bytes:
    """Manufacturer data behind the company."""
    return weight.to_bytes(2, "big") + tenths_ohm.to_bytes(2, "big") + bytes(2) + bytes([state]) + address


def laica_weight(grams: int, *, final: bool, address: bytes, key: int = 0xA0) -> bytes:
    """Manufacturer data behind the company: address reversed, then six bytes under the key."""
    return _laica((final << 31 | grams).to_bytes(4, "big") + b"\xad", address, key)


def laica_impedance(ohm: int, *, address: bytes, key: int = 0xA0) -> bytes:
    """The same with an impedance."""
    return _laica((ohm << 16).to_bytes(4, "big") + b"\xa6", address, key)


def _laica(plain: bytes, address: bytes, key: int) -> bytes:
    return address[::-1] + bytes(byte ^ key for byte in plain + bytes([sum(plain) & 0x1F]))
