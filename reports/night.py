# SPDX-License-Identifier: MIT
"""One night: hook patches, both kernels through suite and benchmark, bugs that must be seen."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import bench as benchmarks
import render
import results as model
import steps
import words

# Each deliberate bug with the case that must name it.
MUTANTS = {
    "no-lock-inherit": "lock-fork",
    "no-monkey": "mmap-shared",
    "lose-page": "ten-moves",
    "lose-registers": "memory-sse",
    "lose-signal": "signal-flood",
    "cheap-cpu": "busy",
    "stale-file": "memory-file-changed",
    "old-title": "io-title",
    "wrong-where": "three-nodes",
    "leak": "soak-short",
}

# Of the tier night, what the debug kernel runs, too: sides that die, memory that runs out and
# signals amid a message, where its checkers see most, and the programs that fork, exec and signal
# most.
ALSO_ON_DEBUG = ("fail-*,link-cut-*,*-killed-*,onward-*-killed,oom-full,signal-transit-*,"
                 "restless-bash,restless-sqlite3,restless-stress-processes,restless-stress-signals")


@dataclass(frozen=True)
class Options:
    """What a night runs, and where it keeps what it saw."""

    top: Path  # the checkout
    nights: Path
    make: str = "make"
    kernels: tuple[str, ...] = ("base", "debug")
    tier: str = "night"
    nodes: int = 3  # what cases of three nodes need
    quick: bool = False  # few samples
    limit_s: float = 8 * 3600.0  # emulated, full on debug alone takes three


@dataclass
class Part:
    """One part of a night, in a folder of its name. code as of a verb: 0, 1 or 3."""

    name: str
    title: str
    code: int = 3
    said: str = "did not run"
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    freeze: dict[str, float] = field(default_factory=dict)  # memory in MiB to freeze / R


@dataclass
class Night:
    """What night.json holds; rewritten after each part, so a killed night shows how far it got."""

    name: str
    started: str
    commit: str
    complete: bool = False
    code: int = 3
    seconds: float = 0.0
    parts: list[Part] = field(default_factory=list)


class Busy(Exception):
    """Another night runs."""


def new_folder(nights: Path, today: str) -> Path:
    """Makes the folder of this night: its date, with -2, -3 ... if there is one already."""
    number = 1
    while True:
        folder = nights / (today if number == 1 else f"{today}-{number}")
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            number += 1


def run(options: Options) -> tuple[Night, Path]:
    """Runs a whole night. Raises Busy if one runs already."""
    options.nights.mkdir(parents=True, exist_ok=True)
    with (options.nights / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy(f"another night runs in {options.nights}; wait for its end") from error
        folder = new_folder(options.nights, time.strftime("%Y-%m-%d"))
        night = Night(folder.name, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                      _commit(options.top))
        started = time.monotonic()
        try:
            for part, work in _plan(options):
                night.parts.append(part)
                _save(night, folder)
                work(part, folder / part.name)
                night.seconds = time.monotonic() - started
                steps.say(f"{part.title}: {part.said} ({words.span(part.seconds)})")
            night.complete = True
        finally:
            night.code = worst([part.code for part in night.parts], night.complete)
            _save(night, folder)
            steps.run("clean up", [options.make, "cluster-down"], options.top,
                      folder / "cluster-down.log", 300.0)
        return night, folder


def worst(codes: list[int], complete: bool) -> int:
    """1 if something failed, else 3 if something did not run, else 0."""
    if 1 in codes:
        return 1
    return 0 if complete and codes and not any(codes) else 3


def _plan(options: Options) -> list[tuple[Part, Callable[[Part, Path], None]]]:
    plan: list[tuple[Part, Callable[[Part, Path], None]]] = [
        (Part("series", "hook patches"), partial(_series, options))
    ]
    for kernel in options.kernels:
        plan.append((Part(kernel, f"{kernel} kernel"), partial(_kernel, options, kernel)))
    for mutant, case in MUTANTS.items():
        part = Part(f"mutant-{mutant}", f"mutant {mutant}")
        plan.append((part, partial(_mutant, options, mutant, case)))
    return plan


def _series(options: Options, part: Part, folder: Path) -> None:
    """Whether the kernel compiles after each of its patches."""
    folder.mkdir()
    done = steps.run(part.title, [str(options.top / "kernel/tests/prefixes")], options.top,
                     folder / "series.log", options.limit_s)
    part.seconds = done.seconds
    part.code = done.code if done.code in (0, 1) else 3
    part.said = "each prefix compiles" if done.code == 0 else done.last_line


def _kernel(options: Options, kernel: str, part: Part, folder: Path) -> None:
    """The suite and the benchmarks on one kernel."""
    variables = [f"KERNEL={kernel}", f"TIER={options.tier}", f"NODES={options.nodes}"]
    if kernel == "debug" and options.tier == "night":
        # What the tier night has beside full is long, most of it repetition. Emulated, a debug
        # kernel is twenty times as slow: there it would take days.
        variables[1:2] = ["TIER=full", f"ALSO={ALSO_ON_DEBUG}"]
    _conformance(options, part, folder, variables)
    _bench(options, part, folder, kernel)


def _mutant(options: Options, mutant: str, case: str, part: Part, folder: Path) -> None:
    """A case on a kernel with the bug that it is to see: good if, and only if, it fails."""
    _conformance(options, part, folder,
                 [f"MUTANT={mutant}", f"CASES={case}", f"NODES={options.nodes}"])
    part.counts = {}  # not of the system as it is: they would mislead in a trend
    if part.code == 3:
        return
    named = [one["id"] for one in model.load(folder / "results.json")["cases"]
             if words.VERDICTS[one["verdict"]].family == "bad"]
    if case in named:
        part.code, part.said = 0, f"seen, as it must be, by {', '.join(named)}"
    else:
        part.code = 1
        part.said = f"NOT seen: {case} did not fail ({', '.join(named) or 'nothing did'})"


def _conformance(options: Options, part: Part, folder: Path, variables: list[str]) -> None:
    """Runs the suite, keeps its files in folder, and sets the part's code and words."""
    build = options.top / "build"
    _forget(build / "report", build / "results")
    folder.mkdir()
    done = steps.run(part.title, [options.make, "conformance", *variables], options.top,
                     folder / "conformance.log", options.limit_s)
    part.seconds += done.seconds
    _keep(build, folder)
    try:
        deviations = render.write(folder / "results.json", None, folder)
        results = model.load(folder / "results.json")
    except (model.Unreadable, KeyError) as error:
        part.code, part.said = 3, f"no results, make ended with {done.code}: {done.last_line}"
        steps.say(f"{part.title}: {error}")
        return
    part.counts = model.counts(results["cases"])
    part.code, part.said = model.exit_code(results), model.headline(results)
    if deviations:
        part.code = part.code or 3
        part.said += f"; results.json breaks its schema: {deviations[0]}"
    if part.code == 0 and done.code != 0:
        part.code = 3
        part.said += f", yet make ended with {done.code}: {done.last_line}"


def _bench(options: Options, part: Part, folder: Path, kernel: str) -> None:
    """Runs the benchmarks beside the suite's files, and draws the page of both."""
    build = options.top / "build"
    _forget(build / "results")
    # What a debug kernel costs is nobody's question: there it only has to work.
    quick = options.quick or kernel == "debug"
    command = [options.make, "bench", f"KERNEL={kernel}"] + ["QUICK=1"] * quick
    done = steps.run(f"{part.title}, bench", command, options.top, folder / "bench.log",
                     options.limit_s)
    part.seconds += done.seconds
    _keep(build, folder)
    try:
        bench = model.load(folder / "bench.json")
        rows = benchmarks.rows(bench)
        wrong = benchmarks.errors(bench)
        if doubt := benchmarks.doubt(bench):
            part.said += f"; benchmark not comparable: {doubt}"
        else:
            part.freeze = {f"{row.mib:g}": row.freeze_over_R.median
                           for row in rows if row.freeze_over_R}
    except model.Unreadable as error:
        rows, wrong = [], [str(error) if done.code == 0 else
                           f"make ended with {done.code}: {done.last_line}"]
    if wrong or not rows or done.code != 0:
        part.code = part.code or 3
        part.said += f"; benchmark: {(wrong or ['measured nothing'])[0]}"
    if (folder / "results.json").exists():
        render.write(folder / "results.json", folder / "bench.json", folder)


def _forget(*folders: Path) -> None:
    """Removes what an earlier run left, so that it cannot be taken for this one's."""
    for folder in folders:
        for name in ("results.json", "bench.json", "junit.xml", "journal.jsonl"):
            (folder / name).unlink(missing_ok=True)
        for name in ("scenes", "console"):
            shutil.rmtree(folder / name, ignore_errors=True)


def _keep(build: Path, folder: Path) -> None:
    """Copies what a run wrote into the night's folder."""
    for source in (build / "report", build / "results"):
        if source.is_dir():
            shutil.copytree(source, folder, dirs_exist_ok=True)


def _save(night: Night, folder: Path) -> None:
    """Writes night.json in one step, so that a reader never sees half of it."""
    draft = folder / "night.json.new"
    draft.write_text(json.dumps(asdict(night), indent=1) + "\n", "utf-8")
    os.replace(draft, folder / "night.json")


def _commit(top: Path) -> str:
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=top, text=True,
                          capture_output=True, check=False)
    return done.stdout.strip() or "unknown"
