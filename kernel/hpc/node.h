/* SPDX-License-Identifier: GPL-2.0-only */
/* This node and the others. See om.h for the locks. */
#ifndef _HPC_NODE_H
#define _HPC_NODE_H

#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <uapi/linux/openmosix.h>

#include "wire.h"

struct om_link;
struct om_proc;
struct proc_dir_entry;
struct seq_file;

/* nodes.c: the other nodes, and /proc/hpc/nodes */

struct om_peer {
	struct list_head list;	/* by id */
	u32 id;
	u32 state;
	u32 addr;
	struct om_features features;
	struct om_load load;	/* id: 0 while nobody told */
	struct list_head idle;
	unsigned int count;
};

extern spinlock_t om_nodes_lock;
extern struct list_head om_peers;

u32 om_self(void);
struct om_peer *om_peer_find(u32 id);
int om_node_check(u32 node);
int om_node_self(u32 id);
int om_node_set(const struct om_node *n);
int om_node_load(const struct om_load *load);
void om_own_addr_seen(const struct om_link *link);
void om_fill_features(struct om_features *features);
int om_config_show(struct seq_file *m, void *unused);
void om_nodes_init(struct proc_dir_entry *hpc);

/* hpcproc.c: /proc/hpc/admin */

#define OM_MAX_DECAY	86400	/* seconds */

struct om_admin {
	unsigned int block, stay, lstay, quiet;
	unsigned int gateways;
	unsigned int decay_interval, slow_decay, fast_decay;
	unsigned int speed;
};

extern struct om_admin om_admin;

u32 om_admin_flags(void);
char *om_get_word(const char __user *buf, size_t count, char *word,
		  size_t size);

/* expel.c: guests go, own processes come */

bool om_is_expelling(void);
bool om_is_bringing(void);
void om_note_brings(struct om_proc *p);
bool om_was_brought(struct om_proc *p);
void om_empty_changed(void);
void om_recheck_node(struct om_proc *p);
unsigned int om_hasten_all(u32 node);
int om_expel(void);
int om_bring(void);

/* stats.c */

enum om_count {
	OM_C_MOVES_OUT,		/* own processes, from node to node, too */
	OM_C_MOVES_HOME,
	OM_C_MOVES_IN,		/* guests that began to run here */
	OM_C_REFUSED,		/* guests that were not taken */
	OM_C_FAILED,		/* requests of own processes */
	OM_C_BODIES_LOST,	/* own processes that died with their body */
	OM_C_LINKS_LOST,	/* guests that ended since they lost home */
	OM_C_CALLS_FORWARDED,	/* executed here for bodies elsewhere */
	OM_C_CALLS_LOCAL,	/* that guests made here themselves */
	OM_C_DEMAND_FAULTS,	/* answered here */
	OM_C_PAGES_OUT, OM_C_PAGES_IN,	/* of own processes and guests */
	OM_C_BYTES_OUT, OM_C_BYTES_IN,
	/* how many there are */
	OM_C_LINKS,
	OM_C_BODIES,		/* and stubs that wait to become one */
	OM_C_STATES,		/* processes that something is known of */
	OM_COUNTS
};

struct om_counts {
	u64 value[OM_COUNTS];
};

DECLARE_PER_CPU(struct om_counts, om_counts);

static inline void om_count_add(enum om_count what, u64 n)
{
	this_cpu_add(om_counts.value[what], n);
}

static inline void om_count(enum om_count what)
{
	om_count_add(what, 1);
}

static inline void om_uncount(enum om_count what)
{
	this_cpu_dec(om_counts.value[what]);
}

void om_stats_init(struct proc_dir_entry *hpc);

#endif
