"""The table `[updates]` of gateway.toml: whom this gateway believes, and how often it asks."""

from typing import Annotated

import msgspec


class UpdatesConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A gateway without this table takes nothing from afar."""

    root: Annotated[str, msgspec.Meta(min_length=1)]
    """File with the first root of trust."""
    group: Annotated[str, msgspec.Meta(pattern="^[a-z0-9-]{1,32}$")] | None = None
    every_s: Annotated[float, msgspec.Meta(ge=600, le=604_800)] = 21_600
    url: Annotated[str, msgspec.Meta(pattern="^https?://.+/$")] | None = None
    """Where the county's folder is served; None: at the door where certificates are given out."""
