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

/* How many processes of this node are away: mostly none, so nothing to do. */
static atomic_t om_away_count = ATOMIC_INIT(0);

/**
 * om_set_where - note where the process runs
 * @p: its state, locked by the caller
 * @where: node id; 0 is home
 */
void om_set_where(struct om_proc *p, u32 where)
{
	lockdep_assert_held(&p->lock);
	if (!p->where != !where)
		atomic_add(where ? 1 : -1, &om_away_count);
	WRITE_ONCE(p->where, where);
	if (!where) {
		WRITE_ONCE(p->wanted, false);
		WRITE_ONCE(p->hurry, false);
		wake_up_all(&p->home_wait);
		om_empty_changed();
	}
}

/*
 * Is it sure that no user code runs before the process is home? In a call, the
 * deputy sees that it is wanted before it replies. That is no comfort to who
 * wants to read the memory, unless the call cannot be broken off.
 */
static bool om_at_rest(struct om_proc *p, u32 reason)
{
	switch (READ_ONCE(p->in_call)) {
	case OM_CALL_DEEP:
		return true;
	case OM_CALL_LIGHT:
		return reason == OM_R_MONKEY || !READ_ONCE(p->where);
	default:
		return !READ_ONCE(p->where);
	}
}

/**
 * om_bring_home - have a process here
 * @task: one of its threads, referenced
 * @reason: enum om_reason, for migstat
 *
 * Returns when it is home, sure to come, or nobody can wait any longer.
 */
void om_bring_home(struct task_struct *task, u32 reason)
{
	struct om_proc *p = om_proc_of(task);

	if (!p || !READ_ONCE(p->where) || same_thread_group(task, current))
		return;
	spin_lock(&p->lock);
	if (p->where) {
		WRITE_ONCE(p->wanted, true);
		p->stat.home_reason = OM_HOME_REASON;
		p->stat.home_arg = reason;
		if (p->link)
			wake_up(&p->link->wait);
		om_break_off(p, task->group_leader);
	}
	spin_unlock(&p->lock);
	wait_event_killable_timeout(p->home_wait, om_at_rest(p, reason),
				    OM_LINK_TIMEOUT);
}

/* Called before access to the memory of @task is decided upon. */
void om_mm_access(struct task_struct *task, unsigned int mode)
{
	if (atomic_read(&om_away_count) && (mode & PTRACE_MODE_ATTACH))
		om_bring_home(task, OM_R_PTRACE);
}

/* One process that is away and has a page of that file, referenced, or NULL. */
static struct task_struct *om_away_with(struct address_space *mapping)
{
	struct task_struct *owner, *found = NULL;
	struct vm_area_struct *vma;
	struct om_proc *p;

	i_mmap_lock_read(mapping);
	vma_interval_tree_foreach(vma, &mapping->i_mmap, 0, ULONG_MAX) {
		rcu_read_lock();
		owner = rcu_dereference(vma->vm_mm->owner);
		p = owner ? om_proc_of(owner) : NULL;
		if (p && !om_at_rest(p, OM_R_MONKEY)) {
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

/* Called before a file is mapped, without locks. */
void om_mmap_file(struct file *file, unsigned long flags)
{
	unsigned long type = flags & MAP_TYPE;
	struct task_struct *task;

	if (!file || !atomic_read(&om_away_count) ||
	    (type != MAP_SHARED && type != MAP_SHARED_VALIDATE) ||
	    !(file->f_mode & FMODE_WRITE))
		return;
	while (!fatal_signal_pending(current) &&
	       (task = om_away_with(file->f_mapping))) {
		struct om_proc *p = om_proc_of(task);
		bool stuck;

		om_bring_home(task, OM_R_MONKEY);
		stuck = !om_at_rest(p, OM_R_MONKEY);
		put_task_struct(task);
		if (stuck)
			break;
	}
}
