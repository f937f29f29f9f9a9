"""`python -m kanhu.firmware_sim.ranges`: the figures as a table, and as a picture."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from kanhu.firmware_sim.population import draw_village, village_sizes
from kanhu.firmware_sim.ranges.measure import measure
from kanhu.firmware_sim.ranges.picture import draw_picture


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, draw; 0 where every figure is within its published range, 1 where not, 2 for wrong usage."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.people < 100 or options.days < 7:
        parser.error("needs at least 100 people and 7 days: fewer say nothing about a population")
    seed = str(options.seed)
    sizes = village_sizes(options.people)
    villages = [draw_village(number, people=size, seed=seed) for number, size in enumerate(sizes, 1)]
    people = [person for village in villages for person in village.people]
    figures = measure(people, seed=seed, days=options.days)
    for figure in figures:
        low, high = figure.published
        mark = "ok  " if figure.holds else "OUT "
        print(f"{mark} {figure.name:<36}{figure.value:>9.2f} {figure.unit:<22}{low:g} to {high:g}; {figure.source}")
    if options.out:
        title = f"{len(people)} simulated people over {options.days} days, seed {options.seed}"
        options.out.write_text(draw_picture(figures, title=title), encoding="utf-8")
        print(f"picture: {options.out}")
    return 0 if all(figure.holds for figure in figures) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m kanhu.firmware_sim.ranges",
        description="Compares simulated people, without any episode, with what studies publish.",
        epilog="example: python -m kanhu.firmware_sim.ranges --people 1000 --days 28 --out ranges.svg",
    )
    parser.add_argument("--people", type=int, default=1000, metavar="N", help="how many (default 1000)")
    parser.add_argument("--days", type=int, default=28, metavar="D", help="for how long (default 28)")
    parser.add_argument("--seed", type=int, default=7, metavar="N", help="of the county (default 7)")
    parser.add_argument("--out", type=Path, metavar="FILE.svg", help="where the picture goes")
    return parser
