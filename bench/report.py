"""What a run says: its tables, on the screen and in ``docs/performance.md``."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import asyncpg
from rich import box
from rich.console import Console
from rich.table import Table

from vek1_api.core import clock

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
PACKAGES = ("fastapi", "uvicorn", "asyncpg", "sqlalchemy", "orjson")

INTRODUCTION = """\
# Performance

Written by `{command}`; a run of single rows or with `--quick` leaves this page alone.

{machine}

Everything is on one machine: Postgres with durable settings, the service as one uvicorn
process, the load. The **floor** is a bare ASGI application with asyncpg, prepared statements
and orjson that does the same in the database by hand (`bench/floor.py`): what the service's
comforts cost is the ratio. Service and floor take turns; figures are medians of the rounds,
with the least and the most in brackets. Only ratios can be compared between machines.
"""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report; sections of one title become one table."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""
    shortfalls: Sequence[str] = ()
    """What misses its target, one sentence each."""


def merged(sections: Sequence[Section]) -> list[Section]:
    """Return the sections with those of one title as one."""
    by_title: dict[str, Section] = {}
    for each in sections:
        known = by_title.get(each.title)
        by_title[each.title] = each if known is None else _joined(known, each)
    return list(by_title.values())


def _joined(first: Section, second: Section) -> Section:
    return replace(
        first,
        rows=[*first.rows, *second.rows],
        shortfalls=[*first.shortfalls, *second.shortfalls],
    )


def show(console: Console, sections: Sequence[Section]) -> None:
    """Print the tables, and what falls short."""
    for section in sections:
        table = Table(title=section.title, title_justify="left", box=box.SIMPLE_HEAD)
        for name in section.columns:
            table.add_column(name)
        for row in section.rows:
            table.add_row(*row)
        console.print(table)
        if section.note:
            console.print(section.note, style="dim")
            console.print()
    for line in closing(sections):
        console.print(line)


def write(sections: Sequence[Section], machine: str, command: str) -> None:
    """Write ``docs/performance.md``."""
    parts = [INTRODUCTION.format(machine=machine, command=command)]
    for section in sections:
        rows = [section.columns, tuple("---" for _ in section.columns), *section.rows]
        table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        parts += [f"## {section.title}\n", f"{table}\n"]
        parts += [f"{section.note}\n"] if section.note else []
    parts += ["## What falls short\n", "\n".join(closing(sections)) + "\n"]
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text("\n".join(parts))


def closing(sections: Sequence[Section]) -> list[str]:
    """Return what misses its target, or that nothing does."""
    missed = [f"- {line}" for section in sections for line in section.shortfalls]
    return missed or ["Every target is met."]


async def machine(database_url: str) -> str:
    """Return the date, what it ran on, and the versions of what matters; no names."""
    connection = await asyncpg.connect(database_url)
    try:
        postgres = await connection.fetchval("SHOW server_version")
        pgvector = await connection.fetchval(
            "SELECT extversion FROM pg_extension WHERE extname = 'vector'"
        )
    finally:
        await connection.close()
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    hardware = f"{os.cpu_count()} processors, {gigabytes:.0f} GB, {platform.machine()}"
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{clock.now():%Y-%m-%d}: {hardware}, {platform.system()}; Python "
        f"{platform.python_version()}, Postgres {postgres}, pgvector {pgvector}, {packages}."
    )
