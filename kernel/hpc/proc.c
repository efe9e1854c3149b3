// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files of a process: lock, goto, cantmove, where, nmigs, migstat.
 *
 * A write is checked against the opener's credentials, so that a setuid program
 * which inherits an open file cannot be made to use its own.
 */
#include <linux/cred.h>
#include <linux/errname.h>
#include <linux/file.h>
#include <linux/kstrtox.h>
#include <linux/proc_fs.h>
#include <linux/ptrace.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>
#include "../fs/proc/internal.h"

#include "om.h"
#include "trace.h"

/* Who may kill it may move it. */
static bool om_may(struct file *file, struct task_struct *task)
{
	const struct cred *cred = file->f_cred, *tcred;
	bool ok;

	rcu_read_lock();
	tcred = __task_cred(task);
	ok = uid_eq(cred->euid, tcred->suid) || uid_eq(cred->euid, tcred->uid) ||
	     uid_eq(cred->uid, tcred->suid) || uid_eq(cred->uid, tcred->uid) ||
	     file_ns_capable(file, tcred->user_ns, CAP_KILL);
	rcu_read_unlock();
	return ok;
}

/* A command's name on a line of its own: what would break the line is escaped. */
void om_show_comm(struct seq_file *m, const char *comm)
{
	seq_escape_str(m, comm, ESCAPE_SPACE | ESCAPE_SPECIAL, "\n\\");
	seq_putc(m, '\n');
}

static int om_request_home(struct om_proc *p, struct task_struct *task)
{
	int ret = 0;

	spin_lock(&p->lock);
	if (!p->where && p->state == OM_FROZEN) {
		/* too late to stay: it is called back when it has arrived */
		p->requested = true;
		p->target = om_self();
		p->stat.home_reason = OM_HOME_REQUEST;
		p->stat.home_arg = 0;
	} else if (!p->where) {
		/* here already: whatever was wanted is not wanted any more */
		p->requested = false;
		p->on_exec = false;
		p->target = 0;
		if (p->state == OM_PENDING)
			p->state = OM_HOME;
	} else if (p->requested) {
		ret = -EALREADY;
	} else {
		om_want_elsewhere(p, om_self(), OM_HOME_REQUEST);
		if (p->link)
			wake_up(&p->link->wait);
	}
	spin_unlock(&p->lock);
	/* it may sleep until it can go */
	if (READ_ONCE(p->link_until))
		om_pool_changed();
	return ret;
}

static int om_request_node(struct om_proc *p, struct task_struct *task,
			   u32 node, bool on_exec)
{
	int ret = om_node_check(node);

	if (ret == -ENXIO || ret == -ENETUNREACH)
		return ret;
	/* What an execve replaces is no reason against going after it. */
	if (!on_exec && !READ_ONCE(p->where) && om_stay_reasons(task))
		return -EBUSY;
	spin_lock(&p->lock);
	if (p->where == node && !on_exec && p->requested &&
	    (READ_ONCE(p->away.recalled) || p->state == OM_FROZEN)) {
		/* its body has been told, and is on its way */
		ret = -EALREADY;
	} else if (p->where == node && !on_exec) {
		p->requested = false;
		p->hurry = false;
		p->target = 0;
		ret = 0;
	} else if (p->requested ||
		   (p->state != OM_HOME && p->state != OM_AWAY &&
		    p->state != OM_PREPARING)) {
		ret = -EALREADY;
	} else if (!ret) {
		p->requested = true;
		p->on_exec = on_exec;
		p->link_until = 0;
		p->asleep = !on_exec && !task_is_running(task);
		p->target = node;
		memset(&p->stat, 0, sizeof(p->stat));
		p->stat.requested = ktime_get_ns();
		if (p->state == OM_HOME)
			p->state = OM_PENDING;
		else if (p->link)
			wake_up(&p->link->wait);
	}
	spin_unlock(&p->lock);
	return ret;
}

static int om_request(struct file *file, struct task_struct *task, char *word)
{
	bool on_exec, automatic;
	struct om_proc *p;
	u32 node;
	int ret;

	on_exec = str_has_prefix(word, "exec ");
	automatic = str_has_prefix(word, "auto ");
	if (on_exec || automatic)
		word = skip_spaces(word + strlen("exec "));
	if (!strcmp(word, "home"))
		node = 0;
	else if (kstrtou32(word, 10, &node) || node > OM_MAX_NODE)
		return -EINVAL;
	if (om_is_body(task)) {
		/* its home decides; and it is nobody's, but root may ask */
		if (!file_ns_capable(file, &init_user_ns, CAP_KILL))
			return -EPERM;
		return on_exec ? -EINVAL :
				 om_guest_leave(task, node, automatic);
	}
	if (!om_may(file, task))
		return -EPERM;
	p = om_proc_make(task);
	if (!p)
		return -ENOMEM;
	if (automatic && READ_ONCE(p->locked))
		return -EACCES;
	if (!node || node == om_self())
		ret = om_request_home(p, task);
	else
		ret = om_request_node(p, task, node, on_exec);
	if (ret)
		return ret;
	trace_om_request(task_tgid_nr(task), node, automatic);
	if (!on_exec)
		om_poke(task);
	return 0;
}

static ssize_t om_goto_write(struct file *file, const char __user *buf,
			     size_t count, loff_t *pos)
{
	char buffer[32], *word;
	struct task_struct *task;
	int ret;

	word = om_get_word(buf, count, buffer, sizeof(buffer));
	if (IS_ERR(word))
		return PTR_ERR(word);
	task = get_proc_task(file_inode(file));
	if (!task)
		return -ESRCH;
	ret = task->exit_state ? -ESRCH : om_request(file, task, word);
	put_task_struct(task);
	return ret ? ret : count;
}

static int om_goto_show(struct seq_file *m, struct task_struct *task)
{
	struct om_proc *p = om_proc_of(task);
	u32 target = 0;

	if (p) {
		spin_lock(&p->lock);
		if (p->requested)
			target = p->target;
		spin_unlock(&p->lock);
	}
	seq_printf(m, "%u\n", target);
	return 0;
}

static void om_set_lock(struct om_proc *p, struct task_struct *task, bool locked)
{
	struct om_origin origin = { };

	if (locked) {
		origin.on = task_tgid_nr(task);
		origin.by = task_tgid_nr(current);
		get_task_comm(origin.on_comm, task->group_leader);
		get_task_comm(origin.by_comm, current->group_leader);
	}
	spin_lock(&p->lock);
	p->origin = origin;
	WRITE_ONCE(p->locked, locked);
	spin_unlock(&p->lock);
}

static ssize_t om_lock_write(struct file *file, const char __user *buf,
			     size_t count, loff_t *pos)
{
	char buffer[8], *word;
	struct task_struct *task;
	struct om_proc *p;
	bool locked;
	int ret = 0;

	word = om_get_word(buf, count, buffer, sizeof(buffer));
	if (IS_ERR(word))
		return PTR_ERR(word);
	if (strcmp(word, "0") && strcmp(word, "1"))
		return -EINVAL;
	locked = *word == '1';
	task = get_proc_task(file_inode(file));
	if (!task)
		return -ESRCH;
	if (!om_may(file, task)) {
		ret = -EPERM;
	} else if (locked || om_proc_of(task)) {
		p = om_proc_make(task);
		if (p)
			om_set_lock(p, task, locked);
		else
			ret = -ENOMEM;
	}
	put_task_struct(task);
	return ret ? ret : count;
}

static int om_lock_show(struct seq_file *m, struct task_struct *task)
{
	struct om_proc *p = om_proc_of(task);

	seq_printf(m, "%d\n", p && READ_ONCE(p->locked));
	return 0;
}

static int om_cantmove_show(struct seq_file *m, struct task_struct *task)
{
	char words[512];

	om_stay_print(om_stay_reasons(task), words, sizeof(words));
	seq_puts(m, words);
	return 0;
}

static int om_where_show(struct seq_file *m, struct task_struct *task)
{
	struct om_proc *p = om_proc_of(task);

	if (!om_self())
		seq_puts(m, "-1\n");
	else
		seq_printf(m, "%u\n", p ? READ_ONCE(p->where) : 0);
	return 0;
}

static int om_nmigs_show(struct seq_file *m, struct task_struct *task)
{
	struct om_proc *p = om_proc_of(task);

	seq_printf(m, "%u\n", p ? READ_ONCE(p->nmigs) : 0);
	return 0;
}

static void om_show_reason(struct seq_file *m, const struct om_stat *s)
{
	char words[32];

	seq_puts(m, "home_reason ");
	switch (s->home_reason) {
	case OM_HOME_REQUEST:
		seq_puts(m, "request\n");
		break;
	case OM_HOME_SYSCALL:
		seq_printf(m, "syscall:%u\n", s->home_arg);
		break;
	case OM_HOME_SIGNAL:
		seq_printf(m, "signal:%u\n", s->home_arg);
		break;
	case OM_HOME_REASON:
		om_stay_print(BIT(s->home_arg), words, sizeof(words));
		seq_printf(m, "reason:%s", words);
		break;
	case OM_HOME_NODE:
		seq_puts(m, "node\n");
		break;
	default:
		seq_puts(m, "none\n");
	}
}

static void om_show_origin(struct seq_file *m, const char *name, pid_t pid,
			   const char *comm)
{
	seq_printf(m, "%s %d ", name, pid);
	om_show_comm(m, pid ? comm : "-");
}

static int om_migstat_show(struct seq_file *m, struct task_struct *task)
{
	static const char * const states[] = {
		[OM_HOME] = "home", [OM_PENDING] = "pending",
		[OM_PREPARING] = "preparing", [OM_FROZEN] = "frozen",
		[OM_AWAY] = "away", [OM_RETURNING] = "returning",
	};
	struct om_proc *p = om_proc_of(task);
	enum om_state state = OM_HOME;
	struct om_origin origin = { };
	struct om_stat s = { };
	u64 away_cpu = 0;

	if (p) {
		spin_lock(&p->lock);
		away_cpu = p->away_cpu;
		s = p->stat;
		state = p->state;
		origin = p->origin;
		spin_unlock(&p->lock);
	}
	seq_printf(m, "state %s\n", states[state]);
	seq_printf(m, "result %s\n", s.error ? "failed" :
		   s.moved ? "moved" : "none");
	seq_printf(m, "errno %d\n", s.error);
	om_show_reason(m, &s);
#define OM_SHOW(name, field) seq_printf(m, name " %llu\n", s.field)
	OM_SHOW("requested_ns", requested);
	OM_SHOW("prepared_ns", prepared);
	OM_SHOW("frozen_ns", frozen);
	OM_SHOW("resumed_ns", resumed);
	OM_SHOW("released_ns", released);
	OM_SHOW("bytes_out", bytes_out);
	OM_SHOW("bytes_in", bytes_in);
	OM_SHOW("pages_out", pages_out);
	OM_SHOW("pages_in", pages_in);
	OM_SHOW("pages_out_at_resume", pages_out_at_resume);
	OM_SHOW("demand_faults", demand_faults);
	OM_SHOW("prefetched", prefetched);
	OM_SHOW("calls_forwarded", calls_forwarded);
	OM_SHOW("calls_local", calls_local);
	OM_SHOW("round_trips", round_trips);
	seq_printf(m, "away_cpu_ns %llu\n", away_cpu);
#undef OM_SHOW
	om_show_origin(m, "lock_set_on", origin.on, origin.on_comm);
	om_show_origin(m, "lock_set_by", origin.by, origin.by_comm);
	om_decay_print(m, p);
	return 0;
}

static int om_show(struct seq_file *m,
		   int (*show)(struct seq_file *m, struct task_struct *task))
{
	struct task_struct *task = get_proc_task(m->private);
	int ret;

	if (!task)
		return -ESRCH;
	ret = show(m, task);
	put_task_struct(task);
	return ret;
}

#define OM_PROC_FILE(name, write_fn)					\
static int om_##name##_single(struct seq_file *m, void *unused)		\
{									\
	return om_show(m, om_##name##_show);				\
}									\
static int om_##name##_open(struct inode *inode, struct file *file)	\
{									\
	return single_open(file, om_##name##_single, inode);		\
}									\
const struct file_operations om_proc_##name##_operations = {		\
	.open = om_##name##_open,					\
	.read = seq_read,						\
	.write = write_fn,						\
	.llseek = seq_lseek,						\
	.release = single_release,					\
}

OM_PROC_FILE(lock, om_lock_write);
OM_PROC_FILE(goto, om_goto_write);
OM_PROC_FILE(cantmove, NULL);
OM_PROC_FILE(where, NULL);
OM_PROC_FILE(nmigs, NULL);
OM_PROC_FILE(migstat, NULL);
