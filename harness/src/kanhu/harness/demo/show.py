"""The live timeline in the terminal."""

import time
from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table

_COLOURS = {"high": "bold red", "medium": "bold yellow", "low": "cyan", "technical": "magenta"}
_SHAPES = {
    "high": "◆ 1 立即 Now",
    "medium": "▲ 2 尽快 Soon",
    "low": "○ 3 今天 Today",
    "technical": "□ 4 设备 Equipment",
}


class Timeline:
    """Prints what happens, with seconds since the start."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._started_s = time.monotonic()

    def elapsed_s(self) -> float:
        """Seconds since the demo began, which is the end of installing."""
        return time.monotonic() - self._started_s

    def say(self, text: str, *, style: str = "") -> None:
        """One line."""
        at = f"[dim]{self.elapsed_s():7.1f} s[/dim]"
        if not self._console.is_terminal:  # one event a line in a file
            self._console.print(f"{at}  {text}", style=style or None)
            return
        columns = Table.grid(padding=(0, 2, 0, 0))  # later lines of a long sentence stand under the first
        columns.add_column(no_wrap=True)
        columns.add_column(overflow="fold")
        columns.add_row(at, text)
        self._console.print(columns, style=style or None, soft_wrap=False)

    def alert(self, *, priority: str, who: str, rule: str, sentence: str, delay_ms: float | None) -> None:
        """An alert has come to the board."""
        after = "" if delay_ms is None else f"  [dim]{delay_ms:.0f} ms after the device's last byte[/dim]"
        self.say(f"{_SHAPES[priority]}  {escape(f'{who}  {rule}: {sentence}')}{after}", style=_COLOURS[priority])

    def banner(self, lines: Mapping[str, str]) -> None:
        """Where to look and how to sign in."""
        table = Table(show_header=False, box=None, padding=(0, 2))
        for name, value in lines.items():
            table.add_row(f"[bold]{name}[/bold]", value)
        self._console.print()
        self._console.print(table)
        self._console.print()

    def result(self, rows: Mapping[str, str], *, problems: list[str]) -> None:
        """The account at the end."""
        table = Table(show_header=False, box=None, padding=(0, 2))
        for name, value in rows.items():
            table.add_row(name, value)
        self._console.print()
        self._console.print(table)
        for problem in problems:
            self._console.print(f"PROBLEM  {escape(problem)}", style="bold red")
        if not problems:
            self._console.print("every reading and every alert is accounted for", style="bold")
