# SPDX-License-Identifier: GPL-2.0-only
"""Of each call that has many commands, those of kernel/hpc/command.c and what travels with each."""
from __future__ import annotations

import pathlib
import re

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "kernel/hpc/command.c"

# Call -> the function that knows its commands, and how its file names what each of them does.
CHOICES = {
    "fcntl": "om_add_fcntl",
    "prctl": "om_add_prctl",
    "futex": "om_add_futex",
    "semctl": "om_check_semctl",
}
OPTIONS = "om_plain_option"
NOTHING = "nothing"
WORD = "word in, out"
VALUE = "value, as long as its length says, in; and out, of getsockopt"
FLOWS = {
    "OM_SEG_IN": "in",
    "OM_SEG_OUT": "out",
    "OM_SEG_IN | OM_SEG_OUT": "in, out",
    "both": "in, out",
}
# What cannot be said in words of its own.
SIZES = {
    "TASK_COMM_LEN": "a name of 16 bytes",
    "min_t(long, len, TASK_COMM_LEN)": "a name, up to 16 bytes",
}


def function(source: str, name: str) -> str:
    """The text of a function of that name."""
    match = re.search(r"^static \w+ %s\(.*?^}\n" % name, source, re.MULTILINE | re.DOTALL)
    if not match:
        raise ValueError(f"command.c: no function {name}")
    return match.group()


def size_in_words(text: str) -> str:
    """What is that big."""
    match = re.fullmatch(r"sizeof\(([\w ]+)\)", text)
    if not match and text not in SIZES:
        raise ValueError(f"command.c: no words for {text}")
    return match.group(1) if match else SIZES[text]


def returned(text: str) -> str:
    """What travels, in words, by what is returned for a command."""
    if text == "0":
        return NOTHING
    if " ?: " in text:
        return "; ".join(returned(part) for part in text.split(" ?: "))
    match = re.fullmatch(r"om_add\(r, arg(\[\d\])?, (.*), ([\w |]+), 0\)", text)
    if not match:
        raise ValueError(f"command.c: no words for {text}")
    _, size, flow = match.groups()
    return f"{size_in_words(size)} {FLOWS[flow]}"


def choices(text: str) -> dict[str, str]:
    """Command -> what travels, of a function with a switch."""
    found: dict[str, str] = {}
    names: list[str] = []
    body = re.sub(r"/\*.*?\*/", "", text[text.index("switch ("):], flags=re.DOTALL)
    body = " ".join(body.split())
    for name, result in re.findall(r"case (\w+):|\breturn (.*?);", body):
        if name:
            names.append(name)
        elif names and not result.startswith("-E"):
            found |= dict.fromkeys(names, returned(result))
            names = []
    if names:
        raise ValueError(f"command.c: nothing is returned for {', '.join(names)}")
    return found


def ioctls(source: str) -> dict[str, str]:
    """Command -> what travels, of ioctl's table."""
    table = source[source.index("om_ioctls[] = {"):]
    entries = re.findall(r"OM_IOCTL(?:_VALUE)?\(([^()]*)\)", table[:table.index("};")])
    found = {}
    for entry in entries:
        name, *rest = [" ".join(part.split()) for part in entry.split(",")]
        if name in found:
            raise ValueError(f"command.c: {name} stands there twice")
        found[name] = f"{rest[1]} {FLOWS[rest[0]]}" if rest else NOTHING
    return found


def options(source: str) -> dict[str, str]:
    """Level of a socket's options -> which of them."""
    found: dict[str, str] = {}
    names: list[str] = []
    body = re.sub(r"/\*.*?\*/", "", function(source, OPTIONS), flags=re.DOTALL)
    for name, result in re.findall(r"case (\w+):|\breturn (.*?);", body, re.DOTALL):
        names += [name] if name else []
        if name or not names:
            continue
        words = " ".join(result.split())
        stated = re.fullmatch(r"(?:true|option < (\d+))?(?:(?: && |^)option != \w+)*", words)
        if not stated:
            raise ValueError(f"command.c: no words for {words}")
        which = f"those below {stated[1]}" if stated[1] else "all"
        if but := re.findall(r"!= (\w+)", words):
            which += " but " + " and ".join(but)
        found |= dict.fromkeys(names, which)
        names = []
    return found


def known(source: str) -> dict[str, dict[str, str]]:
    """Call -> command -> what travels."""
    found = {"ioctl": ioctls(source)}
    found |= {call: choices(function(source, name)) for call, name in CHOICES.items()}
    return found


def grouped(travels: dict[str, str]) -> list[tuple[str, list[str]]]:
    """What travels, and the commands with which it does, in the order in which they first stand."""
    groups: dict[str, list[str]] = {}
    for name, what in travels.items():
        groups.setdefault(what, []).append(name)
    return list(groups.items())


def page(source: str) -> str:
    """The part of docs/syscalls.md about commands."""
    lines = ["| call | commands | what travels |\n", "|---|---|---|\n"]
    for call, travels in known(source).items():
        for what, names in grouped(travels):
            words = [WORD] if call == "futex" else []
            words += [what] if what != NOTHING or not words else []
            lines.append(f"| {call} | {', '.join(names)} | {'; '.join(words)} |\n")
    for level, which in options(source).items():
        lines.append(f"| setsockopt, getsockopt | {which} of {level} | {VALUE} |\n")
    return "".join(lines)
