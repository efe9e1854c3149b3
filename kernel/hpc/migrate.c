// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leaving home: the transaction, home's side.
 *
 *   PENDING    the request is noted; at its next return to user mode the
 *              process sends its address space to a stub, and goes on running
 *   PREPARING  the stub rebuilds it and says READY
 *   FROZEN     COMMIT goes out: the registers, and what has changed in the few
 *              pages that went ahead; from there home can only kill, never resume
 *   AWAY       the body said RESUMED; this task is its deputy
 *
 * Until COMMIT only home runs, and whatever fails ends the attempt with the
 * process none the wiser.
 */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/rseq.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "om.h"
#include "trace.h"

/* Address spaces that keep changing are sent so often while they run. */
#define OM_PREPARE_ATTEMPTS	3

/* Ends the link of the current process, if it has one: of its threads, one does. */
void om_drop_link(struct om_proc *p)
{
	struct om_link *link;

	spin_lock(&p->lock);
	link = p->link;
	WRITE_ONCE(p->link, NULL);
	spin_unlock(&p->lock);
	if (!link)
		return;
	om_link_bind(link, NULL, OM_NOTIFY_NONE);
	om_link_kill(link, -ESHUTDOWN);
	om_pool_settle(link);
	om_link_put(link);
}

/**
 * om_want_elsewhere - note that the process has to leave where it is
 * @p: its state; p->lock is held, and nothing is requested yet
 * @target: node id
 * @reason: why it comes home, OM_HOME_*
 */
void om_want_elsewhere(struct om_proc *p, u32 target, u32 reason)
{
	lockdep_assert_held(&p->lock);
	p->requested = true;
	p->target = target;
	p->stat.requested = ktime_get_ns();
	p->stat.error = 0;
	p->stat.moved = false;
	p->stat.home_reason = reason;
	p->stat.home_arg = 0;
}

/**
 * om_set_home - note that it is at home, and looks again soon if it is wanted elsewhere
 * @p: its state, locked by the caller
 */
void om_set_home(struct om_proc *p)
{
	lockdep_assert_held(&p->lock);
	p->state = p->requested ? OM_PENDING : OM_HOME;
	if (p->requested)
		set_thread_flag(TIF_NOTIFY_RESUME);
}

/* Its link is not wanted any more. What was requested since then is. */
static void om_withdrawn(struct om_proc *p)
{
	om_drop_link(p);
	om_sent_free(&p->away);
	spin_lock(&p->lock);
	om_set_out(p, false);
	om_set_home(p);
	spin_unlock(&p->lock);
}

/* Was that one taken back, and another node asked for since? */
static bool om_changed_target(struct om_proc *p)
{
	bool changed;

	spin_lock(&p->lock);
	changed = p->link && p->requested && p->target != om_self() &&
		  p->target != p->link->node;
	spin_unlock(&p->lock);
	return changed;
}

/**
 * om_home_abort - the process stays at home
 * @p: its state
 * @error: why, a positive errno; 0 if the request was withdrawn
 *
 * Unless another node was asked for meanwhile: that is tried then.
 */
void om_home_abort(struct om_proc *p, int error)
{
	if (om_changed_target(p)) {
		om_withdrawn(p);
		return;
	}
	/* a stub that is lost is no reason: the next one may be better */
	if (error == ECONNRESET || error == EPIPE)
		error = EAGAIN;
	if (error) {
		om_count(OM_C_FAILED);
		trace_om_failed(task_tgid_nr(current), p->target, error);
	}
	/* it may be gone by the time that somebody looks */
	if (error == EBUSY)
		om_note_reasons(p, om_stay_reasons(current));
	om_drop_link(p);
	om_sent_free(&p->away);
	spin_lock(&p->lock);
	p->requested = false;
	p->target = 0;
	p->state = OM_HOME;
	p->stat.error = error;
	om_set_out(p, false);
	spin_unlock(&p->lock);
}

/**
 * om_good_moment - can the process leave at this instruction?
 * @regs: its user registers
 *
 * A program inside the vdso reads a page that it will not have. It would come home
 * for the rest if it left in the handler of a signal that found it there. If not, it
 * looks again soon.
 */
bool om_good_moment(struct pt_regs *regs)
{
	if (om_vdso_amid(regs->ip) || om_interrupts_vdso(regs) ||
	    !om_segments_travel(regs)) {
		om_retry_at(current->signal->om, jiffies + 1);
		return false;
	}
	if (signal_pending(current)) {
		set_thread_flag(TIF_NOTIFY_RESUME);
		return false;
	}
	return true;
}

/* How long a process stands still for who looks at it, and how often it tries. */
#define OM_HOLD_PATIENCE	max(HZ / 20, 1)
#define OM_HOLD_TRIES		300

/*
 * Who has hold of its memory, as ps has, lets go of it soon. One that wakes now and
 * then only would otherwise have to wake once more to leave.
 */
static void om_wait_for_holder(struct om_proc *p)
{
	int left = OM_HOLD_PATIENCE;

	p->away.still = 0;
	while (om_is_held() && left-- > 0 && !signal_pending(current))
		schedule_timeout_interruptible(1);
	if (!om_is_held())
		set_thread_flag(TIF_NOTIFY_RESUME);
	else if (++p->away.held > OM_HOLD_TRIES)
		om_home_abort(p, EAGAIN);
	else
		om_retry_at(p, jiffies + 1);
}

/* Something goes first. Returns false if it was asked to stay meanwhile. */
static bool om_thaw(struct om_proc *p)
{
	bool wanted;

	spin_lock(&p->lock);
	wanted = p->target != om_self();
	if (wanted) {
		p->state = OM_PREPARING;
		om_set_out(p, false);
	}
	spin_unlock(&p->lock);
	if (!wanted)
		return false;
	p->away.still = 0;
	om_link_bind(p->link, current, OM_NOTIFY_RESUME);
	set_thread_flag(TIF_NOTIFY_RESUME);
	return true;
}

static void om_leave(struct om_proc *p, struct pt_regs *regs)
{
	struct om_away *away = &p->away;
	bool last = away->attempts >= OM_PREPARE_ATTEMPTS;
	int ret = 0;

	if (!om_good_moment(regs)) {
		away->still = 0;
		return;
	}
	if (om_stay_now(p) || om_is_bringing()) {
		om_home_abort(p, om_is_bringing() ? EAGAIN : EBUSY);
		return;
	}
	if (om_is_held()) {
		om_wait_for_holder(p);
		return;
	}
	away->held = 0;
	/* the mappings have changed: once more */
	if (om_prepare_stale(p)) {
		away->attempts++;
		away->still = 0;
		ret = om_send_prepare(p);
		/* a process that never keeps still is made to */
		if (!ret && last)
			ret = om_wait_ready(p);
		if (ret)
			om_home_abort(p, -ret);
		if (ret || !last)
			return;
	}
	if (!om_start_leaving(p)) {
		om_withdrawn(p);
		return;
	}
	/* who comes from here on waits for it to be home */
	ret = om_was_brought(p) ? -EAGAIN :
	      om_is_held() ? -EINTR : om_freeze(p, regs);
	/* a signal came in between, or a visitor */
	if (ret == -EINTR && om_link_alive(p->link) && om_thaw(p))
		return;
	if (ret)
		om_home_abort(p, READ_ONCE(p->target) == om_self() ? 0 : -ret);
	else
		om_be_away(p, regs);
}

/*
 * A program that was to begin elsewhere waits for a link rather than begin here:
 * who asked for that has become it, and nobody is left to be told. Returns 0 or a
 * negative errno; -EINTR if something else goes first.
 */
static int om_begin_patiently(struct om_proc *p)
{
	int ret;

	do {
		ret = om_begin(p);
		if (ret != -EAGAIN || !p->link_until)
			return ret;
		ret = om_pool_await(p);
	} while (!ret);
	return ret;
}

/* Called at the return to user mode while there is a request or a link. */
void om_home_resume(struct om_proc *p, struct pt_regs *regs)
{
	int ret;

	if (fatal_signal_pending(current) ||
	    (READ_ONCE(p->link) && READ_ONCE(p->mover) != current))
		return;
	if (!om_wanted(p)) {
		if (p->link)
			om_withdrawn(p);
		return;
	}
	/* that one was taken back, and another node asked for since */
	if (p->link && p->link->node != READ_ONCE(p->target)) {
		om_drop_link(p);
		om_sent_free(&p->away);
	}
	if (!p->link) {
		p->away.attempts = 0;
		p->away.held = 0;
		ret = om_begin_patiently(p);
		if (ret == -EINTR && p->link_until) {
			set_thread_flag(TIF_NOTIFY_RESUME);
			return;
		}
		/* it was for this request, not for those that come later */
		p->link_until = 0;
		if (!ret && p->asleep)
			ret = om_wait_soon(p);
		if (ret)
			om_home_abort(p, -ret);
		return;
	}
	ret = p->away.ready ? 1 : om_await_ready(p);
	if (ret > 0 && !p->away.ready)
		trace_om_ready(task_tgid_nr(current), p->link->node, 0);
	p->away.ready = ret > 0;
	if (ret < 0)
		om_home_abort(p, -ret);
	else if (ret)
		om_leave(p, regs);
}
