# SPDX-License-Identifier: MIT
"""Runs one command of a night: its output in a file, a deadline, signs of life on stderr."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

BEAT_S = 60.0  # how often a running step says that it lives
GRACE_S = 60.0  # what a step gets to clean up after it was told to end


@dataclass(frozen=True)
class Done:
    """How a command ended. code is its exit status, 128+N for signal N, 124 for the deadline."""

    code: int
    seconds: float
    last_line: str


def say(text: str) -> None:
    """One line of progress with the time of day."""
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


def run(name: str, command: list[str], directory: Path, log: Path, limit_s: float) -> Done:
    """Runs command in directory until it ends or limit_s is over; output goes to log."""
    say(f"{name}: {' '.join(command)}")
    started = time.monotonic()
    with log.open("wb") as output:
        # A group of its own, so that a deadline reaches what make started.
        child = subprocess.Popen(command, cwd=directory, stdin=subprocess.DEVNULL, stdout=output,
                                 stderr=subprocess.STDOUT, start_new_session=True)
        try:
            code = _wait(name, child, log, started, limit_s)
        except BaseException:
            _end(child)
            raise
    seconds = time.monotonic() - started
    return Done(code, seconds, last_line(log))


def last_line(log: Path) -> str:
    """The last line with text in a log."""
    try:
        with log.open("rb") as source:
            source.seek(max(0, log.stat().st_size - 4096))
            lines = source.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _wait(name: str, child: subprocess.Popen[bytes], log: Path, started: float,
          limit_s: float) -> int:
    while True:
        left = started + limit_s - time.monotonic()
        if left <= 0:
            _end(child)
            return 124
        try:
            code = child.wait(min(BEAT_S, left))
            return code if code >= 0 else 128 - code
        except subprocess.TimeoutExpired:
            say(f"{name}: running for {time.monotonic() - started:.0f} s: {last_line(log)[:100]}")


def _end(child: subprocess.Popen[bytes]) -> None:
    """Asks the step's whole group to end, and makes it after the grace."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, number)
        except ProcessLookupError:
            pass
        try:
            child.wait(GRACE_S)
            return
        except subprocess.TimeoutExpired:
            continue
