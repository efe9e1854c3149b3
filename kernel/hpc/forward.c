// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls of a body, at the body: made here, at home, or by going home.
 */
#include <uapi/linux/futex.h>
#include <uapi/linux/rseq.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>
#include <asm/prctl.h>
#include <asm/syscall.h>

#include "om.h"
#include "trace.h"

#define OM_SYSCALL_INSN	2	/* bytes of the syscall instruction */

/* Does this memory hold these bytes already? */
static bool om_holds(u64 addr, const void *bytes, size_t len)
{
	u8 have[256];
	size_t chunk;

	for (; len; addr += chunk, bytes += chunk, len -= chunk) {
		chunk = min(len, sizeof(have));
		if (copy_from_user(have, (void __user *)addr, chunk) ||
		    memcmp(have, bytes, chunk))
			return false;
	}
	return true;
}

/*
 * What a call wrote at home, written here too. Where, and how much, is from the wire.
 *
 * A page that this side never had is home's, and home has written it already:
 * it comes with the next touch. What a call may write, and did not, may be where
 * nobody can. Returns 0 or a negative errno.
 */
static int om_write_out(struct om_body *b, u64 addr, const void *from, size_t len)
{
	size_t chunk;

	if (addr >= TASK_SIZE_MAX || len > TASK_SIZE_MAX - addr)
		return -EPROTO;
	for (; len; addr += chunk, from += chunk, len -= chunk) {
		chunk = min(len, PAGE_SIZE - offset_in_page(addr));
		if (!om_body_has(b, addr & PAGE_MASK))
			continue;
		if (copy_to_user((void __user *)addr, from, chunk) &&
		    !om_holds(addr, from, chunk))
			return -EFAULT;
	}
	return 0;
}

/* A piece of what a call wrote that did not fit into its reply. */
int om_take_bytes(struct om_body *b, const struct om_msg *msg)
{
	const u64 *addr = msg->data;

	if (msg->len < sizeof(*addr))
		return -EPROTO;
	return om_write_out(b, *addr, addr + 1, msg->len - sizeof(*addr));
}

/*
 * Home has made a change for which there is no room here. Nothing in its range may
 * be taken for newer than what home has there now. Returns 1: the process has to go
 * home; or a negative errno: its pages are where home does not look for them.
 */
static int om_without(const struct om_op *op)
{
	if (op->kind == OM_OP_MOVE)
		return -ENOMEM;
	if (op->kind == OM_OP_MAP || op->kind == OM_OP_UNMAP)
		om_own_call(__NR_madvise, op->start, op->len, MADV_DONTNEED, 0,
			    0);
	return 1;
}

/* Returns 0, 1 if the process has to go home with it, or a negative errno. */
static int om_take_reply(struct om_body *b, const struct om_msg *msg)
{
	const struct om_reply *reply = msg->data;
	const struct om_op *op;
	const struct om_seg *out;
	const void *data;
	size_t left;
	bool go_home = false;
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
		if (ret == -ENOMEM)
			ret = om_without(&op[i]);
		if (ret < 0)
			return ret;
		go_home |= ret > 0;
	}
	for (i = 0; i < reply->outs; i++) {
		if (out[i].len > left)
			return -EPROTO;
		ret = om_write_out(b, out[i].addr, data, out[i].len);
		if (ret)
			return ret;
		data += out[i].len;
		left -= out[i].len;
	}
	om_clock_hear(b, &reply->clock);
	b->own_memory = reply->flags & OM_REPLY_OWN_MEMORY;
	om_body_count(b, reply->flags & OM_REPLY_COUNTED,
		      reply->flags & OM_REPLY_RINGING);
	b->budget = reply->budget;
	return go_home;
}

/* What became of a call; a negative errno makes the body useless. */
enum om_outcome {
	OM_MADE = 0,
	OM_NOT_MADE,		/* it has to be made with the process at home */
	OM_MADE_GO_HOME,	/* and there is no room here for what it did */
};

/*
 * The IN segments of a big call, ahead of it. Returns 0, OM_NOT_MADE if the memory
 * cannot be read, or a negative errno if the link is gone.
 */
static int om_send_ahead(struct om_body *b, struct om_request *r)
{
	u64 *buf = kvmalloc(sizeof(*buf) + OM_MAX_INLINE, GFP_KERNEL);
	size_t at, chunk;
	unsigned int i;
	int ret = 0;

	if (!buf)
		return OM_NOT_MADE;
	for (i = 0; i < r->call.segs; i++) {
		struct om_seg *s = &r->seg[i];

		if (!(s->dir & OM_SEG_IN))
			continue;
		s->dir ^= OM_SEG_IN | OM_SEG_AHEAD;
		for (at = 0; at < s->len && !ret; at += chunk) {
			chunk = min_t(size_t, s->len - at, OM_MAX_INLINE);
			*buf = s->addr + at;
			if (copy_from_user(buf + 1, (void __user *)*buf,
					   chunk))
				ret = OM_NOT_MADE;
			else
				ret = om_link_send_one(b->link, OM_M_BYTES, buf,
						       sizeof(*buf) + chunk);
		}
	}
	kvfree(buf);
	r->in = 0;
	return ret;
}

/*
 * One round trip. On return @reply is a copy of the reply's head. Returns enum
 * om_outcome, or a negative errno.
 */
static int om_exchange(struct om_body *b, struct om_request *r,
		       struct om_reply *reply)
{
	struct kvec vec[3];
	struct om_msg msg;
	int ret;

	ret = om_flush_ops(b);
	if (!ret)
		ret = om_title_tell(b);
	if (!ret && r->in > OM_MAX_INLINE)
		ret = om_send_ahead(b, r);
	if (ret)
		return ret;
	om_body_usage(b, &r->call.usage);
	b->told = r->call.usage;
	vec[0].iov_base = &r->call;
	vec[0].iov_len = sizeof(r->call);
	vec[1].iov_base = r->seg;
	vec[1].iov_len = r->call.segs * sizeof(r->seg[0]);
	vec[2].iov_base = r->data;
	vec[2].iov_len = r->in;
	trace_om_guest_call(b->home, b->home_pid, r->call.nr);
	ret = om_link_send(b->link, OM_M_CALL, vec, r->in ? 3 : 2, false);
	while (!ret) {
		ret = om_body_recv(b, &msg);
		if (ret < 0)
			break;
		if (msg.type == OM_M_REPLY) {
			ret = om_take_reply(b, &msg);
			if (ret < 0)
				break;
			*reply = *(struct om_reply *)msg.data;
			return ret ? OM_MADE_GO_HOME : OM_MADE;
		}
		ret = msg.type == OM_M_BYTES ? om_take_bytes(b, &msg) :
					       om_body_dispatch(b, &msg);
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

/*
 * The bytes that travel. restart_syscall writes where the call that it goes on with
 * would have; of one that was interrupted elsewhere, only home knows. Returns 0 or
 * OM_NOT_MADE.
 */
static int om_collect(struct om_body *b, struct om_request *r,
		      const struct om_row *row)
{
	u64 nr = r->call.nr;
	int ret;

	if (nr == __NR_restart_syscall) {
		if (!b->restart_nr)
			return OM_NOT_MADE;
		r->call.nr = b->restart_nr;
		memcpy(r->call.arg, b->restart_arg, sizeof(r->call.arg));
		row = om_row_of(r->call.nr);
	}
	ret = om_gather(r, row);
	r->call.nr = nr;
	return ret ? OM_NOT_MADE : 0;
}

/* What this side has to know of a call that was made at home. */
static void om_note_call(struct om_body *b, const struct om_request *r,
			 long result)
{
	const u64 *arg = r->call.arg;

	if (result == -ERESTART_RESTARTBLOCK &&
	    r->call.nr != __NR_restart_syscall) {
		b->restart_nr = r->call.nr;
		memcpy(b->restart_arg, arg, sizeof(b->restart_arg));
	}
	if (r->call.nr == __NR_rseq && !result)
		om_rseq_note(b, arg[0], arg[2], arg[3]);
	if (r->call.nr == __NR_mincore && !result)
		om_own_resident(arg[0], arg[1], arg[2]);
}

static void om_forward(struct om_body *b, struct pt_regs *regs,
		       unsigned long nr, const struct om_row *row)
{
	struct om_reply reply = { };
	struct om_request *r;
	int ret;

	r = kzalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		om_call_at_home(b, regs, nr);
	r->call.nr = nr;
	r->call.ip = regs->ip;
	r->call.sp = regs->sp;
	syscall_get_arguments(current, regs, (unsigned long *)r->call.arg);
	ret = om_collect(b, r, row);
	if (!om_link_alive(b->link)) {
		om_request_free(r);
		om_body_die(b, "no link");
	}
	if (!ret)
		ret = om_exchange(b, r, &reply);
	if (reply.flags & OM_REPLY_NATIVE)
		ret = ret < 0 ? ret : OM_NOT_MADE;
	if (ret == OM_MADE || ret == OM_MADE_GO_HOME)
		om_note_call(b, r, reply.result);
	om_request_free(r);
	if (ret < 0)
		om_body_die(b, "lost in a call");
	if (ret == OM_NOT_MADE)
		om_call_at_home(b, regs, nr);
	if (reply.flags & OM_REPLY_REGS) {
		om_body_await_regs(b, regs);
		return;
	}
	regs->ax = reply.result;
	if (ret == OM_MADE_GO_HOME ||
	    (reply.flags & (OM_REPLY_RETURN | OM_REPLY_PARK)))
		regs->orig_ax = om_must_restart(reply.result) ? nr : -1;
	if (ret == OM_MADE_GO_HOME)
		om_body_return(b, regs, OM_HOME_SYSCALL, nr);
	if (reply.flags & OM_REPLY_RETURN)
		om_body_return(b, regs, OM_HOME_NONE, 0);
	if (reply.flags & OM_REPLY_PARK)
		om_body_park(b, regs);
}

/*
 * To wake a thread of a process that has but one, there is nothing to do. Others may
 * wait where a file is.
 */
static bool om_wakes_nobody(struct om_body *b, unsigned long word, bool private)
{
	unsigned long page = word & PAGE_MASK;

	return private || (om_range_ok(page, PAGE_SIZE) &&
			   om_owned_any(b, page, page + PAGE_SIZE) !=
			   OM_OWNED_FILE);
}

static bool om_local_here(struct om_body *b, const struct pt_regs *regs,
			  unsigned long nr)
{
	switch (nr) {
	case __NR_arch_prctl:
		return regs->di == ARCH_SET_FS || regs->di == ARCH_GET_FS ||
		       regs->di == ARCH_SET_GS || regs->di == ARCH_GET_GS;
	case __NR_futex:
		return (regs->si & FUTEX_CMD_MASK) == FUTEX_WAKE &&
		       om_wakes_nobody(b, regs->di,
				       regs->si & FUTEX_PRIVATE_FLAG);
	case __NR_futex_wake:
		return om_wakes_nobody(b, regs->di, regs->r10 & FUTEX2_PRIVATE);
	default:
		return true;
	}
}

/* Returns false if the call is not to be made here. */
static bool om_local(struct om_body *b, struct pt_regs *regs, unsigned long nr,
		     const struct om_row *row)
{
	long result;

	if ((row->kind == OM_ROW_MEMORY && om_own_memory(b, regs, &result)) ||
	    (row->kind == OM_ROW_CLOCK &&
	     om_clock_call(b, regs, nr, &result))) {
		if (result == -ENOMEM)
			om_call_at_home(b, regs, nr);
		regs->ax = result;
	} else if ((row->kind == OM_ROW_LOCAL || nr == __NR_futex) &&
		   om_local_here(b, regs, nr)) {
		regs->ax = x64_sys_call(regs, nr);
	} else {
		return false;
	}
	b->calls_local++;
	om_count(OM_C_CALLS_LOCAL);
	return true;
}

/*
 * Made in the place of the vdso's function, which is asked how much memory it
 * needs for a state of its own: it has none here.
 */
static bool om_asks_vdso(const struct om_body *b, const struct pt_regs *regs,
			 unsigned long nr)
{
	return nr == __NR_getrandom && regs->r8 == ~0UL &&
	       !regs->di && !regs->si && !regs->dx &&
	       regs->ip - b->vdso < b->vdso_len;
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

	if (om_asks_vdso(b, regs, nr)) {
		regs->ax = -EOPNOTSUPP;
	} else if (!om_local(b, regs, nr, row)) {
		if (row->kind == OM_ROW_HOME || row->kind == OM_ROW_LOCAL)
			om_call_at_home(b, regs, nr);
		om_forward(b, regs, nr, row);
	}
	/* no restart, whatever the result looks like */
	regs->orig_ax = -1;
	if (b->recall || b->park || READ_ONCE(b->leave_due) ||
	    om_link_readable(b->link))
		set_notify_signal(current);
}
