# SPDX-License-Identifier: MIT
"""One screen of Markdown about a run, for a CI job's page."""

from __future__ import annotations

from typing import Any

import bench as benchmarks
import results as model
import words

MOST_PROBLEMS = 12


def markdown(results: dict[str, Any], bench: dict[str, Any] | None = None) -> str:
    """The run as Markdown: headline, facts, verdict counts, what is wrong, costs."""
    run, cases = results["run"], results["cases"]
    lines = [f"## mosrig: {model.headline(results)}", "", _facts(run), ""]
    if run.get("mutant"):
        lines += [f"Deliberate kernel bug `{run['mutant']}`: failures are wanted.", ""]
    counts = model.counts(cases)
    if counts:
        lines += [" · ".join(f"**{count}** {word}" for word, count in counts.items()), ""]
    lines += _problems(cases)
    if bench:
        lines += _costs(bench)
    return "\n".join(lines).rstrip() + "\n"


def _facts(run: dict[str, Any]) -> str:
    kernel = run["kernel"] or "no kernel came up"
    parts = [
        f"kernel `{kernel}`" + (f" ({run['kernel_config']})" if run.get("kernel_config") else ""),
        words.accelerator(run["accelerator"]),
        words.plural(run["nodes"], "node"),
        f"commit `{words.commit(run['commit'])}`",
    ]
    if "duration_s" in run:
        parts.append(words.span(run["duration_s"]))
    return ", ".join(parts)


def _problems(cases: list[dict[str, Any]]) -> list[str]:
    wrong = [case for case in cases if case["verdict"] != "PASS"]
    wrong.sort(key=lambda case: list(words.VERDICTS).index(case["verdict"]))
    if not wrong:
        return []
    lines = ["| case | verdict | expected | seen | why |", "|---|---|---|---|---|"]
    for case in wrong[:MOST_PROBLEMS]:
        asked = case.get("automatic", case["manual"])
        lines.append(f"| {case['id']} | {case['verdict']} | {asked['expected']} | "
                     f"{asked['seen']} | {_cell(model.problem(case))} |")
    if len(wrong) > MOST_PROBLEMS:
        lines.append(f"\n… and {len(wrong) - MOST_PROBLEMS} more.")
    return lines + [""]


def _costs(bench: dict[str, Any]) -> list[str]:
    rows = benchmarks.rows(bench)
    lines = [f"Not measured: {line}" for line in benchmarks.errors(bench)]
    if doubt := benchmarks.doubt(bench):
        lines.append(f"{doubt}.")
    if rows and lines:
        lines.append("")
    if rows:
        lines += ["| memory | freeze | freeze / R | total | total / TCP |", "|---|--:|--:|--:|--:|"]
        lines += [
            f"| {words.size(row.mib)} | {words.duration(_middle(row.freeze_ns))} | "
            f"{words.ratio(_middle(row.freeze_over_R))} | "
            f"{words.duration(_middle(row.total_ns))} | "
            f"{words.ratio(_middle(row.total_over_tcp))} |"
            for row in rows
        ]
    return lines


def _middle(figure: benchmarks.Figure | None) -> float | None:
    return figure.median if figure else None


def _cell(text: str) -> str:
    """Text that cannot break a Markdown table."""
    flat = " ".join(text.split()).replace("|", "\\|")
    return flat if len(flat) <= 160 else flat[:159] + "…"
