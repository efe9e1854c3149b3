// SPDX-License-Identifier: GPL-2.0-only
/*
 * Emptying a node: its guests go (expel), its own processes come (bring).
 *
 * Both wait until it is done, however long a call lasts that cannot be broken
 * off; a signal ends the wait, not what was asked for.
 */
#include <linux/sched/signal.h>
#include <linux/wait.h>

#include "om.h"

/* How often all are looked at again: whoever was leaving may have left. */
#define OM_EMPTY_PERIOD	(HZ / 5)

static DECLARE_WAIT_QUEUE_HEAD(om_empty_wait);
static atomic_t om_empty_changes = ATOMIC_INIT(0);
static atomic_t om_expelling = ATOMIC_INIT(0);
static atomic_t om_bringing = ATOMIC_INIT(0);
static atomic_t om_brings = ATOMIC_INIT(0);	/* that ever began */

bool om_is_expelling(void)
{
	return atomic_read(&om_expelling);
}

bool om_is_bringing(void)
{
	return atomic_read(&om_bringing);
}

/* The current process begins to leave: of what is brought later, it is told. */
void om_note_brings(struct om_proc *p)
{
	p->away.brings = atomic_read(&om_brings);
}

/**
 * om_was_brought - were all brought home since the current process began to leave?
 * @p: its state, OM_FROZEN
 *
 * Who did that may have looked before it stood still, and not wait for it.
 */
bool om_was_brought(struct om_proc *p)
{
	/* pairs with om_bring(), which looks at states afterwards */
	smp_mb();
	return atomic_read(&om_brings) != p->away.brings;
}

/* A guest has gone, or a process has come home. */
void om_empty_changed(void)
{
	atomic_inc(&om_empty_changes);
	wake_up_all(&om_empty_wait);
}

/* @ask: asks all to go, and returns how many there are. */
static int om_empty(unsigned int (*ask)(void))
{
	int seen;

	for (;;) {
		seen = atomic_read(&om_empty_changes);
		if (!ask())
			return 0;
		if (wait_event_interruptible_timeout(om_empty_wait,
				atomic_read(&om_empty_changes) != seen,
				OM_EMPTY_PERIOD) < 0)
			return -EINTR;
	}
}

/*
 * A process of this node, wherever it is: it comes home, also out of a call that
 * can be broken off, and out of a stop.
 */
static void om_hasten(struct om_proc *p, struct task_struct *task)
{
	spin_lock(&p->lock);
	if (p->where && !p->hurry) {
		if (!p->requested)
			om_want_elsewhere(p, om_self(), OM_HOME_REQUEST);
		else if (p->on_exec || p->target != om_self())
			WRITE_ONCE(p->wanted, true);
		WRITE_ONCE(p->hurry, true);
		if (p->link)
			wake_up(&p->link->wait);
	}
	if (p->hurry)
		om_break_off(p, task);
	spin_unlock(&p->lock);
	if (READ_ONCE(p->hurry) && READ_ONCE(p->away.parked))
		om_unstop_soon(p);
}

/**
 * om_recheck_node - the current process has arrived
 * @p: its state
 *
 * If its node was removed while it was on its way, nobody else would fetch it.
 */
void om_recheck_node(struct om_proc *p)
{
	if (om_node_check(p->link->node) == -ENXIO)
		om_hasten(p, current);
}

/**
 * om_hasten_all - own processes come home from a node
 * @node: its id, or 0 for all nodes
 *
 * Returns how many are, or are about to be, there; but for the calling process,
 * which comes after the call that it is in.
 */
unsigned int om_hasten_all(u32 node)
{
	struct task_struct *task;
	unsigned int count = 0;
	struct om_proc *p;
	u32 where;

	rcu_read_lock();
	for_each_process(task) {
		p = om_proc_of(task);
		if (!p || READ_ONCE(p->guest))
			continue;
		where = READ_ONCE(p->where);
		if ((!where && READ_ONCE(p->state) != OM_FROZEN) ||
		    (where && node && where != node))
			continue;
		if (where)
			om_hasten(p, task);
		if (!same_thread_group(task, current))
			count++;
	}
	rcu_read_unlock();
	return count;
}

static unsigned int om_ask_own(void)
{
	return om_hasten_all(0);
}

/**
 * om_expel - all guests go, and no more come
 *
 * Returns 0 when the last has gone, or -EINTR.
 */
int om_expel(void)
{
	int ret;

	WRITE_ONCE(om_admin.block, 1);
	atomic_inc(&om_expelling);
	ret = om_empty(om_guests_ask);
	atomic_dec(&om_expelling);
	return ret;
}

/**
 * om_bring - all own processes come home, and none leaves meanwhile
 *
 * Returns 0 when the last has come, or -EINTR.
 */
int om_bring(void)
{
	int ret;

	WRITE_ONCE(om_admin.lstay, 1);
	atomic_inc(&om_bringing);
	atomic_inc(&om_brings);
	/* pairs with om_was_brought() */
	smp_mb__after_atomic();
	ret = om_empty(om_ask_own);
	atomic_dec(&om_bringing);
	/* who waits for a link may have one now */
	om_pool_changed();
	return ret;
}
