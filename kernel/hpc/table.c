// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of each system call of a body: one row a call, all of them.
 *
 * FORWARD: executed by the deputy; each pointer argument says which bytes travel
 * with the call, and which with its reply, so that one round trip is enough.
 * MEMORY: done by the body if it may, else forwarded, and repeated on the body's
 * address space as home answers. CLOCK: read by the body for a while after each
 * reply, else forwarded. LOCAL: executed where the body runs.
 * HOME: brings the process home and runs there, which is right for every call
 * and cheap for none.
 *
 * OUT is for what a successful call always writes to the last byte. Whatever it
 * writes only sometimes, or not all of, is INOUT: home must have the old bytes.
 *
 * docs/syscalls.md is generated from these rows by kernel/tests/rows.py, which
 * also fails when the kernel has a call that has no row.
 */
#include <linux/capability.h>
#include <uapi/linux/eventpoll.h>
#include <linux/kernel.h>
#include <linux/mqueue.h>
#include <uapi/linux/msg.h>
#include <linux/poll.h>
#include <linux/resource.h>
#include <uapi/linux/sem.h>
#include <uapi/linux/shm.h>
#include <linux/signal.h>
#include <linux/stat.h>
#include <linux/statfs.h>
#include <linux/sysinfo.h>
#include <linux/time_types.h>
#include <linux/times.h>
#include <linux/timex.h>
#include <linux/types.h>
#include <linux/utime.h>
#include <linux/utsname.h>
#include <asm/stat.h>
#include <asm/unistd.h>

#include "om.h"

#define I	OM_SEG_IN
#define O	OM_SEG_OUT
#define IO	(OM_SEG_IN | OM_SEG_OUT)

#define VALUE		{ OM_A_VALUE }
#define STRING		{ OM_A_STRING, I }
#define IN(type)	{ OM_A_FIXED, I, 0, sizeof(type) }
#define OUT(type)	{ OM_A_FIXED, O, 0, sizeof(type) }
#define INOUT(type)	{ OM_A_FIXED, IO, 0, sizeof(type) }
#define INS(type, n)	{ OM_A_FIXED, I, 0, (n) * sizeof(type) }
#define OUTS(type, n)	{ OM_A_FIXED, O, 0, (n) * sizeof(type) }
#define INOUTS(type, n)	{ OM_A_FIXED, IO, 0, (n) * sizeof(type) }
/* as many objects as argument n says */
#define IN_LEN(n)	{ OM_A_ARRAY, I, n, 1 }
#define OUT_LEN(n)	{ OM_A_ARRAY, O, n, 1 }
#define INOUT_LEN(n)	{ OM_A_ARRAY, IO, n, 1 }
#define IN_ARRAY(type, n)	{ OM_A_ARRAY, I, n, sizeof(type) }
#define INOUT_ARRAY(type, n)	{ OM_A_ARRAY, IO, n, sizeof(type) }
/* as many objects as the result says, at most as argument n says */
#define OUT_RESULT(n)	{ OM_A_RESULT, O, n, 1 }
#define OUT_ITEMS(type, n)	{ OM_A_RESULT, O, n, sizeof(type) }
/* a buffer whose length is in the int that argument n points to */
#define INOUT_AT(n)	{ OM_A_AT, IO, n }
/* a long, then as many bytes as argument n says: a SysV message */
#define IN_MESSAGE(n)	{ OM_A_MESSAGE, I, n }
#define INOUT_MESSAGE(n)	{ OM_A_MESSAGE, IO, n }
#define IOV_IN(n)	{ OM_A_IOV, I, n }
#define IOV_OUT(n)	{ OM_A_IOV, O, n }
/* a set of as many descriptors as argument 0 says */
#define FDS		{ OM_A_FDS, IO, 0 }
#define SIGPAIR		{ OM_A_SIGPAIR, I }
#define MSG_IN		{ OM_A_MSG, I }
#define MSG_OUT		{ OM_A_MSG, O }
#define MMSG_IN(n)	{ OM_A_MMSG, I, n }
#define MMSG_OUT(n)	{ OM_A_MMSG, O, n }
/* what this argument points to depends on the others */
#define BY_COMMAND	{ OM_A_COMMAND }

#define FORWARD(call, ...) \
	[__NR_##call] = { OM_ROW_FORWARD, { __VA_ARGS__ } }
#define LOCAL(call) \
	[__NR_##call] = { OM_ROW_LOCAL }
#define MEMORY(call) \
	[__NR_##call] = { OM_ROW_MEMORY }
#define CLOCK(call, ...) \
	[__NR_##call] = { OM_ROW_CLOCK, { __VA_ARGS__ } }
#define EXIT(call) \
	[__NR_##call] = { OM_ROW_EXIT }
#define SIGRETURN(call) \
	[__NR_##call] = { OM_ROW_SIGRETURN }
#define HOME(call) \
	[__NR_##call] = { OM_ROW_HOME }

static const struct om_row om_rows[] = {
	/* data */
	FORWARD(read, VALUE, OUT_RESULT(2)),
	FORWARD(write, VALUE, IN_LEN(2)),
	FORWARD(pread64, VALUE, OUT_RESULT(2)),
	FORWARD(pwrite64, VALUE, IN_LEN(2)),
	FORWARD(readv, VALUE, IOV_OUT(2)),
	FORWARD(writev, VALUE, IOV_IN(2)),
	FORWARD(preadv, VALUE, IOV_OUT(2)),
	FORWARD(pwritev, VALUE, IOV_IN(2)),
	FORWARD(preadv2, VALUE, IOV_OUT(2)),
	FORWARD(pwritev2, VALUE, IOV_IN(2)),
	FORWARD(lseek, VALUE),
	FORWARD(fsync, VALUE),
	FORWARD(fdatasync, VALUE),
	FORWARD(sync),
	FORWARD(syncfs, VALUE),
	FORWARD(sync_file_range, VALUE),
	FORWARD(ftruncate, VALUE),
	FORWARD(truncate, STRING),
	FORWARD(fallocate, VALUE),
	FORWARD(fadvise64, VALUE),
	FORWARD(readahead, VALUE),
	FORWARD(sendfile, VALUE, VALUE, INOUT(loff_t)),
	FORWARD(copy_file_range, VALUE, INOUT(loff_t), VALUE, INOUT(loff_t)),
	FORWARD(splice, VALUE, INOUT(loff_t), VALUE, INOUT(loff_t)),
	FORWARD(tee, VALUE),
	HOME(vmsplice),

	/* descriptors */
	FORWARD(open, STRING),
	FORWARD(openat, VALUE, STRING),
	FORWARD(openat2, VALUE, STRING, IN_LEN(3)),
	FORWARD(creat, STRING),
	FORWARD(close, VALUE),
	FORWARD(close_range, VALUE),
	FORWARD(dup, VALUE),
	FORWARD(dup2, VALUE),
	FORWARD(dup3, VALUE),
	FORWARD(pipe, OUTS(int, 2)),
	FORWARD(pipe2, OUTS(int, 2)),
	FORWARD(flock, VALUE),
	FORWARD(fcntl, VALUE, VALUE, BY_COMMAND),
	FORWARD(ioctl, VALUE, VALUE, BY_COMMAND),
	FORWARD(eventfd, VALUE),
	FORWARD(eventfd2, VALUE),
	FORWARD(signalfd, VALUE, IN_LEN(2)),
	FORWARD(signalfd4, VALUE, IN_LEN(2)),
	FORWARD(timerfd_create, VALUE),
	FORWARD(timerfd_settime, VALUE, VALUE, IN(struct __kernel_itimerspec),
		OUT(struct __kernel_itimerspec)),
	FORWARD(timerfd_gettime, VALUE, OUT(struct __kernel_itimerspec)),
	FORWARD(inotify_init),
	FORWARD(inotify_init1, VALUE),
	FORWARD(inotify_add_watch, VALUE, STRING),
	FORWARD(inotify_rm_watch, VALUE),
	FORWARD(fanotify_init, VALUE),
	FORWARD(fanotify_mark, VALUE, VALUE, VALUE, VALUE, STRING),
	FORWARD(memfd_create, STRING),
	FORWARD(cachestat, VALUE, INS(u64, 2), OUTS(u64, 5)),

	/* waiting for descriptors */
	FORWARD(poll, INOUT_ARRAY(struct pollfd, 1)),
	FORWARD(ppoll, INOUT_ARRAY(struct pollfd, 1), VALUE,
		INOUT(struct __kernel_timespec), IN_LEN(4)),
	FORWARD(select, VALUE, FDS, FDS, FDS,
		INOUT(struct __kernel_old_timeval)),
	FORWARD(pselect6, VALUE, FDS, FDS, FDS,
		INOUT(struct __kernel_timespec), SIGPAIR),
	FORWARD(epoll_create, VALUE),
	FORWARD(epoll_create1, VALUE),
	FORWARD(epoll_ctl, VALUE, VALUE, VALUE, IN(struct epoll_event)),
	FORWARD(epoll_wait, VALUE, OUT_ITEMS(struct epoll_event, 2)),
	FORWARD(epoll_pwait, VALUE, OUT_ITEMS(struct epoll_event, 2), VALUE,
		VALUE, IN_LEN(5)),
	FORWARD(epoll_pwait2, VALUE, OUT_ITEMS(struct epoll_event, 2), VALUE,
		IN(struct __kernel_timespec), IN_LEN(5)),

	/* sockets */
	FORWARD(socket, VALUE),
	FORWARD(socketpair, VALUE, VALUE, VALUE, OUTS(int, 2)),
	FORWARD(bind, VALUE, IN_LEN(2)),
	FORWARD(connect, VALUE, IN_LEN(2)),
	FORWARD(listen, VALUE),
	FORWARD(accept, VALUE, INOUT_AT(2), INOUT(int)),
	FORWARD(accept4, VALUE, INOUT_AT(2), INOUT(int)),
	FORWARD(getsockname, VALUE, INOUT_AT(2), INOUT(int)),
	FORWARD(getpeername, VALUE, INOUT_AT(2), INOUT(int)),
	FORWARD(setsockopt, VALUE, VALUE, VALUE, BY_COMMAND),
	FORWARD(getsockopt, VALUE, VALUE, VALUE, BY_COMMAND, INOUT(int)),
	FORWARD(shutdown, VALUE),
	FORWARD(sendto, VALUE, IN_LEN(2), VALUE, VALUE, IN_LEN(5)),
	FORWARD(recvfrom, VALUE, OUT_RESULT(2), VALUE, VALUE, INOUT_AT(5),
		INOUT(int)),
	FORWARD(sendmsg, VALUE, MSG_IN),
	FORWARD(recvmsg, VALUE, MSG_OUT),
	FORWARD(sendmmsg, VALUE, MMSG_IN(2)),
	FORWARD(recvmmsg, VALUE, MMSG_OUT(2), VALUE, VALUE,
		INOUT(struct __kernel_timespec)),

	/* names and metadata */
	FORWARD(stat, STRING, OUT(struct stat)),
	FORWARD(lstat, STRING, OUT(struct stat)),
	FORWARD(fstat, VALUE, OUT(struct stat)),
	FORWARD(newfstatat, VALUE, STRING, OUT(struct stat)),
	FORWARD(statx, VALUE, STRING, VALUE, VALUE, OUT(struct statx)),
	FORWARD(statfs, STRING, OUT(struct statfs)),
	FORWARD(fstatfs, VALUE, OUT(struct statfs)),
	FORWARD(ustat, VALUE, OUT(struct ustat)),
	FORWARD(access, STRING),
	FORWARD(faccessat, VALUE, STRING),
	FORWARD(faccessat2, VALUE, STRING),
	FORWARD(readlink, STRING, OUT_RESULT(2)),
	FORWARD(readlinkat, VALUE, STRING, OUT_RESULT(3)),
	FORWARD(getcwd, OUT_RESULT(1)),
	FORWARD(chdir, STRING),
	FORWARD(fchdir, VALUE),
	FORWARD(chroot, STRING),
	FORWARD(mkdir, STRING),
	FORWARD(mkdirat, VALUE, STRING),
	FORWARD(mknod, STRING),
	FORWARD(mknodat, VALUE, STRING),
	FORWARD(rmdir, STRING),
	FORWARD(unlink, STRING),
	FORWARD(unlinkat, VALUE, STRING),
	FORWARD(rename, STRING, STRING),
	FORWARD(renameat, VALUE, STRING, VALUE, STRING),
	FORWARD(renameat2, VALUE, STRING, VALUE, STRING),
	FORWARD(link, STRING, STRING),
	FORWARD(linkat, VALUE, STRING, VALUE, STRING),
	FORWARD(symlink, STRING, STRING),
	FORWARD(symlinkat, STRING, VALUE, STRING),
	FORWARD(chmod, STRING),
	FORWARD(fchmod, VALUE),
	FORWARD(fchmodat, VALUE, STRING),
	FORWARD(fchmodat2, VALUE, STRING),
	FORWARD(chown, STRING),
	FORWARD(fchown, VALUE),
	FORWARD(lchown, STRING),
	FORWARD(fchownat, VALUE, STRING),
	FORWARD(umask, VALUE),
	FORWARD(utime, STRING, IN(struct utimbuf)),
	FORWARD(utimes, STRING, INS(struct __kernel_old_timeval, 2)),
	FORWARD(futimesat, VALUE, STRING, INS(struct __kernel_old_timeval, 2)),
	FORWARD(utimensat, VALUE, STRING, INS(struct __kernel_timespec, 2)),
	FORWARD(getdents, VALUE, OUT_RESULT(2)),
	FORWARD(getdents64, VALUE, OUT_RESULT(2)),
	FORWARD(setxattr, STRING, STRING, IN_LEN(3)),
	FORWARD(lsetxattr, STRING, STRING, IN_LEN(3)),
	FORWARD(fsetxattr, VALUE, STRING, IN_LEN(3)),
	FORWARD(getxattr, STRING, STRING, OUT_RESULT(3)),
	FORWARD(lgetxattr, STRING, STRING, OUT_RESULT(3)),
	FORWARD(fgetxattr, VALUE, STRING, OUT_RESULT(3)),
	FORWARD(listxattr, STRING, OUT_RESULT(2)),
	FORWARD(llistxattr, STRING, OUT_RESULT(2)),
	FORWARD(flistxattr, VALUE, OUT_RESULT(2)),
	FORWARD(removexattr, STRING, STRING),
	FORWARD(lremovexattr, STRING, STRING),
	FORWARD(fremovexattr, VALUE, STRING),
	FORWARD(name_to_handle_at, VALUE, STRING, BY_COMMAND),
	FORWARD(open_by_handle_at, VALUE, BY_COMMAND),

	/* identity */
	FORWARD(getpid), FORWARD(gettid), FORWARD(getppid),
	/* what a starting program registers: home keeps it for its return */
	FORWARD(set_tid_address, VALUE),
	FORWARD(set_robust_list, VALUE),
	FORWARD(get_robust_list, VALUE, OUT(u64), OUT(u64)),
	FORWARD(rseq, VALUE),
	FORWARD(getuid), FORWARD(geteuid), FORWARD(getgid), FORWARD(getegid),
	FORWARD(setuid, VALUE), FORWARD(setgid, VALUE),
	FORWARD(setreuid, VALUE), FORWARD(setregid, VALUE),
	FORWARD(setresuid, VALUE), FORWARD(setresgid, VALUE),
	FORWARD(setfsuid, VALUE), FORWARD(setfsgid, VALUE),
	FORWARD(getresuid, OUT(uid_t), OUT(uid_t), OUT(uid_t)),
	FORWARD(getresgid, OUT(gid_t), OUT(gid_t), OUT(gid_t)),
	FORWARD(getgroups, VALUE, OUT_ITEMS(gid_t, 0)),
	FORWARD(setgroups, VALUE, IN_ARRAY(gid_t, 0)),
	FORWARD(capget, INOUTS(u32, 2), INOUTS(u32, 6)),
	FORWARD(capset, INOUTS(u32, 2), INS(u32, 6)),
	FORWARD(getpgrp), FORWARD(getpgid, VALUE), FORWARD(getsid, VALUE),
	FORWARD(setpgid, VALUE), FORWARD(setsid),
	FORWARD(uname, OUT(struct new_utsname)),
	FORWARD(sethostname, IN_LEN(1)),
	FORWARD(setdomainname, IN_LEN(1)),
	FORWARD(sysinfo, OUT(struct sysinfo)),
	FORWARD(getcpu, OUT(unsigned int), OUT(unsigned int)),
	FORWARD(getrandom, OUT_RESULT(1)),
	FORWARD(prctl, VALUE, BY_COMMAND),
	HOME(personality), HOME(unshare), HOME(setns),

	/* time */
	FORWARD(time, OUT(__kernel_old_time_t)),
	CLOCK(gettimeofday, OUT(struct __kernel_old_timeval),
		OUT(struct timezone)),
	FORWARD(settimeofday, IN(struct __kernel_old_timeval),
		IN(struct timezone)),
	FORWARD(adjtimex, INOUT(struct __kernel_timex)),
	FORWARD(clock_adjtime, VALUE, INOUT(struct __kernel_timex)),
	CLOCK(clock_gettime, VALUE, OUT(struct __kernel_timespec)),
	FORWARD(clock_settime, VALUE, IN(struct __kernel_timespec)),
	FORWARD(clock_getres, VALUE, OUT(struct __kernel_timespec)),
	FORWARD(nanosleep, IN(struct __kernel_timespec),
		INOUT(struct __kernel_timespec)),
	FORWARD(clock_nanosleep, VALUE, VALUE, IN(struct __kernel_timespec),
		INOUT(struct __kernel_timespec)),
	FORWARD(alarm, VALUE),
	FORWARD(getitimer, VALUE, OUT(struct __kernel_old_itimerval)),
	FORWARD(setitimer, VALUE, IN(struct __kernel_old_itimerval),
		OUT(struct __kernel_old_itimerval)),
	FORWARD(timer_create, VALUE, IN(struct sigevent), OUT(int)),
	FORWARD(timer_settime, VALUE, VALUE, IN(struct __kernel_itimerspec),
		OUT(struct __kernel_itimerspec)),
	FORWARD(timer_gettime, VALUE, OUT(struct __kernel_itimerspec)),
	FORWARD(timer_getoverrun, VALUE),
	FORWARD(timer_delete, VALUE),
	FORWARD(times, OUT(struct tms)),
	FORWARD(restart_syscall),

	/* limits and scheduling; a real-time class is a reason to stay */
	FORWARD(getrusage, VALUE, OUT(struct rusage)),
	FORWARD(getrlimit, VALUE, OUT(struct rlimit)),
	FORWARD(setrlimit, VALUE, IN(struct rlimit)),
	FORWARD(prlimit64, VALUE, VALUE, IN(struct rlimit64),
		OUT(struct rlimit64)),
	FORWARD(getpriority, VALUE),
	FORWARD(setpriority, VALUE),
	FORWARD(ioprio_get, VALUE),
	FORWARD(ioprio_set, VALUE),
	FORWARD(sched_getaffinity, VALUE, VALUE, OUT_RESULT(1)),
	FORWARD(sched_setaffinity, VALUE, VALUE, IN_LEN(1)),
	FORWARD(sched_getscheduler, VALUE),
	FORWARD(sched_getparam, VALUE, OUT(int)),
	FORWARD(sched_getattr, VALUE, INOUT_LEN(2)),
	FORWARD(sched_get_priority_max, VALUE),
	FORWARD(sched_get_priority_min, VALUE),
	FORWARD(sched_rr_get_interval, VALUE, OUT(struct __kernel_timespec)),
	HOME(sched_setparam), HOME(sched_setscheduler), HOME(sched_setattr),
	LOCAL(sched_yield),
	FORWARD(membarrier, VALUE),
	LOCAL(arch_prctl),
	/* of a process of one thread nobody else waits */
	LOCAL(futex_wake),
	FORWARD(futex, BY_COMMAND),
	FORWARD(futex_wait, IN(u32), VALUE, VALUE, VALUE,
		IN(struct __kernel_timespec)),
	FORWARD(futex_waitv, BY_COMMAND, VALUE, VALUE,
		IN(struct __kernel_timespec)),
	FORWARD(futex_requeue, BY_COMMAND),

	/* signals */
	FORWARD(rt_sigaction, VALUE, IN(struct sigaction),
		OUT(struct sigaction)),
	FORWARD(rt_sigprocmask, VALUE, IN_LEN(3), OUT_LEN(3)),
	FORWARD(rt_sigpending, OUT_LEN(1)),
	FORWARD(rt_sigsuspend, IN_LEN(1)),
	FORWARD(rt_sigtimedwait, IN_LEN(3), INOUT(struct siginfo),
		IN(struct __kernel_timespec)),
	FORWARD(rt_sigqueueinfo, VALUE, VALUE, IN(struct siginfo)),
	FORWARD(rt_tgsigqueueinfo, VALUE, VALUE, VALUE, IN(struct siginfo)),
	FORWARD(sigaltstack, IN(stack_t), OUT(stack_t)),
	FORWARD(kill, VALUE), FORWARD(tkill, VALUE), FORWARD(tgkill, VALUE),
	FORWARD(pidfd_open, VALUE),
	FORWARD(pidfd_getfd, VALUE),
	FORWARD(pidfd_send_signal, VALUE, VALUE, IN(struct siginfo)),
	FORWARD(pause),
	SIGRETURN(rt_sigreturn),

	/* life: children begin at home, and so does a new program */
	HOME(fork), HOME(vfork), HOME(clone), HOME(clone3),
	HOME(execve), HOME(execveat),
	FORWARD(wait4, VALUE, INOUT(int), VALUE, INOUT(struct rusage)),
	FORWARD(waitid, VALUE, VALUE, INOUT(struct siginfo), VALUE,
		INOUT(struct rusage)),
	EXIT(exit), EXIT(exit_group),

	/* memory */
	MEMORY(brk), MEMORY(mmap), MEMORY(munmap), MEMORY(mprotect),
	MEMORY(mremap), MEMORY(madvise),
	FORWARD(msync, VALUE),
	FORWARD(mincore, VALUE, VALUE, BY_COMMAND),
	/* nothing is locked while it is away, but it may ask all the same */
	FORWARD(munlock, VALUE), FORWARD(munlockall),
	HOME(mlock), HOME(mlock2), HOME(mlockall),
	HOME(remap_file_pages), HOME(mseal),
	HOME(memfd_secret), HOME(userfaultfd),
	HOME(pkey_alloc), HOME(pkey_free), HOME(pkey_mprotect),
	HOME(mbind), HOME(set_mempolicy), HOME(get_mempolicy),
	HOME(set_mempolicy_home_node), HOME(migrate_pages), HOME(move_pages),
	HOME(map_shadow_stack), HOME(process_madvise), HOME(process_mrelease),
	HOME(process_vm_readv), HOME(process_vm_writev),

	/* SysV and POSIX queues, semaphores, segments */
	FORWARD(shmget, VALUE),
	FORWARD(shmctl, VALUE, VALUE, INOUT(struct shmid64_ds)),
	HOME(shmat), HOME(shmdt),
	FORWARD(semget, VALUE),
	FORWARD(semop, VALUE, IN_ARRAY(struct sembuf, 2)),
	FORWARD(semtimedop, VALUE, IN_ARRAY(struct sembuf, 2), VALUE,
		IN(struct __kernel_timespec)),
	FORWARD(semctl, VALUE, VALUE, VALUE, BY_COMMAND),
	FORWARD(msgget, VALUE),
	FORWARD(msgsnd, VALUE, IN_MESSAGE(2)),
	FORWARD(msgrcv, VALUE, INOUT_MESSAGE(2)),
	FORWARD(msgctl, VALUE, VALUE, INOUT(struct msqid64_ds)),
	FORWARD(mq_open, STRING, VALUE, VALUE, IN(struct mq_attr)),
	FORWARD(mq_unlink, STRING),
	FORWARD(mq_timedsend, VALUE, IN_LEN(2), VALUE, VALUE,
		IN(struct __kernel_timespec)),
	FORWARD(mq_timedreceive, VALUE, OUT_RESULT(2), VALUE, OUT(u32),
		IN(struct __kernel_timespec)),
	FORWARD(mq_getsetattr, VALUE, IN(struct mq_attr), OUT(struct mq_attr)),
	HOME(mq_notify),

	/* what works on the calling task in ways of its own */
	HOME(io_setup), HOME(io_destroy), HOME(io_submit), HOME(io_cancel),
	HOME(io_getevents), HOME(io_pgetevents), HOME(io_uring_setup),
	HOME(io_uring_enter), HOME(io_uring_register), HOME(ptrace),
	HOME(seccomp), HOME(landlock_create_ruleset), HOME(landlock_add_rule),
	HOME(landlock_restrict_self), HOME(lsm_get_self_attr),
	HOME(lsm_set_self_attr), HOME(lsm_list_modules), HOME(modify_ldt),
	HOME(set_thread_area), HOME(get_thread_area), HOME(iopl), HOME(ioperm),
	HOME(perf_event_open), HOME(bpf), HOME(uretprobe),
	FORWARD(kcmp, VALUE, VALUE, VALUE, VALUE, BY_COMMAND),

	/* an administrator's */
	HOME(mount), HOME(umount2), HOME(pivot_root), HOME(open_tree),
	HOME(move_mount), HOME(fsopen), HOME(fsconfig), HOME(fsmount),
	HOME(fspick), HOME(mount_setattr), HOME(statmount), HOME(listmount),
	HOME(swapon), HOME(swapoff), HOME(reboot), HOME(acct), HOME(quotactl),
	HOME(quotactl_fd), HOME(init_module), HOME(finit_module),
	HOME(delete_module), HOME(kexec_load), HOME(kexec_file_load),
	HOME(syslog), HOME(vhangup), HOME(sysfs), HOME(uselib),
	HOME(add_key), HOME(request_key), HOME(keyctl),

	/* numbers that this kernel answers with ENOSYS */
	FORWARD(_sysctl), FORWARD(create_module), FORWARD(get_kernel_syms),
	FORWARD(query_module), FORWARD(nfsservctl), FORWARD(getpmsg),
	FORWARD(putpmsg), FORWARD(afs_syscall), FORWARD(tuxcall),
	FORWARD(security), FORWARD(lookup_dcookie), FORWARD(epoll_ctl_old),
	FORWARD(epoll_wait_old), FORWARD(vserver),
};

/* The row of a call; one of kind OM_ROW_HOME if there is no such call. */
const struct om_row *om_row_of(u64 nr)
{
	static const struct om_row none = { OM_ROW_HOME };

	return nr < ARRAY_SIZE(om_rows) ? &om_rows[nr] : &none;
}
