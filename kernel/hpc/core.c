// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state of a process: made when first needed, shared by its threads,
 * freed with the signal_struct it hangs off. And the hooks, which find the
 * state and go on to the file whose business it is.
 */
#include <linux/mm_types.h>
#include <linux/resume_user_mode.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "om.h"

struct om_proc *om_proc_of(struct task_struct *task)
{
	/* pairs with the cmpxchg() in om_proc_make(): the state is complete */
	return smp_load_acquire(&task->signal->om);
}

/* The task may be asleep or in a hurry: it looks at its next return. */
void om_poke(struct task_struct *task)
{
	struct task_struct *t;

	rcu_read_lock();
	for_each_thread(task, t)
		set_notify_resume(t);
	rcu_read_unlock();
}

static void om_retry_fn(struct timer_list *timer)
{
	struct om_proc *p = from_timer(p, timer, retry);
	struct task_struct *t = READ_ONCE(p->mover);

	if (t)
		set_notify_resume(t);
}

/* Not now, but at the first return to user mode after @when, in jiffies. */
void om_retry_at(struct om_proc *p, unsigned long when)
{
	WRITE_ONCE(p->mover, current);
	mod_timer(&p->retry, when);
}

static void om_nudge_fn(struct timer_list *timer)
{
	struct om_proc *p = from_timer(p, timer, nudge);
	struct task_struct *t = READ_ONCE(p->mover);

	/* one that runs would cut short what it does: let it come to rest */
	if (t && (READ_ONCE(t->__state) & TASK_INTERRUPTIBLE))
		set_notify_signal(t);
	else if (t)
		mod_timer(&p->nudge, jiffies + 1);
}

/* The call that is about to be made shall not block for long. */
void om_nudge_soon(struct om_proc *p)
{
	WRITE_ONCE(p->mover, current);
	mod_timer(&p->nudge, jiffies + 2);
}

static struct om_proc *om_proc_alloc(void)
{
	struct om_proc *p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);

	if (!p)
		return NULL;
	spin_lock_init(&p->lock);
	init_waitqueue_head(&p->home_wait);
	xa_init(&p->away.sent);
	timer_setup(&p->retry, om_retry_fn, 0);
	timer_setup(&p->nudge, om_nudge_fn, 0);
	timer_setup(&p->unstop, om_unstop_fn, 0);
	om_count(OM_C_STATES);
	return p;
}

/* In interrupt context, perhaps: what takes longer was done by om_exit(). */
static void om_proc_free(struct om_proc *p)
{
	WARN_ON_ONCE(p->link || p->body);
	timer_shutdown(&p->retry);
	timer_shutdown(&p->nudge);
	timer_shutdown(&p->unstop);
	kfree(p);
	om_uncount(OM_C_STATES);
}

/**
 * om_proc_make - the state of a process, made if there is none
 * @task: any of its threads, referenced by the caller
 *
 * Returns NULL if there is no memory.
 */
struct om_proc *om_proc_make(struct task_struct *task)
{
	struct om_proc *p = om_proc_of(task), *old;

	if (p)
		return p;
	p = om_proc_alloc();
	if (!p)
		return NULL;
	old = cmpxchg(&task->signal->om, NULL, p);
	if (!old)
		return p;
	om_proc_free(p);
	return old;
}

void om_mm_init(struct mm_struct *mm)
{
	mm->om_body = NULL;
}

/* A child begins with its parent's lock and wishes, and at home. */
int om_signal_fork(struct signal_struct *sig)
{
	struct om_proc *parent = om_proc_of(current), *p;
	struct om_origin origin;
	struct om_decay decay;
	bool locked;

	if (!parent)
		return 0;
	spin_lock(&parent->lock);
	locked = parent->locked && !om_mutant("no-lock-inherit");
	origin = parent->origin;
	decay = parent->decay;
	spin_unlock(&parent->lock);
	if (decay.not_inherited)
		memset(&decay, 0, sizeof(decay));
	decay.cleared = 0;
	if (!locked && !decay.job && !decay.rate && !decay.reset_on_exec)
		return 0;
	p = om_proc_alloc();
	if (!p)
		return -ENOMEM;
	p->decay = decay;
	if (locked) {
		p->locked = true;
		p->origin = origin;
	}
	sig->om = p;
	return 0;
}

void om_signal_free(struct signal_struct *sig)
{
	if (sig->om)
		om_proc_free(sig->om);
}

void om_resume_user_mode(struct pt_regs *regs)
{
	struct om_proc *p = om_proc_of(current);

	/* a kernel thread that works for the process has no registers to move */
	if (!p || !regs)
		return;
	if (p->body)
		om_body_resume(p, regs);
	else if (READ_ONCE(p->requested) || p->link)
		om_home_resume(p, regs);
}

bool om_syscall_enter(struct pt_regs *regs)
{
	struct om_proc *p = om_proc_of(current);

	if (!p || !p->body || !p->body->running)
		return false;
	om_body_syscall(p, regs);
	return true;
}

void om_get_signal(void)
{
	struct om_proc *p = om_proc_of(current);

	if (p && p->body && p->body->running)
		om_body_signal(p);
}

/*
 * A deputy that waits, and makes no call, waits for its process, which runs elsewhere.
 * Nor is a process idle, like a thread of the kernel, when it waits to leave.
 * @index: the task's own state, as in task_index_to_char()
 */
unsigned int om_task_state(struct task_struct *task, unsigned int index)
{
	struct om_proc *p = om_proc_of(task);
	bool idle = index == fls(TASK_REPORT_IDLE);
	bool waits = index == fls(TASK_INTERRUPTIBLE) ||
		     index == fls(TASK_UNINTERRUPTIBLE);

	if (p && !READ_ONCE(p->guest) && !READ_ONCE(p->in_call) &&
	    (idle || (waits && READ_ONCE(p->where))))
		return 0;
	return index;
}

bool om_is_body(struct task_struct *task)
{
	struct om_proc *p = om_proc_of(task);

	return p && READ_ONCE(p->guest);
}

/* Who saw the process stopped, or its link, may yet set them: not once it is dead. */
static void om_end_timers(struct om_proc *p, bool mover, bool dead)
{
	if (dead) {
		timer_shutdown_sync(&p->retry);
		timer_shutdown_sync(&p->nudge);
		timer_shutdown_sync(&p->unstop);
	} else if (mover) {
		timer_delete_sync(&p->retry);
		timer_delete_sync(&p->nudge);
		timer_delete_sync(&p->unstop);
	}
}

/* A thread ends; with the last one, all that its process holds is let go. */
void om_exit(bool group_dead)
{
	struct om_proc *p = om_proc_of(current);
	struct om_body *b;
	bool mover;

	if (!p)
		return;
	mover = READ_ONCE(p->mover) == current;
	if (mover)
		WRITE_ONCE(p->mover, NULL);
	om_end_timers(p, mover, group_dead);
	if (p->body && group_dead)
		om_guest_gone(p->body);
	if (mover || group_dead)
		om_drop_link(p);
	if (!group_dead) {
		/* what was requested is another thread's to answer now */
		if (mover)
			om_poke(current);
		return;
	}
	om_sent_free(&p->away);
	spin_lock(&p->lock);
	if (p->out)
		om_set_lost(p);
	spin_unlock(&p->lock);
	b = p->body;
	p->body = NULL;
	if (b)
		om_body_free(b);
}

static void om_exec_decay(struct om_proc *p)
{
	spin_lock(&p->lock);
	if (p->decay.reset_on_exec)
		memset(&p->decay, 0, sizeof(p->decay));
	spin_unlock(&p->lock);
}

/* The request that waited for an execve is due, or void. */
void om_exec(int error)
{
	struct om_proc *p = om_proc_of(current);

	if (!p)
		return;
	if (!error)
		om_exec_decay(p);
	if (!READ_ONCE(p->on_exec))
		return;
	spin_lock(&p->lock);
	p->on_exec = false;
	p->link_until = (jiffies + OM_LINK_TIMEOUT) ?: 1;
	if (error) {
		p->requested = false;
		p->target = 0;
		p->state = OM_HOME;
	}
	spin_unlock(&p->lock);
	if (!error)
		set_notify_resume(current);
}
