# SPDX-License-Identifier: MIT
"""Reads results.json and bench.json, checks them against their schemas, and counts."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema

import words

HERE = Path(__file__).resolve().parent
MOST_ALIKE = 3  # checks of one kind that are all shown
EXIT_OK, EXIT_CASE_FAILED, EXIT_USAGE, EXIT_INFRA = 0, 1, 2, 3


class Unreadable(Exception):
    """A file is missing or is not JSON. The text says which, and what to do."""


def load(path: Path) -> dict[str, Any]:
    """Reads one JSON object. Raises Unreadable with a line for the user."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}. Run `make conformance` first.") from error
    except ValueError as error:
        raise Unreadable(f"{path}: not JSON ({error}). Was its writer killed?") from error
    if not isinstance(value, dict):
        raise Unreadable(f"{path}: holds no JSON object.")
    return value


def deviations(value: dict[str, Any], schema: str) -> list[str]:
    """Where value breaks the schema of that name, one line each; empty if it holds."""
    text = (HERE / f"{schema}.schema.json").read_text(encoding="utf-8")
    validator = jsonschema.Draft202012Validator(json.loads(text))
    found = sorted(validator.iter_errors(value), key=lambda error: list(map(str, error.path)))
    return [f"{'/'.join(map(str, error.path)) or 'top'}: {error.message}" for error in found]


def counts(cases: list[dict[str, Any]]) -> dict[str, int]:
    """How often each verdict was given, in the order of words.VERDICTS, zeros left out."""
    seen = Counter(case["verdict"] for case in cases)
    return {word: seen[word] for word in words.VERDICTS if seen[word]}


def family_counts(cases: list[dict[str, Any]]) -> dict[str, int]:
    """Cases by family: good, bad, known, rig; all four are always there."""
    seen = Counter(words.VERDICTS[case["verdict"]].family for case in cases)
    return {family: seen[family] for family in ("good", "bad", "known", "rig")}


def wrongly_skipped(results: dict[str, Any]) -> list[str]:
    """Ids of cases that were skipped and must not be: on the image debian, which lacks nothing."""
    if results["run"].get("image") != "debian":
        return []
    return [case["id"] for case in results["cases"]
            if case["verdict"] == "SKIP" and not case.get("may_skip")]


def exit_code(results: dict[str, Any]) -> int:
    """The exit code that these verdicts ask for: 0, 1 (a case failed) or 3 (the rig failed)."""
    by_family = family_counts(results["cases"])
    if by_family["bad"]:
        return EXIT_CASE_FAILED
    complete = results["run"].get("complete", True) and results["cases"]
    failed = by_family["rig"] or wrongly_skipped(results) or not complete
    return EXIT_INFRA if failed else EXIT_OK


def headline(results: dict[str, Any]) -> str:
    """The run in one sentence, for a title."""
    cases = results["cases"]
    if not cases:
        return "No case ran"
    by_family = family_counts(cases)
    total = len(cases)
    if by_family["bad"]:
        rest = f", {by_family['rig']} could not run" if by_family["rig"] else ""
        return f"{by_family['bad']} of {words.plural(total, 'case')} failed{rest}"
    if by_family["rig"]:
        return f"{by_family['rig']} of {words.plural(total, 'case')} could not run"
    if wrong := wrongly_skipped(results):
        return (f"{len(wrong)} of {words.plural(total, 'case')} skipped that must not be: "
                + ", ".join(wrong))
    if not results["run"].get("complete", True):
        return f"The run broke off after {words.plural(total, 'case')}"
    if by_family["known"]:
        return f"{by_family['good']} of {words.plural(total, 'case')} passed, none failed"
    return f"All {total} cases passed" if total > 1 else "The one case passed"


def stay_reasons(cases: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Each word of cantmove that was seen, with the ids of the cases that showed it."""
    found: dict[str, list[str]] = {}
    for case in cases:
        for word in case["cantmove"]:
            found.setdefault(word, []).append(case["id"])
    return found


def evidence(case: dict[str, Any]) -> list[dict[str, Any]]:
    """What was looked at: what is not so first, and what held again and again told once."""
    items = [item if isinstance(item, dict) else {"check": item, "ok": True}
             for item in case["evidence"]]
    held = [item for item in items if item["ok"]]
    often = Counter(_kind(item) for item in held)
    told = [item for item in items if not item["ok"]]
    seen: set[str] = set()
    for item in held:
        kind = _kind(item)
        if often[kind] <= MOST_ALIKE:
            told.append(item)
        elif kind not in seen:
            told.append({**item, "times": often[kind]})
        seen.add(kind)
    return told


def _kind(item: dict[str, Any]) -> str:
    """Checks that differ in a number only are of one kind."""
    return re.sub(r"\d+", "#", item["check"])


def problem(case: dict[str, Any]) -> str:
    """Why a case is not a plain pass, in one line; empty for a pass."""
    if case["verdict"] == "PASS":
        return ""
    if case.get("reason"):
        return str(case["reason"])
    for item in case["evidence"]:
        if isinstance(item, dict) and not item["ok"]:
            return ": ".join(str(item[key]) for key in ("check", "detail") if item.get(key))
    if case["verdict"] == "KERNEL":
        for node, lines in case.get("console", {}).items():
            if lines:
                return f"{node}: {lines[0].strip()}"
    return words.VERDICTS[case["verdict"]].meaning
