# SPDX-License-Identifier: MIT
"""All nights together: the index page with its trends, one night's Markdown and JUnit XML."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import charts
import junit
import night as one_night
import render
import words

MOST_IN_TREND = 60


def read_all(nights: Path) -> list[one_night.Night]:
    """Every night that left a readable night.json, oldest first."""
    found = []
    for path in nights.glob("*/night.json"):
        try:
            found.append(_night(json.loads(path.read_text("utf-8"))))
        except (OSError, ValueError, TypeError, KeyError):
            continue  # from another version, or cut short: its folder is still there to look at
    return sorted(found, key=lambda night: (night.started, len(night.name), night.name))


def index(nights: Path) -> str:
    """The HTML of the index page."""
    found = read_all(nights)
    recent = found[-MOST_IN_TREND:]
    return render.environment().get_template("nights.html.j2").render(
        nights=list(reversed(found)),
        states=STATES,
        headline=_headline(found),
        trends=[_trend(recent, name) for name in _kernels(recent)],
        freeze_chart=_freeze_chart(recent),
    )


# Exit code of a night or part to its word and its colour.
STATES = {0: ("good", "good"), 1: ("failed", "bad"), 3: ("did not run", "rig")}


def markdown(night: one_night.Night, folder: Path) -> str:
    """One screen about a night."""
    lines = [f"## mosrig night {night.name}: {STATES[night.code][0]}", "",
             f"commit `{night.commit}`, {words.span(night.seconds)}, kept in `{folder}`", "",
             "| part | | what was seen | verdicts | freeze / R | time |",
             "|---|---|---|---|---|--:|"]
    for part in night.parts:
        counts = ", ".join(f"{count} {word}" for word, count in part.counts.items())
        freeze = ", ".join(f"{words.size(float(mib))} {words.ratio(value)}"
                           for mib, value in part.freeze.items())
        said = " ".join(part.said.split()).replace("|", "\\|")[:200]
        lines.append(f"| {part.title} | {STATES[part.code][0]} | {said} | {counts} | {freeze} | "
                     f"{words.span(part.seconds)} |")
    for part in night.parts:
        if part.code:
            lines += ["", f"### {part.title}"] + _problems(folder / part.name)
    return "\n".join(lines) + "\n"


def junit_xml(night: one_night.Night, folder: Path) -> bytes:
    """All of a night as one JUnit file: each kernel's cases, and each part as a case."""
    suites = []
    for part in night.parts:
        problem = "" if part.code == 0 else part.said
        suites.append(junit.single("mosrig.night", part.name, part.seconds, problem,
                                   part.code == 3))
        if not part.name.startswith("mutant-"):
            suites += junit.of_run(folder / part.name / "junit.xml", f"mosrig.{part.name}")
    return junit.document(suites)


def _problems(folder: Path) -> list[str]:
    """The cases that are not good, from the summary of a part."""
    path = folder / "summary.md"
    if not path.exists():
        return ["", f"No results; see `{folder}`."]
    return [""] + [line for line in path.read_text("utf-8").splitlines()
                   if line.startswith("|") and "freeze / R" not in line][:14]


def _night(value: dict[str, Any]) -> one_night.Night:
    known = {field.name for field in fields(one_night.Part)}
    parts = [one_night.Part(**{key: part[key] for key in part if key in known})
             for part in value.pop("parts")]
    return one_night.Night(**value, parts=parts)


def _headline(found: list[one_night.Night]) -> str:
    if not found:
        return "No night yet"
    good = 0
    for night in reversed(found):
        if night.code:
            break
        good += 1
    if good:
        return f"Good for {words.plural(good, 'night')}"
    return f"The last night {'failed' if found[-1].code == 1 else 'did not run to its end'}"


def _kernels(found: list[one_night.Night]) -> list[str]:
    names = {part.name: None for night in found for part in night.parts if part.counts}
    return list(names)


def _part(night: one_night.Night, name: str) -> one_night.Part | None:
    return next((part for part in night.parts if part.name == name), None)


def _trend(found: list[one_night.Night], name: str) -> dict[str, str]:
    columns = []
    for night in found:
        part = _part(night, name)
        column = dict.fromkeys(("good", "known", "rig", "bad"), 0)
        for word, count in (part.counts if part else {}).items():
            column[words.VERDICTS[word].family] += count
        columns.append(column)
    labels = [night.name[5:] for night in found]
    title = f"Verdicts per night, {name} kernel"
    svg = charts.stacked_bars(title, labels, ["good", "known", "rig", "bad"], columns)
    return {"title": title, "svg": svg}


def _freeze_chart(found: list[one_night.Night]) -> str:
    """Freeze over round trip per night, smallest and biggest process, on the base kernel."""
    if len(found) < 2:
        return ""
    values = [part.freeze if (part := _part(night, "base")) else {} for night in found]
    sizes = sorted({float(mib) for freeze in values for mib in freeze})
    series = [
        charts.Series(words.size(mib),
                      [(i, freeze.get(f"{mib:g}")) for i, freeze in enumerate(values)])
        for mib in dict.fromkeys(sizes[:1] + sizes[-1:])
    ]
    every = max(1, len(found) // 5)
    ticks = [(float(i), night.name[5:]) for i, night in enumerate(found)
             if (len(found) - 1 - i) % every == 0]
    return charts.line_chart("Freeze over round trip per night", series, ticks, "night", "")
