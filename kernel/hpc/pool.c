// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pools of idle links to other nodes, and the device by which the node
 * daemon provides these and all else.
 *
 * Connecting, proving who one is and making a process on the other node are
 * paid here, before anybody wants to move.
 */
#include <linux/capability.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include "om.h"

#define OM_POOL_MAX	64	/* idle links a node at most */

/* With so few left, replacing one does not wait until its move is over. */
#define OM_POOL_LOW	2

static atomic_t om_pool_generation = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(om_pool_wait);

struct om_open {
	int seen;		/* generation at the last OM_IOC_POOL */
};

/* Tells the node daemon, which refills the pools. */
void om_pool_changed(void)
{
	atomic_inc(&om_pool_generation);
	wake_up_interruptible(&om_pool_wait);
}

/**
 * om_pool_take - an idle link to a node
 * @node: its id
 *
 * Returns a live link, now the caller's, or NULL.
 */
struct om_link *om_pool_take(u32 node)
{
	struct om_link *link = NULL;
	unsigned int left = 0;
	struct om_peer *peer;

	spin_lock(&om_nodes_lock);
	peer = om_peer_find(node);
	if (peer && peer->count) {
		link = list_first_entry(&peer->idle, struct om_link, pool);
		list_del_init(&link->pool);
		left = --peer->count;
		WRITE_ONCE(link->idle, false);
	}
	spin_unlock(&om_nodes_lock);
	if (link && left > OM_POOL_LOW)
		link->owed = true;
	else if (link)
		om_pool_changed();
	return link;
}

/**
 * om_pool_await - sleep until a process could be sent where it is wanted
 * @p: the process; the current one
 *
 * Returns 0, -EINTR for a signal or if it is not wanted elsewhere any more, or what
 * om_node_check() says: -EAGAIN when @p->link_until is over.
 */
int om_pool_await(struct om_proc *p)
{
	long left = p->link_until - jiffies;
	int ret = -EAGAIN;

	if (left <= 0)
		return ret;
	left = wait_event_interruptible_timeout(om_pool_wait,
			!om_wanted(p) ||
			(ret = om_node_check(READ_ONCE(p->target))) != -EAGAIN,
			left);
	return left < 0 || !om_wanted(p) ? -EINTR : ret;
}

/**
 * om_pool_settle - have a link replaced, if that was put off
 * @link: the caller's, from om_pool_take()
 *
 * Making one takes the CPU of both nodes, a handshake and a fork, from a process
 * that is about to stand still, or waits for pages.
 */
void om_pool_settle(struct om_link *link)
{
	if (link->owed)
		om_pool_changed();
	link->owed = false;
}

/* Idle links carry nothing: one that has something to say has died. */
static void om_pool_work_fn(struct work_struct *work)
{
	struct om_link *link, *next;
	struct om_peer *peer;
	LIST_HEAD(dead);

	spin_lock(&om_nodes_lock);
	list_for_each_entry(peer, &om_peers, list) {
		list_for_each_entry_safe(link, next, &peer->idle, pool) {
			if (!om_link_readable(link))
				continue;
			link->idle = false;
			list_move(&link->pool, &dead);
			peer->count--;
		}
	}
	spin_unlock(&om_nodes_lock);
	if (list_empty(&dead))
		return;
	list_for_each_entry_safe(link, next, &dead, pool) {
		list_del_init(&link->pool);
		om_link_put(link);
	}
	om_pool_changed();
}
static DECLARE_WORK(om_pool_work, om_pool_work_fn);

void om_pool_reap(void)
{
	schedule_work(&om_pool_work);
}

/* Ends links that were taken out of their pool. */
void om_pool_drop(struct list_head *links)
{
	struct om_link *link, *next;

	list_for_each_entry_safe(link, next, links, pool) {
		list_del_init(&link->pool);
		om_link_put(link);
	}
}

static int om_ioc_link_add(const struct om_link_arg *arg)
{
	struct om_peer *peer;
	struct om_link *link;
	bool dead = false;
	int ret = 0;

	link = om_link_get_fd(arg->fd, arg->node);
	if (IS_ERR(link))
		return PTR_ERR(link);
	spin_lock(&om_nodes_lock);
	peer = om_peer_find(arg->node);
	if (!peer) {
		ret = -ENXIO;
	} else if (peer->count >= OM_POOL_MAX) {
		ret = -ENOSPC;
	} else {
		link->idle = true;
		om_own_addr_seen(link);
		list_add_tail(&link->pool, &peer->idle);
		peer->count++;
		/* once unlocked, somebody may take it */
		dead = om_link_readable(link);
	}
	spin_unlock(&om_nodes_lock);
	if (ret)
		om_link_put(link);
	else if (dead)
		om_pool_reap();		/* died before its callbacks were ours */
	om_pool_changed();
	return ret;
}

static int om_ioc_body(const struct om_link_arg *arg)
{
	struct om_link *link;
	int ret;

	if (!current_is_single_threaded())
		return -EBUSY;
	link = om_link_get_fd(arg->fd, arg->node);
	if (IS_ERR(link))
		return PTR_ERR(link);
	ret = om_body_start(link);
	if (ret)
		om_link_put(link);
	return ret;
}

static long om_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	struct om_open *open = file->private_data;
	union {
		u32 id;
		struct om_node node;
		struct om_link_arg link;
		struct om_pool pool;
		struct om_features features;
		struct om_load load;
	} u;
	struct om_peer *peer;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (_IOC_TYPE(cmd) != OM_IOC_MAGIC || _IOC_SIZE(cmd) > sizeof(u))
		return -ENOTTY;
	memset(&u, 0, sizeof(u));
	if ((_IOC_DIR(cmd) & _IOC_WRITE) &&
	    copy_from_user(&u, user, _IOC_SIZE(cmd)))
		return -EFAULT;
	switch (cmd) {
	case OM_IOC_SELF:
		return om_node_self(u.id);
	case OM_IOC_NODE:
		return om_node_set(&u.node);
	case OM_IOC_LOAD:
		return om_node_load(&u.load);
	case OM_IOC_LINK_ADD:
		return om_ioc_link_add(&u.link);
	case OM_IOC_BODY:
		return om_ioc_body(&u.link);
	case OM_IOC_FEATURES:
		om_fill_features(&u.features);
		break;
	case OM_IOC_POOL:
		open->seen = atomic_read(&om_pool_generation);
		spin_lock(&om_nodes_lock);
		peer = om_peer_find(u.pool.node);
		u.pool.idle = peer ? peer->count : 0;
		spin_unlock(&om_nodes_lock);
		if (!peer)
			return -ENXIO;
		break;
	default:
		return -ENOTTY;
	}
	return copy_to_user(user, &u, _IOC_SIZE(cmd)) ? -EFAULT : 0;
}

static __poll_t om_poll(struct file *file, poll_table *wait)
{
	struct om_open *open = file->private_data;

	poll_wait(file, &om_pool_wait, wait);
	return atomic_read(&om_pool_generation) != open->seen ? EPOLLIN : 0;
}

static int om_open(struct inode *inode, struct file *file)
{
	struct om_open *open = kzalloc(sizeof(*open), GFP_KERNEL);

	if (!open)
		return -ENOMEM;
	open->seen = atomic_read(&om_pool_generation) - 1;
	file->private_data = open;
	return 0;
}

static int om_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static const struct file_operations om_device_operations = {
	.owner = THIS_MODULE,
	.open = om_open,
	.release = om_release,
	.unlocked_ioctl = om_ioctl,
	.poll = om_poll,
	.llseek = noop_llseek,
};

static struct miscdevice om_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "openmosix",
	.fops = &om_device_operations,
	.mode = 0600,
};

static int __init om_pool_init(void)
{
	return misc_register(&om_device);
}
device_initcall(om_pool_init);
