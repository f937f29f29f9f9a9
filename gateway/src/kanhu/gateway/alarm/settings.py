"""The table `[alarm]` of gateway.toml: what is fitted for the time when nobody can be reached."""

from enum import StrEnum
from typing import Annotated

import msgspec

from kanhu.vitals import Language

_Command = Annotated[tuple[str, ...], msgspec.Meta(max_length=32)]


class ModemMode(StrEnum):
    """How messages are handed to a modem: as protocol units, which every modem should take, or as text."""

    PDU = "pdu"
    TEXT = "text"


class AlarmConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Nothing is fitted where nothing is said."""

    receipt_s: Annotated[float, msgspec.Meta(ge=5, le=3600)] = 60
    language: Language = Language.ZH
    player: _Command = ()
    recordings: str | None = None
    speech: _Command | None = None
    light_on: _Command = ()
    light_off: _Command = ()
    light_file: str | None = None
    modem_port: str | None = None
    modem_baud: Annotated[int, msgspec.Meta(ge=300, le=4_000_000)] = 115_200
    modem_mode: ModemMode = ModemMode.PDU
    contacts: str | None = None
