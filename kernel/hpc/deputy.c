// SPDX-License-Identifier: GPL-2.0-only
/*
 * The deputy: the original task, at home, while its body runs elsewhere.
 *
 * It stands in for the return to user mode, so each turn does what that return
 * would: task work above all, without which files closed by a forwarded call
 * would stay open and a peer would never see the end.
 *
 * Any signal, stop or trace request brings the process home, where it is
 * handled as ever: what the body was doing arrives as registers in the state of
 * an interrupted call or instruction, and the kernel takes it from there.
 */
#include <linux/blk-cgroup.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/posix-timers.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/timekeeping.h>

#include "om.h"

/**
 * om_usage_add - account what the body consumed since it was last heard
 * @p: the process; the current one
 * @now: what it says it has consumed, in nanoseconds since it resumed
 *
 * Added where the time of threads that have ended is kept, so that /proc,
 * getrusage(), times() and wait4() all see it.
 */
void om_usage_add(struct om_proc *p, const struct om_usage *now)
{
	struct signal_struct *sig = current->signal;
	struct om_usage *was = &p->away.usage;
	u64 utime = now->utime - was->utime;
	u64 stime = now->stime - was->stime;
	u64 runtime = now->runtime - was->runtime;

	if (now->utime < was->utime || now->stime < was->stime ||
	    now->runtime < was->runtime)
		return;
	*was = *now;
	write_seqlock_irq(&sig->stats_lock);
	sig->utime += utime;
	sig->stime += stime;
	sig->sum_sched_runtime += runtime;
	write_sequnlock_irq(&sig->stats_lock);

	/* RLIMIT_CPU and the CPU timers: as if the tick had found it running */
	local_irq_disable();
	account_group_user_time(current, utime);
	account_group_system_time(current, stime);
	account_group_exec_runtime(current, runtime);
	run_posix_cpu_timers();
	local_irq_enable();
}

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

/* The signal that the current task will take next, or 0. */
int om_next_signal(void)
{
	sigset_t pending;
	int sig = 0, i;

	spin_lock_irq(&current->sighand->siglock);
	sigorsets(&pending, &current->pending.signal,
		  &current->signal->shared_pending.signal);
	sigandnsets(&pending, &pending, &current->blocked);
	for (i = 1; i <= _NSIG && !sig; i++)
		if (sigismember(&pending, i))
			sig = i;
	spin_unlock_irq(&current->sighand->siglock);
	return sig;
}

static bool om_wants_home(struct om_proc *p)
{
	return om_wanted(p) || task_sigpending(current);
}

static int om_recall(struct om_proc *p)
{
	struct om_stat *s = &p->stat;
	int sig = om_next_signal();

	if (p->away.recalled)
		return 0;
	p->away.recalled = true;
	spin_lock(&p->lock);
	s->frozen = ktime_get_ns();
	if (sig) {
		s->home_reason = OM_HOME_SIGNAL;
		s->home_arg = sig;
	}
	spin_unlock(&p->lock);
	return om_link_send_one(p->link, OM_M_RECALL, NULL, 0);
}

/*
 * The process comes home: registers first, then its dirty pages. Nothing but
 * TAKEN ends the body, so a link that breaks on the way leaves no copy at all,
 * and the caller reports that death.
 */
static int om_receive_process(struct om_proc *p, struct pt_regs *regs,
			      const struct om_msg *first)
{
	size_t xlen = first->len - sizeof(struct om_return);
	struct om_return *r;
	struct om_msg msg;
	int ret = -ENOMEM;

	if (first->len < sizeof(*r))
		return -EPROTO;
	spin_lock(&p->lock);
	p->state = OM_RETURNING;
	if (!p->away.recalled)
		p->stat.frozen = ktime_get_ns();
	spin_unlock(&p->lock);
	r = kvmalloc(first->len, GFP_KERNEL);
	if (!r)
		return ret;
	memcpy(r, first->data, first->len);
	ret = -EPROTO;
	if (!om_regs_sane(&r->regs, xlen))
		goto out;
	om_usage_add(p, &r->usage);
	for (;;) {
		ret = om_link_recv_wait(p->link, &msg, OM_LINK_TIMEOUT);
		if (ret < 0)
			goto out;
		if (msg.type == OM_M_RETURNED)
			break;
		ret = -EPROTO;
		if (msg.type == OM_M_FAULT)
			continue;	/* of a page that it then did not need */
		if (msg.type != OM_M_PAGES)
			goto out;
		ret = om_take_pages(msg.data, msg.len);
		if (ret < 0)
			goto out;
		p->stat.pages_in += ret;
	}
	ret = om_regs_load(regs, &r->regs, r + 1);
	if (!ret)
		ret = om_vdso_leave(regs);
	if (ret)
		goto out;
	/* A trap, unlike a fault, is past its instruction: it is not repeated. */
	if (r->reason == OM_HOME_SIGNAL && r->arg == SIGTRAP)
		force_sig(SIGTRAP);
	ret = om_link_send_one(p->link, OM_M_TAKEN, NULL, 0);
	if (ret)
		goto out;
	spin_lock(&p->lock);
	if (p->requested && p->target == om_self()) {
		p->requested = false;
		p->target = 0;
	}
	/* On its way to another node it never is at home. */
	if (!om_wanted(p)) {
		p->where = 0;
		p->nmigs++;
		p->state = OM_HOME;
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
out:
	kvfree(r);
	return ret;
}

/* Returns 1 when the process is home, 0 to go on, a negative errno. */
static int om_handle(struct om_proc *p, struct pt_regs *regs,
		     const struct om_msg *msg)
{
	long result;
	int ret;

	switch (msg->type) {
	case OM_M_FAULT:
		if (msg->len != sizeof(u64))
			return -EPROTO;
		return om_serve_fault(p, *(u64 *)msg->data);
	case OM_M_CALL:
		p->stat.calls_forwarded++;
		p->stat.round_trips++;
		ret = om_call_execute(p, msg, &result);
		if (ret)
			return ret;
		/*
		 * A call that is to be restarted needs the exit path to look,
		 * even if the signal was someone else's in the end.
		 */
		if (om_must_restart(result))
			set_thread_flag(TIF_SIGPENDING);
		return 0;
	case OM_M_USAGE:
		if (msg->len != sizeof(struct om_usage))
			return -EPROTO;
		om_usage_add(p, msg->data);
		return 0;
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
	struct om_msg msg;
	int ret, more;

	for (;;) {
		om_deputy_chores();
		if (fatal_signal_pending(current))
			return -EINTR;
		ret = om_link_recv(link, &msg);
		if (ret > 0) {
			ret = om_handle(p, regs, &msg);
			if (ret)
				return ret > 0 ? 0 : ret;
			continue;
		}
		if (ret < 0)
			return ret;
		if (om_wants_home(p)) {
			ret = om_recall(p);
			if (ret)
				return ret;
		}
		more = p->away.recalled ? 0 : om_push_some(p);
		if (more < 0)
			return more;
		p->stat.bytes_out = link->bytes_out;
		p->stat.bytes_in = link->bytes_in;
		if (more)
			continue;
		/*
		 * With a recall on its way only the body can say something new,
		 * or death; without it, any signal is a reason to wake.
		 */
		if (p->away.recalled)
			wait_event_killable(link->wait,
					    om_link_readable(link));
		else
			wait_event_interruptible(link->wait,
				om_link_readable(link) || om_wants_home(p) ||
				(!p->away.pushed &&
				 om_link_inflight(link) < p->away.window &&
				 om_link_room(link, PAGE_SIZE * 8)));
	}
}
