# SPDX-License-Identifier: MIT
"""Reads bench.json: what moving a process costs over its memory size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import charts
import words

# Goals of the project for these ratios.
FREEZE_GUIDES = [charts.Guide("parity: 10 R", 10.0), charts.Guide("goal: 1.5 R", 1.5)]
TOTAL_GUIDES = [charts.Guide("raw TCP: 1", 1.0)]


# Plain costs of the same nodes that the others are compared with.
BASES = {
    "R": "a TCP round trip of 64 bytes",
    "R4": "one with an answer of 4 KiB",
    "f": "fork and exit of a process of 1 MiB",
    "B": "the best that iperf3 reaches: plain, zero copy, two streams",
}


@dataclass(frozen=True)
class Base:
    """A base measure in words, and how far it drifted within the run (as a share)."""

    name: str
    meaning: str
    value: str
    drift: float


@dataclass(frozen=True)
class Figure:
    """A median with the ends of its interval. Times in ns, ratios without unit."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """One memory size; None where nothing was measured."""

    mib: float
    samples: int
    freeze_ns: Figure | None
    total_ns: Figure | None
    freeze_over_R: Figure | None
    total_over_tcp: Figure | None
    demand_faults: Figure | None
    pages_out_at_resume: Figure | None


def rows(bench: dict[str, Any]) -> list[Row]:
    """One row per memory size, smallest first."""
    found = [
        Row(entry["mib"], entry["samples"],
            *(_figure(entry.get(name)) for name in list(Row.__dataclass_fields__)[2:]))
        for entry in _ours(bench).get("rows", [])
    ]
    return sorted(found, key=lambda row: row.mib)


def errors(bench: dict[str, Any]) -> list[str]:
    """What could not be measured, one line each."""
    return [
        f"{entry['name']}: {entry.get('error_message', 'failed')}"
        for entry in bench.get("benchmarks", [])
        if entry.get("error_occurred")
    ]


def doubt(bench: dict[str, Any]) -> str:
    """Why the figures cannot be compared with those of another run; empty if they can."""
    ours = _ours(bench)
    if ours.get("comparable", True):
        return ""
    moved = max(bases(bench), key=lambda base: base.drift, default=None)
    told = f"{moved.name} drifted by {100 * moved.drift:.0f} %" if moved else "A base drifted"
    return (f"{told} within the run: this machine was not steady enough to compare these figures "
            "with others")


def origin(bench: dict[str, Any], run: dict[str, Any]) -> str:
    """When and where it was measured, and a warning if that is not the run of the page."""
    own = _ours(bench).get("run", {})
    when = own.get("finished") or bench.get("context", {}).get("date", "")
    told = f"Measured {str(when)[:16].replace('T', ' ')}" if when else ""
    differ = [
        str(own[key])
        for key in ("kernel", "image", "accelerator", "nodes")
        if own.get(key) and own[key] != run.get(key)
    ]
    if differ:
        return f"{told or 'Measured'} on another cluster than the cases: {', '.join(differ)}."
    return f"{told}." if told else ""


def bases(bench: dict[str, Any]) -> list[Base]:
    """The base measures of the run, R first."""
    told = _ours(bench).get("bases", {})
    found = []
    for name, meaning in BASES.items():
        if figure := _figure(told.get(name)):
            value = words.duration(figure.median) if name != "B" else words.rate(figure.median)
            found.append(Base(name, meaning, value, float(told[name].get("drift", 0))))
    return found


def freeze_chart(found: list[Row]) -> str:
    """SVG of the freeze, in round trips, over memory; empty if nothing was measured."""
    points = [(row.mib, row.freeze_over_R) for row in found]
    return _chart("Freeze time over memory", "freeze / R", points, FREEZE_GUIDES)


def total_chart(found: list[Row]) -> str:
    """SVG of the whole move against raw TCP over memory; empty if nothing was measured."""
    points = [(row.mib, row.total_over_tcp) for row in found]
    return _chart("Total time over memory", "total / TCP", points, TOTAL_GUIDES)


def freeze_growth(found: list[Row]) -> float | None:
    """Freeze of the biggest process over that of the smallest: 1 means it does not grow."""
    measured = [row.freeze_ns.median for row in found if row.freeze_ns and row.freeze_ns.median]
    return measured[-1] / measured[0] if len(measured) > 1 else None


def _chart(title: str, name: str, points: list[tuple[float, Figure | None]],
           guides: list[charts.Guide]) -> str:
    series = charts.Series(
        name,
        [(mib, figure.median if figure else None) for mib, figure in points],
        [(mib, figure.low, figure.high) for mib, figure in points if figure],
    )
    ticks = [(mib, words.size(mib)) for mib, _ in points]
    return charts.line_chart(title, [series], ticks, "memory touched", "", guides, log_x=True,
                             values=True)


def _ours(bench: dict[str, Any]) -> dict[str, Any]:
    """The part that the project adds to Google Benchmark's JSON."""
    part = bench.get("mosrig", {})
    return part if isinstance(part, dict) else {}


def _figure(value: Any) -> Figure | None:
    if not isinstance(value, dict) or value.get("median") is None:
        return None
    median = float(value["median"])
    return Figure(median, float(value.get("low", median)), float(value.get("high", median)))
