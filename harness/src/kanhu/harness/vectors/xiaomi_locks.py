"""What a lock tells by MiBeacon, in the words of ble_monitor and, by titles, of xiaomi-ble."""

from collections.abc import Mapping
from datetime import UTC, datetime

from kanhu.edge.codecs.mibeacon import FingerEvent, LockEvent, Mibeacon

__all__ = ["tell"]

_LOCK, _ANTILOCK, _CHILDLOCK = "lock", "antilock", "childlock"
# Whether it is unlocked, what of it, and the words of both publishers.
_ACTIONS = {
    0x0: (True, _LOCK, "unlock outside the door", "unlock_outside_the_door"),
    0x1: (False, _LOCK, "lock", "locked"),
    0x2: (False, _ANTILOCK, "turn on anti-lock", "turn_on_antilock"),
    0x3: (True, _ANTILOCK, "turn off anti-lock", "release_the_antilock"),
    0x4: (True, _LOCK, "unlock inside the door", "unlock_inside_the_door"),
    0x5: (False, _LOCK, "lock inside the door", "lock_inside_the_door"),
    0x6: (False, _CHILDLOCK, "turn on child lock", "turn_on_child_lock"),
    0x7: (True, _CHILDLOCK, "turn off child lock", "turn_off_child_lock"),
    0x8: (False, _LOCK, "lock outside the door", "lock_outside_the_door"),
    0xF: (True, _LOCK, "abnormal", "abnormal"),
}
_METHODS = {
    0x0: ("bluetooth", "bluetooth"), 0x1: ("password", "password"), 0x2: ("biometrics", "biometrics"),
    0x3: ("key", "key_method"), 0x4: ("turntable", "turntable_method"), 0x5: ("nfc", "nfc_method"),
    0x6: ("one-time password", "one_time_password"), 0x7: ("two-step verification", "two_step_verification"),
    0x8: ("coercion", "coercion_method"), 0x9: ("Homekit", "homekit"), 0xA: ("manual", "manual"),
    0xB: ("automatic", "automatic"), 0xF: ("abnormal", "abnormal"),
}  # fmt: skip  # a table reads by rows
_ERRORS = {
    0xC0DE0000: "frequent unlocking with incorrect password",
    0xC0DE0001: "frequent unlocking with wrong fingerprints",
    0xC0DE0002: "operation timeout (password input timeout)",
    0xC0DE0003: "lock picking",
    0xC0DE0004: "reset button is pressed",
    0xC0DE0005: "the wrong key is frequently unlocked",
    0xC0DE0006: "foreign body in the keyhole",
    0xC0DE0007: "the key has not been taken out",
    0xC0DE0008: "error NFC frequently unlocks",
    0xC0DE0009: "timeout is not locked as required",
    0xC0DE000A: "failure to unlock frequently in multiple ways",
    0xC0DE000B: "unlocking the face frequently fails",
    0xC0DE000C: "failure to unlock the vein frequently",
    0xC0DE000D: "hijacking alarm",
    0xC0DE000E: "unlock inside the door after arming",
    0xC0DE000F: "palmprints frequently fail to unlock",
    0xC0DE0010: "the safe was moved",
    0xC0DE1000: "the battery level is less than 10%",
    0xC0DE1001: "the battery is less than 5%",
    0xC0DE1002: "the fingerprint sensor is abnormal",
    0xC0DE1003: "the accessory battery is low",
    0xC0DE1004: "mechanical failure",
    0xC0DE1005: "the lock sensor is faulty",
}
_ERRORS_NAMED_OTHERWISE = {
    0xC0DE0002: "operation_timeout_password_input_timeout",
    0xC0DE0008: "error_nfc_frequently_unlocks",
    0xC0DE1000: "the_battery_level_is_less_than_10_percent",
    0xC0DE1001: "the_battery_level_is_less_than_5_percent",
}
_OPERATORS = {0: "administrator", 0xFFFFFFFF: "unknown operator", 0xDEADBEEF: "invalid operator"}
_KEYS = (
    "Fingerprint", "Password", "Keys", "NFC", "Two-step verification", "Human face", "Finger veins", "Palm print",
)  # fmt: skip  # a table reads by rows
_FIRST_KEY = 0x80000000
_FINGERS = (
    "match successful", "match failed", "timeout", "low quality (too light, fuzzy)", "insufficient area",
    "skin is too dry", "skin is too wet",
)  # fmt: skip  # a table reads by rows
_HANDLE_LOCK, _SEVERAL_LOCKS = 0x0380, 0x069F
_ONE_TIME = range(5000, 6000)  # passwords of the handle lock that are used once


def tell(beacon: Mibeacon) -> dict[str, object]:
    """The event of a lock, a finger and its arming; nothing of a code that has no word."""
    found = _armed(beacon)
    if beacon.lock is not None:
        found |= _locked(beacon.lock, beacon.head.product)
    return found if beacon.finger is None else found | _finger(beacon.finger)


def _event(word: str) -> Mapping[str, object]:
    return {"event_type": word, "properties": None}


def _armed(beacon: Mibeacon) -> dict[str, object]:
    """Both publishers turn the maker's word round: zero is armed."""
    state, bolts = beacon.told.get("arming_state"), beacon.told.get("bolts")
    handle = beacon.head.product == _HANDLE_LOCK
    found: dict[str, object] = {}
    at_s = beacon.told.get("at_s")
    if state is not None:
        armed = int(state) ^ 1
        found |= {"armed away": armed, "Armed": bool(armed)}
        if at_s is not None:
            found["timestamp"] = _time(int(at_s))
        if handle:
            found |= {"lock": armed, "locktype": _LOCK, "action": "lock outside the door", "method": "manual"}
            found |= {"error": None, "key id": None, "timestamp": None, "Lock method": "manual"}
            found["Lock"] = _event("lock_outside_the_door")
    if bolts is not None and handle:
        opened, child = int(bolts) & 1 ^ 1, int(bolts) >> 3 ^ 1
        found |= {"lock": opened, "childlock": child, "Lock": bool(opened), "Childlock": bool(child)}
    return found


def _locked(event: LockEvent, product: int) -> dict[str, object]:
    if event.action not in _ACTIONS or event.method not in _METHODS:
        return {}
    opened, part, action, action_event = _ACTIONS[event.action]
    method, method_title = _METHODS[event.method]
    error = _ERRORS.get(event.key)
    key: object = event.key & 0xFFFF if event.method else event.key
    if product == _HANDLE_LOCK and method == "password" and key in _ONE_TIME:
        method = "one-time password"
    kind = part if product == _SEVERAL_LOCKS else _LOCK
    found: dict[str, object] = {
        kind: opened, "locktype": kind, "action": action, "method": method, "error": error,
        "key id": key if error is None else hex(event.key),
        "timestamp": _time(event.at_s),
        kind.title(): opened, "Lock method": method_title, "Key id": _key_title(event.key),
    }  # fmt: skip  # a table reads by rows
    found["Lock"] = _event(action_event)
    if error is not None:
        found["Error"] = _event(_ERRORS_NAMED_OTHERWISE.get(event.key, error.replace(" ", "_")))
    return found


def _time(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).replace(tzinfo=None).isoformat()


def _key_title(key: int) -> str:
    if key in _OPERATORS:
        return _OPERATORS[key]
    if key < _FIRST_KEY:
        return f"Bluetooth key {key}"
    kind = max((key - _FIRST_KEY >> 16) - 1, 0)
    return f"{_KEYS[kind]} key id {key & 0xFFFF}" if kind < len(_KEYS) else f"key id {key & 0xFFFF}"


def _finger(event: FingerEvent) -> dict[str, object]:
    known = _OPERATORS.get(event.key)
    result = _FINGERS[event.result] if event.result < len(_FINGERS) else None
    matched = event.result == 0
    found: dict[str, object] = {
        "fingerprint": matched, "result": result, "key id": event.key if known is None else known,
        "Key id": str(event.key) if known is None else known, "Fingerprint": matched,
    }  # fmt: skip  # a table reads by rows
    if result is not None:
        words = result.replace("(", "").replace(")", "").replace(",", "").replace(" ", "_")
        found["Fingerprint"] = _event(words)
    return found
