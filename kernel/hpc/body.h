/* SPDX-License-Identifier: GPL-2.0-only */
/* A process of another node, while it runs here. See om.h for the locks. */
#ifndef _HPC_BODY_H
#define _HPC_BODY_H

#include <linux/list.h>
#include <linux/maple_tree.h>
#include <linux/sched.h>
#include <linux/timer.h>
#include <linux/xarray.h>

#include "wire.h"

struct om_proc;
struct om_msg;
struct om_link;
struct proc_dir_entry;
struct pt_regs;

/* body.c: hearing from home, and going there */

struct om_body {
	struct om_link *link;
	u32 home;
	u32 home_pid;
	bool running;		/* user code of the process runs here */
	bool recall;		/* home wants it back */
	bool urgent;		/* at once */
	bool park;		/* home wants it to stand still */
	bool own_memory;	/* see OM_PREP_OWN_MEMORY */
	unsigned long period;	/* jiffies between two words of what it has used */
	u32 budget;		/* changes that home surely can repeat */
	u32 moves;		/* of mappings, as in om_away */
	u64 restart_nr;		/* the call that restart_syscall goes on with; 0: none */
	u64 restart_arg[6];
	u64 rseq;
	u32 rseq_sig;
	u32 vdso_len;
	u64 vdso;		/* with its entries replaced, see vdso.c */
	char comm[TASK_COMM_LEN];	/* at home */
	struct om_title title;	/* as home was told */
	struct list_head guests;	/* while it runs: see guests.c */
	struct proc_dir_entry *dir;
	struct om_leave leave;	/* what home shall be told */
	bool leave_due;
	bool expelled;
	unsigned long leave_asked;	/* jiffies */
	unsigned long stack_vm;	/* pages of stacks, as home knows them */
	unsigned int nops;	/* changes of mappings that home does not know */
	struct om_op op[OM_MAX_OPS];
	unsigned long sent_to;	/* dirty pages were sent up to here, on recall */
	struct maple_tree owned;	/* home may have pages there */
	struct xarray stash;	/* pages received, not yet mapped */
	unsigned int stashed;	/* how many */
	unsigned int asked;	/* pages that home was asked for: so many holes it may tell of */
	unsigned long bad;	/* address that home could not provide */
	struct om_clock clock;	/* as estimated when @clock_heard was now */
	u64 clock_heard;	/* by this node's clock; 0: ask home */
	struct om_usage base;	/* this task's own, when the process came */
	struct om_usage told;
	struct om_trap trap;	/* what it goes home for, if it is one */
	u64 calls_local;
	u64 prefetched;
	struct timer_list tick;
	struct task_struct *task;
};

int om_body_dispatch(struct om_body *b, const struct om_msg *msg);
int om_body_recv(struct om_body *b, struct om_msg *msg);
void om_body_signal(struct om_proc *p);
void om_body_syscall(struct om_proc *p, struct pt_regs *regs);
void om_body_return(struct om_body *b, struct pt_regs *regs, u32 reason,
		    u32 arg) __noreturn;
void om_body_free(struct om_body *b);
void om_body_usage(struct om_body *b, struct om_usage *u);
void om_body_count(struct om_body *b, bool counted, bool ringing);
void om_body_die(struct om_body *b, const char *why) __noreturn;

/* stub.c: becoming a process */

int om_body_start(struct om_link *link);
void om_body_resume(struct om_proc *p, struct pt_regs *regs);

/* guests.c: all bodies of this node */

int om_guest_admit(struct om_body *b);
void om_guest_show(struct om_body *b);
void om_guest_gone(struct om_body *b);
int om_guest_leave(struct task_struct *task, u32 target, bool automatic);
unsigned int om_guests_ask(void);
int om_send_leave(struct om_body *b);
void om_guests_init(struct proc_dir_entry *hpc);

/* memory.c: the address space of a body */

int om_prot(u32 flags);
bool om_range_sane(u64 start, u64 len);
long om_own_call(unsigned int nr, unsigned long a, unsigned long b,
		 unsigned long c, unsigned long d, unsigned long e);
int om_move_range(unsigned long start, unsigned long len, unsigned long to,
		  unsigned long to_len);
int om_set_owned(struct om_body *b, unsigned long start, unsigned long end,
		 unsigned long kind);
unsigned long om_owned_any(struct om_body *b, unsigned long start,
			   unsigned long end);
int om_set_layout(const struct om_prepare *prep);
int om_map_vma(struct om_body *b, const struct om_vma *v);
int om_apply_op(struct om_body *b, const struct om_op *op);

/* own.c: memory calls that a body makes itself */

bool om_own_memory(struct om_body *b, const struct pt_regs *regs, long *result);
void om_own_resident(u64 start, u64 len, u64 vec);
int om_send_ops(struct om_body *b);
int om_flush_ops(struct om_body *b);

/* title.c */

bool om_title_sane(const struct om_title *t);
int om_title_tell(struct om_body *b);

/* forward.c */

int om_take_bytes(struct om_body *b, const struct om_msg *msg);

/* clock.c */

void om_clock_hear(struct om_body *b, const struct om_clock *c);
bool om_clock_call(struct om_body *b, const struct pt_regs *regs,
		   unsigned long nr, long *result);

/* paging.c: pages of a body */

#define OM_OWNED_ANON	1
#define OM_OWNED_FILE	2

/* A page as home has it. Free while CONFIG_MEM_SOFT_DIRTY is off (Kconfig). */
#define OM_PTE_FROM_HOME	(_AT(pteval_t, 1) << _PAGE_BIT_SOFTW3)

int om_stash_pages(struct om_body *b, const struct om_msg *msg);
void om_stash_drop(struct om_body *b, unsigned long start, unsigned long end);
void om_stash_map(struct om_body *b);
void om_stash_relieve(struct om_body *b);
int om_stash_map_range(struct om_body *b, unsigned long start,
		       unsigned long end);
bool om_body_has(struct om_body *b, unsigned long addr);

/* dirty.c: what home does not have */

int om_send_dirty(struct om_body *b);
int om_send_early(struct om_body *b);

/* vdso.c: an entry of the vdso that works without its data page */

bool om_vdso_contains(unsigned long addr);
bool om_vdso_amid(unsigned long addr);
struct page *om_vdso_page(unsigned long addr);
void om_vdso_leave(const struct om_body *b, struct pt_regs *regs);

#endif
