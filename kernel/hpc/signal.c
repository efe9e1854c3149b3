// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals of a process that is away.
 *
 * They come to the deputy, as they do to every task. It asks the body to park,
 * which sends its registers and stands still, then lets the kernel deliver the
 * signal to these registers as if the process were here: it stops, dies, or gets
 * a frame on its stack. The frame and the new registers go back, and the body
 * runs on, in the handler. Returning from a handler is a call like any other,
 * but for its reply, which is a whole set of registers.
 *
 * A core dump needs the memory, so the process comes home for that.
 */
#include <linux/entry-common.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/elf.h>
#include <asm/fsgsbase.h>
#include <asm/sigframe.h>

#include "om.h"
#include "trace.h"

#define OM_REDZONE	128	/* below the stack pointer, and in use */

/* Home */

/* Does the frame of a signal lead back into the vdso? -EFAULT if there is none. */
static int om_frame_in_vdso(unsigned long sp)
{
	struct rt_sigframe __user *frame = (void __user *)sp;
	u64 ip;

	if (get_user(ip, (u64 __user *)&frame->uc.uc_mcontext.ip))
		return -EFAULT;
	return om_vdso_amid(ip);
}

/*
 * Does the frame that a handler returns to lead into the vdso? It was made at
 * home, in the middle of a function whose entry is another one away. What is wrong
 * with a broken frame is found at home, too.
 */
bool om_returns_to_vdso(const struct om_call *call)
{
	/* the handler's own return took the first word */
	return om_frame_in_vdso(call->sp - sizeof(long)) != 0;
}

/*
 * Is a handler about to begin that returns there? Not a rare one: signals of timers
 * come with a tick, and so does the next attempt of a process that was in the vdso.
 */
bool om_interrupts_vdso(const struct pt_regs *regs)
{
	const struct k_sigaction *actions = current->sighand->action;
	unsigned long sig = regs->di;

	return sig && valid_signal(sig) &&
	       regs->ip == (unsigned long)READ_ONCE(actions[sig - 1].sa.sa_handler) &&
	       om_frame_in_vdso(regs->sp) > 0;
}

/* Asks the body to stand still, once. */
int om_park(struct om_proc *p)
{
	if (p->away.parking)
		return 0;
	p->away.parking = true;
	p->stat.round_trips++;
	trace_om_park(task_tgid_nr(current), p->link->node, 0);
	return om_link_send_one(p->link, OM_M_PARK, NULL, 0);
}

/* Lets the parked body go on with these registers. */
static int om_send_regs(struct om_proc *p, const struct pt_regs *regs)
{
	struct om_regs *r = kvmalloc(sizeof(*r) + OM_XSTATE_ROOM, GFP_KERNEL);
	struct kvec vec[2];
	int ret;

	if (!r)
		return -ENOMEM;
	ret = om_regs_save(regs, r, r + 1);
	r->orig_ax = -1;	/* if there was a call, it has been seen to */
	vec[0].iov_base = r;
	vec[0].iov_len = sizeof(*r);
	vec[1].iov_base = r + 1;
	vec[1].iov_len = r->xstate_len;
	if (!ret)
		ret = om_link_send(p->link, OM_M_REGS, vec, 2, false);
	kvfree(r);
	return ret;
}

/* Where a signal may find the stack, and may put its frame. */
struct om_stacks {
	unsigned long sp;
	unsigned long alternate;	/* as it was before the frame disarmed it */
	size_t size;
};

/* How much of the stack, from its new end, a signal frame can have written. */
static size_t om_frame_size(const struct pt_regs *regs,
			    const struct om_stacks *old)
{
	unsigned long size = get_sigframe_size(), top;

	/* one that was disarmed and armed again begins anew, whoever is on it */
	if (old->size && regs->sp - old->alternate < old->size &&
	    (old->sp - old->alternate > old->size ||
	     regs->sp > old->sp - OM_REDZONE))
		top = old->alternate + old->size;
	else
		top = old->sp - OM_REDZONE;
	return top > regs->sp ? min(size, top - regs->sp) : 0;
}

/* While it was stopped, the guest node can have said only one thing. */
static int om_hear_leave(struct om_proc *p)
{
	struct om_msg msg;
	int ret;

	while ((ret = om_link_recv(p->link, &msg)) > 0) {
		if (msg.type != OM_M_LEAVE)
			return -EPROTO;
		ret = om_take_leave(p, &msg);
		if (ret)
			return ret;
	}
	return ret;
}

/*
 * One signal, as far as one is pending. Returns 0, 1 if the process is stopped
 * and has to come home like that, or a negative errno.
 */
static int om_signal_once(struct om_proc *p, struct pt_regs *regs)
{
	const struct om_stacks old = {
		.sp = regs->sp, .alternate = current->sas_ss_sp,
		.size = current->sas_ss_size,
	};
	const unsigned long ip = regs->ip, ax = regs->ax;
	const bool masked = test_restore_sigmask();
	bool stopped, woken;
	int ret = 0;

	trace_om_deliver(task_tgid_nr(current), p->link->node, 0);
	WRITE_ONCE(p->mover, current);
	WRITE_ONCE(p->away.parked, true);
	/* pairs with what om_hasten() and om_bring_home() do */
	smp_mb();
	om_link_bind(p->link, current, OM_NOTIFY_STOP);
	if (om_link_readable(p->link) || om_hurried(p))
		om_unstop_soon(p);
	om_mutant_signal();
	if (om_link_alive(p->link))
		arch_do_signal_or_restart(regs);
	om_link_bind(p->link, current, OM_NOTIFY_NONE);
	stopped = om_stop_ended(p, &woken);
	if (fatal_signal_pending(current))
		return -EINTR;
	if (woken) {
		/* what becomes of an interrupted call is for the next signal to say */
		regs->ip = ip;
		regs->ax = ax;
		if (masked)
			set_restore_sigmask();
		set_thread_flag(TIF_SIGPENDING);
	}
	if (regs->sp != old.sp)
		ret = om_send_memory(p, regs->sp, om_frame_size(regs, &old));
	if (!ret && regs->sp != old.sp && (long)ax == -ERESTART_RESTARTBLOCK)
		ret = om_tell_rest(p, true);
	if (!ret && stopped)
		ret = om_hear_leave(p);
	if (ret || !stopped)
		return ret;
	if (om_hurried(p))
		return 1;
	om_stop_again();
	return 0;
}

/* The body stands still, and the registers that count are here. */
static int om_recall_stopped(struct om_proc *p)
{
	p->away.keep_regs = true;
	p->away.parking = false;
	return om_recall(p, true);
}

/**
 * om_deliver - let the body, which stands still, go on after what is pending
 * @p: the process; the current one
 * @regs: its user registers
 *
 * May not return at all, if that is what a signal says. Returns 0 or a negative
 * errno.
 */
int om_deliver(struct om_proc *p, struct pt_regs *regs)
{
	int ret = 0;

	while (!ret && task_sigpending(current) && !om_wanted_now(p) &&
	       p->away.recalled < 2 && om_link_alive(p->link))
		ret = om_signal_once(p, regs);
	/* asked home at once, it comes as soon as it hears that, without new ones */
	if (ret > 0 || (!ret && (om_wanted_now(p) || p->away.recalled == 2)))
		return om_recall_stopped(p);
	/* what a handler made of them may be fit for a fault only, which is had here */
	if (!ret && !om_segments_travel(regs))
		return om_recall_stopped(p);
	p->away.parking = false;
	return ret ? ret : om_send_regs(p, regs);
}

/**
 * om_take_parked - the body stands still: deliver what is pending
 * @p: the process; the current one
 * @regs: its user registers, to be replaced by the body's
 * @msg: the body's registers
 *
 * May not return at all, if that is what the signal says. Returns 0 or a
 * negative errno.
 */
int om_take_parked(struct om_proc *p, struct pt_regs *regs,
		   const struct om_msg *msg)
{
	const struct om_parked *m = msg->data;
	size_t xlen = msg->len - sizeof(*m);
	int ret;

	if (!p->away.parking || msg->len < sizeof(*m) ||
	    !om_regs_sane(&m->regs, m + 1, xlen))
		return -EPROTO;
	ret = om_usage_add(p, &m->usage);
	if (ret)
		return ret;
	if (om_hurried(p) || p->away.recalled == 2) {
		/* it comes as it stands, and the signal waits for it here */
		p->away.parking = false;
		return om_recall(p, true);
	}
	ret = om_regs_load(regs, &m->regs, m + 1);
	if (ret)
		return ret;
	/* without a signal, too: a call may have to be made again */
	ret = om_signal_once(p, regs);
	if (ret > 0)
		return om_recall_stopped(p);
	return ret ? ret : om_deliver(p, regs);
}

/* The current process dies of a signal that leaves a core behind. */
void om_before_core(void)
{
	struct om_proc *p = om_proc_of(current);

	if (!p || !p->away.parked)
		return;
	p->away.parked = false;
	/* the body ends once it has given all: that shall not cut the dump off */
	om_link_bind(p->link, current, OM_NOTIFY_NONE);
	om_fetch_memory(p);
	/* whatever came of it: who reads the core may want to look at the rest */
	spin_lock(&p->lock);
	om_set_where(p, 0);
	spin_unlock(&p->lock);
}

/* The guest */

/**
 * om_body_await_regs - stand still until home says how to go on
 * @b: the body
 * @regs: its user registers, replaced on return
 */
void om_body_await_regs(struct om_body *b, struct pt_regs *regs)
{
	const struct om_regs *in;
	struct om_regs r;
	struct om_msg msg;
	int ret;

	for (;;) {
		/* it may have been heard before this: there will be no REGS */
		if (b->recall && b->urgent)
			om_body_return(b, regs, OM_HOME_NONE, 0);
		ret = om_body_recv(b, &msg);
		if (ret < 0)
			om_body_die(b, "no link");
		if (msg.type == OM_M_REGS)
			break;
		ret = msg.type == OM_M_BYTES ? om_take_bytes(b, &msg) :
					       om_body_dispatch(b, &msg);
		if (ret)
			om_body_die(b, "broken message");
	}
	in = msg.data;
	if (msg.len < sizeof(*in) ||
	    !om_regs_sane(in, in + 1, msg.len - sizeof(*in)))
		om_body_die(b, "broken message");
	r = *in;
	/* no signal changes these, and home may not know them */
	om_data_segments_save(&r);
	if (om_regs_load(regs, &r, in + 1))
		om_body_die(b, "bad registers");
	regs->orig_ax = -1;
	/* who sent the signal may have looked at the clock before */
	b->clock_heard = 0;
	/* a PARK that crossed with a call for registers has been met by them */
	b->park = false;
}

/**
 * om_body_park - hand over the registers, and stand still
 * @b: the body
 * @regs: its user registers, replaced on return
 */
void om_body_park(struct om_body *b, struct pt_regs *regs)
{
	struct om_parked *m;
	struct kvec vec[2];
	int ret;

	b->park = false;
	if (b->recall && b->urgent)
		om_body_return(b, regs, OM_HOME_NONE, 0);
	om_vdso_leave(b, regs);
	/* if its memory is broken, home's kernel knows what to do about that */
	if (om_rseq_fixup(b, regs))
		om_body_return(b, regs, OM_HOME_SIGNAL, SIGSEGV);
	m = kvzalloc(sizeof(*m) + OM_XSTATE_ROOM, GFP_KERNEL);
	if (!m)
		om_body_die(b, "no memory");
	ret = om_regs_save(regs, &m->regs, m + 1);
	om_body_usage(b, &m->usage);
	b->told = m->usage;
	vec[0].iov_base = m;
	vec[0].iov_len = sizeof(*m);
	vec[1].iov_base = m + 1;
	vec[1].iov_len = m->regs.xstate_len;
	if (!ret)
		ret = om_flush_ops(b);
	if (!ret)
		ret = om_link_send(b->link, OM_M_PARKED, vec, 2, false);
	kvfree(m);
	if (ret)
		om_body_die(b, "no link");
	trace_om_guest_parked(b->home, b->home_pid, 0);
	om_body_await_regs(b, regs);
}
