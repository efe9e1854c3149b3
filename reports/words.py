# SPDX-License-Identifier: MIT
"""The words of a report: verdicts, accelerators, times and sizes in plain English."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """What a verdict word means, and what it does to the run."""

    word: str
    family: str  # good, bad, known or rig: decides colour and exit code
    meaning: str


# In the order in which a reader wants to hear them: trouble first.
VERDICTS: dict[str, Verdict] = {
    v.word: v
    for v in (
        Verdict("FAIL", "bad", "the system did something else than what is asserted"),
        Verdict("KERNEL", "bad", "a kernel complained on its console while the case ran"),
        Verdict("TIMEOUT", "bad", "something that was waited for did not happen in time"),
        Verdict("XPASS", "bad", "expected to fail, but passed: the expectation is out of date"),
        Verdict("BOOT", "rig", "a node did not come up, so the case could not run"),
        Verdict("INFRA", "rig", "the rig itself failed, so the case says nothing"),
        Verdict("FLAKY", "known", "passed and failed when repeated"),
        Verdict("XFAIL", "known", "failed, as is known and expected"),
        Verdict("SKIP", "known", "not run, for the reason given"),
        Verdict("PASS", "good", "everything asserted was seen"),
    )
}

_ACCELERATORS = {
    "tcg": "emulated (QEMU TCG)",
    "kvm": "hardware (KVM)",
}


def accelerator(name: str) -> str:
    """Name of an accelerator for a reader who does not know QEMU."""
    return _ACCELERATORS.get(name, name)


def accelerator_note(name: str) -> str:
    """What the accelerator means for the numbers of a run; empty if nothing."""
    if name == "tcg":
        return "No usable KVM here, so every node is emulated: trust ratios, not absolute times."
    return ""


def commit(name: str) -> str:
    """A commit short enough to read, with its mark for a changed tree."""
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]{28}\b", r"\1", name)


def duration(nanoseconds: int | float | None) -> str:
    """A span with three digits and the unit that fits; a dash if there was none."""
    if nanoseconds is None:
        return "–"
    value = float(nanoseconds)
    for unit, size in (("ns", 1e3), ("µs", 1e3), ("ms", 1e3)):
        if value < size:
            return f"{_three_digits(value)} {unit}"
        value /= size
    return span(value)


def span(seconds: int | float | None) -> str:
    """A span given in seconds, for a person: `8.4 s`, `3 min 20 s`, `2 h 05 min`."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{_three_digits(seconds)} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def rate(bits_per_second: float) -> str:
    """A throughput in megabits per second."""
    return f"{_three_digits(bits_per_second / 1e6)} Mbit/s"


def ratio(value: float | None) -> str:
    """A ratio with three digits; a dash if it was not measured."""
    return "–" if value is None else _three_digits(value)


def size(mebibytes: float) -> str:
    """Memory in the unit a person would say."""
    if mebibytes >= 1024:
        return f"{_three_digits(mebibytes / 1024)} GiB"
    return f"{_three_digits(mebibytes)} MiB"


def place(where: int | None) -> str:
    """The value of /proc/PID/where as a place."""
    if where is None:
        return "–"
    if where == 0:
        return "home"
    return f"node{where}" if where > 0 else "unknown node"


def plural(count: int, noun: str) -> str:
    """`1 case`, `2 cases`."""
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _three_digits(value: float) -> str:
    """Three significant digits without an exponent."""
    if value >= 100:
        return f"{value:.0f}"
    text = f"{value:.3g}"
    return text if "e" not in text else f"{value:.4f}"
