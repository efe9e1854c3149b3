// SPDX-License-Identifier: GPL-2.0-only
/*
 * A body: what it consumes, what it hears from home while it runs, and how it
 * gives the process back.
 */
#include <linux/mm.h>
#include <linux/sched/cputime.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>

#include "om.h"
#include "trace.h"

/*
 * How often home learns what its process consumes, in jiffies: more often if that
 * decides when a signal comes, and as often as there a tick would find out if that is
 * to come again and again.
 */
#define OM_USAGE_PERIOD		(HZ / 5)
#define OM_COUNTED_PERIOD	(HZ / 50)
#define OM_RINGING_PERIOD	1

void om_body_free(struct om_body *b)
{
	struct page *page;
	unsigned long index;

	timer_shutdown_sync(&b->tick);
	xa_for_each(&b->stash, index, page)
		put_page(page);
	xa_destroy(&b->stash);
	mtree_destroy(&b->owned);
	if (om_mutant("leak"))
		return;
	kfree(b);
	om_uncount(OM_C_BODIES);
}

/* The process that lived here is gone, or never came. */
void om_body_die(struct om_body *b, const char *why)
{
	if (b->running)
		pr_info_ratelimited("openmosix: body of process %u of node %u ends: %s (%d)\n",
				    b->home_pid, b->home, why, b->link->error);
	if (b->running && !b->link->ended)
		om_count(OM_C_LINKS_LOST);
	trace_om_guest_end(b->home, b->home_pid, b->link->error);
	om_link_kill(b->link, -ESHUTDOWN);
	do_exit(0);
}

/* What this task consumed since the process resumed here. */
void om_body_usage(struct om_body *b, struct om_usage *u)
{
	u64 utime, stime;

	task_cputime(current, &utime, &stime);
	u->utime = utime - b->base.utime;
	u->stime = stime - b->base.stime;
	u->runtime = task_sched_runtime(current) - b->base.runtime;
	/* one that is not over yet has been taken off already */
	u->minor_faults = max_t(s64, b->told.minor_faults,
				current->min_flt - b->base.minor_faults);
	u->major_faults = current->maj_flt - b->base.major_faults;
	u->peak = get_mm_hiwater_rss(current->mm);
}

/**
 * om_body_count - home says what its CPU time decides
 * @b: the body
 * @counted: when a signal comes
 * @ringing: and when the next one does
 */
void om_body_count(struct om_body *b, bool counted, bool ringing)
{
	unsigned long period = ringing ? OM_RINGING_PERIOD :
			       counted ? OM_COUNTED_PERIOD : OM_USAGE_PERIOD;
	bool sooner = period < b->period;

	WRITE_ONCE(b->period, period);
	if (sooner && b->running)
		mod_timer(&b->tick, jiffies + 1);
}

/* Everything home had of anonymous memory is here: no need to ask any more. */
static int om_all_pushed(struct om_body *b)
{
	MA_STATE(mas, &b->owned, 0, 0);
	void *entry;

	mas_lock(&mas);
	mas_for_each(&mas, entry, ULONG_MAX) {
		if (xa_to_value(entry) == OM_OWNED_ANON)
			mas_erase(&mas);
		if (!need_resched())
			continue;
		mas_pause(&mas);
		mas_unlock(&mas);
		cond_resched();
		mas_lock(&mas);
	}
	mas_unlock(&mas);
	return 0;
}

/**
 * om_body_dispatch - act on a message that answers nothing
 * @b: the body
 * @msg: the message
 *
 * Returns 0, or a negative errno if it makes no sense.
 */
int om_body_dispatch(struct om_body *b, const struct om_msg *msg)
{
	const struct om_range *hole = msg->data;
	const u64 *bad = msg->data;

	switch (msg->type) {
	case OM_M_PAGES:
		return om_stash_pages(b, msg);
	case OM_M_HOLE:
		if (msg->len != sizeof(*hole) || !PAGE_ALIGNED(hole->start) ||
		    !PAGE_ALIGNED(hole->end) || hole->start >= hole->end ||
		    hole->end > TASK_SIZE_MAX)
			return -EPROTO;
		/* each may cost memory of this node: only what was asked for */
		if (!b->asked)
			return -EPROTO;
		b->asked--;
		return mtree_store_range(&b->owned, hole->start, hole->end - 1,
					 NULL, GFP_KERNEL);
	case OM_M_BADPAGE:
		if (msg->len != sizeof(*bad) || !PAGE_ALIGNED(*bad) ||
		    *bad >= TASK_SIZE_MAX)
			return -EPROTO;
		b->bad = *bad;
		return 0;
	case OM_M_PUSHED:
		if (msg->len != sizeof(u32))
			return -EPROTO;
		/* it may have been said before home heard of a move */
		return *(u32 *)msg->data == b->moves ? om_all_pushed(b) : 0;
	case OM_M_RECALL:
		if (msg->len != sizeof(u32))
			return -EPROTO;
		b->recall = true;
		b->urgent = *(u32 *)msg->data;
		return 0;
	case OM_M_PARK:
		b->park = true;
		return 0;
	default:
		return -EPROTO;
	}
}

/* Acts on all that has arrived. Returns 0 or a negative errno. */
static int om_body_drain(struct om_body *b)
{
	struct om_msg msg;
	int ret;

	while ((ret = om_link_recv(b->link, &msg)) > 0) {
		ret = om_body_dispatch(b, &msg);
		if (ret)
			break;
		om_stash_relieve(b);
	}
	return ret;
}

/**
 * om_body_recv - the next message, while the program stands still
 * @b: the body; the current task
 * @msg: out
 *
 * What home is to be told meanwhile, it is told. Returns 1 or a negative errno.
 */
int om_body_recv(struct om_body *b, struct om_msg *msg)
{
	int ret;

	om_stash_relieve(b);
	for (;;) {
		ret = om_link_recv_until(b->link, msg, MAX_SCHEDULE_TIMEOUT,
					 &b->leave_due);
		if (!ret)
			ret = om_send_leave(b);
		if (ret)
			return ret;
	}
}

/**
 * om_body_return - send the process home, and end
 * @b: the body
 * @regs: its user registers, ready to go on with
 * @reason: enum om_home_reason
 * @arg: of the reason
 */
void om_body_return(struct om_body *b, struct pt_regs *regs, u32 reason,
		    u32 arg)
{
	struct om_return *r;
	struct kvec vec[2];
	int ret;

	trace_om_guest_return(b->home, b->home_pid, reason);
	timer_delete_sync(&b->tick);
	r = kvzalloc(sizeof(*r) + OM_XSTATE_ROOM, GFP_KERNEL);
	if (!r)
		om_body_die(b, "no memory");
	om_vdso_leave(b, regs);
	ret = om_regs_save(regs, &r->regs, r + 1);
	om_body_usage(b, &r->usage);
	r->reason = reason;
	r->arg = arg;
	r->trap = b->trap;
	r->calls_local = b->calls_local;
	r->prefetched = b->prefetched;
	vec[0].iov_base = r;
	vec[0].iov_len = sizeof(*r);
	vec[1].iov_base = r + 1;
	vec[1].iov_len = r->regs.xstate_len;
	if (!ret)
		ret = om_flush_ops(b);
	if (!ret)
		ret = om_link_send(b->link, OM_M_RETURN, vec, 2, false);
	kvfree(r);
	if (!ret)
		ret = om_send_dirty(b);
	/* The OOM reaper may have been through its pages: what went is not all. */
	if (!ret && fatal_signal_pending(current))
		ret = -EINTR;
	if (!ret)
		ret = om_link_send_one(b->link, OM_M_RETURNED, NULL, 0);
	/* Until home has it all, this is the only copy. */
	if (!ret)
		ret = om_link_await(b->link, OM_M_TAKEN);
	if (ret)
		om_body_die(b, "lost on the way home");
	b->running = false;
	om_body_die(b, "gone home");
}

/*
 * A signal of this node's kernel, raised by what the process did. Death is not one
 * of them, and is not taken off.
 */
static int om_pending_signal(struct om_trap *trap)
{
	int sig = 0, i;

	spin_lock_irq(&current->sighand->siglock);
	if (current->signal->flags & SIGNAL_GROUP_EXIT) {
		spin_unlock_irq(&current->sighand->siglock);
		return SIGKILL;
	}
	for (i = 1; i <= _NSIG && !sig; i++)
		if (sigismember(&current->pending.signal, i) ||
		    sigismember(&current->signal->shared_pending.signal, i))
			sig = i;
	om_trap_note(sig, trap);
	flush_sigqueue(&current->pending);
	flush_sigqueue(&current->signal->shared_pending);
	recalc_sigpending();
	spin_unlock_irq(&current->sighand->siglock);
	return sig;
}

/* Home wants the process: now, or when what it has changed has been sent. */
static void om_go_home(struct om_body *b, struct pt_regs *regs)
{
	int ret = b->urgent ? 1 : om_send_early(b);

	if (ret < 0)
		om_body_die(b, "no link");
	if (ret)
		om_body_return(b, regs, OM_HOME_NONE, 0);
	mod_timer(&b->tick, jiffies + 1);
}

/**
 * om_body_signal - what a body does where others look for signals
 * @p: its state
 *
 * Hears what home has to say, reports the time it used, and goes home if home
 * wants that or if the program did something that home's kernel must judge: a
 * faulting instruction is simply executed again there.
 */
void om_body_signal(struct om_proc *p)
{
	struct pt_regs *regs = task_pt_regs(current);
	struct om_body *b = p->body;
	struct om_usage now;
	int sig;

	if (fatal_signal_pending(current))
		om_body_die(b, "killed here");
	if (om_body_drain(b) < 0)
		om_body_die(b, "no link");
	om_stash_map(b);
	if (task_sigpending(current)) {
		sig = om_pending_signal(&b->trap);
		if (sig == SIGKILL)
			om_body_die(b, "killed here");
		if (sig)
			om_body_return(b, regs, OM_HOME_SIGNAL, sig);
	}
	if (READ_ONCE(b->leave_due) && om_send_leave(b))
		om_body_die(b, "no link");
	if (b->recall)
		om_go_home(b, regs);
	if (b->park)
		om_body_park(b, regs);
	om_body_usage(b, &now);
	if (now.runtime - b->told.runtime >= b->period * TICK_NSEC / 2) {
		b->told = now;
		if (om_flush_ops(b) || om_title_tell(b) ||
		    om_link_send_one(b->link, OM_M_USAGE, &now, sizeof(now)))
			om_body_die(b, "no link");
	}
}
