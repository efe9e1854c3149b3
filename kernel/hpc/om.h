/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * openMosix: what its files share.
 *
 * Lock order, outermost first:
 *
 *   om_config_mutex		the set of nodes, /proc/hpc/nodes
 *     mmap_lock of the process
 *       om_nodes_lock (spin)	nodes, pools of idle links
 *       om_guests_lock (spin)	bodies that run; what they shall tell home
 *         om_proc.lock (spin)	request and state of a process
 *   sk_callback_lock (bh)	om_link.task; taken by socket callbacks
 *     siglock			to kill or wake that task
 *
 * om_nodes_lock and om_guests_lock are never held together. The rest needs no
 * lock, because only the process itself touches it: a link in use is sent to and
 * received from by one task; om_away and om_body belong to the one thread of a
 * process that may move, om_proc.mover. Others that it starts meanwhile keep off.
 */
#ifndef _HPC_OM_H
#define _HPC_OM_H

#include <linux/openmosix.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/time_types.h>
#include <linux/timer.h>
#include <linux/wait.h>
#include <linux/xarray.h>
#include <uapi/linux/openmosix.h>

#include "body.h"
#include "call.h"
#include "link.h"
#include "node.h"
#include "wire.h"

struct proc_dir_entry;
struct seq_file;

/* core.c: state of a process */

enum om_state {
	OM_HOME,
	OM_PENDING,		/* requested */
	OM_PREPARING,		/* the stub rebuilds the address space */
	OM_FROZEN,
	OM_AWAY,
	OM_RETURNING,
};

struct om_stat {
	int error;		/* of the last request; positive errno */
	bool moved;		/* there was a last request, and it was met */
	u32 home_reason;
	u32 home_arg;
	u64 requested, prepared, frozen, resumed, released;	/* ns */
	u64 bytes_out, bytes_in, pages_out, pages_in;
	u64 pages_out_at_resume, demand_faults, prefetched;
	u64 calls_forwarded, calls_local, round_trips;
};

/* Of a sleep that was broken off and is to go on: what a signal would leave of it. */
struct om_rest {
	void __user *at;	/* where the program wants that; NULL: nowhere */
	struct __kernel_timespec left;
};

/* Home's half while the process is away or preparing. */
struct om_away {
	struct om_prepare told;	/* of itself, to the guest node */
	struct mm_struct *mm;	/* only compared */
	int mm_seq;
	int shares;		/* see om_recheck_shares() */
	int cuts;		/* as well */
	int brings;		/* as om_was_brought() compares it */
	bool sealed;		/* it has mappings that must not change */
	bool granted;		/* the body was told that it may change mappings */
	unsigned int attempts;
	unsigned int held;	/* tries that found somebody with hold of its memory */
	bool ready;		/* the stub said so */
	unsigned long patience;	/* jiffies: it is to say so before */
	u64 still;		/* ns: stands still for it since then; 0: runs on */
	struct xarray sent;	/* 512 pages an entry: struct om_sent */
	struct om_hot *hot;	/* pages that went ahead of the process */
	unsigned long cursor;	/* of the background push */
	bool again;		/* it left something out: start over */
	bool pushed;
	bool unreadable;	/* home has a page and cannot read it */
	u8 recalled;		/* 1: was asked to come home; 2: at once */
	bool keep_regs;		/* home's are newer than those that will come */
	bool unstopped;		/* woken in its stop, with signals blocked */
	sigset_t blocked;	/* those that were */
	bool parking;		/* the body was asked to stand still */
	unsigned long put_off;	/* when a call last had to wait for a handler */
	bool parked;		/* it does, and a signal is being delivered */
	bool unwritable;	/* data of the next call could not be written */
	bool at_home;		/* this call is to be made by the whole process */
	u32 moves;		/* mappings that were moved to another address */
	struct rseq __user *rseq;	/* the thread's, as it left */
	u32 rseq_sig;
	u32 window;		/* bytes of push in flight at most */
	struct om_rest rest;
	struct om_usage usage;	/* seen so far */
};

/* Who locked a process: inherited with the lock. */
struct om_origin {
	pid_t on, by;		/* whose lock was written, and by whom; or 0 */
	char on_comm[TASK_COMM_LEN], by_comm[TASK_COMM_LEN];
};

/* What a process says of itself to the balancer. Zeros are the default. */
struct om_decay {
	u8 job;			/* OM_JOB_* */
	u8 rate;		/* OM_RATE_* */
	bool reset_on_exec;
	bool not_inherited;
	u32 keep, seconds;	/* OM_RATE_OWN: permille left after that time */
	u64 cleared;		/* ns: what was observed earlier does not count */
};

enum { OM_JOB_NONE = 0, OM_JOB_CPU, OM_JOB_IO };
enum {
	OM_RATE_DEFAULT = 0, OM_RATE_SLOW, OM_RATE_FAST, OM_RATE_NONE,
	OM_RATE_OWN,
};

struct om_proc {
	spinlock_t lock;
	bool locked;		/* the user's lock: no automatic move */
	struct om_origin origin;	/* of the lock */
	struct om_decay decay;
	enum om_state state;
	u32 where;		/* 0: home */
	bool out;		/* its memory may be elsewhere */
	bool lost;		/* that has ended there */
	u32 nmigs;
	u32 target;		/* of the request; om_self() is home */
	bool requested;
	bool wanted;		/* at home, at once, whatever was requested */
	bool hurry;		/* break off calls and stops for the request */
	u8 in_call;		/* the deputy executes a call: enum om_in_call */
	wait_queue_head_t home_wait;
	bool on_exec;		/* the request waits for an execve */
	unsigned long link_until; /* jiffies; that was made, and waits for a link */
	bool asleep;		/* it slept when it was asked to go */
	struct om_stat stat;
	u64 away_cpu;		/* ns of CPU time consumed on other nodes */
	struct om_link *link;	/* home: of the move; guest: of the body */
	struct om_away away;
	struct om_body *body;	/* this task is a body */
	bool guest;		/* it is, or was one till it ended */
	struct timer_list retry;
	struct timer_list nudge;	/* ends a call that keeps pages waiting */
	struct timer_list unstop;	/* see stop.c */
	struct task_struct *mover;	/* whose the link and the timers are */
};

/* Is there a request to be carried out now? */
static inline bool om_wanted(const struct om_proc *p)
{
	return READ_ONCE(p->requested) && !READ_ONCE(p->on_exec);
}

struct om_proc *om_proc_of(struct task_struct *task);
struct om_proc *om_proc_make(struct task_struct *task);
void om_poke(struct task_struct *task);
void om_retry_at(struct om_proc *p, unsigned long when);
void om_nudge_soon(struct om_proc *p);

/* decay.c */

void om_decay_print(struct seq_file *m, struct om_proc *p);
void om_decay_init(struct proc_dir_entry *hpc);

/* proc.c */

void om_show_comm(struct seq_file *m, const char *comm);

/* stop.c: stopped, and away */

void om_unstop_fn(struct timer_list *timer);
void om_unstop_soon(struct om_proc *p);
bool om_stop_ended(struct om_proc *p, bool *woken);
void om_stop_again(void);

/* stay.c */

bool om_is_measured(struct task_struct *task);
bool om_real_time(const struct task_struct *task);
u32 om_stay_reasons(struct task_struct *task);
void om_note_reasons(struct om_proc *p, u32 reasons);
int om_stay_print(u32 reasons, char *buf, size_t size);

/* regs.c: registers of the current task */

#define OM_XSTATE_BLOCK	64UL
/* Before it is packed, the image lies a block further on. */
#define OM_XSTATE_ROOM	(OM_XSTATE_BLOCK + OM_MAX_XSTATE)

size_t om_xstate_size(void);
int om_regs_save(const struct pt_regs *regs, struct om_regs *out, void *xstate);
void om_trap_note(int sig, struct om_trap *trap);
bool om_trap_sane(const struct om_trap *trap);
void om_trap_raise(struct pt_regs *regs, const struct om_trap *trap);
bool om_segments_travel(const struct pt_regs *regs);
void om_data_segments_save(struct om_regs *out);
int om_data_segments_load(const struct om_regs *in);
int om_regs_load(struct pt_regs *regs, const struct om_regs *in,
		 const void *xstate);
bool om_regs_sane(const struct om_regs *in, const void *xstate,
		  size_t xstate_len);

/* migrate.c: the transaction, home side */

void om_home_resume(struct om_proc *p, struct pt_regs *regs);
void om_want_elsewhere(struct om_proc *p, u32 target, u32 reason);
void om_home_abort(struct om_proc *p, int error);
void om_set_home(struct om_proc *p);
bool om_good_moment(struct pt_regs *regs);
void om_drop_link(struct om_proc *p);

/* away.c */

bool om_start_leaving(struct om_proc *p);
int om_freeze(struct om_proc *p, struct pt_regs *regs);
void om_be_away(struct om_proc *p, struct pt_regs *regs);

/* prepare.c */

u32 om_vma_flags(const struct vm_area_struct *vma);
int om_send_prepare(struct om_proc *p);
int om_begin(struct om_proc *p);
int om_is_ready(const struct om_msg *msg);
int om_await_ready(struct om_proc *p);
int om_wait_ready(struct om_proc *p);
int om_wait_soon(struct om_proc *p);
bool om_prepare_stale(struct om_proc *p);

/* title.c */

bool om_title_find(struct om_title *t);
void om_title_note(struct om_title *t);

/* others.c */

void om_set_out(struct om_proc *p, bool out);
void om_set_where(struct om_proc *p, u32 where);
void om_set_lost(struct om_proc *p);
bool om_is_held(void);
void om_bring_home(struct task_struct *task, u32 reason);
u32 om_stay_now(struct om_proc *p);
void om_recheck_shares(struct om_proc *p);

/* deputy.c */

int om_deputy(struct om_proc *p, struct pt_regs *regs);
int om_recall(struct om_proc *p, bool at_once);
bool om_wanted_now(struct om_proc *p);
bool om_hurried(struct om_proc *p);
int om_take_leave(struct om_proc *p, const struct om_msg *msg);
bool om_must_restart(long result);

/* arrive.c: home again */

void om_fetch_memory(struct om_proc *p);
int om_arrive(struct om_proc *p, struct pt_regs *regs,
	      const struct om_msg *first);

/* account.c */

bool om_is_counted(void);
bool om_is_ringing(void);
int om_usage_add(struct om_proc *p, const struct om_usage *now);

/* signal.c: both sides */

bool om_returns_to_vdso(const struct om_call *call);
bool om_interrupts_vdso(const struct pt_regs *regs);
int om_park(struct om_proc *p);
int om_take_parked(struct om_proc *p, struct pt_regs *regs,
		   const struct om_msg *msg);
int om_deliver(struct om_proc *p, struct pt_regs *regs);
void om_rseq_take(struct om_proc *p);
void om_rseq_give(struct om_proc *p);
void om_rseq_tell(struct om_proc *p);
int om_rseq_fixup(struct om_body *b, struct pt_regs *regs);
void om_rseq_note(struct om_body *b, u64 at, u64 flags, u32 sig);
void om_body_park(struct om_body *b, struct pt_regs *regs);
void om_body_await_regs(struct om_body *b, struct pt_regs *regs);

/* pages.c: finding pages, and putting them into one message */

struct om_batch {
	unsigned int count;
	u64 addr[OM_MAX_PAGES];
	struct page *page[OM_MAX_PAGES];
};

void om_batch_add(struct om_batch *batch, unsigned long addr,
		  struct page *page);
void om_batch_drop(struct om_batch *batch);
int om_batch_send(struct om_link *link, struct om_batch *batch, bool more);
unsigned long om_next_table(unsigned long addr);
bool om_pte_is_hole(pte_t pte);
int om_pages_check(const void *data, size_t len);

/* sent.c: which of home's pages the body has */

bool om_was_sent(struct om_away *away, unsigned long addr);
int om_mark_sent(struct om_away *away, unsigned long addr);
void om_note_written(struct om_away *away, unsigned long addr, size_t len);
void om_sent_clear(struct om_away *away, unsigned long start,
		   unsigned long end);
void om_sent_free(struct om_away *away);

/* hot.c: pages that go ahead of the process */

int om_hot_send(struct om_proc *p);
int om_hot_freeze(struct om_proc *p, const struct pt_regs *regs,
		  struct om_commit *commit, struct kvec *vec);
void om_hot_free(struct om_away *away);
int om_patch_stash(struct om_body *b, u32 count, const void *data, size_t len);

/* page.c: home's pages */

struct page *om_read_page(unsigned long addr);
bool om_has_content(unsigned long addr);
int om_send_pages(struct om_proc *p, const unsigned long *addr, unsigned int n,
		  bool there, bool more);
int om_serve_fault(struct om_proc *p, unsigned long addr);
int om_push_some(struct om_proc *p);
int om_take_pages(struct om_proc *p, const void *data, size_t len);
int om_user_write(unsigned long addr, const void *from, size_t len);

/* mutant.c */

#ifdef CONFIG_OPENMOSIX_MUTANTS
bool om_mutant(const char *name);
void om_mutant_signal(void);
#else
static inline bool om_mutant(const char *name) { return false; }
static inline void om_mutant_signal(void) { }
#endif

/* fault.c */

enum om_fault_action {
	OM_FAULT_NONE = 0, OM_FAULT_KILL, OM_FAULT_RESET, OM_FAULT_GARBAGE,
	OM_FAULT_TRUNCATE, OM_FAULT_HOLD, OM_FAULT_PAYLOAD,
};

#ifdef CONFIG_OPENMOSIX_MUTANTS
enum om_fault_action om_fault_due(struct om_link *link, bool recv, u8 type);
void *om_fault_noise(size_t len);
#else
static inline enum om_fault_action om_fault_due(struct om_link *link, bool recv,
						u8 type)
{
	return OM_FAULT_NONE;
}

static inline void *om_fault_noise(size_t len) { return NULL; }
#endif

#endif
