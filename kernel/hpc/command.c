// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls whose argument is a number, an address or a structure as another
 * argument or the structure itself says. A command that is not listed is done
 * at home: what it points to may point on.
 */
#include <linux/exportfs.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/if.h>
#include <linux/futex.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/ipc.h>
#include <linux/prctl.h>
#include <linux/sem.h>
#include <linux/serial.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <uapi/linux/kcmp.h>
#include <linux/time_types.h>
#include <linux/tty.h>
#include <linux/uaccess.h>
#include <asm/ioctls.h>
#include <asm/unistd.h>
#include <net/sock.h>

#include "om.h"

#define OM_IOCTL(nr, flow, what)	{ nr, flow, sizeof(what) }
#define OM_IOCTL_VALUE(nr)		{ nr, 0, 0 }

static const struct om_ioctl {
	u32 cmd;
	u8 dir;
	u16 size;
} om_ioctls[] = {
	OM_IOCTL(TCGETS, OM_SEG_OUT, struct termios),
	OM_IOCTL(TCSETS, OM_SEG_IN, struct termios),
	OM_IOCTL(TCSETSW, OM_SEG_IN, struct termios),
	OM_IOCTL(TCSETSF, OM_SEG_IN, struct termios),
	OM_IOCTL(TCGETS2, OM_SEG_OUT, struct termios2),
	OM_IOCTL(TCSETS2, OM_SEG_IN, struct termios2),
	OM_IOCTL(TCSETSW2, OM_SEG_IN, struct termios2),
	OM_IOCTL(TCSETSF2, OM_SEG_IN, struct termios2),
	OM_IOCTL(TCGETA, OM_SEG_OUT, struct termio),
	OM_IOCTL(TCSETA, OM_SEG_IN, struct termio),
	OM_IOCTL(TCSETAW, OM_SEG_IN, struct termio),
	OM_IOCTL(TCSETAF, OM_SEG_IN, struct termio),
	OM_IOCTL(TIOCGWINSZ, OM_SEG_OUT, struct winsize),
	OM_IOCTL(TIOCSWINSZ, OM_SEG_IN, struct winsize),
	OM_IOCTL(TIOCGPGRP, OM_SEG_OUT, int),
	OM_IOCTL(TIOCSPGRP, OM_SEG_IN, int),
	OM_IOCTL(TIOCGSID, OM_SEG_OUT, int),
	OM_IOCTL(TIOCGPTN, OM_SEG_OUT, int),
	OM_IOCTL(TIOCSPTLCK, OM_SEG_IN, int),
	OM_IOCTL(TIOCGPTLCK, OM_SEG_OUT, int),
	OM_IOCTL(TIOCGPKT, OM_SEG_OUT, int),
	OM_IOCTL(TIOCPKT, OM_SEG_IN, int),
	OM_IOCTL(TIOCMGET, OM_SEG_OUT, int),
	OM_IOCTL(TIOCMSET, OM_SEG_IN, int),
	OM_IOCTL(TIOCMBIS, OM_SEG_IN, int),
	OM_IOCTL(TIOCMBIC, OM_SEG_IN, int),
	OM_IOCTL(TIOCGICOUNT, OM_SEG_OUT, struct serial_icounter_struct),
	OM_IOCTL(TIOCGEXCL, OM_SEG_OUT, int),
	OM_IOCTL(TIOCOUTQ, OM_SEG_OUT, int),
	OM_IOCTL(TIOCGETD, OM_SEG_OUT, int),
	OM_IOCTL(TIOCSETD, OM_SEG_IN, int),
	OM_IOCTL(TIOCSTI, OM_SEG_IN, char),
	OM_IOCTL(FIONREAD, OM_SEG_OUT, int),
	OM_IOCTL(FIONBIO, OM_SEG_IN, int),
	OM_IOCTL(FIOASYNC, OM_SEG_IN, int),
	OM_IOCTL(FIOQSIZE, OM_SEG_OUT, loff_t),
	OM_IOCTL(FIGETBSZ, OM_SEG_OUT, int),
	OM_IOCTL(FS_IOC_GETFLAGS, OM_SEG_OUT, int),
	OM_IOCTL(FS_IOC_SETFLAGS, OM_SEG_IN, int),
	OM_IOCTL(FICLONERANGE, OM_SEG_IN, struct file_clone_range),
	OM_IOCTL(BLKGETSIZE64, OM_SEG_OUT, u64),
	OM_IOCTL(BLKSSZGET, OM_SEG_OUT, int),
	OM_IOCTL(SIOCATMARK, OM_SEG_OUT, int),
	OM_IOCTL(SIOCOUTQNSD, OM_SEG_OUT, int),
	OM_IOCTL(SIOCGIFNAME, OM_SEG_IN | OM_SEG_OUT, struct ifreq),
	OM_IOCTL(SIOCGIFINDEX, OM_SEG_IN | OM_SEG_OUT, struct ifreq),
	OM_IOCTL(SIOCGIFFLAGS, OM_SEG_IN | OM_SEG_OUT, struct ifreq),
	OM_IOCTL(SIOCGIFADDR, OM_SEG_IN | OM_SEG_OUT, struct ifreq),
	OM_IOCTL(SIOCGIFNETMASK, OM_SEG_IN | OM_SEG_OUT, struct ifreq),
	OM_IOCTL(SIOCGIFBRDADDR, OM_SEG_IN | OM_SEG_OUT, struct ifreq),
	OM_IOCTL(SIOCGIFHWADDR, OM_SEG_IN | OM_SEG_OUT, struct ifreq),
	OM_IOCTL(SIOCGIFMTU, OM_SEG_IN | OM_SEG_OUT, struct ifreq),
	OM_IOCTL(SIOCGPGRP, OM_SEG_OUT, int),
	OM_IOCTL(SIOCSPGRP, OM_SEG_IN, int),
	OM_IOCTL(FIOGETOWN, OM_SEG_OUT, int),
	OM_IOCTL(FIOSETOWN, OM_SEG_IN, int),
	OM_IOCTL_VALUE(FIOCLEX),
	OM_IOCTL_VALUE(FIONCLEX),
	OM_IOCTL_VALUE(FICLONE),
	OM_IOCTL_VALUE(TCSBRK),
	OM_IOCTL_VALUE(TCSBRKP),
	OM_IOCTL_VALUE(TCXONC),
	OM_IOCTL_VALUE(TCFLSH),
	OM_IOCTL_VALUE(TIOCSCTTY),
	OM_IOCTL_VALUE(TIOCNOTTY),
	OM_IOCTL_VALUE(TIOCEXCL),
	OM_IOCTL_VALUE(TIOCNXCL),
	OM_IOCTL_VALUE(TIOCSBRK),
	OM_IOCTL_VALUE(TIOCCBRK),
	OM_IOCTL_VALUE(TIOCGPTPEER),
	OM_IOCTL_VALUE(TIOCSIG),
};

static int om_add_ioctl(struct om_request *r, u32 cmd, u64 arg)
{
	const struct om_ioctl *io;

	for (io = om_ioctls; io < om_ioctls + ARRAY_SIZE(om_ioctls); io++)
		if (io->cmd == cmd)
			return om_add(r, io->size ? arg : 0, io->size, io->dir,
				      0);
	return -EOPNOTSUPP;
}

static int om_add_fcntl(struct om_request *r, u32 cmd, u64 arg)
{
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
	case F_DUPFD_QUERY:
	case F_CREATED_QUERY:
	case F_GETFD:
	case F_SETFD:
	case F_GETFL:
	case F_SETFL:
	case F_GETOWN:
	case F_SETOWN:
	case F_GETSIG:
	case F_SETSIG:
	case F_GETPIPE_SZ:
	case F_SETPIPE_SZ:
	case F_GETLEASE:
	case F_SETLEASE:
	case F_NOTIFY:
	case F_ADD_SEALS:
	case F_GET_SEALS:
		return 0;
	case F_GETLK:
	case F_OFD_GETLK:
		return om_add(r, arg, sizeof(struct flock),
			      OM_SEG_IN | OM_SEG_OUT, 0);
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return om_add(r, arg, sizeof(struct flock), OM_SEG_IN, 0);
	case F_GETOWN_EX:
		return om_add(r, arg, sizeof(struct f_owner_ex), OM_SEG_OUT, 0);
	case F_SETOWN_EX:
		return om_add(r, arg, sizeof(struct f_owner_ex), OM_SEG_IN, 0);
	case F_GET_RW_HINT:
	case F_GET_FILE_RW_HINT:
		return om_add(r, arg, sizeof(u64), OM_SEG_OUT, 0);
	case F_SET_RW_HINT:
	case F_SET_FILE_RW_HINT:
		return om_add(r, arg, sizeof(u64), OM_SEG_IN, 0);
	default:
		return -EOPNOTSUPP;
	}
}

/* Options that point on, like filters and tables, are set at home. */
static bool om_plain_option(int level, int option)
{
	switch (level) {
	case SOL_SOCKET:
		return option != SO_ATTACH_FILTER &&
		       option != SO_ATTACH_REUSEPORT_CBPF;
	case SOL_TCP:
		return option != TCP_ZEROCOPY_RECEIVE;
	case SOL_IP:
	case SOL_IPV6:
		/* filters say themselves how long they are; from 64 on it is netfilter's */
		return option < 64 && option != IP_MSFILTER &&
		       option != MCAST_MSFILTER;
	case SOL_UDP:
		return true;
	default:
		return false;
	}
}

static int om_add_setsockopt(struct om_request *r)
{
	const u64 *arg = r->call.arg;

	if (!om_plain_option(arg[1], arg[2]))
		return -EOPNOTSUPP;
	return om_add(r, arg[3], (u32)arg[4], OM_SEG_IN, 0);
}

static int om_add_getsockopt(struct om_request *r)
{
	const u64 *arg = r->call.arg;
	int len;

	if (!om_plain_option(arg[1], arg[2]))
		return -EOPNOTSUPP;
	if (!arg[4] || get_user(len, (int __user *)arg[4]))
		return -EFAULT;
	return len > 0 ? om_add(r, arg[3], len, OM_SEG_IN | OM_SEG_OUT, 0) : 0;
}

static int om_add_prctl(struct om_request *r, u32 option, u64 arg)
{
	switch (option) {
	case PR_SET_PDEATHSIG:
	case PR_GET_DUMPABLE:
	case PR_SET_DUMPABLE:
	case PR_GET_KEEPCAPS:
	case PR_SET_KEEPCAPS:
	case PR_GET_TIMERSLACK:
	case PR_SET_TIMERSLACK:
	case PR_GET_SECUREBITS:
	case PR_SET_SECUREBITS:
	case PR_CAPBSET_READ:
	case PR_CAPBSET_DROP:
	case PR_CAP_AMBIENT:
	case PR_GET_NO_NEW_PRIVS:
	case PR_SET_NO_NEW_PRIVS:
	case PR_SET_CHILD_SUBREAPER:
	case PR_GET_SECCOMP:
	case PR_SET_PTRACER:
		return 0;
	case PR_GET_PDEATHSIG:
	case PR_GET_CHILD_SUBREAPER:
		return om_add(r, arg, sizeof(int), OM_SEG_OUT, 0);
	case PR_SET_NAME: {
		long len = strnlen_user((void __user *)arg, TASK_COMM_LEN);

		if (!len)
			return -EFAULT;
		return om_add(r, arg, min_t(long, len, TASK_COMM_LEN),
			      OM_SEG_IN, 0);
	}
	case PR_GET_NAME:
		return om_add(r, arg, TASK_COMM_LEN, OM_SEG_OUT, 0);
	default:
		return -EOPNOTSUPP;
	}
}

static int om_add_futex(struct om_request *r)
{
	const u16 both = OM_SEG_IN | OM_SEG_OUT;
	const u64 *arg = r->call.arg;
	int ret = om_add(r, arg[0], sizeof(u32), both, 0);

	if (ret)
		return ret;
	switch ((u32)arg[1] & FUTEX_CMD_MASK) {
	case FUTEX_WAKE:
	case FUTEX_WAKE_BITSET:
	case FUTEX_UNLOCK_PI:
	case FUTEX_TRYLOCK_PI:
		return 0;
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return om_add(r, arg[3], sizeof(struct __kernel_timespec),
			      OM_SEG_IN, 0);
	case FUTEX_WAIT_REQUEUE_PI:
		return om_add(r, arg[3], sizeof(struct __kernel_timespec),
			      OM_SEG_IN, 0) ?:
		       om_add(r, arg[4], sizeof(u32), both, 0);
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
	case FUTEX_CMP_REQUEUE_PI:
	case FUTEX_WAKE_OP:
		return om_add(r, arg[4], sizeof(u32), both, 0);
	default:
		return -EOPNOTSUPP;
	}
}

/* Waiters of the newer calls: home has to have the word that each looks at. */
static int om_add_waiters(struct om_request *r, u64 addr, u64 count)
{
	struct futex_waitv waiter;
	unsigned int i;
	int ret;

	if (count > FUTEX_WAITV_MAX)
		return 0;	/* it is refused before it is looked at */
	ret = om_add(r, addr, count * sizeof(waiter), OM_SEG_IN, 0);
	for (i = 0; addr && i < count && !ret; i++) {
		if (copy_from_user(&waiter,
				   (void __user *)addr + i * sizeof(waiter),
				   sizeof(waiter)))
			return -EFAULT;
		ret = om_add(r, waiter.uaddr, sizeof(u32), OM_SEG_IN, 0);
	}
	return ret;
}

/* A file's handle, whose length stands in it. One that is too long is refused unseen. */
static int om_add_handle(struct om_request *r, u64 addr, u16 dir)
{
	struct file_handle __user *handle = (void __user *)addr;
	u32 bytes;

	if (get_user(bytes, &handle->handle_bytes))
		return -EFAULT;
	return om_add(r, addr, sizeof(*handle) +
		      (bytes > MAX_HANDLE_SZ ? 0 : bytes), dir, 0);
}

static int om_add_name_to_handle(struct om_request *r)
{
	const u16 both = OM_SEG_IN | OM_SEG_OUT;
	const u64 *arg = r->call.arg;
	int ret = om_add_handle(r, arg[2], both);

	return ret ? ret : om_add(r, arg[3],
				  arg[4] & AT_HANDLE_MNT_ID_UNIQUE ?
				  sizeof(u64) : sizeof(int), both, 0);
}

static int om_check_semctl(u32 cmd)
{
	switch (cmd & ~IPC_64) {
	case GETVAL:
	case SETVAL:
	case GETPID:
	case GETNCNT:
	case GETZCNT:
	case IPC_RMID:
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

/**
 * om_add_command - the argument that depends on a command
 * @r: the request; its call is set
 *
 * Returns 0, or a negative errno if the call is to be made at home.
 */
int om_add_command(struct om_request *r)
{
	const u64 *arg = r->call.arg;

	switch (r->call.nr) {
	case __NR_ioctl:
		return om_add_ioctl(r, arg[1], arg[2]);
	case __NR_fcntl:
		return om_add_fcntl(r, arg[1], arg[2]);
	case __NR_setsockopt:
		return om_add_setsockopt(r);
	case __NR_getsockopt:
		return om_add_getsockopt(r);
	case __NR_prctl:
		return om_add_prctl(r, arg[0], arg[1]);
	case __NR_futex:
		return om_add_futex(r);
	case __NR_futex_waitv:
		return om_add_waiters(r, arg[0], (u32)arg[1]);
	case __NR_futex_requeue:
		return om_add_waiters(r, arg[0], 2);
	case __NR_name_to_handle_at:
		return om_add_name_to_handle(r);
	case __NR_open_by_handle_at:
		return om_add_handle(r, arg[1], OM_SEG_IN);
	case __NR_mincore:
		return om_add(r, arg[2], DIV_ROUND_UP_ULL(arg[1], PAGE_SIZE),
			      OM_SEG_IN | OM_SEG_OUT, 0);
	case __NR_semctl:
		return om_check_semctl(arg[2]);
	case __NR_kcmp:
		return (int)arg[2] == KCMP_EPOLL_TFD ?
			om_add(r, arg[4], sizeof(struct kcmp_epoll_slot),
			       OM_SEG_IN, 0) : 0;
	default:
		return -EOPNOTSUPP;
	}
}
