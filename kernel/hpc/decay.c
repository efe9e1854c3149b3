// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/hpc/decay: what a process says about itself to the balancer. A write
 * acts on the writer. The balancer reads it in migstat.
 *
 *   clear             what was observed so far does not count
 *   cpujob, iojob     it computes; it waits
 *   slow, fast, none  how fast observations age
 *   own               "KEEP SECONDS": KEEP permille are left after SECONDS
 *   exec              1: an execve resets all this; 0, the default: it stays
 *   inherit           1, the default: children begin with it; 0: they do not
 */
#include <linux/proc_fs.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include "om.h"

enum om_decay_file {
	OM_D_CLEAR, OM_D_CPUJOB, OM_D_IOJOB, OM_D_SLOW, OM_D_FAST, OM_D_NONE,
	OM_D_OWN, OM_D_EXEC, OM_D_INHERIT, OM_D_COUNT
};

static const char * const om_decay_names[OM_D_COUNT] = {
	"clear", "cpujob", "iojob", "slow", "fast", "none", "own", "exec",
	"inherit",
};

static struct om_decay om_decay_of(struct om_proc *p)
{
	struct om_decay d = { };

	if (p) {
		spin_lock(&p->lock);
		d = p->decay;
		spin_unlock(&p->lock);
	}
	return d;
}

static int om_decay_show(struct seq_file *m, void *unused)
{
	struct om_decay d = om_decay_of(om_proc_of(current));
	bool is = false;

	switch ((enum om_decay_file)(unsigned long)m->private) {
	case OM_D_CPUJOB:
		is = d.job == OM_JOB_CPU;
		break;
	case OM_D_IOJOB:
		is = d.job == OM_JOB_IO;
		break;
	case OM_D_SLOW:
		is = d.rate == OM_RATE_SLOW;
		break;
	case OM_D_FAST:
		is = d.rate == OM_RATE_FAST;
		break;
	case OM_D_NONE:
		is = d.rate == OM_RATE_NONE;
		break;
	case OM_D_OWN:
		seq_printf(m, "%u %u\n", d.keep, d.seconds);
		return 0;
	case OM_D_EXEC:
		is = d.reset_on_exec;
		break;
	case OM_D_INHERIT:
		is = !d.not_inherited;
		break;
	default:
		break;
	}
	seq_printf(m, "%d\n", is);
	return 0;
}

/* "1" sets, "0" goes back to the default if that is what was set. */
static void om_decay_choose(u8 *choice, u8 value, bool on)
{
	if (on)
		*choice = value;
	else if (*choice == value)
		*choice = 0;
}

static void om_decay_set(struct om_decay *d, enum om_decay_file what, bool on)
{
	switch (what) {
	case OM_D_CLEAR:
		if (on)
			d->cleared = ktime_get_ns();
		break;
	case OM_D_CPUJOB:
		om_decay_choose(&d->job, OM_JOB_CPU, on);
		break;
	case OM_D_IOJOB:
		om_decay_choose(&d->job, OM_JOB_IO, on);
		break;
	case OM_D_SLOW:
		om_decay_choose(&d->rate, OM_RATE_SLOW, on);
		break;
	case OM_D_FAST:
		om_decay_choose(&d->rate, OM_RATE_FAST, on);
		break;
	case OM_D_NONE:
		om_decay_choose(&d->rate, OM_RATE_NONE, on);
		break;
	case OM_D_EXEC:
		d->reset_on_exec = on;
		break;
	case OM_D_INHERIT:
		d->not_inherited = !on;
		break;
	default:
		break;
	}
}

static ssize_t om_decay_write(struct file *file, const char __user *buf,
			      size_t count, loff_t *pos)
{
	enum om_decay_file what = (unsigned long)pde_data(file_inode(file));
	unsigned int keep = 0, seconds = 0;
	char buffer[32], *word, end;
	struct om_proc *p;

	word = om_get_word(buf, count, buffer, sizeof(buffer));
	if (IS_ERR(word))
		return PTR_ERR(word);
	if (what == OM_D_OWN) {
		if (sscanf(word, "%u %u%c", &keep, &seconds, &end) != 2 ||
		    !keep || keep > 1000 || !seconds || seconds > OM_MAX_DECAY)
			return -EINVAL;
	} else if (strcmp(word, "0") && strcmp(word, "1")) {
		return -EINVAL;
	}
	p = om_proc_make(current);
	if (!p)
		return -ENOMEM;
	spin_lock(&p->lock);
	if (what == OM_D_OWN) {
		p->decay.rate = OM_RATE_OWN;
		p->decay.keep = keep;
		p->decay.seconds = seconds;
	} else {
		om_decay_set(&p->decay, what, *word == '1');
		if (p->decay.rate != OM_RATE_OWN)
			p->decay.keep = p->decay.seconds = 0;
	}
	spin_unlock(&p->lock);
	return count;
}

static int om_decay_open(struct inode *inode, struct file *file)
{
	return single_open(file, om_decay_show, pde_data(inode));
}

static const struct proc_ops om_decay_ops = {
	.proc_open = om_decay_open,
	.proc_read = seq_read,
	.proc_write = om_decay_write,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
};

/* The lines of migstat. */
void om_decay_print(struct seq_file *m, struct om_proc *p)
{
	static const char * const jobs[] = { "none", "cpu", "io" };
	static const char * const rates[] = {
		"default", "slow", "fast", "none", "own",
	};
	struct om_decay d = om_decay_of(p);

	seq_printf(m, "decay_job %s\ndecay_rate %s", jobs[d.job], rates[d.rate]);
	if (d.rate == OM_RATE_OWN)
		seq_printf(m, " %u %u", d.keep, d.seconds);
	seq_printf(m, "\ndecay_cleared_ns %llu\n", d.cleared);
}

void __init om_decay_init(struct proc_dir_entry *hpc)
{
	/* it concerns nobody but the writer */
	const umode_t everybody = 0666;
	struct proc_dir_entry *dir = proc_mkdir("decay", hpc);
	unsigned long i;

	for (i = 0; dir && i < OM_D_COUNT; i++)
		proc_create_data(om_decay_names[i], everybody, dir,
				 &om_decay_ops, (void *)i);
}
