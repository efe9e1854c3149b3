# SPDX-License-Identifier: GPL-2.0-only
"""Each message between the halves of a process is one that the suite fails at, in every way, and at
which signals come."""
from __future__ import annotations

import pathlib
import re
import unittest
from typing import Any

import yaml  # type: ignore[import]

ROOT = pathlib.Path(__file__).resolve().parents[2]
EVENTS = {"kill", "reset", "garbage", "truncate", "hold"}
# Only what has a body can have a wrong one.
EVENTS_OF_A_BODY = EVENTS | {"payload"}
# As a process goes on from node to node, the messages of its way out are seen once more, and those
# with which it leaves the node where it was.
ONWARD = "onward-"
SEEN_ONWARD = {"prepare", "vmas", "ready", "refuse", "commit", "resumed",
               "recall", "return", "pages-up", "returned", "taken"}

# Messages that no signals come at in a case of the procedure transit, and why not: it holds back
# what ends where the process was asked to go.
NO_TRANSIT = {
    "badpage": "the fault that it leads to brings the process home",
    "refuse": "the process does not go",
    ONWARD + "refuse": "the process does not go on",
}


def source(name: str) -> str:
    """The text of a file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def messages() -> set[str]:
    """The messages of the wire, as their names in wire.h say."""
    text = source("kernel/hpc/wire.h")
    return {name.lower() for name in re.findall(r"^\tOM_M_(\w+)", text, re.MULTILINE)} - {"count"}


def with_body() -> set[str]:
    """Those that say something after their header: message.c has a longest payload of each."""
    text = source("kernel/hpc/message.c")
    return {name.lower() for name in re.findall(r"^\t\[OM_M_(\w+)\]\s*=", text, re.MULTILINE)}


def actions() -> set[str]:
    """What the kernel's fault point can do."""
    return set(re.findall(r'\[OM_FAULT_\w+\] = "(\w+)"', source("kernel/hpc/fault.c")))


def in_transit() -> list[str]:
    """The messages that are held back while signals come, each as often as a case names it."""
    return [message
            for case in yaml.safe_load_all(source("workloads/signals/signals.yml"))
            if case.get("procedure") == "transit"
            for run in case["runs"] for message in run["messages"]]


def cases(*names: str) -> list[dict[str, Any]]:
    """What these files of the cluster's cases describe."""
    texts = (source(f"workloads/cluster/{name}.yml") for name in names)
    return [case for text in texts for case in yaml.safe_load_all(text)]


def failed_at(tiers: tuple[str, ...] = ("quick", "full", "night")) -> dict[str, set[str]]:
    """Message -> what fails at it; one that goes both ways counts with its direction."""
    events: dict[str, set[str]] = {}
    for case in cases("failures", "failures-onward"):
        wanted = case["procedure"] == "failures" and case["tier"] in tiers
        for run in case["runs"] if wanted else []:
            for message in run.get("messages", []):
                events.setdefault(message, set()).update(run["events"])
    return events


def every_day() -> dict[str, set[str]]:
    """The same of what is played before each change, and not only by night."""
    return failed_at(("quick", "full"))


class Messages(unittest.TestCase):
    def test_names_are_found(self) -> None:
        self.assertLessEqual({"prepare", "bytes", "taken"}, messages())
        self.assertLessEqual({"prepare", "bytes", "usage"}, with_body())
        self.assertFalse({"ready", "taken"} & with_body())

    def test_every_message_is_failed_at(self) -> None:
        both_ways = {"bytes", "pages"}
        wanted = messages() | {f"{name}-up" for name in both_ways} | {"bytes-down"}
        wanted.discard("bytes")
        events = failed_at()
        self.assertEqual({name for name in events if not name.startswith(ONWARD)}, wanted)
        for message in sorted(wanted):
            self.check_ways(message, message.split("-")[0], events[message])

    def test_each_message_on_the_way_from_node_to_node_is_failed_at(self) -> None:
        events = {name: ways for name, ways in failed_at().items() if name.startswith(ONWARD)}
        self.assertEqual(set(events), {ONWARD + name for name in SEEN_ONWARD})
        for message in sorted(events):
            self.check_ways(message, message.removeprefix(ONWARD).split("-")[0], events[message])

    def check_ways(self, message: str, kind: str, ways: set[str]) -> None:
        """A message, of a kind that wire.h has, is failed at in each way that it has."""
        with self.subTest(message=message):
            body = kind in with_body()
            self.assertLessEqual(EVENTS_OF_A_BODY if body else EVENTS, ways)
            self.assertEqual("payload" in ways, body)

    def test_a_side_is_killed_at_each_message_every_day(self) -> None:
        events = every_day()
        for message in (name for name in failed_at() if not name.startswith(ONWARD)):
            with self.subTest(message=message):
                self.assertLessEqual({"kill", "reset"}, events.get(message, set()))

    def test_somebody_stands_still_every_day_where_it_costs_most(self) -> None:
        held = {message for message, ways in every_day().items() if "hold" in ways}
        self.assertEqual(held, {"commit", "returned"})

    def test_a_whole_node_dies_amid_each_way(self) -> None:
        died = {(event, message)
                for case in cases("disasters") if case["procedure"] == "disasters"
                for run in case["runs"] for event in run["events"]
                for message in run.get("messages", ["(away)"])}
        self.assertLessEqual({(f"{side}-killed", moment) for side in ("guest", "home")
                              for moment in ("(away)", "commit", "return")}, died)

    def test_a_few_messages_are_spoilt_every_day(self) -> None:
        events = every_day().values()
        self.assertGreaterEqual(sum("garbage" in ways for ways in events), 1)
        self.assertGreaterEqual(sum("truncate" in ways for ways in events), 1)
        self.assertGreaterEqual(sum("payload" in ways for ways in events), 5)

    def test_signals_come_at_each_message_once(self) -> None:
        seen = in_transit()
        self.assertEqual(sorted(seen), sorted(set(failed_at()) - set(NO_TRANSIT)))
        self.assertLessEqual(set(NO_TRANSIT), set(failed_at()))

    def test_the_kernel_knows_each_way_to_fail(self) -> None:
        asked = set().union(*failed_at().values())
        self.assertEqual(asked - actions(), set())
        self.assertEqual(actions() - asked, set())


class Promises(unittest.TestCase):
    def test_the_time_of_a_silent_link_is_that_of_the_kernel(self) -> None:
        kernel: Any = re.search(r"OM_LINK_TIMEOUT\t+\((\d+) \* HZ\)", source("kernel/hpc/link.h"))
        suite: Any = re.search(r"link_timeout\((\d+)000\);", source("harness/conformance/blow.h"))
        self.assertEqual(kernel[1], suite[1])


if __name__ == "__main__":
    unittest.main()
