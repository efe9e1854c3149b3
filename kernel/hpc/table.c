// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of each system call of a body: one row a call.
 *
 * FORWARD: executed by the deputy; each pointer argument says which bytes travel
 * with the call, and which with its reply, so that one round trip is enough.
 * MEMORY: forwarded, and repeated on the body's address space as home answers.
 * LOCAL: executed where the body runs. A call without a row brings the process
 * home and runs there: the honest default for whatever is not proven.
 */
#include <linux/kernel.h>
#include <linux/poll.h>
#include <linux/resource.h>
#include <linux/signal.h>
#include <linux/stat.h>
#include <linux/statfs.h>
#include <linux/sysinfo.h>
#include <linux/time_types.h>
#include <linux/times.h>
#include <linux/types.h>
#include <linux/utsname.h>
#include <asm/unistd.h>
#include <asm/stat.h>

#include "om.h"

#define VALUE		{ OM_A_VALUE }
#define IN(type)	{ OM_A_IN, 0, sizeof(type) }
#define OUT(type)	{ OM_A_OUT, 0, sizeof(type) }
#define INOUT(type)	{ OM_A_INOUT, 0, sizeof(type) }
#define OUTS(type, n)	{ OM_A_OUT, 0, (n) * sizeof(type) }
#define STRING		{ OM_A_STRING }
/* as many bytes as argument n says */
#define IN_LEN(n)	{ OM_A_IN_LEN, n }
#define OUT_LEN(n)	{ OM_A_OUT_LEN, n }
/* as many bytes as the result says, at most as argument n says */
#define OUT_RESULT(n)	{ OM_A_OUT_RESULT, n }
#define IOV_IN(n)	{ OM_A_IOV_IN, n }
#define IOV_OUT(n)	{ OM_A_IOV_OUT, n }
#define ARRAY(type, n)	{ OM_A_INOUT_ARRAY, n, sizeof(type) }
#define IOCTL		{ OM_A_IOCTL }
#define FCNTL		{ OM_A_FCNTL }

#define FORWARD(call, ...) \
	[__NR_##call] = { OM_ROW_FORWARD, { __VA_ARGS__ } }
#define LOCAL(call) \
	[__NR_##call] = { OM_ROW_LOCAL }
#define MEMORY(call) \
	[__NR_##call] = { OM_ROW_MEMORY }
#define EXIT(call) \
	[__NR_##call] = { OM_ROW_EXIT }

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
	FORWARD(lseek, VALUE),
	FORWARD(sendto, VALUE, IN_LEN(2), VALUE, VALUE, IN_LEN(5)),
	FORWARD(poll, ARRAY(struct pollfd, 1)),
	FORWARD(ppoll, ARRAY(struct pollfd, 1), VALUE,
		INOUT(struct __kernel_timespec), IN_LEN(4)),
	FORWARD(fsync, VALUE),
	FORWARD(fdatasync, VALUE),
	FORWARD(sync),
	FORWARD(syncfs, VALUE),
	FORWARD(ftruncate, VALUE),
	FORWARD(truncate, STRING),
	FORWARD(fallocate, VALUE),
	FORWARD(fadvise64, VALUE),
	FORWARD(readahead, VALUE),
	FORWARD(sendfile, VALUE, VALUE, INOUT(loff_t)),
	FORWARD(copy_file_range, VALUE, INOUT(loff_t), VALUE, INOUT(loff_t)),

	/* descriptors */
	FORWARD(open, STRING),
	FORWARD(openat, VALUE, STRING),
	FORWARD(creat, STRING),
	FORWARD(close, VALUE),
	FORWARD(close_range, VALUE),
	FORWARD(dup, VALUE),
	FORWARD(dup2, VALUE),
	FORWARD(dup3, VALUE),
	FORWARD(pipe, OUTS(int, 2)),
	FORWARD(pipe2, OUTS(int, 2)),
	FORWARD(flock, VALUE),
	FORWARD(fcntl, VALUE, VALUE, FCNTL),
	FORWARD(ioctl, VALUE, VALUE, IOCTL),
	FORWARD(eventfd, VALUE),
	FORWARD(eventfd2, VALUE),
	FORWARD(epoll_create, VALUE),
	FORWARD(epoll_create1, VALUE),

	/* names and metadata */
	FORWARD(stat, STRING, OUT(struct stat)),
	FORWARD(lstat, STRING, OUT(struct stat)),
	FORWARD(fstat, VALUE, OUT(struct stat)),
	FORWARD(newfstatat, VALUE, STRING, OUT(struct stat)),
	FORWARD(statx, VALUE, STRING, VALUE, VALUE, OUT(struct statx)),
	FORWARD(statfs, STRING, OUT(struct statfs)),
	FORWARD(fstatfs, VALUE, OUT(struct statfs)),
	FORWARD(access, STRING),
	FORWARD(faccessat, VALUE, STRING),
	FORWARD(faccessat2, VALUE, STRING),
	FORWARD(readlink, STRING, OUT_RESULT(2)),
	FORWARD(readlinkat, VALUE, STRING, OUT_RESULT(3)),
	FORWARD(getcwd, OUT_RESULT(1)),
	FORWARD(chdir, STRING),
	FORWARD(fchdir, VALUE),
	FORWARD(mkdir, STRING),
	FORWARD(mkdirat, VALUE, STRING),
	FORWARD(rmdir, STRING),
	FORWARD(unlink, STRING),
	FORWARD(unlinkat, VALUE, STRING),
	FORWARD(rename, STRING, STRING),
	FORWARD(renameat, VALUE, STRING, VALUE, STRING),
	FORWARD(renameat2, VALUE, STRING, VALUE, STRING),
	FORWARD(link, STRING, STRING),
	FORWARD(symlink, STRING, STRING),
	FORWARD(chmod, STRING),
	FORWARD(fchmod, VALUE),
	FORWARD(fchmodat, VALUE, STRING),
	FORWARD(chown, STRING),
	FORWARD(fchown, VALUE),
	FORWARD(lchown, STRING),
	FORWARD(fchownat, VALUE, STRING),
	FORWARD(umask, VALUE),
	FORWARD(getdents64, VALUE, OUT_RESULT(2)),

	/* identity */
	FORWARD(getpid), FORWARD(gettid), FORWARD(getppid),
	/* what a starting program registers: home keeps it for its return */
	FORWARD(set_tid_address, VALUE),
	FORWARD(set_robust_list, VALUE),
	FORWARD(rseq, VALUE),
	FORWARD(getuid), FORWARD(geteuid), FORWARD(getgid), FORWARD(getegid),
	FORWARD(getpgrp), FORWARD(getpgid, VALUE), FORWARD(getsid, VALUE),
	FORWARD(setpgid, VALUE), FORWARD(setsid),
	FORWARD(getresuid, OUT(uid_t), OUT(uid_t), OUT(uid_t)),
	FORWARD(getresgid, OUT(gid_t), OUT(gid_t), OUT(gid_t)),
	FORWARD(uname, OUT(struct new_utsname)),
	FORWARD(sysinfo, OUT(struct sysinfo)),
	FORWARD(getcpu, OUT(unsigned int), OUT(unsigned int)),
	FORWARD(getrandom, OUT_RESULT(1)),

	/* time */
	FORWARD(time, OUT(__kernel_old_time_t)),
	FORWARD(gettimeofday, OUT(struct __kernel_old_timeval),
		OUT(struct timezone)),
	FORWARD(clock_gettime, VALUE, OUT(struct __kernel_timespec)),
	FORWARD(clock_getres, VALUE, OUT(struct __kernel_timespec)),
	FORWARD(nanosleep, IN(struct __kernel_timespec),
		OUT(struct __kernel_timespec)),
	FORWARD(clock_nanosleep, VALUE, VALUE, IN(struct __kernel_timespec),
		OUT(struct __kernel_timespec)),
	FORWARD(alarm, VALUE),
	FORWARD(getitimer, VALUE, OUT(struct __kernel_old_itimerval)),
	FORWARD(setitimer, VALUE, IN(struct __kernel_old_itimerval),
		OUT(struct __kernel_old_itimerval)),
	FORWARD(times, OUT(struct tms)),
	FORWARD(restart_syscall),

	/* limits and scheduling */
	FORWARD(getrusage, VALUE, OUT(struct rusage)),
	FORWARD(getrlimit, VALUE, OUT(struct rlimit)),
	FORWARD(setrlimit, VALUE, IN(struct rlimit)),
	FORWARD(prlimit64, VALUE, VALUE, IN(struct rlimit64),
		OUT(struct rlimit64)),
	FORWARD(getpriority, VALUE),
	FORWARD(sched_getaffinity, VALUE, VALUE, OUT_RESULT(1)),
	FORWARD(sched_getscheduler, VALUE),
	FORWARD(sched_getparam, VALUE, OUT(int)),
	FORWARD(sched_get_priority_max, VALUE),
	FORWARD(sched_get_priority_min, VALUE),
	LOCAL(sched_yield),
	LOCAL(arch_prctl),
	LOCAL(futex),

	/* signals */
	FORWARD(rt_sigaction, VALUE, IN_LEN(3), OUT_LEN(3)),
	FORWARD(rt_sigprocmask, VALUE, IN_LEN(3), OUT_LEN(3)),
	FORWARD(rt_sigpending, OUT_LEN(1)),
	FORWARD(kill, VALUE), FORWARD(tkill, VALUE), FORWARD(tgkill, VALUE),
	FORWARD(pause),

	/* memory */
	MEMORY(brk), MEMORY(mmap), MEMORY(munmap), MEMORY(mprotect),
	MEMORY(mremap), MEMORY(madvise),

	EXIT(exit), EXIT(exit_group),
};

/* The row of a call; one of kind OM_ROW_HOME if it has none. */
const struct om_row *om_row_of(u64 nr)
{
	static const struct om_row none = { OM_ROW_HOME };

	return nr < ARRAY_SIZE(om_rows) ? &om_rows[nr] : &none;
}
