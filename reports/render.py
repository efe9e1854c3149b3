#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Renders a run: build/report/index.html and summary.md from results.json."""

from __future__ import annotations

import argparse
import functools
import shutil
import sys
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

import bench as benchmarks
import reasons
import results as model
import summary
import words

TEMPLATES = model.HERE / "templates"
BUILD = model.HERE.parent / "build"


@functools.cache
def environment() -> jinja2.Environment:
    """Jinja2 as all pages of this folder use it: strict, escaping, our words as functions."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        style=Markup((TEMPLATES / "style.css").read_text("utf-8")),
        duration=words.duration, span=words.span, ratio=words.ratio, size=words.size,
        place=words.place, commit=words.commit, plural=words.plural, verdicts=words.VERDICTS,
        problem=model.problem, evidence=model.evidence, explain=reasons.explain,
    )
    return made


def page(
    results: dict[str, Any],
    bench: dict[str, Any] | None = None,
    deviations: list[str] | None = None,
) -> str:
    """The HTML of one run."""
    run, cases = results["run"], results["cases"]
    rows = benchmarks.rows(bench or {})
    return environment().get_template("report.html.j2").render(
        run=run,
        cases=cases,
        headline=model.headline(results),
        deviations=deviations or [],
        accelerator=words.accelerator(run["accelerator"]),
        accelerator_note=words.accelerator_note(run["accelerator"]),
        counts=model.counts(cases),
        seen_reasons=model.stay_reasons(cases),
        all_reasons=reasons.REASONS,
        locked=reasons.LOCKED,
        locked_ids=[case["id"] for case in cases if case["lock"] == 1],
        bench_rows=rows,
        bench_doubt=benchmarks.doubt(bench or {}),
        bases=benchmarks.bases(bench or {}),
        bench_origin=benchmarks.origin(bench or {}, run),
        bench_errors=benchmarks.errors(bench or {}),
        freeze_chart=benchmarks.freeze_chart(rows),
        total_chart=benchmarks.total_chart(rows),
        freeze_growth=benchmarks.freeze_growth(rows),
        probe=run.get("kvm_probe") or {},
    )


def write(results_path: Path, bench_path: Path | None, out: Path) -> list[str]:
    """Renders all files of a run into out. Returns where the data breaks its schema."""
    results = model.load(results_path)
    deviations = model.deviations(results, "results")
    if any(line.startswith("top:") for line in deviations):
        raise model.Unreadable(f"{results_path}: {deviations[0]}")
    bench = None
    if bench_path and bench_path.exists():
        try:
            bench = model.load(bench_path)
        except model.Unreadable as error:
            deviations.append(str(error))
    if bench is not None:
        deviations += [f"bench.json: {line}" for line in model.deviations(bench, "bench")]
    out.mkdir(parents=True, exist_ok=True)
    (out / "index.html").write_text(page(results, bench, deviations), "utf-8")
    (out / "summary.md").write_text(summary.markdown(results, bench), "utf-8")
    for source in (results_path, bench_path):
        if source and source.exists() and source.resolve().parent != out.resolve():
            shutil.copyfile(source, out / source.name)
    return deviations


def main(arguments: list[str] | None = None) -> int:
    """Command line. 0 written, 2 usage, 3 no data or data that breaks its schema."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=BUILD / "report" / "results.json")
    parser.add_argument("--bench", type=Path, default=BUILD / "results" / "bench.json",
                        help="benchmarks of the run, if it exists")
    parser.add_argument("--out", type=Path, default=BUILD / "report", help="folder to write")
    chosen = parser.parse_args(arguments)
    try:
        deviations = write(chosen.results, chosen.bench, chosen.out)
    except model.Unreadable as error:
        print(f"report: {error}", file=sys.stderr)
        return model.EXIT_INFRA
    print(chosen.out / "index.html")
    for line in deviations:
        print(f"report: {chosen.results.name} breaks its schema: {line}", file=sys.stderr)
    return model.EXIT_INFRA if deviations else model.EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
