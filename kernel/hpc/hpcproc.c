// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/hpc, and /proc/hpc/admin: how a node is run. Readable by all, writable
 * by root. One number a file, but for overheads, version and config.
 */
#include <linux/init.h>
#include <linux/kstrtox.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/version.h>

#include "om.h"

#define OM_MAX_OVERHEADS	4096
#define OM_MAX_SPEED		100000000

struct om_admin om_admin = {
	.decay_interval = 1,
	.slow_decay = 975,
	.fast_decay = 926,
};

static const struct om_number {
	const char *name;
	unsigned int *value;
	unsigned int min, max;
} om_numbers[] = {
	{ "block", &om_admin.block, 0, 1 },
	{ "stay", &om_admin.stay, 0, 1 },
	{ "lstay", &om_admin.lstay, 0, 1 },
	{ "quiet", &om_admin.quiet, 0, 1 },
	{ "gateways", &om_admin.gateways, 0, 2 },
	{ "decay-interval", &om_admin.decay_interval, 1, OM_MAX_DECAY },
	{ "slow-decay", &om_admin.slow_decay, 1, 1000 },
	{ "fast-decay", &om_admin.fast_decay, 1, 1000 },
	{ "speed", &om_admin.speed, 0, OM_MAX_SPEED },
};

/* What a node tells of itself: OM_LOAD_*. */
u32 om_admin_flags(void)
{
	return (READ_ONCE(om_admin.block) ? OM_LOAD_BLOCK : 0) |
	       (READ_ONCE(om_admin.stay) ? OM_LOAD_STAY : 0) |
	       (READ_ONCE(om_admin.lstay) ? OM_LOAD_LSTAY : 0) |
	       (READ_ONCE(om_admin.quiet) ? OM_LOAD_QUIET : 0);
}

/* Copies a short word, without the blank space at its ends. */
char *om_get_word(const char __user *buf, size_t count, char *word, size_t size)
{
	if (count >= size)
		return ERR_PTR(-EINVAL);
	if (copy_from_user(word, buf, count))
		return ERR_PTR(-EFAULT);
	word[count] = '\0';
	return strim(word);
}

static int om_get_number(const char __user *buf, size_t count, unsigned int *n)
{
	char buffer[16], *word;

	word = om_get_word(buf, count, buffer, sizeof(buffer));
	if (IS_ERR(word))
		return PTR_ERR(word);
	return kstrtouint(word, 10, n) ? -EINVAL : 0;
}

static int om_number_show(struct seq_file *m, void *unused)
{
	const struct om_number *number = m->private;

	seq_printf(m, "%u\n", READ_ONCE(*number->value));
	return 0;
}

static ssize_t om_number_write(struct file *file, const char __user *buf,
			       size_t count, loff_t *pos)
{
	const struct om_number *number = pde_data(file_inode(file));
	unsigned int n;
	int ret = om_get_number(buf, count, &n);

	if (ret)
		return ret;
	if (n < number->min || n > number->max)
		return -EINVAL;
	WRITE_ONCE(*number->value, n);
	return count;
}

static int om_expel_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%d\n", om_is_expelling());
	return 0;
}

static int om_bring_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%d\n", om_is_bringing());
	return 0;
}

static int om_mospe_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "%u\n", om_self());
	return 0;
}

static ssize_t om_expel_write(struct file *file, const char __user *buf,
			      size_t count, loff_t *pos)
{
	unsigned int n;
	int ret = om_get_number(buf, count, &n);

	if (!ret && n != 1)
		ret = -EINVAL;
	if (!ret)
		ret = om_expel();
	return ret ? ret : count;
}

static ssize_t om_bring_write(struct file *file, const char __user *buf,
			      size_t count, loff_t *pos)
{
	unsigned int n;
	int ret = om_get_number(buf, count, &n);

	if (!ret && n != 1)
		ret = -EINVAL;
	if (!ret)
		ret = om_bring();
	return ret ? ret : count;
}

/* Everybody goes where they belong, then this is no node any more. */
static int om_unconfigure(void)
{
	unsigned int block = om_admin.block, lstay = om_admin.lstay;
	int ret = om_expel();

	if (!ret)
		ret = om_bring();
	if (!ret)
		ret = om_node_self(0);
	if (!ret) {
		WRITE_ONCE(om_admin.block, block);
		WRITE_ONCE(om_admin.lstay, lstay);
	}
	return ret;
}

static ssize_t om_mospe_write(struct file *file, const char __user *buf,
			      size_t count, loff_t *pos)
{
	unsigned int id;
	int ret = om_get_number(buf, count, &id);

	if (!ret && !id)
		ret = om_self() ? om_unconfigure() : 0;
	else if (!ret && id != om_self())
		ret = -EINVAL;		/* the node daemon knows, or nobody */
	return ret ? ret : count;
}

static DEFINE_MUTEX(om_overheads_lock);
static char *om_overheads;

static int om_overheads_show(struct seq_file *m, void *unused)
{
	mutex_lock(&om_overheads_lock);
	if (om_overheads)
		seq_puts(m, om_overheads);
	mutex_unlock(&om_overheads_lock);
	return 0;
}

static ssize_t om_overheads_write(struct file *file, const char __user *buf,
				  size_t count, loff_t *pos)
{
	char *text;

	if (count > OM_MAX_OVERHEADS)
		return -EINVAL;
	text = memdup_user_nul(buf, count);
	if (IS_ERR(text))
		return PTR_ERR(text);
	mutex_lock(&om_overheads_lock);
	swap(text, om_overheads);
	mutex_unlock(&om_overheads_lock);
	kfree(text);
	return count;
}

static int om_version_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "openMosix version: %u.%u.%u-%u\n", LINUX_VERSION_MAJOR,
		   LINUX_VERSION_PATCHLEVEL, LINUX_VERSION_SUBLEVEL,
		   OM_PROTOCOL);
	return 0;
}

#define OM_ADMIN_OPS(name)						\
static int om_##name##_open(struct inode *inode, struct file *file)	\
{									\
	return single_open(file, om_##name##_show, pde_data(inode));	\
}									\
static const struct proc_ops om_##name##_ops = {			\
	.proc_open = om_##name##_open,					\
	.proc_read = seq_read,						\
	.proc_write = om_##name##_write,				\
	.proc_lseek = seq_lseek,					\
	.proc_release = single_release,					\
}

OM_ADMIN_OPS(number);
OM_ADMIN_OPS(expel);
OM_ADMIN_OPS(bring);
OM_ADMIN_OPS(mospe);
OM_ADMIN_OPS(overheads);

static void __init om_admin_init(struct proc_dir_entry *hpc)
{
	struct proc_dir_entry *dir = proc_mkdir("admin", hpc);
	unsigned int i;

	if (!dir)
		return;
	for (i = 0; i < ARRAY_SIZE(om_numbers); i++)
		proc_create_data(om_numbers[i].name, 0644, dir, &om_number_ops,
				 (void *)&om_numbers[i]);
	proc_create("expel", 0644, dir, &om_expel_ops);
	proc_create("bring", 0644, dir, &om_bring_ops);
	proc_create("mospe", 0644, dir, &om_mospe_ops);
	proc_create("overheads", 0644, dir, &om_overheads_ops);
	proc_create_single("version", 0444, dir, om_version_show);
	proc_create_single("config", 0444, dir, om_config_show);
}

static int __init om_hpc_init(void)
{
	struct proc_dir_entry *hpc = proc_mkdir("hpc", NULL);

	if (!hpc)
		return -ENOMEM;
	om_admin_init(hpc);
	om_nodes_init(hpc);
	om_guests_init(hpc);
	om_decay_init(hpc);
	om_stats_init(hpc);
	return 0;
}
/* before the device, by which nodes come */
fs_initcall(om_hpc_init);
