# SPDX-License-Identifier: MIT
"""Draws small charts as SVG text. Colours come from the page's style sheet (classes c0, c1 ...)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape

WIDTH, HEIGHT = 460, 280
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 32, 50


@dataclass(frozen=True)
class Series:
    """One line of a chart; a point is (x, y), y None where nothing was measured.

    intervals are drawn as whiskers."""

    name: str
    points: list[tuple[float, float | None]]
    intervals: list[tuple[float, float, float]] = field(default_factory=list)  # x, low, high


@dataclass(frozen=True)
class Guide:
    """A dashed horizontal line to compare with, such as a goal."""

    name: str
    y: float


@dataclass
class Axis:
    """Maps values to pixels. Ticks carry the text that is printed at them."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    ticks: list[tuple[float, str]] = field(default_factory=list)

    def at(self, value: float) -> float:
        """The pixel of a value; values outside are held at the edge."""
        low, high, here = self.low, self.high, value
        if self.log:
            low, high, here = math.log(low), math.log(high), math.log(max(value, 1e-12))
        share = 0.5 if high == low else (here - low) / (high - low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)


def nice_ticks(high: float, count: int = 4) -> list[float]:
    """Round values from 0 to at least high, about count steps apart."""
    if high <= 0:
        return [0.0, 1.0]
    raw = high / count
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(m * magnitude for m in (1, 2, 2.5, 5, 10) if m * magnitude >= raw * 0.999)
    return [step * i for i in range(math.ceil(high / step - 1e-9) + 1)]


def _text(x: float, y: float, text: str, anchor: str = "middle", css: str = "tick") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{css}" {place}>{escape(text)}</text>'


def _frame(title: str, description: str, body: list[str], height: int = HEIGHT) -> str:
    label = escape(f"{title}. {description}", quote=True)
    return "\n".join(
        [
            f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">',
            *body,
            "</svg>",
        ]
    )


def _axes(x: Axis, y: Axis, x_label: str, y_label: str) -> list[str]:
    parts = []
    for value, text in y.ticks:
        pixel = y.at(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" '
                     f'y1="{pixel:.1f}" y2="{pixel:.1f}"/>')
        parts.append(_text(LEFT - 8, pixel + 4, text, "end"))
    for value, text in x.ticks:
        parts.append(_text(x.at(value), HEIGHT - BOTTOM + 19, text))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x_label, css="label"))
    if y_label:
        parts.append(_text(4, 14, y_label, "start", "label"))
    return parts


def _polyline(series: Series, index: int, x: Axis, y: Axis) -> list[str]:
    """The line of a series, broken where nothing was measured, with a dot per point."""
    strokes: list[list[str]] = [[]]
    dots = []
    for value_x, value_y in series.points:
        if value_y is None:
            strokes.append([])
            continue
        px, py = x.at(value_x), y.at(value_y)
        strokes[-1].append(f"{px:.1f},{py:.1f}")
        hint = escape(f"{series.name}: {value_y:.3g}")
        dots.append(f'<circle class="dot c{index}" cx="{px:.1f}" cy="{py:.1f}" r="4">'
                    f"<title>{hint}</title></circle>")
    for value_x, low, high in series.intervals:
        px = x.at(value_x)
        dots.append(f'<line class="whisker c{index}" x1="{px:.1f}" x2="{px:.1f}" '
                    f'y1="{y.at(low):.1f}" y2="{y.at(high):.1f}"/>')
    lines = [f'<polyline class="line c{index}" points="{" ".join(stroke)}"/>'
             for stroke in strokes if len(stroke) > 1]
    return lines + dots


def line_chart(
    title: str,
    series: list[Series],
    x_ticks: list[tuple[float, str]],
    x_label: str,
    y_label: str,
    guides: list[Guide] | None = None,
    log_x: bool = False,
    values: bool = False,
) -> str:
    """Lines over x_ticks' range. With values, each point carries its figure. y starts at 0."""
    guides = guides or []
    measured = [y for one in series for _, y in one.points if y is not None]
    if not measured or not x_ticks:
        return ""
    highest = measured + [guide.y for guide in guides]
    highest += [high for one in series for _, _, high in one.intervals]
    ticks = nice_ticks(max(highest) * 1.05)
    x_values = [value for value, _ in x_ticks]
    x = Axis(min(x_values), max(x_values), LEFT + 24, WIDTH - RIGHT - 24, log_x, x_ticks)
    y = Axis(0, ticks[-1], HEIGHT - BOTTOM, TOP, ticks=[(tick, f"{tick:g}") for tick in ticks])
    body = _axes(x, y, x_label, y_label)
    # Names of guides stand between the last two ticks, where no figure of a point can be, and on
    # that side of their line where no line of a series is.
    between = (x.at(x_values[-1]) + x.at(x_values[max(len(x_values) - 2, 0)])) / 2
    names = []
    near = sum(measured[-2:]) / len(measured[-2:])
    for guide in guides:
        pixel = y.at(guide.y)
        body.append(f'<line class="guide" x1="{LEFT}" x2="{WIDTH - RIGHT}" '
                    f'y1="{pixel:.1f}" y2="{pixel:.1f}"/>')
        beside = pixel + 16 if guide.y < near else pixel - 6
        names.append(_text(between, beside, guide.name, css="guide-name"))
    for index, one in enumerate(series):
        body += _polyline(one, index, x, y)
        if values:
            tops = {px: high for px, _, high in one.intervals}
            body += [_text(x.at(px), y.at(tops.get(px, py)) - 10, f"{py:.3g}", css="value")
                     for px, py in one.points if py is not None]
    return _frame(title, "; ".join(_spoken(one) for one in series), body + names)


def stacked_bars(
    title: str, labels: list[str], families: list[str], columns: list[dict[str, int]]
) -> str:
    """One column per label, its parts stacked in the order of families (classes f-NAME)."""
    totals = [sum(column.get(family, 0) for family in families) for column in columns]
    if not columns or not max(totals):
        return ""
    ticks = nice_ticks(max(totals))
    y = Axis(0, ticks[-1], HEIGHT - BOTTOM, TOP, ticks=[(tick, f"{tick:g}") for tick in ticks])
    slot = (WIDTH - LEFT - RIGHT) / len(columns)
    bar = min(slot * 0.7, 48.0)
    every = math.ceil(len(columns) / max(1, int((WIDTH - LEFT - RIGHT) / 90)))
    x = Axis(0, len(columns), LEFT, WIDTH - RIGHT,
             ticks=[(i + 0.5, label) for i, label in enumerate(labels)
                    if (len(labels) - 1 - i) % every == 0])
    body = _axes(x, y, "night", "cases")
    for i, column in enumerate(columns):
        base = 0
        for family in families:
            count = column.get(family, 0)
            if not count:
                continue
            top, bottom = y.at(base + count), y.at(base)
            body.append(
                f'<rect class="f-{family}" x="{x.at(i + 0.5) - bar / 2:.1f}" y="{top:.1f}" '
                f'width="{bar:.1f}" height="{max(bottom - top - 1, 1):.1f}">'
                f"<title>{escape(labels[i])}: {count} {escape(family)}</title></rect>"
            )
            base += count
    return _frame(title, f"{len(columns)} nights, last: {columns[-1]}", body)


def _spoken(series: Series) -> str:
    """A series as text, for those who do not see the chart."""
    values = ", ".join("not measured" if y is None else f"{y:.3g}" for _, y in series.points)
    return f"{series.name}: {values}"
