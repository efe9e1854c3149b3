# SPDX-License-Identifier: GPL-2.0-only
"""Each call has a row, and docs/syscalls.md says what the rows say."""
from __future__ import annotations

import pathlib
import re
import sys
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import rows  # noqa: E402

HINT = "run kernel/tests/rows.py write TREE/arch/x86/entry/syscalls/syscall_64.tbl"
TBL = """# number abi name entry
0\tcommon\tread\tsys_read
57\tcommon\tfork\tsys_fork
512\tx32\trt_sigaction\tcompat_sys_rt_sigaction
463\tcommon\tfresh_call\tsys_fresh_call
"""

# Calls that programs make all the time: one that came home for them would hardly ever be away.
FREQUENT = {
    "read, write": """read write pread64 pwrite64 readv writev preadv pwritev preadv2 pwritev2
        lseek sendfile copy_file_range splice tee vmsplice fsync fdatasync ftruncate truncate
        fallocate fadvise64 readahead sync_file_range getdents getdents64 process_vm_readv
        process_vm_writev""",
    "sockets": """socket socketpair bind connect listen accept accept4 getsockname getpeername
        setsockopt getsockopt shutdown sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg""",
    "stat": """stat lstat fstat newfstatat statx statfs fstatfs access faccessat faccessat2
        readlink readlinkat getcwd getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr""",
    "open": """open openat openat2 creat close close_range dup dup2 dup3 pipe pipe2 fcntl ioctl
        flock eventfd eventfd2 memfd_create inotify_init inotify_init1 inotify_add_watch
        name_to_handle_at open_by_handle_at""",
    "names": """chdir fchdir mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 link
        linkat symlink symlinkat chmod fchmod fchmodat chown fchown lchown fchownat umask utime
        utimes utimensat""",
    "poll": """poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait
        epoll_pwait epoll_pwait2""",
    "signals": """kill tkill tgkill rt_sigaction rt_sigprocmask rt_sigpending rt_sigsuspend
        rt_sigtimedwait rt_sigqueueinfo rt_tgsigqueueinfo rt_sigreturn sigaltstack signalfd
        signalfd4 pause pidfd_open pidfd_send_signal restart_syscall""",
    "identity": """getpid gettid getppid getuid geteuid getgid getegid getresuid getresgid
        getgroups getpgrp getpgid getsid setuid setgid setreuid setregid setresuid setresgid
        setgroups setpgid setsid capget capset uname sysinfo getcpu getrandom prctl getrusage
        getrlimit setrlimit prlimit64 getpriority setpriority sched_getaffinity sched_yield""",
    "time": """time gettimeofday clock_gettime clock_getres nanosleep clock_nanosleep alarm
        getitimer setitimer timer_create timer_settime timer_gettime timer_getoverrun timer_delete
        timerfd_create timerfd_settime timerfd_gettime times""",
    "memory": "brk mmap munmap mprotect mremap madvise msync mincore munlock munlockall",
    "futex": "futex futex_wait futex_wake futex_waitv futex_requeue set_robust_list rseq",
    "life": "wait4 waitid exit exit_group arch_prctl set_tid_address",
}
# Those that come home all the same, and why.
AT_HOME = {
    "vmsplice": "the pages stay the pipe's after the call, and so have to be home's",
    "process_vm_readv": "it reads another process, and writes what only its list of pieces says",
    "process_vm_writev": "the same the other way round",
}


class Rows(unittest.TestCase):
    def test_kinds_and_arguments(self) -> None:
        found = rows.rows(
            "om_rows[] = { FORWARD(read, VALUE, OUT_RESULT(2)), HOME(fork), /* HOME(no) */\n"
            "FORWARD(pselect6, VALUE, FDS,\n\tINOUT(struct __kernel_timespec), SIGPAIR), };")
        self.assertEqual(found["read"],
                         ("FORWARD", ["2: as many bytes as the result says out"]))
        self.assertEqual(found["fork"], ("HOME", []))
        self.assertEqual(found["pselect6"][1],
                         ["2: descriptor set in, out", "3: struct __kernel_timespec in, out",
                          "4: signal mask in"])
        self.assertNotIn("no", found)

    def test_two_rows_for_a_call_are_refused(self) -> None:
        with self.assertRaises(ValueError):
            rows.rows("om_rows[] = { HOME(fork), HOME(fork), };")

    def test_calls_of_other_abis_do_not_count(self) -> None:
        self.assertEqual(rows.calls(TBL), {"read": 0, "fork": 57, "fresh_call": 463})

    def test_a_call_without_a_row_is_named(self) -> None:
        missing = set(rows.calls(TBL)) - set(rows.rows(rows.TABLE.read_text()))
        self.assertEqual(missing, {"fresh_call"})

    def test_frequent_calls_leave_the_process_away(self) -> None:
        table = rows.rows(rows.TABLE.read_text())
        for family, names in FREQUENT.items():
            for name in names.split():
                with self.subTest(family=family, call=name):
                    self.assertEqual(table[name][0] == "HOME", name in AT_HOME)

    def test_exceptions_are_frequent_calls(self) -> None:
        frequent = {name for names in FREQUENT.values() for name in names.split()}
        self.assertLessEqual(set(AT_HOME), frequent)

    def test_what_a_row_cannot_say_is_said(self) -> None:
        table = rows.rows(rows.TABLE.read_text())
        self.assertIn("FS and GS", table["arch_prctl"][1][0])
        self.assertEqual(len(table["futex"][1]), 2)

    def test_each_call_made_at_home_says_why(self) -> None:
        table = rows.rows(rows.TABLE.read_text())
        at_home = {name for name, (kind, _) in table.items() if kind == "HOME"}
        self.assertGreater(len(at_home), 80)
        self.assertEqual(set(rows.why_home()), at_home, "see WHY_HOME in kernel/tests/rows.py")

    def test_two_reasons_for_a_call_are_refused(self) -> None:
        with mock.patch.dict(rows.WHY_HOME, {"another reason": "read fork"}):
            with self.assertRaises(ValueError):
                rows.why_home()

    def test_a_reason_to_stay_is_one(self) -> None:
        header = (rows.TOP / "kernel/uapi/openmosix.h").read_text()
        words = re.findall(r'"(\w+)"', header[header.index("OM_REASON_WORDS {"):])
        self.assertLessEqual(set(re.findall(r"`(\w+)`", " ".join(rows.WHY_HOME))), set(words))

    def test_page_is_up_to_date(self) -> None:
        table, numbers = rows.rows(rows.TABLE.read_text()), {}
        for line in rows.PAGE.read_text().splitlines():
            match = re.match(r"\| (\d+) \| (\w+) \|", line)
            if match:
                numbers[match.group(2)] = int(match.group(1))
        self.assertEqual(set(numbers), set(table), HINT)
        tbl = "".join(f"{number} common {name}\n" for name, number in numbers.items())
        self.assertEqual(rows.PAGE.read_text(), rows.page(tbl, table), HINT)


if __name__ == "__main__":
    unittest.main()
