// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls of a body, at the body: what travels with a request, and what is
 * done with the reply.
 */
#include <linux/fcntl.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include <linux/tty.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <asm/ioctls.h>
#include <asm/prctl.h>
#include <asm/syscall.h>
#include <uapi/linux/futex.h>

#include "om.h"

#define OM_SYSCALL_INSN	2	/* bytes of the syscall instruction */

struct om_request {
	struct om_call call;
	struct om_seg seg[OM_MAX_SEGS];
	size_t in;
	size_t out;
	void *data;
};

/* 0, or -E2BIG if this call asks for more than travels. */
static int om_add(struct om_request *r, u64 addr, u64 len, u16 dir,
		  u16 by_result)
{
	if (!addr || !len)
		return 0;
	if (r->call.segs == OM_MAX_SEGS || len > OM_MAX_BUFFERS)
		return -E2BIG;
	if (dir & OM_SEG_IN)
		r->in += len;
	if (dir & OM_SEG_OUT)
		r->out += len;
	if (r->in > OM_MAX_BUFFERS || r->out > OM_MAX_BUFFERS)
		return -E2BIG;
	r->seg[r->call.segs++] = (struct om_seg){
		.addr = addr, .len = len, .dir = dir, .by_result = by_result };
	return 0;
}

static int om_add_iov(struct om_request *r, u64 addr, u64 count, u16 dir)
{
	struct iovec iov;
	unsigned int i;
	int ret;

	if (count >= OM_MAX_SEGS)
		return -E2BIG;
	ret = om_add(r, addr, count * sizeof(iov), OM_SEG_IN, 0);
	for (i = 0; i < count && !ret; i++) {
		if (copy_from_user(&iov, (void __user *)addr + i * sizeof(iov),
				   sizeof(iov)))
			return -EFAULT;
		ret = om_add(r, (u64)iov.iov_base, iov.iov_len, dir,
			     dir == OM_SEG_OUT);
	}
	return ret;
}

/* Commands whose argument is known; any other is done at home. */
static int om_add_ioctl(struct om_request *r, u64 cmd, u64 arg)
{
	switch (cmd) {
	case TCGETS:
		return om_add(r, arg, sizeof(struct termios), OM_SEG_OUT, 0);
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return om_add(r, arg, sizeof(struct termios), OM_SEG_IN, 0);
	case TIOCGWINSZ:
		return om_add(r, arg, sizeof(struct winsize), OM_SEG_OUT, 0);
	case TIOCSWINSZ:
		return om_add(r, arg, sizeof(struct winsize), OM_SEG_IN, 0);
	case TIOCGPGRP:
	case TIOCGSID:
	case FIONREAD:
	case TIOCOUTQ:
		return om_add(r, arg, sizeof(int), OM_SEG_OUT, 0);
	case TIOCSPGRP:
	case FIONBIO:
	case FIOASYNC:
		return om_add(r, arg, sizeof(int), OM_SEG_IN, 0);
	case FIOCLEX:
	case FIONCLEX:
	case TCSBRK:
	case TCXONC:
	case TCFLSH:
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int om_check_fcntl(u64 cmd)
{
	switch (cmd) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
	case F_GETFD:
	case F_SETFD:
	case F_GETFL:
	case F_SETFL:
	case F_GETPIPE_SZ:
	case F_SETPIPE_SZ:
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int om_add_arg(struct om_request *r, const struct om_arg *a,
		      unsigned int i)
{
	u64 ptr = r->call.arg[i], other = r->call.arg[a->other];
	long len;

	switch (a->kind) {
	case OM_A_IN:
		return om_add(r, ptr, a->size, OM_SEG_IN, 0);
	case OM_A_OUT:
		return om_add(r, ptr, a->size, OM_SEG_OUT, 0);
	case OM_A_INOUT:
		return om_add(r, ptr, a->size, OM_SEG_IN | OM_SEG_OUT, 0);
	case OM_A_STRING:
		if (!ptr)
			return 0;
		len = strnlen_user((void __user *)ptr, PATH_MAX);
		if (!len || len > PATH_MAX)
			return -EFAULT;
		return om_add(r, ptr, len, OM_SEG_IN, 0);
	case OM_A_IN_LEN:
		return om_add(r, ptr, other, OM_SEG_IN, 0);
	case OM_A_OUT_LEN:
		return om_add(r, ptr, other, OM_SEG_OUT, 0);
	case OM_A_OUT_RESULT:
		return om_add(r, ptr, other, OM_SEG_OUT, 1);
	case OM_A_INOUT_ARRAY:
		if (other > OM_MAX_BUFFERS)
			return -E2BIG;
		return om_add(r, ptr, other * a->size,
			      OM_SEG_IN | OM_SEG_OUT, 0);
	case OM_A_IOV_IN:
		return om_add_iov(r, ptr, other, OM_SEG_IN);
	case OM_A_IOV_OUT:
		return om_add_iov(r, ptr, other, OM_SEG_OUT);
	case OM_A_IOCTL:
		return om_add_ioctl(r, r->call.arg[1], ptr);
	case OM_A_FCNTL:
		return om_check_fcntl(r->call.arg[1]);
	default:
		return 0;
	}
}

/* Collects what the call needs. An error means: let home see to it. */
static int om_gather(struct om_request *r, const struct om_row *row)
{
	unsigned int i;
	void *to;
	int ret = 0;

	for (i = 0; i < 6 && !ret; i++)
		ret = om_add_arg(r, &row->arg[i], i);
	if (ret || !r->in)
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

/*
 * What the call wrote. A page that this side never had is home's, and home has
 * written it already: it will come with the next touch.
 */
static int om_write_out(struct om_body *b, u64 addr, const void *from,
			size_t len)
{
	size_t chunk;

	for (; len; addr += chunk, from += chunk, len -= chunk) {
		chunk = min(len, PAGE_SIZE - offset_in_page(addr));
		if (!om_body_has(b, addr & PAGE_MASK))
			continue;
		if (copy_to_user((void __user *)addr, from, chunk))
			return -EFAULT;
	}
	return 0;
}

static int om_take_reply(struct om_body *b, const struct om_msg *msg)
{
	const struct om_reply *reply = msg->data;
	const struct om_op *op;
	const struct om_seg *out;
	const void *data;
	size_t left;
	unsigned int i;
	int ret;

	if (msg->len < sizeof(*reply) || reply->ops > OM_MAX_OPS ||
	    reply->outs > OM_MAX_SEGS)
		return -EPROTO;
	op = (const void *)(reply + 1);
	out = (const void *)(op + reply->ops);
	data = out + reply->outs;
	left = sizeof(*reply) + reply->ops * sizeof(*op) +
	       reply->outs * sizeof(*out);
	if (msg->len < left)
		return -EPROTO;
	left = msg->len - left;
	for (i = 0; i < reply->ops; i++) {
		ret = om_apply_op(b, &op[i]);
		if (ret)
			return ret;
	}
	for (i = 0; i < reply->outs; i++) {
		if (out[i].len > left || out[i].addr >= TASK_SIZE_MAX)
			return -EPROTO;
		ret = om_write_out(b, out[i].addr, data, out[i].len);
		if (ret)
			return ret;
		data += out[i].len;
		left -= out[i].len;
	}
	return 0;
}

/*
 * One round trip. On return @reply is a copy of the reply's head. Returns 0 or
 * the error that makes this body useless.
 */
static int om_exchange(struct om_body *b, struct om_request *r,
		       struct om_reply *reply)
{
	struct kvec vec[3];
	struct om_msg msg;
	int ret;

	om_body_usage(b, &r->call.usage);
	b->told = r->call.usage;
	vec[0].iov_base = &r->call;
	vec[0].iov_len = sizeof(r->call);
	vec[1].iov_base = r->seg;
	vec[1].iov_len = r->call.segs * sizeof(r->seg[0]);
	vec[2].iov_base = r->data;
	vec[2].iov_len = r->in;
	ret = om_link_send(b->link, OM_M_CALL, vec, r->in ? 3 : 2, false);
	while (!ret) {
		ret = om_link_recv_wait(b->link, &msg, MAX_SCHEDULE_TIMEOUT);
		if (ret < 0)
			break;
		if (msg.type == OM_M_REPLY) {
			ret = om_take_reply(b, &msg);
			if (!ret)
				*reply = *(struct om_reply *)msg.data;
			break;
		}
		ret = om_body_dispatch(b, &msg);
	}
	return ret;
}

/* The call is made again, at home, as if it had not been made yet. */
static void __noreturn om_call_at_home(struct om_body *b, struct pt_regs *regs,
				       unsigned long nr)
{
	regs->ip -= OM_SYSCALL_INSN;
	regs->ax = nr;
	regs->orig_ax = -1;
	om_body_return(b, regs, OM_HOME_SYSCALL, nr);
}

static void om_forward(struct om_body *b, struct pt_regs *regs,
		       unsigned long nr, const struct om_row *row)
{
	struct om_reply reply = { };
	struct om_request *r;
	int ret;

	r = kvzalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		om_call_at_home(b, regs, nr);
	r->call.nr = nr;
	syscall_get_arguments(current, regs, (unsigned long *)r->call.arg);
	ret = om_gather(r, row);
	if (!om_link_alive(b->link))
		om_body_die(b, "no link");
	if (ret) {
		kvfree(r->data);
		kvfree(r);
		om_call_at_home(b, regs, nr);
	}
	ret = om_exchange(b, r, &reply);
	kvfree(r->data);
	kvfree(r);
	if (ret)
		om_body_die(b, "lost in a call");
	if (reply.flags & OM_REPLY_NATIVE)
		om_call_at_home(b, regs, nr);
	regs->ax = reply.result;
	if (reply.flags & OM_REPLY_RETURN) {
		regs->orig_ax = om_must_restart(reply.result) ? nr : -1;
		om_body_return(b, regs, OM_HOME_NONE, 0);
	}
}

static bool om_local_here(const struct pt_regs *regs, unsigned long nr)
{
	if (nr == __NR_sched_yield)
		return true;
	/* to wake a thread of a process that has but one */
	if (nr == __NR_futex)
		return (regs->si & FUTEX_CMD_MASK) == FUTEX_WAKE;
	return regs->di == ARCH_SET_FS || regs->di == ARCH_GET_FS ||
	       regs->di == ARCH_SET_GS || regs->di == ARCH_GET_GS;
}

/**
 * om_body_syscall - the whole of a body's system call
 * @p: its state
 * @regs: its user registers; the result is in them on return
 */
void om_body_syscall(struct om_proc *p, struct pt_regs *regs)
{
	unsigned long nr = regs->orig_ax;
	const struct om_row *row = om_row_of(nr);
	struct om_body *b = p->body;

	switch (row->kind) {
	case OM_ROW_LOCAL:
		if (!om_local_here(regs, nr))
			om_call_at_home(b, regs, nr);
		regs->ax = x64_sys_call(regs, nr);
		b->calls_local++;
		break;
	case OM_ROW_HOME:
		om_call_at_home(b, regs, nr);
	default:
		om_forward(b, regs, nr, row);
	}
	/* no restart, whatever the result looks like */
	regs->orig_ax = -1;
	if (b->recall || om_link_readable(b->link))
		set_notify_signal(current);
}
