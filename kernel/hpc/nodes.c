// SPDX-License-Identifier: GPL-2.0-only
/*
 * The nodes of the cluster, as the node daemon tells of them, and
 * /proc/hpc/nodes: a directory for each, one number a file. A number that is not
 * known, since the node is down, is a negative errno.
 */
#include <linux/cpumask.h>
#include <linux/inet.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vmstat.h>
#include <net/inet_sock.h>
#include <asm/cpufeature.h>
#include <asm/fpu/types.h>

#include "om.h"

/* Bits of status. */
#define OM_STATUS_CONFIGURED	1
#define OM_STATUS_UP		2
#define OM_STATUS_BLOCK		4
#define OM_STATUS_STAY		8
#define OM_STATUS_QUIET		16

DEFINE_SPINLOCK(om_nodes_lock);
LIST_HEAD(om_peers);

static u32 om_self_id;
static struct om_load om_own_load;	/* id: 0 while nobody told */
static __be32 om_own_addr;

/* The set of nodes, and their directories. */
static DEFINE_MUTEX(om_config_mutex);
static struct proc_dir_entry *om_hpc_dir, *om_nodes_dir;

/* This node's id; 0 while it is not configured. */
u32 om_self(void)
{
	return READ_ONCE(om_self_id);
}

struct om_peer *om_peer_find(u32 id)
{
	struct om_peer *peer;

	lockdep_assert_held(&om_nodes_lock);
	list_for_each_entry(peer, &om_peers, list)
		if (peer->id == id)
			return peer;
	return NULL;
}

/**
 * om_fill_features - what a program can see of this CPU
 * @f: out
 */
void om_fill_features(struct om_features *f)
{
	/*
	 * Words that hold bits of CPUID leaves, which programs test themselves;
	 * the others are Linux' own inventions.
	 */
	static const u8 words[] = {
		CPUID_1_EDX, CPUID_8000_0001_EDX, CPUID_1_ECX,
		CPUID_8000_0001_ECX, CPUID_7_0_EBX, CPUID_D_1_EAX,
		CPUID_7_ECX, CPUID_7_EDX, CPUID_7_1_EAX,
	};
	unsigned int i;

	BUILD_BUG_ON(ARRAY_SIZE(words) > OM_FEATURE_WORDS);
	memset(f, 0, sizeof(*f));
	f->protocol = OM_PROTOCOL;
	f->xstate_size = om_xstate_size();
	f->xfeatures = fpu_user_cfg.max_features;
	for (i = 0; i < ARRAY_SIZE(words); i++)
		f->capability[i] = boot_cpu_data.x86_capability[words[i]];
}

/*
 * A program looks at its CPU wherever it runs, as when it loads a library, and
 * then goes to another node and comes home: what one node had more would be
 * missing there. So all have the same, or nothing moves between them.
 */
static bool om_features_fit(const struct om_features *there)
{
	struct om_features here;

	om_fill_features(&here);
	return here.xstate_size && !memcmp(there, &here, sizeof(here));
}

/**
 * om_node_check - could a process be sent to a node now?
 * @node: its id
 *
 * Returns 0, -ENXIO if there is no such node, -ENETUNREACH if it is down,
 * -EOPNOTSUPP if its CPU is another, -ECONNREFUSED if it takes no guests,
 * -EAGAIN if there is no idle link, or own processes are being brought home.
 */
int om_node_check(u32 node)
{
	struct om_peer *peer;
	int ret = 0;

	spin_lock(&om_nodes_lock);
	peer = om_peer_find(node);
	if (!peer)
		ret = -ENXIO;
	else if (peer->state != OM_NODE_UP)
		ret = -ENETUNREACH;
	else if (!om_features_fit(&peer->features))
		ret = -EOPNOTSUPP;
	else if (peer->load.flags & OM_LOAD_BLOCK)
		ret = -ECONNREFUSED;
	else if (!peer->count || om_is_bringing())
		ret = -EAGAIN;
	spin_unlock(&om_nodes_lock);
	return ret;
}

/* Until the daemon has said more of this node. */
static void om_own_guess(struct om_load *load)
{
	load->cpus = num_online_cpus();
	load->rmem = global_zone_page_state(NR_FREE_PAGES);
	load->mem = si_mem_available();
	load->tmem = totalram_pages();
}

/*
 * What is known of a node. Returns its status, 0 if there is no such node. The
 * figures in @load count if its id is set; the speed does anyway.
 */
static unsigned int om_node_look(u32 id, struct om_load *load)
{
	unsigned int status = 0;
	struct om_peer *peer;
	bool known = true;
	u32 flags = 0;

	memset(load, 0, sizeof(*load));
	spin_lock(&om_nodes_lock);
	peer = om_peer_find(id);
	if (id == om_self_id) {
		status = OM_STATUS_CONFIGURED | OM_STATUS_UP;
		*load = om_own_load;
		known = om_own_load.id;
		flags = om_admin_flags();
	} else if (peer) {
		status = OM_STATUS_CONFIGURED;
		*load = peer->load;
		known = peer->load.id;
		if (peer->state == OM_NODE_UP) {
			status |= OM_STATUS_UP;
			flags = peer->load.flags;
		}
	}
	spin_unlock(&om_nodes_lock);
	if (status && id == om_self()) {
		if (!known)
			om_own_guess(load);
		known = true;
		load->speed = READ_ONCE(om_admin.speed);
	}
	load->id = known && (status & OM_STATUS_UP) ? id : 0;
	if (flags & OM_LOAD_BLOCK)
		status |= OM_STATUS_BLOCK;
	if (flags & OM_LOAD_STAY)
		status |= OM_STATUS_STAY;
	if (flags & OM_LOAD_QUIET)
		status |= OM_STATUS_QUIET;
	return status;
}

#define OM_NODE_FILE(name)						\
static int om_node_##name##_show(struct seq_file *m, void *unused)	\
{									\
	struct om_load load;						\
									\
	om_node_look((unsigned long)m->private, &load);			\
	if (load.id)							\
		seq_printf(m, "%llu\n", (u64)load.name);		\
	else								\
		seq_printf(m, "%d\n", -ENETUNREACH);			\
	return 0;							\
}

OM_NODE_FILE(cpus)
OM_NODE_FILE(load)
OM_NODE_FILE(mem)
OM_NODE_FILE(rmem)
OM_NODE_FILE(tmem)
OM_NODE_FILE(util)

static int om_node_speed_show(struct seq_file *m, void *unused)
{
	struct om_load load;

	om_node_look((unsigned long)m->private, &load);
	seq_printf(m, "%u\n", load.speed);
	return 0;
}

static int om_node_status_show(struct seq_file *m, void *unused)
{
	struct om_load load;

	seq_printf(m, "%u\n", om_node_look((unsigned long)m->private, &load));
	return 0;
}

static void om_node_name(u32 id, char *name, size_t size)
{
	snprintf(name, size, "%u", id);
}

static void om_node_add_dir(u32 id)
{
	void *data = (void *)(unsigned long)id;
	struct proc_dir_entry *dir;
	char name[12];

	if (!om_nodes_dir)
		return;
	om_node_name(id, name, sizeof(name));
	dir = proc_mkdir(name, om_nodes_dir);
	if (!dir)
		return;
#define OM_ADD(file)							\
	proc_create_single_data(#file, 0444, dir, om_node_##file##_show, data)
	OM_ADD(cpus);
	OM_ADD(load);
	OM_ADD(mem);
	OM_ADD(rmem);
	OM_ADD(tmem);
	OM_ADD(speed);
	OM_ADD(util);
	OM_ADD(status);
#undef OM_ADD
}

/**
 * om_node_self - which node this is
 * @id: its id; 0 if it is none any more
 *
 * Another one than before forgets all others. Returns 0 or -EINVAL.
 */
int om_node_self(u32 id)
{
	struct om_peer *peer, *next;
	LIST_HEAD(gone);

	if (id > OM_MAX_NODE)
		return -EINVAL;
	mutex_lock(&om_config_mutex);
	if (id == om_self_id)
		goto out;
	spin_lock(&om_nodes_lock);
	list_splice_init(&om_peers, &gone);
	WRITE_ONCE(om_self_id, id);
	memset(&om_own_load, 0, sizeof(om_own_load));
	om_own_addr = 0;
	spin_unlock(&om_nodes_lock);
	list_for_each_entry_safe(peer, next, &gone, list) {
		om_pool_drop(&peer->idle);
		kfree(peer);
	}
	proc_remove(om_nodes_dir);
	om_nodes_dir = proc_mkdir("nodes", om_hpc_dir);
	if (id)
		om_node_add_dir(id);
	om_pool_changed();
out:
	mutex_unlock(&om_config_mutex);
	return 0;
}

static void om_peer_insert(struct om_peer *fresh)
{
	struct om_peer *peer;

	/* before the first with a larger id, or at the end */
	list_for_each_entry(peer, &om_peers, list)
		if (peer->id > fresh->id)
			break;
	list_add_tail(&fresh->list, &peer->list);
}

static int om_node_remove(u32 id)
{
	struct om_peer *peer;
	LIST_HEAD(idle);
	char name[12];

	spin_lock(&om_nodes_lock);
	peer = om_peer_find(id);
	if (peer) {
		list_splice_init(&peer->idle, &idle);
		list_del(&peer->list);
	}
	spin_unlock(&om_nodes_lock);
	if (!peer)
		return 0;
	kfree(peer);
	om_pool_drop(&idle);
	om_node_name(id, name, sizeof(name));
	if (om_nodes_dir)
		remove_proc_subtree(name, om_nodes_dir);
	/* links in use are not the node's, but the processes' */
	om_hasten_all(id);
	return 0;
}

static int om_node_update(const struct om_node *n)
{
	struct om_peer *peer, *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL);

	if (!fresh)
		return -ENOMEM;
	INIT_LIST_HEAD(&fresh->idle);
	fresh->id = n->id;
	spin_lock(&om_nodes_lock);
	peer = om_peer_find(n->id);
	if (!peer) {
		peer = fresh;
		om_peer_insert(peer);
	}
	peer->state = n->state;
	peer->addr = n->addr;
	if (n->state == OM_NODE_UP)
		peer->features = n->features;
	else
		peer->load = (struct om_load){ .speed = peer->load.speed };
	spin_unlock(&om_nodes_lock);
	if (peer == fresh)
		om_node_add_dir(n->id);
	else
		kfree(fresh);
	return 0;
}

/**
 * om_node_set - a node is there, or not, or no more
 * @n: what the daemon says
 *
 * Returns 0, -EINVAL, -ENXIO if this node is not configured, or -ENOMEM.
 */
int om_node_set(const struct om_node *n)
{
	int ret = 0;

	if (!n->id || n->id > OM_MAX_NODE || n->state > OM_NODE_UP ||
	    n->reserved)
		return -EINVAL;
	mutex_lock(&om_config_mutex);
	if (!om_self_id)
		ret = -ENXIO;
	else if (n->id == om_self_id)
		om_own_addr = n->addr;
	else if (n->state == OM_NODE_REMOVED)
		ret = om_node_remove(n->id);
	else
		ret = om_node_update(n);
	mutex_unlock(&om_config_mutex);
	if (!ret)
		om_pool_changed();
	return ret;
}

/**
 * om_node_load - what a node has to do, and has
 * @load: what the daemon says, of this node or another
 *
 * Returns 0, -EINVAL, or -ENXIO if there is no such node.
 */
int om_node_load(const struct om_load *load)
{
	struct om_peer *peer;
	int ret = 0;

	if (!load->id || load->flags & ~OM_LOAD_FLAGS || !load->cpus)
		return -EINVAL;
	spin_lock(&om_nodes_lock);
	peer = om_peer_find(load->id);
	if (load->id == om_self_id)
		om_own_load = *load;
	else if (peer)
		peer->load = *load;
	else
		ret = -ENXIO;
	spin_unlock(&om_nodes_lock);
	return ret;
}

/* The address by which others reach this node is an end of each link. */
void om_own_addr_seen(const struct om_link *link)
{
	if (!om_own_addr)
		om_own_addr = inet_sk(link->sock->sk)->inet_saddr;
}

/* As a map: id, address, number of nodes. */
int om_config_show(struct seq_file *m, void *unused)
{
	struct om_peer *peer;
	bool own;

	spin_lock(&om_nodes_lock);
	own = om_self_id;
	list_for_each_entry(peer, &om_peers, list) {
		if (own && peer->id > om_self_id) {
			seq_printf(m, "%u %pI4 1\n", om_self_id, &om_own_addr);
			own = false;
		}
		seq_printf(m, "%u %pI4 1\n", peer->id, &peer->addr);
	}
	if (own)
		seq_printf(m, "%u %pI4 1\n", om_self_id, &om_own_addr);
	spin_unlock(&om_nodes_lock);
	return 0;
}

void __init om_nodes_init(struct proc_dir_entry *hpc)
{
	om_hpc_dir = hpc;
	om_nodes_dir = proc_mkdir("nodes", hpc);
}
