// SPDX-License-Identifier: GPL-2.0-only
/*
 * The deputy: the original task, at home, while its body runs elsewhere.
 *
 * It stands in for the return to user mode, so each turn does what that return
 * would: task work above all, without which files closed by a forwarded call
 * would stay open and a peer would never see the end.
 *
 * A signal is delivered here, to registers that the body lends (signal.c). A
 * request, a debugger or a new reason to stay brings the process home.
 */
#include <linux/blk-cgroup.h>
#include <linux/memcontrol.h>
#include <linux/resume_user_mode.h>
#include <linux/mm.h>
#include <linux/sched/deadline.h>
#include <linux/sched/rt.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/timekeeping.h>

#include "om.h"
#include "trace.h"

#define OM_HEARD_AT_ONCE	4	/* messages, before some pages are pushed */

static void om_deputy_chores(void)
{
	cond_resched();
	if (test_thread_flag(TIF_NOTIFY_SIGNAL))
		clear_notify_signal();
	clear_thread_flag(TIF_NOTIFY_RESUME);
	smp_mb__after_atomic();	/* pairs with task_work_add() */
	if (task_work_pending(current))
		task_work_run();
	mem_cgroup_handle_over_high(GFP_KERNEL);
	blkcg_maybe_throttle_current();
}

/* Is this a result that the exit to user mode turns into another try? */
bool om_must_restart(long result)
{
	return result == -ERESTARTSYS || result == -ERESTARTNOINTR ||
	       result == -ERESTARTNOHAND || result == -ERESTART_RESTARTBLOCK;
}

/* What brings a process home that is no request: a bit of enum om_reason, or 0. */
static u32 om_new_reason(void)
{
	u32 reasons = 0;

	if (READ_ONCE(current->ptrace))
		reasons |= BIT(OM_R_PTRACE);
	if (om_real_time(current))
		reasons |= BIT(OM_R_RT_SCHED);
	if (om_is_measured(current))
		reasons |= BIT(OM_R_PERF_MMAP);
	return reasons;
}

/* Does anybody want the process here? A signal does not. */
static bool om_wants_home(struct om_proc *p)
{
	return om_wanted(p) || READ_ONCE(p->wanted) || om_new_reason();
}

/* Is it wanted so much that calls and stops are broken off for it? */
bool om_hurried(struct om_proc *p)
{
	return READ_ONCE(p->hurry) || om_wanted_now(p);
}

/* Must the process be here before it runs on? */
bool om_wanted_now(struct om_proc *p)
{
	return READ_ONCE(p->wanted) || om_new_reason();
}

/* Asks the body to come home: when it can, or, as it stands still, at once. */
int om_recall(struct om_proc *p, bool at_once)
{
	u32 reasons = om_new_reason();
	u32 urgent = at_once;

	if (p->away.recalled > urgent)
		return 0;
	spin_lock(&p->lock);
	/* who took the request back just now was told that it stays */
	if (!at_once && !om_wants_home(p)) {
		spin_unlock(&p->lock);
		return 0;
	}
	WRITE_ONCE(p->away.recalled, urgent + 1);
	spin_unlock(&p->lock);
	om_note_reasons(p, reasons);
	trace_om_recall(task_tgid_nr(current), p->link->node, urgent);
	return om_link_send_one(p->link, OM_M_RECALL, &urgent, sizeof(urgent));
}

/* Where to, of what the guest node asks: home, if it cannot be met. */
static u32 om_leave_target(struct om_proc *p, const struct om_leave *leave)
{
	u32 target = leave->target;

	if (!target || target == om_self())
		return om_self();
	return om_node_check(target) ? om_self() : target;
}

/**
 * om_take_leave - the guest node wants the process gone
 * @p: the process; the current one
 * @msg: how it says so
 *
 * What is under way already takes it away from there, too. Nothing is answered.
 * Returns 0 or a negative errno.
 */
int om_take_leave(struct om_proc *p, const struct om_msg *msg)
{
	const struct om_leave *leave = msg->data;
	u32 target;

	if (msg->len != sizeof(*leave) || leave->target > OM_MAX_NODE ||
	    leave->flags & ~OM_LEAVE_AUTO)
		return -EPROTO;
	trace_om_leave(task_tgid_nr(current), p->link->node, leave->target);
	if ((leave->flags & OM_LEAVE_AUTO) && READ_ONCE(p->locked))
		return 0;
	if (leave->target == p->link->node)
		return 0;
	target = om_leave_target(p, leave);
	spin_lock(&p->lock);
	if (!p->requested) {
		if (target != om_self())
			memset(&p->stat, 0, sizeof(p->stat));
		om_want_elsewhere(p, target, OM_HOME_NODE);
	} else if (p->on_exec) {
		WRITE_ONCE(p->wanted, true);
	}
	WRITE_ONCE(p->hurry, true);
	spin_unlock(&p->lock);
	return 0;
}

/* Dirty pages, up to the last one. Returns 0 or a negative errno. */
static int om_receive_pages(struct om_proc *p)
{
	struct om_msg msg;
	int ret;

	for (;;) {
		ret = om_link_recv_wait(p->link, &msg, OM_LINK_TIMEOUT);
		if (ret < 0)
			return ret;
		if (msg.type == OM_M_RETURNED)
			return 0;
		if (msg.type == OM_M_FAULT)
			continue;	/* of a page that it then did not need */
		if (msg.type != OM_M_PAGES)
			return -EPROTO;
		ret = om_take_pages(p, msg.data, msg.len);
		if (ret)
			return ret;
	}
}

/**
 * om_fetch_memory - have all memory of a parked body here
 * @p: the process; the current one, which is about to die
 *
 * If that fails, the memory is what it was when the process left.
 */
void om_fetch_memory(struct om_proc *p)
{
	u32 urgent = 1;
	struct om_msg msg;

	if (om_link_send_one(p->link, OM_M_RECALL, &urgent, sizeof(urgent)))
		return;
	do {
		if (om_link_recv_wait(p->link, &msg, OM_LINK_TIMEOUT) < 0)
			return;
		if (msg.type == OM_M_OPS && om_take_ops(p, &msg))
			return;
		if (msg.type == OM_M_PAGES &&
		    om_take_pages(p, msg.data, msg.len))
			return;
	} while (msg.type != OM_M_RETURN);
	if (!om_receive_pages(p))
		om_link_send_one(p->link, OM_M_TAKEN, NULL, 0);
}

/* What it came home with, checked, or an error; kvfree() it. */
static struct om_return *om_take_return(const struct om_msg *msg)
{
	const struct om_return *said = msg->data;
	struct om_return *r;

	if (msg->len < sizeof(*said) || said->reason > OM_HOME_NODE ||
	    (said->reason == OM_HOME_REASON && said->arg >= OM_R_COUNT))
		return ERR_PTR(-EPROTO);
	r = kvmalloc(msg->len, GFP_KERNEL);
	if (!r)
		return ERR_PTR(-ENOMEM);
	memcpy(r, said, msg->len);
	if (om_regs_sane(&r->regs, r + 1, msg->len - sizeof(*r)) &&
	    om_trap_sane(&r->trap))
		return r;
	kvfree(r);
	return ERR_PTR(-EPROTO);
}

/* It is here, and its body runs no more. */
static void om_note_return(struct om_proc *p, const struct om_return *r)
{
	spin_lock(&p->lock);
	if (p->requested && p->target == om_self()) {
		p->requested = false;
		p->target = 0;
	}
	WRITE_ONCE(p->hurry, false);
	/* On its way to another node it never is at home. */
	if (!om_wanted(p) || p->wanted) {
		om_set_where(p, 0);
		p->nmigs++;
		p->state = OM_HOME;
		om_count(OM_C_MOVES_HOME);
	}
	p->stat.moved = true;
	p->stat.calls_local = r->calls_local;
	p->stat.prefetched = r->prefetched;
	if (r->reason != OM_HOME_NONE) {
		p->stat.home_reason = r->reason;
		p->stat.home_arg = r->arg;
	}
	p->stat.bytes_out = p->link->bytes_out;
	p->stat.bytes_in = p->link->bytes_in;
	p->stat.resumed = ktime_get_ns();
	p->stat.released = p->stat.resumed;
	spin_unlock(&p->lock);
}

/*
 * The process comes home: registers first, then its dirty pages. Nothing but
 * TAKEN ends the body, so a link that breaks on the way leaves no copy at all,
 * and the caller reports that death.
 */
static int om_receive_process(struct om_proc *p, struct pt_regs *regs,
			      const struct om_msg *first)
{
	struct om_return *r = om_take_return(first);
	int ret;

	if (IS_ERR(r))
		return PTR_ERR(r);
	spin_lock(&p->lock);
	p->state = OM_RETURNING;
	/* it has been standing still since it sent this */
	p->stat.frozen = ktime_get_ns() - om_link_half_trip(p->link);
	p->stat.prepared = p->stat.frozen;
	spin_unlock(&p->lock);
	trace_om_returning(task_tgid_nr(current), p->link->node, r->reason);
	ret = om_usage_add(p, &r->usage);
	if (!ret)
		ret = om_receive_pages(p);
	if (ret)
		goto out;
	/* what home has loaded for the body lacks only what no signal changes */
	ret = p->away.keep_regs ? om_data_segments_load(&r->regs) :
				  om_regs_load(regs, &r->regs, r + 1);
	if (ret)
		goto out;
	/* a call that is to be made again needs the exit path to look */
	if (regs->orig_ax != (unsigned long)-1)
		set_notify_signal(current);
	om_stop_again();
	om_trap_raise(regs, &r->trap);
	/* If it does not get there: the body waits for it, and runs no more. */
	om_link_send_one(p->link, OM_M_TAKEN, NULL, 0);
	trace_om_taken(task_tgid_nr(current), p->link->node, 0);
	if (fatal_signal_pending(current)) {
		ret = -EINTR;
		goto out;
	}
	om_note_return(p, r);
	/* the kernel makes the call again here, unless a handler ends it */
	if ((long)regs->ax == -ERESTART_RESTARTBLOCK && task_sigpending(current))
		om_tell_rest(p, false);
	else if (!READ_ONCE(p->where))
		p->away.rest.at = NULL;
out:
	kvfree(r);
	return ret;
}

/* Returns 1 when the process is home, 0 to go on, a negative errno. */
static int om_handle(struct om_proc *p, struct pt_regs *regs,
		     const struct om_msg *msg)
{
	int ret;

	switch (msg->type) {
	case OM_M_FAULT:
		if (msg->len != sizeof(u64))
			return -EPROTO;
		return om_serve_fault(p, *(u64 *)msg->data);
	case OM_M_CALL:
		p->stat.calls_forwarded++;
		om_count(OM_C_CALLS_FORWARDED);
		p->stat.round_trips++;
		return om_call_execute(p, msg);
	case OM_M_BYTES:
		return om_take_ahead(p, msg);
	case OM_M_OPS:
		return om_take_ops(p, msg);
	case OM_M_PAGES:
		return om_take_pages(p, msg->data, msg->len);
	case OM_M_PARKED:
		return om_take_parked(p, regs, msg);
	case OM_M_USAGE:
		if (msg->len != sizeof(struct om_usage))
			return -EPROTO;
		return om_usage_add(p, msg->data);
	case OM_M_LEAVE:
		return om_take_leave(p, msg);
	case OM_M_RETURN:
		ret = om_receive_process(p, regs, msg);
		return ret ? ret : 1;
	default:
		return -EPROTO;
	}
}

/**
 * om_deputy - stand in for the process until it is home again
 * @p: its state
 * @regs: its user registers, replaced when it returns
 *
 * Returns 0 when it is home and may run, a negative errno when its body is lost
 * or a fatal signal waits: then user code must not run again.
 */
int om_deputy(struct om_proc *p, struct pt_regs *regs)
{
	struct om_link *link = p->link;
	unsigned int heard = 0;
	struct om_msg msg;
	bool asked, coming;
	int ret, more;

	for (;;) {
		om_deputy_chores();
		if (fatal_signal_pending(current))
			return -EINTR;
		/* first: a body that always has more to say must hear it, too */
		ret = om_wants_home(p) ? om_recall(p, om_wanted_now(p)) : 0;
		/* a signal does not wait until a body that runs on has sent all */
		if (!ret && task_sigpending(current) && p->away.recalled < 2)
			ret = om_park(p);
		if (!ret)
			ret = om_link_recv(link, &msg);
		if (ret < 0)
			return ret;
		if (ret > 0) {
			ret = om_handle(p, regs, &msg);
			if (ret)
				return ret > 0 ? 0 : ret;
			/* nor may one that never falls silent stop the push */
			if (++heard < OM_HEARD_AT_ONCE)
				continue;
		}
		heard = 0;
		coming = p->away.recalled;
		asked = p->away.recalled == 2 || p->away.parking;
		more = coming || asked ? 0 : om_push_some(p);
		if (more < 0)
			return more;
		p->stat.bytes_out = link->bytes_out;
		p->stat.bytes_in = link->bytes_in;
		if (more)
			continue;
		/*
		 * With a question on its way only the body can say something
		 * new, or death; without it, any signal is a reason to wake.
		 */
		if (asked)
			wait_event_killable(link->wait,
				om_link_readable(link) ||
				(p->away.recalled < 2 && om_wanted_now(p)));
		else if (coming)
			wait_event_interruptible(link->wait,
				om_link_readable(link) || om_wanted_now(p));
		else
			wait_event_interruptible(link->wait,
				om_link_readable(link) || om_wants_home(p) ||
				(!p->away.pushed &&
				 om_link_inflight(link) < p->away.window));
	}
}
