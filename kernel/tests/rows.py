#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The rows of kernel/hpc/table.c: is there one for each call? And the page that shows them.

    rows.py check FILE     fails, naming them, if calls of a kernel's syscall_64.tbl have no row
    rows.py write FILE     writes docs/syscalls.md with the numbers of that table
"""
from __future__ import annotations

import pathlib
import re
import sys
from typing import cast

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import commands  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parents[2]
TABLE = TOP / "kernel/hpc/table.c"
MEMORY = TOP / "kernel/hpc/memcall.c"
PAGE = TOP / "docs/syscalls.md"

KINDS = {
    "FORWARD": "forward",
    "LOCAL": "local",
    "MEMORY": "local or forward",
    "CLOCK": "local or forward",
    "EXIT": "forward",
    "SIGRETURN": "forward",
    "HOME": "come home",
}
NOTES = {
    "MEMORY": "on private anonymous memory by the body itself",
    "EXIT": "ends the process",
    "SIGRETURN": "the frame travels, registers come back",
}
# Of one call, what its row does not say: kernel/hpc/forward.c decides it.
CALL_NOTES = {
    "arch_prctl": "only to set and to get FS and GS; with any other code it comes home",
    "futex": "a wake is local",
    "mincore": "the body adds what it has",
    "mmap":
        "to be locked, of huge pages, for execution alone, or shared but for a view of a file "
        "that is only read, it comes home",
    "mprotect": "for execution alone, to where a mapping grows, or of a shared view it comes home",
    "mremap":
        "to an address that the call names, without an end of the old mapping, of a length of 0, "
        "or of the vdso it comes home",
}
BY_COMMAND = "as the command says"
# And of those without a command, what kernel/hpc/command.c makes of the argument.
COMMANDS = {
    "futex_waitv": "each waiter, and the word that it looks at, in",
    "futex_requeue": "both waiters, and the words that they look at, in",
    "mincore": "a byte for each page of the range in, out",
    "name_to_handle_at": "handle, as long as it says, and its mount's number in, out",
    "open_by_handle_at": "handle, as long as it says, in",
    "kcmp": "struct kcmp_epoll_slot in, of KCMP_EPOLL_TFD; of others nothing",
}
# Why a call is made with the whole process at home.
WHY_HOME = {
    "its child begins at home": "fork vfork clone clone3",
    "the new program begins at home": "execve execveat",
    "belongs to a reason to stay: `mem_lock`": "mlock mlock2 mlockall",
    "belongs to a reason to stay: `rt_sched`": "sched_setparam sched_setscheduler sched_setattr",
    "belongs to a reason to stay: `pkey`": "pkey_alloc pkey_free pkey_mprotect",
    "belongs to a reason to stay: `monkey`": "shmat shmdt",
    "belongs to a reason to stay: `memfd_secret`": "memfd_secret",
    "belongs to a reason to stay: `userfaultfd`": "userfaultfd",
    "belongs to a reason to stay: `aio`":
        "io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents",
    "belongs to a reason to stay: `io_uring`": "io_uring_setup io_uring_enter io_uring_register",
    "belongs to a reason to stay: `ptrace`": "ptrace",
    "belongs to a reason to stay: `seccomp`": "seccomp",
    "belongs to a reason to stay: `direct_io`": "iopl ioperm",
    "belongs to a reason to stay: `perf_mmap`": "perf_event_open",
    "changes mappings of home's in a way of its own, and is rarely made":
        "remap_file_pages mseal map_shadow_stack",
    "about home's memory nodes, and the process's pages on them":
        "mbind set_mempolicy get_mempolicy set_mempolicy_home_node migrate_pages move_pages",
    "works on another process's memory":
        "process_madvise process_mrelease process_vm_readv process_vm_writev",
    "the pages stay the pipe's after the call, and so have to be home's": "vmsplice",
    "sets up the processor on which it is made, and is rarely made":
        "modify_ldt set_thread_area get_thread_area",
    "about what all later calls do or see; made once, if ever":
        "personality unshare setns landlock_create_ruleset landlock_add_rule "
        "landlock_restrict_self lsm_get_self_attr lsm_set_self_attr lsm_list_modules",
    "what it points to points on, and it is rarely made": "mq_notify bpf",
    "made by nothing but the kernel's own code in a probed program": "uretprobe",
    "an administrator's, of mounts":
        "mount umount2 pivot_root open_tree move_mount fsopen fsconfig fsmount fspick "
        "mount_setattr statmount listmount",
    "an administrator's, of the whole system":
        "swapon swapoff reboot acct quotactl quotactl_fd init_module finit_module delete_module "
        "kexec_load kexec_file_load syslog vhangup sysfs uselib",
    "of keys: what travels differs with each of many operations, and it is rarely made":
        "add_key request_key keyctl",
}
ADVICE = re.compile(r"\bcase MADV_([A-Z_]+):")
ROW = re.compile(r"\b(%s)\(([a-z_0-9]+)((?:[^()]|\([^()]*\))*)\)" % "|".join(KINDS))

HEAD = """# What becomes of each system call of a process that is away

Generated by `kernel/tests/rows.py write TABLE` from the rows of `kernel/hpc/table.c`, and the
commands of `kernel/hpc/command.c`; TABLE is `arch/x86/entry/syscalls/syscall_64.tbl` of a kernel
tree in `~/.cache/mosrig/tree`. Do not edit.

- **forward**: the deputy executes it at home; one round trip. Each argument says what travels:
  *in* with the call, *out* with its reply. Up to 64 KiB go inside the message, more goes in pieces
  right before or after it.
- **local**: executed where the process runs, without a word to home.
- **local or forward**: by the body itself if it can, else forwarded. It can on private anonymous
  memory; and it can read the clocks of monotonic and real time for 250 ms after home has last
  answered a call.
- **come home**: the process comes home, makes the call there, and stays until the next request. A
  child that it forks starts at home, and so does a program that it executes. What that costs is
  one homecoming: the pages that it has changed travel while it stands still, and nothing later.

Commands of fcntl, ioctl, prctl, setsockopt, getsockopt, futex and semctl that
`kernel/hpc/command.c` does not know come home as well: those that it knows are listed
[below](#commands). So do, of the other rows,

- a read or write of its own `mem`, `pagemap` or `clear_refs` in /proc, and of `environ` and
  `cmdline` if these are longer than 16 KiB;
- a read or write of the `mem` of another process that is away, too;
- a call with an argument in memory that cannot be read;
- a new limit of the stack;
- a memory call that it would make itself and for which there is no room, or that goes across a
  hole (of advice, MADV_DONTNEED and MADV_FREE).

| number | call | row | what travels, or why it comes home |
|---:|---|---|---|
"""
ADVICE_NOTE = "of the advice, {}; with any other it comes home"
COMMANDS_HEAD = """
## Commands

What travels with each command, beside its numbers, from and to where an argument points: the
third one of ioctl and fcntl, the second one of prctl, the fourth one of setsockopt and getsockopt.
Of futex the first one points to the word, and the fourth, the fifth or both to what comes with it.

"""


def arguments(text: str) -> list[str]:
    """The argument macros of a row, as a list of strings."""
    found, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "," and depth == 0:
            found.append(text[start:at])
            start = at + 1
    found.append(text[start:])
    return [" ".join(item.split()) for item in found if item.strip()]


def describe(argument: str) -> str | None:
    """One argument in words; None if nothing but its value travels."""
    plain = {
        "VALUE": None,
        "STRING": "string in",
        "FDS": "descriptor set in, out",
        "SIGPAIR": "signal mask in",
        "MSG_IN": "message in",
        "MSG_OUT": "message out",
        "BY_COMMAND": BY_COMMAND,
    }
    if argument in plain:
        return plain[argument]
    match = re.fullmatch(r"([A-Z_]+)\((.*)\)", argument)
    if not match:
        raise ValueError(f"table.c: no words for {argument}")
    name, inner = match.groups()
    words = name.split("_")
    vector = words[0] in ("IOV", "MMSG")
    flow = words[1] if vector else cast(re.Match[str], re.match("INOUT|IN|OUT", name)).group()
    way = {"IN": "in", "OUT": "out", "INOUT": "in, out"}[flow]
    if name.startswith("IOV"):
        return f"vectors {way}"
    if name.startswith("MMSG"):
        return f"messages {way}"
    if name in ("IN", "OUT", "INOUT"):
        return f"{inner} {way}"
    if name in ("INS", "OUTS", "INOUTS"):
        kind, count = inner.rsplit(",", 1)
        return f"{count.strip()} × {kind} {way}"
    if name == "OUT_RESULT":
        return f"as many bytes as the result says {way}"
    if name == "OUT_ITEMS":
        return f"as many {inner.split(',')[0]} as the result says {way}"
    if name.endswith("ARRAY"):
        kind, which = inner.rsplit(",", 1)
        return f"{kind}s, argument {int(which) + 1} counts them, {way}"
    if name.endswith("_AT"):
        return f"buffer, its length at argument {int(inner) + 1}, {way}"
    return f"buffer, its length in argument {int(inner) + 1}, {way}"


def why_home() -> dict[str, str]:
    """Call -> why it is made at home."""
    found: dict[str, str] = {}
    for why, names in WHY_HOME.items():
        for name in names.split():
            if name in found:
                raise ValueError(f"rows.py: two reasons for {name}")
            found[name] = why
    return found


def rows(source: str) -> dict[str, tuple[str, list[str]]]:
    """Name -> (kind, [what travels]) of each row."""
    body = source[source.index("om_rows[] = {"):]
    found = {}
    for kind, name, rest in ROW.findall(re.sub(r"/\*.*?\*/", "", body, flags=re.S)):
        if name in found:
            raise ValueError(f"table.c: {name} has two rows")
        each = [describe(item) for item in arguments(rest.lstrip(","))]
        travels = [f"{at + 1}: {text}" for at, text in enumerate(each) if text]
        notes = [NOTES[kind]] if kind in NOTES and not travels else []
        notes += [CALL_NOTES[name]] if name in CALL_NOTES else []
        notes += [advice_note(MEMORY.read_text())] if name == "madvise" else []
        words = [text.replace(BY_COMMAND, COMMANDS.get(name, BY_COMMAND)) for text in travels]
        found[name] = (kind, words + notes)
    return found


def advice_note(source: str) -> str:
    """Which advice kernel/hpc/memcall.c takes."""
    return ADVICE_NOTE.format(", ".join("MADV_" + name for name in ADVICE.findall(source)))


def calls(table: str) -> dict[str, int]:
    """Name -> number of the 64-bit calls of a syscall_64.tbl."""
    found = {}
    for line in table.splitlines():
        field = line.split()
        if len(field) >= 3 and field[0].isdigit() and field[1] in ("common", "64"):
            found[field[2]] = int(field[0])
    return found


def page(table: str, found: dict[str, tuple[str, list[str]]]) -> str:
    """The text of docs/syscalls.md."""
    lines, why = [], why_home()
    for name, number in sorted(calls(table).items(), key=lambda item: item[1]):
        kind, travels = found[name]
        words = why[name] if kind == "HOME" else "; ".join(travels)
        lines.append(f"| {number} | {name} | {KINDS[kind]} | {words} |\n")
    return HEAD + "".join(lines) + COMMANDS_HEAD + commands.page(commands.SOURCE.read_text())


def main(argv: list[str]) -> int:
    if len(argv) != 3 or argv[1] not in ("check", "write"):
        print(__doc__, file=sys.stderr)
        return 2
    table = pathlib.Path(argv[2]).read_text()
    found = rows(TABLE.read_text())
    missing = sorted(set(calls(table)) - set(found))
    if missing:
        print(f"kernel/hpc/table.c: no row for {', '.join(missing)}", file=sys.stderr)
        return 1
    if argv[1] == "write":
        PAGE.write_text(page(table, found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
