/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * openMosix: what the kernel, its tools and a test harness agree on.
 *
 * The device /dev/openmosix (0600 root) is how the node daemon omd tells the
 * kernel about the cluster and hands over connected, authenticated sockets.
 * Everything a user or a script touches is a file in /proc, not an ioctl.
 */
#ifndef _UAPI_LINUX_OPENMOSIX_H
#define _UAPI_LINUX_OPENMOSIX_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define OM_DEVICE	"/dev/openmosix"
#define OM_MAX_NODE	65535

/*
 * What a program can see of a CPU. Processes move only between nodes that have
 * the same.
 */
#define OM_FEATURE_WORDS	24
struct om_features {
	__u32 protocol;			/* OM_PROTOCOL of the kernel */
	__u32 xstate_size;		/* bytes of the user xstate image */
	__u64 xfeatures;		/* user xfeatures mask */
	__u32 capability[OM_FEATURE_WORDS];
};

/* Version of the kernel-to-kernel messages; unequal nodes do not link. */
#define OM_PROTOCOL	11

enum om_node_state {
	OM_NODE_REMOVED = 0,		/* forget this node */
	OM_NODE_DOWN	= 1,		/* configured, not reachable */
	OM_NODE_UP	= 2,
};

struct om_node {
	__u32 id;			/* 1 .. OM_MAX_NODE */
	__u32 state;			/* enum om_node_state */
	__u32 addr;			/* IPv4, network byte order */
	__u32 reserved;			/* 0 */
	struct om_features features;	/* as the peer reported; if up */
};

/* Home side: an idle link to @node; the kernel keeps a reference to @fd. */
struct om_link_arg {
	__u32 node;
	__s32 fd;
};

struct om_pool {
	__u32 node;			/* in */
	__u32 idle;			/* out: idle links to that node */
};

/* The speed of a node with a Pentium III at 1 GHz. */
#define OM_STANDARD_SPEED	10000

#define OM_LOAD_BLOCK	0x1u		/* takes no guests */
#define OM_LOAD_STAY	0x2u		/* no process leaves by itself */
#define OM_LOAD_LSTAY	0x4u		/* none of its own does */
#define OM_LOAD_QUIET	0x8u		/* takes no part in balancing */
#define OM_LOAD_FLAGS	0xfu

/*
 * What is known of a node, this one or a peer, told every period. @load is 100
 * for one runnable process on each CPU of a node of standard speed: 100 *
 * runnable / cpus * OM_STANDARD_SPEED / speed. Memory in pages.
 */
struct om_load {
	__u32 id;
	__u32 cpus;
	__u32 load;
	__u32 speed;			/* see OM_STANDARD_SPEED */
	__u32 util;			/* percent of the CPUs that is used */
	__u32 flags;			/* OM_LOAD_*; of this node: ignored */
	__u64 mem;			/* free for guests */
	__u64 rmem;			/* free as Linux counts */
	__u64 tmem;			/* in all */
};

#define OM_IOC_MAGIC	0xB6
/* Own node id; 0 removes the configuration. */
#define OM_IOC_SELF	_IOW(OM_IOC_MAGIC, 1, __u32)
/* A peer; of this node only the address is taken. */
#define OM_IOC_NODE	_IOW(OM_IOC_MAGIC, 2, struct om_node)
#define OM_IOC_LINK_ADD	_IOW(OM_IOC_MAGIC, 3, struct om_link_arg)
/*
 * Guest side: the caller, a single-threaded child of omd, becomes the body of
 * whatever process arrives on the link from home node @node. It does not
 * return to user mode as itself; when the link ends, the task ends.
 */
#define OM_IOC_BODY	_IOW(OM_IOC_MAGIC, 4, struct om_link_arg)
/* This node's features, to be sent to its peers. */
#define OM_IOC_FEATURES	_IOR(OM_IOC_MAGIC, 5, struct om_features)
/*
 * Idle links of one node. poll() on the device reports EPOLLIN when the pool
 * of any node has changed since this file last asked.
 */
#define OM_IOC_POOL	_IOWR(OM_IOC_MAGIC, 6, struct om_pool)
#define OM_IOC_LOAD	_IOW(OM_IOC_MAGIC, 7, struct om_load)

/*
 * Why a process stays: bit numbers and, in OM_REASON_WORDS, the words that
 * /proc/PID/cantmove prints, in ascending order of bits, one a line. The first
 * eleven bits are those of openMosix 2.4.
 */
enum om_reason {
	OM_R_MONKEY		= 0,	/* a mapping that others can change */
	OM_R_MMAP_DEV		= 1,	/* a mapping of a device */
	OM_R_VM86		= 2,	/* unreachable on x86-64 */
	OM_R_KTHREAD		= 3,	/* a kernel thread */
	OM_R_PRIV_INST		= 4,	/* rdtsc or cpuid is forbidden to it */
	OM_R_MEM_LOCK		= 5,	/* locked memory */
	OM_R_CLONE_VM		= 6,	/* another task shares the memory */
	OM_R_RT_SCHED		= 7,	/* a real-time scheduling class */
	OM_R_DIRECT_IO		= 8,	/* ioperm or iopl */
	OM_R_SYSTEM		= 9,	/* process 1 */
	OM_R_KIOBUF		= 10,	/* unreachable on 6.12 */
	OM_R_SECCOMP		= 11,
	OM_R_AUDIT		= 12,
	OM_R_SUD		= 13,	/* syscall user dispatch */
	OM_R_PTRACE		= 14,
	OM_R_IO_URING		= 15,
	OM_R_AIO		= 16,
	OM_R_USERFAULTFD	= 17,
	OM_R_HUGETLB		= 18,
	OM_R_MEMFD_SECRET	= 19,
	OM_R_SHADOW_STACK	= 20,
	OM_R_PERF_MMAP		= 21,
	OM_R_PKEY		= 22,	/* memory protection keys */
	OM_R_AMX		= 23,	/* registers that have to be asked for */
	OM_R_COUNT
};

#define OM_REASON_WORDS {						\
	"monkey", "mmap_dev", "VM86_mode", "kthread", "priv_inst",	\
	"mem_lock", "clone_vm", "rt_sched", "direct_io", "system",	\
	"kiobuf", "seccomp", "audit", "sud", "ptrace", "io_uring",	\
	"aio", "userfaultfd", "hugetlb", "memfd_secret",		\
	"shadow_stack", "perf_mmap", "pkey", "amx" }

#endif
