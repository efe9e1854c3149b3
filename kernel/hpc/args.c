// SPDX-License-Identifier: GPL-2.0-only
/*
 * What travels with a call of a body: the bytes that its row in table.c names,
 * found in the body's memory.
 */
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <asm/sigframe.h>
#include <asm/fpu/types.h>
#include <asm/unistd.h>

#include "om.h"

static int om_more_room(struct om_request *r)
{
	struct om_seg *seg;

	if (r->max == OM_MAX_SEGS)
		return -E2BIG;
	seg = kvmalloc_array(OM_MAX_SEGS, sizeof(*seg), GFP_KERNEL);
	if (!seg)
		return -ENOMEM;
	memcpy(seg, r->seg, r->call.segs * sizeof(*seg));
	r->seg = seg;
	r->max = OM_MAX_SEGS;
	return 0;
}

/**
 * om_add - let a piece of memory travel
 * @r: the request
 * @addr: where; NULL is nothing
 * @len: how many bytes
 * @dir: OM_SEG_IN, OM_SEG_OUT or both
 * @unit: if not 0, the result says how many units of so many bytes are new
 *
 * Returns 0, or a negative errno: then the call is made at home.
 */
int om_add(struct om_request *r, u64 addr, u64 len, u16 dir, u16 unit)
{
	int ret;

	if (!addr || !len)
		return 0;
	if (len > MAX_RW_COUNT || !om_range_ok(addr, len))
		return -E2BIG;
	if (r->call.segs == r->max) {
		ret = om_more_room(r);
		if (ret)
			return ret;
	}
	if (dir & OM_SEG_IN)
		r->in += len;
	r->seg[r->call.segs++] = (struct om_seg){
		.addr = addr, .len = len, .dir = dir, .unit = unit };
	return 0;
}

/* @unit: 1 if the result counts the bytes that are new, else 0. */
static int om_add_iov(struct om_request *r, u64 addr, u64 count, u16 dir,
		      u16 unit)
{
	struct iovec iov;
	unsigned int i;
	int ret;

	if (count > UIO_MAXIOV)
		return -E2BIG;
	ret = om_add(r, addr, count * sizeof(iov), OM_SEG_IN, 0);
	for (i = 0; i < count && !ret; i++) {
		if (copy_from_user(&iov, (void __user *)addr + i * sizeof(iov),
				   sizeof(iov)))
			return -EFAULT;
		ret = om_add(r, (u64)iov.iov_base, iov.iov_len, dir, unit);
	}
	return ret;
}

/*
 * Which way a buffer goes that is received into. A stream whose bytes are to be
 * dropped leaves it as it is, and says how many.
 */
static u16 om_receive_dir(u32 flags)
{
	return flags & MSG_TRUNC ? OM_SEG_IN | OM_SEG_OUT : OM_SEG_OUT;
}

/* struct msghdr and what it points to. */
static int om_add_msg(struct om_request *r, u64 addr, u16 dir, u16 unit)
{
	u16 both = dir | OM_SEG_IN;
	struct user_msghdr msg;
	int ret;

	if (copy_from_user(&msg, (void __user *)addr, sizeof(msg)))
		return -EFAULT;
	ret = om_add(r, addr, sizeof(msg), both, 0);
	if (!ret)
		ret = om_add(r, (u64)msg.msg_name, msg.msg_namelen, both, 0);
	if (!ret)
		ret = om_add(r, (u64)msg.msg_control, msg.msg_controllen, both,
			     0);
	if (!ret)
		ret = om_add_iov(r, (u64)msg.msg_iov, msg.msg_iovlen, dir,
				 unit);
	return ret;
}

static int om_add_mmsg(struct om_request *r, u64 addr, u64 count, u16 dir)
{
	unsigned int i;
	int ret = 0;

	if (count > UIO_MAXIOV)
		return -E2BIG;
	for (i = 0; i < count && !ret; i++, addr += sizeof(struct mmsghdr)) {
		/* msg_len, after msg_hdr, is written in either direction */
		ret = om_add(r, addr + sizeof(struct user_msghdr), sizeof(u64),
			     OM_SEG_IN | OM_SEG_OUT, 0);
		/* which of them got how much is not in the result */
		if (!ret)
			ret = om_add_msg(r, addr, dir | OM_SEG_IN, 0);
	}
	return ret;
}

static int om_add_string(struct om_request *r, u64 addr)
{
	long len;

	if (!addr)
		return 0;
	len = strnlen_user((void __user *)addr, PATH_MAX);
	if (!len)
		return -EFAULT;
	/* one that is too long is refused at home for what it is */
	return om_add(r, addr, min_t(long, len, PATH_MAX), OM_SEG_IN, 0);
}

/* pselect6()'s last argument: the mask's address and its size. */
static int om_add_sigpair(struct om_request *r, u64 addr)
{
	u64 pair[2];
	int ret;

	if (!addr)
		return 0;
	if (copy_from_user(pair, (void __user *)addr, sizeof(pair)))
		return -EFAULT;
	ret = om_add(r, addr, sizeof(pair), OM_SEG_IN, 0);
	return ret ? ret : om_add(r, pair[0], pair[1], OM_SEG_IN, 0);
}

static int om_add_arg(struct om_request *r, const struct om_arg *a,
		      unsigned int i)
{
	u64 ptr = r->call.arg[i], other = r->call.arg[a->other];
	int len;

	switch (a->kind) {
	case OM_A_FIXED:
		return om_add(r, ptr, a->size, a->dir, 0);
	case OM_A_STRING:
		return om_add_string(r, ptr);
	case OM_A_ARRAY:
		if (other > MAX_RW_COUNT)
			return -E2BIG;
		return om_add(r, ptr, other * a->size, a->dir, 0);
	case OM_A_RESULT:
		if (other > MAX_RW_COUNT)
			return -E2BIG;
		return om_add(r, ptr, other * a->size,
			      r->call.nr == __NR_recvfrom ?
			      om_receive_dir(r->call.arg[3]) : a->dir, a->size);
	case OM_A_AT:
		if (!ptr || !other)
			return 0;
		if (get_user(len, (int __user *)other))
			return -EFAULT;
		return len > 0 ? om_add(r, ptr, len, a->dir, 0) : 0;
	case OM_A_MESSAGE:
		if (other > MAX_RW_COUNT)
			return -E2BIG;
		return om_add(r, ptr, sizeof(long) + other, a->dir, 0);
	case OM_A_IOV:
		return om_add_iov(r, ptr, other, a->dir,
				  a->dir == OM_SEG_OUT);
	case OM_A_FDS:
		if ((int)other < 0)
			return 0;
		/* it is cut to the number of descriptors that there can be */
		if ((int)other > INT_MAX - BITS_PER_LONG)
			return -E2BIG;
		return om_add(r, ptr, BITS_TO_LONGS((int)other) * sizeof(long),
			      a->dir, 0);
	case OM_A_SIGPAIR:
		return om_add_sigpair(r, ptr);
	case OM_A_MSG:
		return om_add_msg(r, ptr, a->dir == OM_SEG_OUT ?
				  om_receive_dir(r->call.arg[2]) : a->dir,
				  a->dir == OM_SEG_OUT);
	case OM_A_MMSG:
		return om_add_mmsg(r, ptr, other, a->dir);
	case OM_A_COMMAND:
		return om_add_command(r);
	default:
		return 0;
	}
}

/* The frame that a signal handler returns to, and its floating point part. */
static int om_add_sigframe(struct om_request *r)
{
	struct rt_sigframe __user *frame;
	struct _fpx_sw_bytes sw;
	u64 fp, size;
	int ret;

	frame = (void __user *)(r->call.sp - sizeof(long));
	if (get_user(fp, (u64 __user *)&frame->uc.uc_mcontext.fpstate))
		return -EFAULT;
	ret = om_add(r, (u64)frame, sizeof(*frame), OM_SEG_IN, 0);
	if (ret || !fp)
		return ret;
	if (copy_from_user(&sw, (void __user *)fp +
			   offsetof(struct fxregs_state, sw_reserved),
			   sizeof(sw)))
		return -EFAULT;
	size = sw.magic1 == FP_XSTATE_MAGIC1 ? sw.extended_size :
	       sizeof(struct fxregs_state);
	return om_add(r, fp, clamp_t(u64, size, sizeof(struct fxregs_state),
				     OM_MAX_XSTATE), OM_SEG_IN, 0);
}

/**
 * om_gather - collect what a call needs
 * @r: the request, zeroed but for the call's number, arguments, ip and sp
 * @row: the call's row
 *
 * More than OM_MAX_INLINE bytes are left in memory, to be sent ahead of the
 * call. Returns 0; an error means that home has to see to the call.
 */
int om_gather(struct om_request *r, const struct om_row *row)
{
	unsigned int i;
	void *to;
	int ret = 0;

	r->seg = r->few;
	r->max = OM_SEGS_INLINE;
	if (row->kind == OM_ROW_SIGRETURN)
		ret = om_add_sigframe(r);
	for (i = 0; i < 6 && !ret; i++)
		ret = om_add_arg(r, &row->arg[i], i);
	if (ret || !r->in || r->in > OM_MAX_INLINE)
		return ret;
	r->data = kvmalloc(r->in, GFP_KERNEL);
	if (!r->data)
		return -ENOMEM;
	to = r->data;
	for (i = 0; i < r->call.segs; i++) {
		if (!(r->seg[i].dir & OM_SEG_IN))
			continue;
		if (copy_from_user(to, (void __user *)r->seg[i].addr,
				   r->seg[i].len))
			return -EFAULT;
		to += r->seg[i].len;
	}
	return 0;
}

void om_request_free(struct om_request *r)
{
	if (r->seg != r->few)
		kvfree(r->seg);
	kvfree(r->data);
	kfree(r);
}
