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
#include <linux/sched/deadline.h>
#include <linux/sched/rt.h>
#include <linux/sched/signal.h>
#include <linux/task_work.h>

#include "om.h"
#include "trace.h"

#define OM_HEARD_AT_ONCE	4	/* messages, before some pages are pushed */

/*
 * How long a body whose node answers may take to stand still, or to come at once, in
 * which other processes may be waiting for it: after that it is given up.
 */
#define OM_ANSWER_TIMEOUT	(4 * OM_LINK_TIMEOUT)

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
		ret = om_arrive(p, regs, msg);
		return ret ? ret : 1;
	default:
		return -EPROTO;
	}
}

/*
 * With a question on its way only the body can say something new, or death; without
 * it, any signal is a reason to wake. Returns what is left of @patience, 0 if nothing.
 */
static long om_wait_answer(struct om_proc *p, long patience)
{
	struct om_link *link = p->link;

	return wait_event_killable_timeout(link->wait,
		om_link_readable(link) ||
		(p->away.recalled < 2 && om_wanted_now(p)), patience);
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
	long patience = OM_ANSWER_TIMEOUT;
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
		if (asked) {
			patience = om_wait_answer(p, patience);
			if (!patience)
				return -ETIMEDOUT;
			continue;
		}
		patience = OM_ANSWER_TIMEOUT;
		if (coming)
			wait_event_interruptible(link->wait,
				om_link_readable(link) || om_wanted_now(p));
		else
			wait_event_interruptible(link->wait,
				om_link_readable(link) || om_wants_home(p) ||
				(!p->away.pushed &&
				 om_link_inflight(link) < p->away.window));
	}
}
