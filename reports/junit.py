# SPDX-License-Identifier: MIT
"""JUnit XML of a run, in the dialect that CI servers agree on."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

import results as model
import words

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml(results: dict[str, Any], suite: str = "mosrig.conformance") -> bytes:
    """A file with one testsuite. A rig's own failure is an error, a wrong system a failure."""
    return document([testsuite(results, suite)])


def document(suites: list[ElementTree.Element]) -> bytes:
    """A file with these testsuites."""
    root = ElementTree.Element("testsuites")
    root.extend(suites)
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def testsuite(results: dict[str, Any], suite: str) -> ElementTree.Element:
    """The cases of one run as a testsuite of that name."""
    run, cases = results["run"], results["cases"]
    families = model.family_counts(cases)
    skipped = sum(case["verdict"] in ("SKIP", "XFAIL") for case in cases)
    node = ElementTree.Element(
        "testsuite", name=suite, tests=str(len(cases)), failures=str(families["bad"]),
        errors=str(families["rig"]), skipped=str(skipped), time=f"{run.get('duration_s', 0):.3f}",
    )
    if run.get("started"):
        node.set("timestamp", run["started"])
    properties = ElementTree.SubElement(node, "properties")
    for key in ("kernel", "kernel_config", "accelerator", "nodes", "image", "commit", "mutant"):
        if run.get(key) not in (None, ""):
            ElementTree.SubElement(properties, "property", name=key, value=clean(str(run[key])))
    for case in cases:
        node.append(_case(case, suite))
    return node


def single(suite: str, name: str, seconds: float, problem: str, infra: bool) -> ElementTree.Element:
    """A testsuite of one case, which failed if problem is not empty."""
    failed, broken = bool(problem) and not infra, bool(problem) and infra
    node = ElementTree.Element("testsuite", name=suite, tests="1", failures=str(int(failed)),
                               errors=str(int(broken)), skipped="0", time=f"{seconds:.3f}")
    case = ElementTree.SubElement(node, "testcase", classname=suite, name=name,
                                  time=f"{seconds:.3f}")
    if problem:
        ElementTree.SubElement(case, "error" if infra else "failure", message=clean(problem),
                               type="INFRA" if infra else "FAIL")
    return node


def _case(case: dict[str, Any], suite: str) -> ElementTree.Element:
    node = ElementTree.Element(
        "testcase", classname=suite, name=case["id"], time=f"{case.get('duration_s', 0):.3f}"
    )
    verdict = words.VERDICTS[case["verdict"]]
    why = clean(f"{case['verdict']}: {model.problem(case)}")
    if verdict.family in ("bad", "rig"):
        tag = "failure" if verdict.family == "bad" else "error"
        detail = ElementTree.SubElement(node, tag, message=why, type=case["verdict"])
        detail.text = clean("\n".join(_evidence(case)))
    elif case["verdict"] in ("SKIP", "XFAIL"):
        ElementTree.SubElement(node, "skipped", message=why)
    elif case["verdict"] == "FLAKY":
        ElementTree.SubElement(node, "system-out").text = why
    return node


def _evidence(case: dict[str, Any]) -> list[str]:
    lines = [
        f"{'ok' if item['ok'] else 'NOT'}: {item['check']} {item.get('detail', '')}".rstrip()
        if isinstance(item, dict) else item
        for item in case["evidence"]
    ]
    for name, console in case.get("console", {}).items():
        lines += [f"{name} console: {line}" for line in console]
    return lines


def clean(text: str) -> str:
    """Text without the control characters that XML forbids; consoles are full of them."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
