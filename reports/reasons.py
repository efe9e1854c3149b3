# SPDX-License-Identifier: MIT
"""Why a process stays: each word of /proc/PID/cantmove in plain words, and what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """One stay reason: what it says about the process, and what makes it go away."""

    word: str
    meaning: str
    remedy: str


REASONS: dict[str, Reason] = {
    r.word: r
    for r in (
        Reason(
            "monkey",
            "It maps memory that another process can change: System V shared memory, shared "
            "anonymous memory, or a file that someone maps shared and writable; or it maps a file "
            "shared while someone has that file open for writing. Two nodes would then hold two "
            "copies of what must be one.",
            "Detach or unmap it, or close the file; with shmget alone, without shmat, a process "
            "moves.",
        ),
        Reason(
            "mmap_dev",
            "It maps a device, and the device is only here.",
            "Close the mapping; reading and writing the device through a descriptor is fine.",
        ),
        Reason(
            "VM86_mode",
            "It runs 16-bit code. This cannot happen on x86-64; the word is kept for old tools.",
            "None needed.",
        ),
        Reason(
            "kthread",
            "It is a kernel thread: it has no user memory to take along.",
            "None; kernel threads stay.",
        ),
        Reason(
            "priv_inst",
            "It has forbidden itself to read the time stamp counter or the CPU's identity (prctl "
            "PR_SET_TSC, arch_prctl ARCH_SET_CPUID): only this node would keep to that.",
            "Allow it again by the same call.",
        ),
        Reason(
            "mem_lock",
            "It has locked memory (mlock, mlockall) and so asked that its pages never leave RAM "
            "here.",
            "munlock, or munlockall; check `ulimit -l` if a library locks on its own.",
        ),
        Reason(
            "clone_vm",
            "Another task shares its memory: it has threads, or a vfork child that has not "
            "called exec yet.",
            "It can move again when the other threads have ended.",
        ),
        Reason(
            "rt_sched",
            "It runs in a real-time class (FIFO, RR or deadline), which promises times that a "
            "network cannot keep.",
            "chrt -o -p 0 PID",
        ),
        Reason(
            "direct_io",
            "It may touch I/O ports (ioperm, iopl), and the ports are those of this machine.",
            "Give the ports back with ioperm or iopl.",
        ),
        Reason(
            "system",
            "It is process 1: the node depends on it.",
            "None; its children move.",
        ),
        Reason(
            "kiobuf",
            "Its pages are pinned for a device. This cannot happen on this kernel; the word is "
            "kept for old tools.",
            "None needed.",
        ),
        Reason(
            "seccomp",
            "A seccomp filter checks its system calls, and away from home some calls would "
            "escape it.",
            "Start it without a filter.",
        ),
        Reason(
            "audit",
            "The audit system watches its system calls, and away from home some would escape it.",
            "auditctl -e 0, or exclude this program by a rule.",
        ),
        Reason(
            "sud",
            "It redirects its own system calls (syscall user dispatch).",
            "Switch the dispatch off with prctl.",
        ),
        Reason(
            "ptrace",
            "A debugger or tracer is attached.",
            "Detach gdb or strace.",
        ),
        Reason(
            "io_uring",
            "It has an io_uring: kernel and process share memory on this machine.",
            "Close the ring.",
        ),
        Reason(
            "aio",
            "It has a context for asynchronous I/O whose events arrive in memory here.",
            "io_destroy the context.",
        ),
        Reason(
            "userfaultfd",
            "Its page faults are served by a userfaultfd, that is by a program here.",
            "Close the userfaultfd.",
        ),
        Reason(
            "hugetlb",
            "It maps reserved huge pages, which belong to this machine's pool.",
            "Use ordinary memory; transparent huge pages are no obstacle.",
        ),
        Reason(
            "memfd_secret",
            "It has memory that not even the kernel may read (memfd_secret), so nobody can send "
            "it.",
            "Unmap it.",
        ),
        Reason(
            "shadow_stack",
            "It uses a shadow stack of the CPU.",
            "Start it with GLIBC_TUNABLES=glibc.cpu.x86_shstk=off.",
        ),
        Reason(
            "perf_mmap",
            "A performance event of this machine's kernel counts what it does.",
            "Close the event, or end perf.",
        ),
        Reason(
            "pkey",
            "It has memory protection keys (pkey_alloc). A mapping's key would not travel with "
            "it, and what the key forbids would be allowed elsewhere.",
            "pkey_free the keys, or boot with nopku.",
        ),
        Reason(
            "amx",
            "It has asked for the tile registers of AMX (arch_prctl ARCH_REQ_XCOMP_PERM), which do "
            "not travel.",
            "Start the program so that it does without AMX, or boot with clearcpuid=amx_tile.",
        ),
    )
}

LOCKED = Reason(
    "lock = 1",
    "It is locked: the balancer leaves it alone. A request by hand still moves it.",
    "echo 0 > /proc/PID/lock, or start it with mosrun -l.",
)


def explain(word: str) -> Reason:
    """The reason behind a word; for an unknown one, an entry that says so."""
    return REASONS.get(word, Reason(word, "This report does not know the word.", "See the kernel's "
                                    "own documentation."))
