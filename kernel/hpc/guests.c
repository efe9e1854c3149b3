// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guests of this node: the list of bodies that run, /proc/hpc/remote, and
 * how a guest is told to leave.
 *
 * Only home can move a process. So who wants a guest gone notes that at the
 * body; the body, wherever it is, tells home and goes on; and home recalls it.
 */
#include <linux/kernel_stat.h>
#include <linux/proc_fs.h>
#include <linux/sched/cputime.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include "../fs/proc/internal.h"

#include "om.h"
#include "trace.h"

/* A guest that is still here after so long is told again. */
#define OM_LEAVE_AGAIN	(5 * HZ)

static DEFINE_SPINLOCK(om_guests_lock);
static LIST_HEAD(om_guests);
static struct proc_dir_entry *om_remote_dir;

/**
 * om_guest_admit - may a body begin to run?
 * @b: the body
 *
 * The last moment to say no: home has sent the process, but keeps it until it is
 * told that it runs here. Returns 0 or -ECONNREFUSED.
 */
int om_guest_admit(struct om_body *b)
{
	int ret = 0;

	spin_lock(&om_guests_lock);
	if (READ_ONCE(om_admin.block) || !om_self()) {
		ret = -ECONNREFUSED;
	} else {
		b->leave_due = false;
		b->leave_asked = 0;
		list_add_tail(&b->guests, &om_guests);
	}
	spin_unlock(&om_guests_lock);
	return ret;
}

static int om_from_show(struct seq_file *m, void *unused)
{
	const struct om_body *b = m->private;

	seq_printf(m, "%u\n", b->home);
	return 0;
}

static int om_identity_show(struct seq_file *m, void *unused)
{
	const struct om_body *b = m->private;

	seq_printf(m, "%u ", b->home_pid);
	om_show_comm(m, b->comm);
	return 0;
}

static int om_statm_show(struct seq_file *m, void *unused)
{
	unsigned long size = 0, resident = 0, shared = 0, text = 0, data = 0;
	const struct om_body *b = m->private;
	struct mm_struct *mm = get_task_mm(b->task);

	if (mm) {
		size = task_statm(mm, &shared, &text, &data, &resident);
		mmput(mm);
	}
	seq_printf(m, "%lu %lu %lu %lu 0 %lu 0\n", size, resident, shared, text,
		   data);
	return 0;
}

/* Times in clock ticks, vsize in bytes, the rest in pages, as in /proc/PID/stat. */
static int om_guest_stats_show(struct seq_file *m, void *unused)
{
	const struct om_body *b = m->private;
	unsigned long vsize = 0, rss = 0, swap = 0;
	struct mm_struct *mm = get_task_mm(b->task);
	char state = task_state_to_char(b->task);
	u64 utime, stime;

	if (mm) {
		vsize = PAGE_SIZE * mm->total_vm;
		rss = get_mm_rss(mm);
		swap = get_mm_counter(mm, MM_SWAPENTS);
		mmput(mm);
	}
	task_cputime(b->task, &utime, &stime);
	/* waiting for home looks like an idle thread of the kernel */
	if (state == 'I')
		state = 'S';
	utime -= min(utime, b->base.utime);
	seq_printf(m, "utime=%llu cutime=0 nice=%d state=%c vsize=%lu rss=%lu nswap=%lu cnswap=0\n",
		   nsec_to_clock_t(utime), task_nice(b->task),
		   state, vsize, rss, swap);
	return 0;
}

/* The body has begun to run. */
void om_guest_show(struct om_body *b)
{
	char name[12];

	if (!om_remote_dir)
		return;
	snprintf(name, sizeof(name), "%d", task_tgid_nr(b->task));
	b->dir = proc_mkdir(name, om_remote_dir);
	if (!b->dir)
		return;
	proc_create_single_data("from", 0444, b->dir, om_from_show, b);
	proc_create_single_data("identity", 0444, b->dir, om_identity_show, b);
	proc_create_single_data("statm", 0444, b->dir, om_statm_show, b);
	proc_create_single_data("stats", 0444, b->dir, om_guest_stats_show, b);
}

/* The body ends; its link is still there. Waits for those who read of it. */
void om_guest_gone(struct om_body *b)
{
	bool listed;

	spin_lock(&om_guests_lock);
	listed = !list_empty(&b->guests);
	list_del_init(&b->guests);
	spin_unlock(&om_guests_lock);
	if (b->dir)
		proc_remove(b->dir);
	b->dir = NULL;
	if (listed)
		om_empty_changed();
}

static void om_guest_tell(struct om_body *b, u32 target, u32 flags)
{
	lockdep_assert_held(&om_guests_lock);
	b->leave = (struct om_leave){ .target = target, .flags = flags };
	b->leave_asked = jiffies | 1;
	WRITE_ONCE(b->leave_due, true);
	set_notify_signal(b->task);
	/* it may wait for home's answer to a call, or for registers */
	wake_up(&b->link->wait);
}

/**
 * om_guest_leave - a guest shall leave
 * @task: the body, or another task
 * @target: node id; 0 is its home
 * @automatic: nobody's order
 *
 * Returns 0 when home will be told, -ESRCH if that is no guest (any more),
 * -EALREADY if another request has not been sent yet.
 */
int om_guest_leave(struct task_struct *task, u32 target, bool automatic)
{
	struct om_body *b;
	int ret = -ESRCH;

	spin_lock(&om_guests_lock);
	list_for_each_entry(b, &om_guests, guests) {
		if (!same_thread_group(b->task, task))
			continue;
		ret = 0;
		if (target == om_self())
			break;		/* it is where it shall be */
		if (b->leave_due)
			ret = -EALREADY;
		else
			om_guest_tell(b, target == b->home ? 0 : target,
				      automatic ? OM_LEAVE_AUTO : 0);
		break;
	}
	spin_unlock(&om_guests_lock);
	return ret;
}

/* Asks all guests to go home. Returns how many there are. */
unsigned int om_guests_ask(void)
{
	unsigned int count = 0;
	struct om_body *b;

	spin_lock(&om_guests_lock);
	list_for_each_entry(b, &om_guests, guests) {
		count++;
		if (!b->expelled || time_after(jiffies, b->leave_asked +
							OM_LEAVE_AGAIN))
			om_guest_tell(b, 0, 0);
		b->expelled = true;
	}
	spin_unlock(&om_guests_lock);
	return count;
}

/**
 * om_send_leave - tell home what somebody here wants
 * @b: the body; the current task
 *
 * Returns 0 or a negative errno.
 */
int om_send_leave(struct om_body *b)
{
	struct om_leave leave;

	spin_lock(&om_guests_lock);
	leave = b->leave;
	WRITE_ONCE(b->leave_due, false);
	spin_unlock(&om_guests_lock);
	trace_om_guest_leave(b->home, b->home_pid, leave.target);
	return om_link_send_one(b->link, OM_M_LEAVE, &leave, sizeof(leave));
}

void __init om_guests_init(struct proc_dir_entry *hpc)
{
	om_remote_dir = proc_mkdir("remote", hpc);
}
