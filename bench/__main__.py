"""``python -m bench [ROW ...] [--quick]``: measure, print, write ``docs/performance.md``."""

import sys
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvloop
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bench import report, world
from bench.report import Section
from bench.rows import ROWS
from bench.run import Bench

RowName = StrEnum("RowName", list(ROWS))  # type: ignore[misc]  # Made from a table.

WIDTH = 120
"""Of tables that go to a file; a terminal knows its own."""

console = Console(width=None if sys.stdout.isatty() else WIDTH)


def bench(
    rows: Annotated[
        list[RowName] | None, typer.Argument(help="What to measure; all if none is named.")
    ] = None,
    *,
    quick: Annotated[
        bool, typer.Option(help="Shorter rounds and a small search index.")
    ] = False,
) -> None:
    """Measure speed against a floor, and how well search answers; starts what it needs."""
    names = list(rows or RowName)
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    with tempfile.TemporaryDirectory(prefix="vek1-bench-") as folder:
        sections, machine = _measure(Path(folder), names, is_quick=quick)
    console.print(machine, style="dim")
    report.show(console, sections)
    if not rows and not quick:
        report.write(sections, machine, "make bench")


def _measure(
    folder: Path, names: list[RowName], *, is_quick: bool
) -> tuple[list[Section], str]:
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting the servers")
        with world.servers(folder) as given:
            uvloop.run(world.prepare(given))
            with world.processes(folder, given) as measured:

                def say(what: str) -> None:
                    progress.update(task, description=what)

                run = Bench(measured, is_quick, say)
                return uvloop.run(_run(run, names))


async def _run(run: Bench, names: list[RowName]) -> tuple[list[Section], str]:
    sections = [section for name in names for section in await ROWS[name](run)]
    return report.merged(sections), await report.machine(run.world.database_url)


if __name__ == "__main__":
    typer.run(bench)
