// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process that is stopped while it is away, and has to come home.
 *
 * Its deputy sleeps inside get_signal(), where only SIGCONT or SIGKILL wakes it.
 * It is woken without either, with all signals blocked so that it takes none of
 * those that wait for the SIGCONT; fetches the process; and stops again, as a
 * debugger's process does, before user code runs. To its parent it was stopped
 * all the time, and what becomes of a call that the stop interrupted is decided
 * when that ends.
 */
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>

#include "om.h"

/* The process counts as stopped: of its own signals only death may reach it. */
static void om_all_blocked(sigset_t *set)
{
	siginitsetinv(set, sigmask(SIGKILL));
}

/* Returns true if there is nothing (more) to wake. */
static bool om_unstop(struct om_proc *p, struct task_struct *t)
{
	unsigned long flags;
	bool done = true;

	if (!lock_task_sighand(t, &flags))
		return true;
	if (READ_ONCE(p->away.parked)) {
		done = t->jobctl & JOBCTL_STOPPED;
		if (done) {
			/* it may have been woken before, and stopped once more */
			if (!p->away.unstopped)
				p->away.blocked = t->blocked;
			p->away.unstopped = true;
			om_all_blocked(&t->blocked);
			t->jobctl &= ~JOBCTL_STOPPED;
			wake_up_state(t, __TASK_STOPPED);
		}
	}
	unlock_task_sighand(t, &flags);
	return done;
}

/* It may not have stopped yet when there is a reason to wake it. */
void om_unstop_fn(struct timer_list *timer)
{
	struct om_proc *p = from_timer(p, timer, unstop);
	struct task_struct *t = READ_ONCE(p->mover);

	if (t && !om_unstop(p, t))
		mod_timer(&p->unstop, jiffies + 1);
}

/* Wakes the deputy if it stops, or has stopped, in om_signal_once(). */
void om_unstop_soon(struct om_proc *p)
{
	mod_timer(&p->unstop, jiffies);
}

/**
 * om_stop_ended - what om_signal_once() does when the stop, if any, is over
 * @p: the process; the current one
 * @woken: out, is it over without a signal, with all of them blocked as it was?
 *
 * The signal mask is what it was when it stopped. Returns true if the process still
 * counts as stopped, and must not run.
 */
bool om_stop_ended(struct om_proc *p, bool *woken)
{
	bool stopped;

	spin_lock_irq(&current->sighand->siglock);
	p->away.parked = false;
	/* pairs with the one in om_call_home(): who saw it parked is heard */
	smp_mb();
	*woken = p->away.unstopped;
	if (*woken)
		current->blocked = p->away.blocked;
	p->away.unstopped = false;
	recalc_sigpending();
	stopped = current->signal->flags & SIGNAL_STOP_STOPPED;
	spin_unlock_irq(&current->sighand->siglock);
	timer_delete_sync(&p->unstop);
	return stopped;
}

/* If the current process counts as stopped, it stops before it runs on. */
void om_stop_again(void)
{
	spin_lock_irq(&current->sighand->siglock);
	if (current->signal->flags & SIGNAL_STOP_STOPPED) {
		task_set_jobctl_pending(current, JOBCTL_STOP_PENDING |
				(current->jobctl & JOBCTL_STOP_SIGMASK ?: SIGSTOP));
		recalc_sigpending();
	}
	spin_unlock_irq(&current->sighand->siglock);
}
