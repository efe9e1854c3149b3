# SPDX-License-Identifier: MIT
"""Turns Google Benchmark's JSON into rows: what moving a process costs over its memory size."""

from __future__ import annotations

import re
from dataclasses import dataclass
from statistics import median
from typing import Any

import charts
import words

# Goals of the project for these ratios: see the rows 1 and 2 of its performance table.
FREEZE_GUIDES = [charts.Guide("parity: 10 R", 10.0), charts.Guide("goal: 1.5 R", 1.5)]
TOTAL_GUIDES = [charts.Guide("raw TCP: 1", 1.0)]


@dataclass(frozen=True)
class Row:
    """One memory size. Times in ns, ratios without unit, None where nothing was measured."""

    mib: float
    samples: int
    freeze_ns: float | None
    total_ns: float | None
    freeze_over_R: float | None
    total_over_tcp: float | None
    demand_faults: float | None
    pages_out_at_resume: float | None


def rows(bench: dict[str, Any]) -> list[Row]:
    """One row per memory size, smallest first, from the moves among the benchmarks."""
    by_size: dict[float, list[dict[str, Any]]] = {}
    for entry in bench.get("benchmarks", []):
        mib = _mebibytes(entry)
        if mib is not None and entry.get("run_type", "iteration") == "iteration":
            by_size.setdefault(mib, []).append(entry)
    return [_row(mib, entries) for mib, entries in sorted(by_size.items())]


def errors(bench: dict[str, Any]) -> list[str]:
    """What could not be measured, one line each."""
    return [
        f"{entry['name']}: {entry.get('error_message', 'failed')}"
        for entry in bench.get("benchmarks", [])
        if entry.get("error_occurred")
    ]


def origin(bench: dict[str, Any], run: dict[str, Any]) -> str:
    """When and where it was measured, and a warning if that is not the run of the page."""
    own = bench.get("run", {})
    when = own.get("started") or bench.get("context", {}).get("date", "")
    told = f"Measured {str(when)[:16].replace('T', ' ')}" if when else ""
    differ = [
        f"{name} {own[key]}"
        for key, name in (("kernel", "kernel"), ("commit", "mosrig"), ("accelerator", "on"))
        if own.get(key) and own[key] != run.get(key)
    ]
    if differ:
        return f"{told or 'Measured'} in another run than the cases: {', '.join(differ)}."
    return f"{told}." if told else ""


def freeze_chart(found: list[Row]) -> str:
    """SVG of the freeze, in round trips, over memory; empty if nothing was measured."""
    return charts.line_chart(
        "Freeze time over memory",
        [charts.Series("freeze / R", [(row.mib, row.freeze_over_R) for row in found])],
        _size_ticks(found),
        "memory touched",
        "",
        FREEZE_GUIDES,
        log_x=True,
        values=True,
    )


def total_chart(found: list[Row]) -> str:
    """SVG of the whole move against raw TCP over memory; empty if nothing was measured."""
    return charts.line_chart(
        "Total time over memory",
        [charts.Series("total / TCP", [(row.mib, row.total_over_tcp) for row in found])],
        _size_ticks(found),
        "memory touched",
        "",
        TOTAL_GUIDES,
        log_x=True,
        values=True,
    )


def freeze_growth(found: list[Row]) -> float | None:
    """Freeze of the biggest process over that of the smallest: 1 means it does not grow."""
    measured = [row.freeze_ns for row in found if row.freeze_ns]
    return measured[-1] / measured[0] if len(measured) > 1 else None


def _size_ticks(found: list[Row]) -> list[tuple[float, str]]:
    return [(row.mib, words.size(row.mib)) for row in found]


def _mebibytes(entry: dict[str, Any]) -> float | None:
    """Memory of a move: its own counter, else the argument at the end of the name."""
    if entry.get("error_occurred") or "freeze_over_R" not in entry:
        return None
    for key in ("mib", "rss_mib"):
        if key in entry:
            return float(entry[key])
    match = re.search(r"/(?:[a-z_]+:)?(\d+)(?:/|$)", entry["name"])
    return float(match.group(1)) if match else None


def _row(mib: float, entries: list[dict[str, Any]]) -> Row:
    def middle(*keys: str) -> float | None:
        for key in keys:
            values = [float(entry[key]) for entry in entries if entry.get(key) is not None]
            if values:
                return median(values)
        return None

    return Row(
        mib=mib,
        samples=int(sum(entry.get("samples", entry.get("iterations", 1)) for entry in entries)),
        freeze_ns=middle("freeze_ns"),
        total_ns=middle("total_ns"),
        freeze_over_R=middle("freeze_over_R"),
        total_over_tcp=middle("total_over_tcp"),
        demand_faults=middle("demand_faults"),
        pages_out_at_resume=middle("pages_out_at_resume"),
    )
