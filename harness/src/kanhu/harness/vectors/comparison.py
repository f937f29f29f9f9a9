"""Whether a decoded frame says what its publisher says, and in which field it does not."""

import math
from collections.abc import Mapping
from decimal import Decimal

__all__ = ["difference"]

_RELATIVE, _ABSOLUTE = 1e-6, 1e-9
"""Publishers print numbers with up to ten digits; ours are exact."""


def difference(expected: object, decoded: object, *, field: str = "") -> str | None:
    """The first field that differs, with both values; None where all that is expected was decoded.

    More fields than expected are no difference, in lists more elements are.
    """
    if isinstance(expected, Mapping):
        if not isinstance(decoded, Mapping):
            return f"{field or 'all'}: expected {dict(expected)!r}, decoded {decoded!r}"
        for key, value in expected.items():
            name = f"{field}.{key}" if field else str(key)
            if key not in decoded:
                return f"{name}: expected {value!r}, not decoded"
            found = difference(value, decoded[key], field=name)
            if found is not None:
                return found
        return None
    if isinstance(expected, list) and isinstance(decoded, list | tuple) and len(expected) == len(decoded):
        pairs = enumerate(zip(expected, decoded, strict=True))
        found_in_list = (difference(one, other, field=f"{field}[{index}]") for index, (one, other) in pairs)
        return next((one for one in found_in_list if one is not None), None)
    return None if _equal(expected, decoded) else f"{field}: expected {expected!r}, decoded {decoded!r}"


def _equal(expected: object, decoded: object) -> bool:
    numbers = (int, float, Decimal)
    if isinstance(expected, bool) or isinstance(decoded, bool):
        # Publishers tell a binary sensor as 0 and 1 or as false and true.
        binary = expected in {0, 1} and decoded in {0, 1} if isinstance(decoded, numbers) else False
        return binary and bool(expected) is bool(decoded)
    if isinstance(expected, numbers) and isinstance(decoded, numbers):
        return math.isclose(float(expected), float(decoded), rel_tol=_RELATIVE, abs_tol=_ABSOLUTE)
    return expected == decoded
