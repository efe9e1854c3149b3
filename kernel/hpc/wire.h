/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The messages between the two halves of a process.
 *
 * One migrated process per connection, one ordered stream: whatever home sends
 * before a reply is installed at the body before the reply is acted on. Much of
 * the reasoning about memory (page.c, paging.c) leans on that order.
 *
 * All numbers are little-endian, which on x86-64 is the native order; addresses
 * and lengths are validated by the receiver before use.
 */
#ifndef _HPC_WIRE_H
#define _HPC_WIRE_H

#include <linux/types.h>
#include <linux/limits.h>
#include <linux/sched.h>

#define OM_MAGIC	0x58534d6fU	/* "oMSX" */

enum om_type {
	/* home to guest */
	OM_M_PREPARE = 1,	/* struct om_prepare: here comes a process */
	OM_M_VMAS,		/* struct om_vma[]: part of its address space */
	OM_M_COMMIT,		/* struct om_commit, xstate, patches: run */
	OM_M_HOLE,		/* struct om_range: home has nothing there */
	OM_M_BADPAGE,		/* u64 address: home cannot provide that page */
	OM_M_PUSHED,		/* u32: every page of anonymous memory was sent */
	OM_M_REPLY,		/* struct om_reply: a call's result */
	OM_M_PARK,		/* hand over the registers, and wait */
	OM_M_REGS,		/* struct om_regs, xstate: go on with these */
	OM_M_RECALL,		/* u32: come home; 1: without delay */
	OM_M_TAKEN,		/* home has the process: the body ends */
	/* guest to home */
	OM_M_READY,		/* the address space is rebuilt */
	OM_M_REFUSE,		/* s32 errno: it cannot be, or shall not run here */
	OM_M_RESUMED,		/* about to enter user mode */
	OM_M_FAULT,		/* u64 address: this page, please */
	OM_M_CALL,		/* struct om_call: execute at home */
	OM_M_OPS,		/* struct om_op[]: what the body did to its mappings */
	OM_M_USAGE,		/* struct om_usage */
	OM_M_PARKED,		/* struct om_parked, xstate */
	OM_M_RETURN,		/* struct om_return, xstate: coming home */
	OM_M_RETURNED,		/* all dirty pages were sent */
	OM_M_LEAVE,		/* struct om_leave: this node wants it gone */
	/* both ways */
	OM_M_PAGES,		/* struct om_pages, addresses, contents */
	OM_M_BYTES,		/* u64 address, contents: data of a call */
	OM_M_COUNT
};

struct om_hdr {
	__u32 magic;
	__u8 version;		/* OM_PROTOCOL */
	__u8 type;
	__u16 flags;		/* 0 */
	__u32 len;		/* bytes after this header */
	__u32 seq;		/* counts from 0 in each direction */
};

/* Data of a call that travels inside its message; more goes before or after it. */
#define OM_MAX_INLINE	(64 * 1024)
#define OM_MAX_SEGS	1100
#define OM_MAX_VMAS	1024		/* in one OM_M_VMAS */
#define OM_MAX_PAGES	16		/* in one OM_M_PAGES */
#define OM_MAX_XSTATE	(16 * 1024)	/* of an image; see regs.c */
#define OM_MAX_OPS	64
#define OM_MAX_HOT	6		/* pages that are sent before the process */
#define OM_MAX_PATCHES	48
#define OM_MAX_TITLE	(16 * 1024)
#define OM_TITLE_PAGES	(OM_MAX_TITLE / 4096 + 1)	/* that it lies in */

struct om_range {
	__u64 start;
	__u64 end;
};

/* Where ps finds the arguments and the environment; see title.c. */
struct om_title {
	__u64 start;
	__u64 len;		/* at most OM_MAX_TITLE */
	__u64 sum[OM_TITLE_PAGES];	/* of its part in each page, as home has it */
};

struct om_prepare {
	__u32 home_pid;		/* as home's initial namespace counts */
	__u32 vma_count;
	__u64 stack_limit;	/* RLIMIT_STACK, bytes */
	/* where new mappings go: the body chooses as home would */
	__u64 mmap_base;
	__u64 start_brk;
	__u64 brk;
	__u32 flags;		/* OM_PREP_* */
	__u32 budget;		/* see struct om_reply */
	__u64 rseq;		/* address of the thread's struct rseq, or 0 */
	__u32 rseq_sig;
	__u32 vdso_len;
	__u64 vdso;		/* where it is mapped, or 0 */
	__s32 nice;
	__u32 policy;		/* SCHED_NORMAL, SCHED_BATCH or SCHED_IDLE */
	char comm[TASK_COMM_LEN];	/* for people */
	struct om_title title;	/* last: its sums are not compared */
};

/*
 * Sent at any time from RESUMED to RETURN, also while the deputy executes a call
 * or is stopped. It is no question: home recalls the process, or does nothing.
 */
struct om_leave {
	__u32 target;		/* node id; 0 is home */
	__u32 flags;		/* OM_LEAVE_* */
};

#define OM_LEAVE_AUTO	0x1	/* nobody's order: a locked process stays */

#define OM_PREP_BOTTOM_UP	0x1	/* mmap_base is the lowest address */
#define OM_PREP_OWN_MEMORY	0x2	/* the body may change mappings itself */
#define OM_PREP_COUNTED		0x4	/* a limit or timer counts its CPU time */
#define OM_PREP_RINGING		0x8	/* one that rings again and again, at each tick perhaps */
#define OM_PREP_FLAGS		0xf

#define OM_VMA_READ	0x01
#define OM_VMA_WRITE	0x02
#define OM_VMA_EXEC	0x04
#define OM_VMA_STACK	0x08	/* grows down */
#define OM_VMA_ANON	0x10	/* home has these pages, or nobody */
#define OM_VMA_FILE	0x20	/* home can provide any page at any time */
#define OM_VMA_FLAGS	0x3f
/* Neither ANON nor FILE: the address is taken, and nothing is there. */

struct om_vma {
	__u64 start;
	__u64 end;
	__u32 flags;
	__u32 reserved;
};

struct om_regs {
	__u64 r15, r14, r13, r12, bp, bx, r11, r10, r9, r8;
	__u64 ax, cx, dx, si, di, orig_ax, ip, flags, sp;
	__u64 fsbase, gsbase;
	__u32 xstate_len;	/* bytes of packed xstate after this message's struct */
	__u16 cs, ss, ds, es, fs, gs;
};

/* A page that was sent before the process, and has changed since. */
struct om_patch {
	__u64 addr;
	__u32 len;		/* bytes, within one page; 0: home has it no more */
	__u32 reserved;		/* 0 */
};

struct om_commit {
	struct om_regs regs;
	__u32 patches;
	__u32 reserved;		/* 0 */
	/* then xstate, then struct om_patch[patches], then their bytes */
};

/* What the body has consumed since it resumed, in nanoseconds. */
struct om_usage {
	__u64 utime;
	__u64 stime;
	__u64 runtime;
	/* and otherwise */
	__u64 minor_faults;
	__u64 major_faults;
	__u64 peak;		/* the most pages at a time */
};

struct om_pages {
	__u32 count;
	__u32 reserved;
	/* then __u64 address[count], then count times PAGE_SIZE bytes */
};

#define OM_SEG_IN	1	/* the bytes travel with the call */
#define OM_SEG_OUT	2	/* the bytes travel with the reply */
#define OM_SEG_AHEAD	4	/* the bytes came before the call */

struct om_seg {
	__u64 addr;
	__u32 len;
	__u16 dir;
	__u16 unit;		/* if not 0: result times unit bytes are new */
};

struct om_call {
	__u64 nr;
	__u64 arg[6];
	__u64 ip, sp;		/* of the caller */
	struct om_usage usage;
	__u32 segs;
	__u32 reserved;
	/* then struct om_seg[segs], then the bytes of the IN segments */
};

enum om_op_kind {
	OM_OP_UNMAP = 1,
	OM_OP_MAP,		/* flags: OM_VMA_*; replaces what is there */
	OM_OP_PROTECT,		/* flags: OM_VMA_{READ,WRITE,EXEC} */
	OM_OP_MOVE,		/* to: new start; to_len: new length */
	OM_OP_DISCARD,		/* the content is gone, the mapping stays */
	OM_OP_BRK,		/* start: the new end of the heap */
	OM_OP_GROW,		/* start: a stack begins there now; to home */
};

/* A change of the address space on one side, to be repeated on the other. */
struct om_op {
	__u32 kind;
	__u32 flags;
	__u64 start;
	__u64 len;
	__u64 to;
	__u64 to_len;
};

#define OM_REPLY_RETURN	0x1	/* take the result and come home */
#define OM_REPLY_NATIVE	0x2	/* nothing was done: come home and call again */
#define OM_REPLY_PARK	0x4	/* interrupted: take the result and park */
#define OM_REPLY_REGS	0x8	/* no result: OM_M_REGS comes next */
#define OM_REPLY_OWN_MEMORY 0x10 /* as OM_PREP_OWN_MEMORY, from now on */
#define OM_REPLY_COUNTED 0x20	/* as OM_PREP_COUNTED, from now on */
#define OM_REPLY_RINGING 0x40	/* as OM_PREP_RINGING, from now on */

/* Of home, in nanoseconds. Zeros: the process has clocks of its own. */
struct om_clock {
	__u64 mono;		/* CLOCK_MONOTONIC */
	__s64 real;		/* CLOCK_REALTIME less that */
};

struct om_reply {
	__s64 result;
	struct om_clock clock;	/* no earlier than the call's end */
	__u32 flags;
	__u32 ops;
	__u32 outs;
	__u32 budget;		/* changes of mappings that home has room for */
	/*
	 * then struct om_op[ops], then struct om_seg[outs], then the bytes of
	 * these segments
	 */
};

enum om_home_reason {
	OM_HOME_NONE = 0,
	OM_HOME_REQUEST,
	OM_HOME_SYSCALL,	/* arg: number */
	OM_HOME_SIGNAL,		/* arg: number */
	OM_HOME_REASON,		/* arg: enum om_reason */
	OM_HOME_NODE,		/* guest node wants it gone */
};

/* The body stands still until home sends OM_M_REGS. */
struct om_parked {
	struct om_regs regs;
	struct om_usage usage;
	/* then xstate */
};

/* A trap is past its instruction: home raises the signal that would have come. */
struct om_trap {
	__u32 number;		/* X86_TRAP_*; 0: none */
	__s32 code;		/* of siginfo */
	__u64 addr;
};

struct om_return {
	struct om_regs regs;
	struct om_usage usage;
	__u32 reason;
	__u32 arg;
	struct om_trap trap;
	__u64 calls_local;
	__u64 prefetched;
	/* then xstate */
};

#endif
