"""How often one address may ask at the door of enrolment: whoever only guesses is turned away, nobody else waits.

Each address has ASKS_AT_ONCE; one comes back every ASK_EVERY_S. An ask that was granted costs nothing, so a hundred
gateways behind one address renew as they like. At most LONGEST_ROW asks of one address are under way at one time, so
that bodies which never end hold up nobody else's. The table of addresses is bounded: the address that is longest
without an ask is forgotten first, and a forgotten one begins anew; a token of 24 random bytes is not guessed by that.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from kanhu.contract import Clock

__all__ = ["ASKS_AT_ONCE", "ASK_EVERY_S", "LONGEST_ROW", "MOST_ADDRESSES", "Ask", "Turnstile"]

ASKS_AT_ONCE = 10
"""An installer mistypes, and asks again after an answer that was lost; project choice."""
ASK_EVERY_S = 30.0
"""So one address has at most 2,890 wrong guesses a day, of 2^192."""
LONGEST_ROW = 4
MOST_ADDRESSES = 4096
_IPV6_HOUSE = 64  # bits: what one house is given; whoever has one address of it has them all


@dataclass(slots=True)
class Ask:
    """One ask that was let in."""

    is_free: bool = False
    """Whether it was granted."""


@dataclass(slots=True)
class _Address:
    left: float
    at_ns: int
    under_way: int = 0


class Turnstile:
    """Counts by address; lives in memory only, so that a flood writes nothing."""

    def __init__(self, clock: Clock) -> None:
        """Nobody has asked yet."""
        self._clock = clock
        self._addresses: OrderedDict[str, _Address] = OrderedDict()
        self.waiting = 0
        """Turned away and not written down yet."""

    @contextmanager
    def passing(self, host: str) -> Iterator[Ask | None]:
        """Let one ask of this address in for as long as the context lasts; None where it has to go."""
        name = _house(host)
        address = self._address(name)
        if address.left < 1 or address.under_way >= LONGEST_ROW:
            self.waiting += 1
            yield None
            return
        ask = Ask()
        address.left -= 1
        address.under_way += 1
        try:
            yield ask
        finally:
            address.under_way -= 1
            if ask.is_free:
                address.left = min(address.left + 1, ASKS_AT_ONCE)

    def turned_away(self) -> int:
        """How many since the last question."""
        found, self.waiting = self.waiting, 0
        return found

    def __len__(self) -> int:
        """How many addresses are remembered."""
        return len(self._addresses)

    def _address(self, name: str) -> _Address:
        now_ns = self._clock.mono_ns()
        address = self._addresses.get(name)
        if address is None:
            address = _Address(ASKS_AT_ONCE, now_ns)
            self._addresses[name] = address
            if len(self._addresses) > MOST_ADDRESSES:
                self._addresses.popitem(last=False)
        gained = (now_ns - address.at_ns) / 1e9 / ASK_EVERY_S
        address.left, address.at_ns = min(address.left + gained, ASKS_AT_ONCE), now_ns
        self._addresses.move_to_end(name)
        return address


def _house(host: str) -> str:
    """The address, of IPv6 the network of one house; a name that is no address stands for itself."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host[:64]
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _IPV6_HOUSE), strict=False))
