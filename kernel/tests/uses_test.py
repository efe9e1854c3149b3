# SPDX-License-Identifier: GPL-2.0-only
"""Each call that brings bytes home or back is made by a workload, and each command of one that has
many is given there: a wrong row is seen by a case."""
from __future__ import annotations

import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import commands  # noqa: E402
import rows  # noqa: E402

# Functions of the C library that make another call than the one of their name.
MAKES = {
    "eventfd": "eventfd2", "faccessat": "faccessat2", "fstat": "newfstatat",
    "fstatat": "newfstatat", "futimens": "utimensat", "gethostname": "uname",
    "getrlimit": "prlimit64", "lstat": "newfstatat", "mkfifo": "mknodat", "mknod": "mknodat",
    "mq_getattr": "mq_getsetattr", "mq_receive": "mq_timedreceive", "mq_send": "mq_timedsend",
    "mq_setattr": "mq_getsetattr", "nanosleep": "clock_nanosleep", "open": "openat",
    "pipe": "pipe2", "pread": "pread64", "prlimit": "prlimit64", "pselect": "pselect6",
    "pwrite": "pwrite64", "readdir": "getdents64", "recv": "recvfrom", "select": "pselect6",
    "semop": "semtimedop", "send": "sendto", "setrlimit": "prlimit64",
    "sigaction": "rt_sigaction", "signalfd": "signalfd4", "sigpending": "rt_sigpending",
    "sigprocmask": "rt_sigprocmask", "sigqueue": "rt_sigqueueinfo", "sigsuspend": "rt_sigsuspend",
    "sigtimedwait": "rt_sigtimedwait", "sigwaitinfo": "rt_sigtimedwait", "stat": "newfstatat",
    "usleep": "clock_nanosleep", "utimes": "utimensat", "wait": "wait4", "waitpid": "wait4",
}
# A function where it is called: a member, and one that is only made, has something else before it.
CALL = re.compile(r"(?:^|[=(!&|,;{}?<+)-]|: |\breturn)\s*(?:::)?(\w+)\(", re.MULTILINE)


def code(folder: pathlib.Path) -> str:
    """All that the workloads are made of, without comments."""
    text = "\n".join(path.read_text() for path in sorted(folder.rglob("*"))
                     if path.suffix in (".cpp", ".h"))
    return re.sub(r"//.*", "", text)


def called(text: str) -> set[str]:
    """The calls that a program makes: by number, or by a function of the C library."""
    return (set(re.findall(r"\bSYS_(\w+)", text))
            | {MAKES.get(name, name) for name in CALL.findall(text)})


def travelling(table: dict[str, tuple[str, list[str]]]) -> set[str]:
    """The calls with which something travels."""
    return {name for name, (kind, travels) in table.items()
            if kind in ("FORWARD", "CLOCK") and travels}


def unused(names: set[str], text: str) -> set[str]:
    """Those that stand nowhere in a program."""
    return names - set(re.findall(r"\w+", text))


class Uses(unittest.TestCase):
    def test_calls_are_found(self) -> None:
        self.assertEqual(called("x = call(SYS_readv, 3); it.write(x); it->fsync();\n  pread(1);"
                                "if (a && umask(0) != b) Its::splice(); void tee(int);\n"
                                "return y ? (void)::chdir(p) : chroot(p);"),
                         {"call", "readv", "pread64", "umask", "chdir", "chroot"})

    def test_a_row_without_a_use_is_named(self) -> None:
        table = rows.rows("om_rows[] = { FORWARD(fresh_call, STRING), FORWARD(plain, VALUE),\n"
                          "FORWARD(stat, STRING, OUT(struct stat)), HOME(fork), };")
        self.assertEqual(travelling(table) - called("stat(path, &status);"), {"fresh_call", "stat"})

    def test_every_row_is_used(self) -> None:
        table = rows.rows(rows.TABLE.read_text())
        self.assertGreater(len(travelling(table)), 150)
        self.assertEqual(travelling(table) - called(code(rows.TOP / "workloads")), set(),
                         "a kind `io rows-...` of workloads/io makes calls that nothing else does")

    def test_every_command_is_used(self) -> None:
        source = commands.SOURCE.read_text()
        text = code(rows.TOP / "workloads")
        wanted = {name for travels in commands.known(source).values() for name in travels}
        wanted |= set(commands.options(source))
        self.assertEqual(unused(wanted, text), set(),
                         "a kind `io rows-...` of workloads/io gives commands that no other does")

    def test_a_command_without_a_use_is_named(self) -> None:
        text = "fcntl(fd, F_GETLK64, &it);"
        self.assertEqual(unused({"F_GETLK", "F_GETLK64"}, text), {"F_GETLK"})


if __name__ == "__main__":
    unittest.main()
