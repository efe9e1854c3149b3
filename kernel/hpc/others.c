// SPDX-License-Identifier: GPL-2.0-only
/*
 * Others who are about to see or change the memory of a process that is away.
 * They wait until it is home, or sure to come home before it runs user code
 * again.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/ptrace.h>
#include <linux/resume_user_mode.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "om.h"

/* How long who wants memory waits for the end of a call, or for a process at all. */
#define OM_CALL_PATIENCE	(2 * HZ)

/* How many processes of this node are out: mostly none, so nothing to do. */
static atomic_t om_out_count = ATOMIC_INIT(0);

/* Counts what can make a mapping of a file a reason to stay. */
static atomic_t om_shares = ATOMIC_INIT(0);
/* Those of them that are no reason to stay, but to come home once. */
static atomic_t om_cuts = ATOMIC_INIT(0);

/**
 * om_set_out - note if the memory of the process may be elsewhere
 * @p: its state, locked by the caller
 * @out: from the moment that it stands still to leave, until it is home
 */
void om_set_out(struct om_proc *p, bool out)
{
	lockdep_assert_held(&p->lock);
	if (p->out != out)
		atomic_add(out ? 1 : -1, &om_out_count);
	WRITE_ONCE(p->out, out);
	if (!out) {
		WRITE_ONCE(p->wanted, false);
		WRITE_ONCE(p->hurry, false);
		wake_up_all(&p->home_wait);
	}
}

/**
 * om_set_where - note where the process runs
 * @p: its state, locked by the caller
 * @where: node id; 0 is home
 */
void om_set_where(struct om_proc *p, u32 where)
{
	WRITE_ONCE(p->where, where);
	om_set_out(p, where);
	if (!where)
		om_empty_changed();
}

/**
 * om_set_lost - note that the memory of the process has ended with its body
 * @p: its state, locked by the caller
 */
void om_set_lost(struct om_proc *p)
{
	WRITE_ONCE(p->lost, true);
	om_set_where(p, 0);
}

/**
 * om_is_held - has somebody else hold of the memory of the current process?
 *
 * He may be about to write there, and nobody would see that elsewhere.
 */
bool om_is_held(void)
{
	/* who takes hold later sees that it is out: pairs with om_bring_memory() */
	smp_mb();
	return atomic_read(&current->mm->mm_users) > 1;
}

/*
 * Is it sure that no user code runs before the process is home? In a call, the
 * deputy sees that it is wanted before it replies, and after a stop before it goes
 * on. That is no comfort to who wants to attach to it, unless the call cannot be
 * broken off.
 */
static bool om_at_rest(struct om_proc *p, u32 reason)
{
	if (!READ_ONCE(p->out))
		return true;
	switch (READ_ONCE(p->in_call)) {
	case OM_CALL_DEEP:
		return true;
	case OM_CALL_LIGHT:
		return reason == OM_R_MONKEY;
	default:
		return reason == OM_R_MONKEY && READ_ONCE(p->away.parked);
	}
}

/* Asks a process to come home. Returns its state if there is something to wait for. */
static struct om_proc *om_call_home(struct task_struct *task, u32 reason)
{
	struct om_proc *p = om_proc_of(task);
	bool own = same_thread_group(task, current);

	if (!p || !READ_ONCE(p->out) || (own && reason == OM_R_PTRACE))
		return NULL;
	spin_lock(&p->lock);
	if (p->out) {
		WRITE_ONCE(p->wanted, true);
		p->stat.home_reason = OM_HOME_REASON;
		p->stat.home_arg = reason;
		if (p->link)
			wake_up(&p->link->wait);
		if (!own)
			om_break_off(p, task->group_leader);
	}
	spin_unlock(&p->lock);
	if (own)
		return NULL;
	/* pairs with the barriers in om_signal_once() and om_stop_ended() */
	smp_mb();
	if (READ_ONCE(p->away.parked))
		om_unstop_soon(p);
	return p;
}

/**
 * om_bring_home - have a process here
 * @task: one of its threads, referenced
 * @reason: enum om_reason, for migstat
 *
 * Returns when it is home, sure to come, or the caller is to die: for as long as its
 * memory takes, since should its link end, it does, too. The current process, whose
 * deputy makes a call, is told to come with the result of that.
 */
void om_bring_home(struct task_struct *task, u32 reason)
{
	struct om_proc *p = om_call_home(task, reason);

	/* it may have been home for a moment, and be away again */
	while (p && !wait_event_killable_timeout(p->home_wait,
						 om_at_rest(p, reason),
						 OM_CALL_PATIENCE))
		p = om_call_home(task, reason);
}

/*
 * Has its memory here, of which the caller has hold: so it does not leave again.
 * Returns 0, or -EAGAIN if it is in a call that does not end when broken off, or
 * frozen, and its memory stays away until that ends, or -ESRCH if it has ended there.
 */
static int om_bring_memory(struct task_struct *task)
{
	struct om_proc *p, *own = om_proc_of(current);
	long left;

	/* pairs with om_is_held() */
	smp_mb();
	p = om_call_home(task, OM_R_PTRACE);
	while (p && READ_ONCE(p->out)) {
		/* two who wait for each other's would wait in vain: home first */
		if (own && READ_ONCE(own->out)) {
			own->away.at_home = true;
			return -EAGAIN;
		}
		left = wait_event_killable_timeout(p->home_wait,
						   !READ_ONCE(p->out),
						   OM_CALL_PATIENCE);
		if (left < 0)
			return left;
		/* a call that was broken off and has not ended cannot be, either */
		if (!left && (READ_ONCE(p->in_call) != OM_CALL_NONE ||
			      READ_ONCE(p->away.parked)))
			return -EAGAIN;
		/* it may have been home for a moment, and be away again */
		p = om_call_home(task, OM_R_PTRACE);
	}
	p = om_proc_of(task);
	return p && READ_ONCE(p->lost) ? -ESRCH : 0;
}

/*
 * Called before access to the memory of @task, by who may and has hold of it. Returns
 * 0 or a negative errno.
 */
int om_mm_access(struct task_struct *task, unsigned int mode)
{
	return mode & PTRACE_MODE_ATTACH ? om_bring_memory(task) : 0;
}

/* Called before somebody attaches to @task, whose memory he sees when it has stopped. */
void om_attach(struct task_struct *task)
{
	if (atomic_read(&om_out_count) &&
	    ptrace_may_access(task, PTRACE_MODE_ATTACH_REALCREDS))
		om_bring_home(task, OM_R_PTRACE);
}

/*
 * Called before somebody who was once allowed to, and has hold of it, uses the memory
 * of @mm. Returns 0 or a negative errno, -ESRCH if its process has ended.
 */
int om_mm_touch(struct mm_struct *mm)
{
	struct task_struct *owner;
	int ret;

	rcu_read_lock();
	owner = rcu_dereference(mm->owner);
	if (owner)
		get_task_struct(owner);
	rcu_read_unlock();
	if (!owner)
		return -ESRCH;
	ret = om_bring_memory(owner);
	put_task_struct(owner);
	return ret;
}

/*
 * One process that is away and maps that file, referenced, or NULL. @shared: a
 * private mapping does not count.
 */
static struct task_struct *om_away_with(struct address_space *mapping,
					bool shared)
{
	struct task_struct *owner, *found = NULL;
	struct vm_area_struct *vma;
	struct om_proc *p;

	i_mmap_lock_read(mapping);
	vma_interval_tree_foreach(vma, &mapping->i_mmap, 0, ULONG_MAX) {
		if (shared && !(vma->vm_flags & VM_MAYSHARE))
			continue;
		rcu_read_lock();
		owner = rcu_dereference(vma->vm_mm->owner);
		p = owner ? om_proc_of(owner) : NULL;
		if (p && READ_ONCE(p->out) &&
		    !(READ_ONCE(p->wanted) && om_at_rest(p, OM_R_MONKEY))) {
			get_task_struct(owner);
			found = owner;
		}
		rcu_read_unlock();
		if (found)
			break;
	}
	i_mmap_unlock_read(mapping);
	return found;
}

/* Every process that has such a mapping comes home, or is sure to. */
static void om_bring_mappers(struct address_space *mapping, bool shared)
{
	struct task_struct *task;
	bool stuck = false;

	while (!stuck && !fatal_signal_pending(current) &&
	       (task = om_away_with(mapping, shared))) {
		om_bring_home(task, OM_R_MONKEY);
		/* the caller itself comes when its call is done */
		stuck = same_thread_group(task, current) &&
			!om_at_rest(om_proc_of(task), OM_R_MONKEY);
		put_task_struct(task);
	}
}

/*
 * The file's pages may now be changed by others. Who leaves meanwhile is seen here as
 * away, or sees the count in om_recheck_shares().
 */
static void om_share(struct address_space *mapping, bool shared)
{
	atomic_inc(&om_shares);
	/* pairs with the barrier in om_recheck_shares() */
	smp_mb__after_atomic();
	if (atomic_read(&om_out_count))
		om_bring_mappers(mapping, shared);
}

/* Called after a file was mapped, without locks, before the memory is used. */
void om_mmap_file(struct file *file, unsigned long flags)
{
	unsigned long type = flags & MAP_TYPE;

	if (file && (type == MAP_SHARED || type == MAP_SHARED_VALIDATE) &&
	    (file->f_mode & FMODE_WRITE))
		om_share(file->f_mapping, false);
}

/*
 * Called when a file has been opened for writing, or is about to be truncated: who
 * maps a shared view of it would not see that elsewhere. The one who does it may be
 * such a process itself, by its deputy: it comes home with the result.
 */
void om_write_file(struct address_space *mapping)
{
	if (mapping_mapped(mapping) && !om_mutant("stale-file"))
		om_share(mapping, true);
}

/*
 * Called when a file has been truncated: what it has lost, a private view loses, too,
 * also one that is on its way elsewhere.
 */
void om_truncated_file(struct address_space *mapping)
{
	if (!mapping_mapped(mapping))
		return;
	atomic_inc(&om_cuts);
	om_share(mapping, false);
}

/**
 * om_stay_now - the reasons for which the current process cannot leave now
 * @p: its state
 *
 * From here on it is noticed if one comes from outside, see om_recheck_shares().
 */
u32 om_stay_now(struct om_proc *p)
{
	p->away.shares = atomic_read(&om_shares);
	p->away.cuts = atomic_read(&om_cuts);
	/* what is counted later may not be seen by the look */
	smp_mb();
	return om_stay_reasons(current);
}

/**
 * om_recheck_shares - call the process back if it should not have left
 * @p: its state; it counts as away now
 */
void om_recheck_shares(struct om_proc *p)
{
	/* pairs with the barrier in om_share() */
	smp_mb();
	if (p->away.shares == atomic_read(&om_shares) ||
	    (p->away.cuts == atomic_read(&om_cuts) &&
	     !(om_stay_reasons(current) & BIT(OM_R_MONKEY))))
		return;
	spin_lock(&p->lock);
	WRITE_ONCE(p->wanted, true);
	p->stat.home_reason = OM_HOME_REASON;
	p->stat.home_arg = OM_R_MONKEY;
	spin_unlock(&p->lock);
}
