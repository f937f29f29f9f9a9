"""The board as a template wants it: groups, counts, the order, and what should sound."""

import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from kanhu.cloud.dashboard.charts import Spark, spark
from kanhu.cloud.dashboard.wording import PRIORITIES
from kanhu.cloud.desk.model import AlertRow, Board, Viewer
from kanhu.contract import Priority

__all__ = ["FILTERS", "BoardView", "Group", "RowView", "board_view", "new_key", "row_view"]

FILTERS = ("all", "unclaimed", "mine")


@dataclass(frozen=True, slots=True)
class RowView:
    """One row: what the desk says, and how it stands to this viewer and this moment."""

    row: AlertRow
    is_mine: bool
    is_late: bool
    share: int
    """Percent of the allowed time that is used, at most 100."""
    spark: Spark
    key: str
    """Idempotency key of the next act: a form sent twice acts once."""

    @property
    def is_open(self) -> bool:
        """Whether anybody still has to do something."""
        return self.row.handling != "closed"


@dataclass(frozen=True, slots=True)
class Group:
    """All rows of one priority."""

    priority: Priority
    rows: tuple[RowView, ...]
    allowed_s: int | None
    """Common time limit of these rows, where they have one."""


@dataclass(frozen=True, slots=True)
class BoardView:
    """The board of one viewer at one moment."""

    board: Board
    groups: tuple[Group, ...]
    unclaimed: dict[Priority, int]
    totals: dict[Priority, int]
    longest: AlertRow | None
    """The unclaimed Now alert that waits longest."""
    mine: int
    order: str
    """`priority:id` of every row, in order: what scripts need to place a new one."""
    alarm: str
    """JSON for the sound: unclaimed alerts with priority and half time, no names."""

    @property
    def all_unclaimed(self) -> int:
        """Rows nobody has taken."""
        return sum(self.unclaimed.values())


def board_view(board: Board, viewer: Viewer, *, only: Collection[str] | None = None) -> BoardView:
    """Arrange the board; with `only`, counts are of the whole and rows are these."""
    groups = []
    for priority in PRIORITIES:
        rows = [row for row in board.rows if row.priority is priority]
        shown = rows if only is None else [row for row in rows if row.id in only]
        groups.append(
            Group(priority, tuple(row_view(row, viewer, now=board.now) for row in shown), _common_limit(rows))
        )
    free = [row for row in board.rows if row.claim is None]
    now_alerts = [row for row in free if row.priority is Priority.HIGH]
    return BoardView(
        board=board,
        groups=tuple(groups),
        unclaimed={priority: sum(row.priority is priority for row in free) for priority in PRIORITIES},
        totals={priority: sum(row.priority is priority for row in board.rows) for priority in PRIORITIES},
        longest=min(now_alerts, key=lambda row: row.opened_at, default=None),
        mine=sum(_is_mine(row, viewer) for row in board.rows),
        order=" ".join(f"{row.priority.value}:{row.id}" for row in board.rows),
        alarm=json.dumps([_alarm(row) for row in free], separators=(",", ":")),
    )


def row_view(row: AlertRow, viewer: Viewer, *, now: datetime) -> RowView:
    """Arrange one row."""
    allowed_s = (row.due_at - row.opened_at).total_seconds()
    used_s = (now - row.opened_at).total_seconds()
    return RowView(
        row=row,
        is_mine=_is_mine(row, viewer),
        is_late=used_s > allowed_s,
        share=100 if allowed_s <= 0 else min(100, max(0, round(100 * used_s / allowed_s))),
        spark=spark(row.spark, row.spark_band),
        key=new_key(),
    )


def new_key() -> str:
    """A key nobody can guess or repeat."""
    return secrets.token_urlsafe(12)


def _is_mine(row: AlertRow, viewer: Viewer) -> bool:
    return row.claim is not None and row.claim.user == viewer.user


def _common_limit(rows: list[AlertRow]) -> int | None:
    limits = {round((row.due_at - row.opened_at).total_seconds()) for row in rows}
    return limits.pop() if len(limits) == 1 else None


def _alarm(row: AlertRow) -> dict[str, str | int]:
    half = row.opened_at + (row.due_at - row.opened_at) / 2
    held = 0 if row.held_until is None else round(row.held_until.timestamp())
    return {"id": row.id, "p": PRIORITIES.index(row.priority) + 1, "half": round(half.timestamp()), "held": held}
