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
 * process that may move.
 */
#ifndef _HPC_OM_H
#define _HPC_OM_H

#include <linux/list.h>
#include <linux/maple_tree.h>
#include <linux/net.h>
#include <linux/openmosix.h>
#include <linux/percpu.h>
#include <linux/refcount.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/uio.h>
#include <linux/wait.h>
#include <linux/xarray.h>
#include <uapi/linux/openmosix.h>

#include "wire.h"

struct proc_dir_entry;
struct seq_file;

/* A peer that says nothing for so long is dead. */
#define OM_LINK_TIMEOUT		(15 * HZ)
/* Idle links that one move tries before it gives up. */
#define OM_LINK_TRIES		4

/* link.c: connected sockets, and message.c: framed messages on them */

enum om_notify {
	OM_NOTIFY_NONE,		/* the task waits on the link itself */
	OM_NOTIFY_RESUME,	/* call its resume_user_mode_work() */
	OM_NOTIFY_SIGNAL,	/* call its get_signal() */
	OM_NOTIFY_DEATH,	/* kill it if the link dies: it may sleep for hours */
	OM_NOTIFY_CALL,		/* and break its call off if something arrives */
	OM_NOTIFY_STOP,		/* and wake it if it is stopped */
};

struct om_link {
	refcount_t ref;
	u32 node;
	bool dead;
	int error;		/* why it is dead; negative errno */
	bool ended;		/* the other side has closed it */
	struct file *file;	/* keeps the socket */
	struct socket *sock;
	wait_queue_head_t wait;
	struct task_struct *task;
	enum om_notify notify;
	bool idle;		/* in a pool */
	struct list_head pool;
	u32 tx_seq;
	u32 rx_seq;
	u64 bytes_out;
	u64 bytes_in;
	struct om_hdr rx_hdr;
	size_t rx_have;		/* of header and payload together */
	void *rx_buf;
	size_t rx_cap;
	void (*saved_data_ready)(struct sock *sk);
	void (*saved_write_space)(struct sock *sk);
	void (*saved_state_change)(struct sock *sk);
	void (*saved_error_report)(struct sock *sk);
};

/* A received message; data is valid until the next receive on the link. */
struct om_msg {
	u8 type;
	u32 len;
	void *data;
};

struct om_link *om_link_get_fd(int fd, u32 node);
void om_link_put(struct om_link *link);
void om_link_bind(struct om_link *link, struct task_struct *task,
		  enum om_notify notify);
void om_link_kill(struct om_link *link, int error);
bool om_link_readable(struct om_link *link);
bool om_link_alive(struct om_link *link);
u32 om_link_inflight(struct om_link *link);
u64 om_link_half_trip(struct om_link *link);
int om_link_recv(struct om_link *link, struct om_msg *msg);
int om_link_recv_wait(struct om_link *link, struct om_msg *msg, long timeout);
int om_link_recv_until(struct om_link *link, struct om_msg *msg, long timeout,
		       const bool *until);
int om_link_send(struct om_link *link, u8 type, const struct kvec *vec,
		 unsigned int n, bool more);
int om_link_send_one(struct om_link *link, u8 type, const void *data,
		     size_t len);

/* pool.c: idle links, the device */

struct om_link *om_pool_take(u32 node);
void om_pool_reap(void);
void om_pool_changed(void);
void om_pool_drop(struct list_head *links);

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
void om_empty_changed(void);
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

void om_stats_init(struct proc_dir_entry *hpc);

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

/* Home's half while the process is away or preparing. */
struct om_away {
	struct mm_struct *mm;	/* only compared */
	int mm_seq;
	unsigned int attempts;
	bool ready;		/* the stub said so */
	struct xarray sent;	/* 512 pages an entry: struct om_sent */
	unsigned long cursor;	/* of the background push */
	bool again;		/* it left something out: start over */
	bool pushed;
	u8 recalled;		/* 1: was asked to come home; 2: at once */
	bool keep_regs;		/* home's are newer than those that will come */
	bool unstopped;		/* woken in its stop, with signals blocked */
	sigset_t blocked;	/* those that were */
	bool parking;		/* the body was asked to stand still */
	bool parked;		/* it does, and a signal is being delivered */
	bool unwritable;	/* data of the next call could not be written */
	u32 moves;		/* mappings that were moved to another address */
	struct rseq __user *rseq;	/* the thread's, as it left */
	u32 rseq_sig;
	u32 window;		/* bytes of push in flight at most */
	struct om_usage usage;	/* seen so far */
};

enum om_in_call {
	OM_CALL_NONE = 0,
	OM_CALL_LIGHT,		/* can be broken off without a trace */
	OM_CALL_DEEP,
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
	u32 nmigs;
	u32 target;		/* of the request; om_self() is home */
	bool requested;
	bool wanted;		/* at home, at once, whatever was requested */
	bool hurry;		/* break off calls and stops for the request */
	u8 in_call;		/* the deputy executes a call: enum om_in_call */
	wait_queue_head_t home_wait;
	bool on_exec;		/* the request waits for an execve */
	struct om_stat stat;
	u64 away_cpu;		/* ns of CPU time consumed on other nodes */
	struct om_link *link;	/* home: of the move; guest: of the body */
	struct om_away away;
	struct om_body *body;	/* this task is a body */
	bool guest;		/* it is, or was one till it ended */
	struct timer_list retry;
	struct timer_list nudge;	/* ends a call that keeps pages waiting */
	struct timer_list unstop;	/* see stop.c */
	struct task_struct *mover;	/* for the timers, cleared with them */
};

/* Is there a request to be carried out now? */
static inline bool om_wanted(const struct om_proc *p)
{
	return READ_ONCE(p->requested) && !READ_ONCE(p->on_exec);
}

struct om_proc *om_proc_of(struct task_struct *task);
struct om_proc *om_proc_make(struct task_struct *task);
void om_poke(struct task_struct *task);
void om_retry_soon(struct om_proc *p);
void om_nudge_soon(struct om_proc *p);

/* decay.c */

void om_decay_print(struct seq_file *m, struct om_proc *p);
void om_decay_init(struct proc_dir_entry *hpc);

/* proc.c */

void om_show_comm(struct seq_file *m, const char *comm);

/* stop.c: stopped, and away */

void om_unstop_fn(struct timer_list *timer);
void om_unstop_soon(struct om_proc *p);
bool om_stop_ended(struct om_proc *p);
void om_stop_again(void);

/* stay.c */

bool om_real_time(const struct task_struct *task);
u32 om_stay_reasons(struct task_struct *task);
int om_stay_print(u32 reasons, char *buf, size_t size);

/* regs.c: registers of the current task */

size_t om_xstate_size(void);
int om_regs_save(const struct pt_regs *regs, struct om_regs *out, void *xstate);
int om_regs_load(struct pt_regs *regs, const struct om_regs *in,
		 const void *xstate);
bool om_regs_sane(const struct om_regs *in, size_t xstate_len);

/* vdso.c: an entry of the vdso that works without its data page */

bool om_vdso_contains(unsigned long addr);
struct page *om_vdso_page(unsigned long addr);
int om_vdso_leave(const struct om_body *b, struct pt_regs *regs);

/* migrate.c: the transaction, home side */

void om_home_resume(struct om_proc *p, struct pt_regs *regs);
void om_want_elsewhere(struct om_proc *p, u32 target, u32 reason);
void om_home_abort(struct om_proc *p, int error);
void om_drop_link(struct om_proc *p);

/* prepare.c */

u32 om_vma_flags(const struct vm_area_struct *vma);
int om_send_prepare(struct om_proc *p);
bool om_prepare_stale(const struct om_away *away);

/* others.c */

void om_set_where(struct om_proc *p, u32 where);
void om_bring_home(struct task_struct *task, u32 reason);

/* deputy.c */

int om_deputy(struct om_proc *p, struct pt_regs *regs);
int om_recall(struct om_proc *p, bool at_once);
bool om_wanted_now(struct om_proc *p);
bool om_hurried(struct om_proc *p);
int om_take_leave(struct om_proc *p, const struct om_msg *msg);
void om_fetch_memory(struct om_proc *p);
bool om_must_restart(long result);

/* account.c */

void om_usage_add(struct om_proc *p, const struct om_usage *now);

/* signal.c: both sides */

bool om_returns_to_vdso(const struct om_call *call);
int om_park(struct om_proc *p);
int om_take_parked(struct om_proc *p, struct pt_regs *regs,
		   const struct om_msg *msg);
int om_deliver(struct om_proc *p, struct pt_regs *regs);
void om_rseq_take(struct om_proc *p);
void om_rseq_give(struct om_proc *p);
void om_body_park(struct om_body *b, struct pt_regs *regs);
void om_body_await_regs(struct om_body *b, struct pt_regs *regs);

/* call.c: a body's call, executed at home */

struct om_work {
	const struct om_call *call;
	const struct om_seg *seg;
	const void *data;		/* of the IN segments */
	struct om_reply reply;
	struct om_op op[OM_MAX_OPS];
	struct om_seg out[];
};

long om_native(const struct om_call *call);
bool om_range_ok(u64 start, u64 len);
int om_call_execute(struct om_proc *p, const struct om_msg *msg);
int om_take_ahead(struct om_proc *p, const struct om_msg *msg);
int om_send_memory(struct om_proc *p, u64 addr, size_t len);

/* memcall.c: home's half of the address space */

bool om_may_own_memory(void);
u32 om_map_budget(void);
long om_memory_call(struct om_proc *p, struct om_work *w);
int om_take_ops(struct om_proc *p, const struct om_msg *msg);

/* pages.c: pages in one message */

struct om_batch {
	unsigned int count;
	u64 addr[OM_MAX_PAGES];
	struct page *page[OM_MAX_PAGES];
};

void om_batch_add(struct om_batch *batch, unsigned long addr,
		  struct page *page);
void om_batch_drop(struct om_batch *batch);
int om_batch_send(struct om_link *link, struct om_batch *batch, bool more);
int om_pages_check(const void *data, size_t len);

/* sent.c: which of home's pages the body has */

bool om_was_sent(struct om_away *away, unsigned long addr);
int om_mark_sent(struct om_away *away, unsigned long addr);
void om_note_written(struct om_away *away, unsigned long addr, size_t len);
void om_sent_clear(struct om_away *away, unsigned long start,
		   unsigned long end);
void om_sent_free(struct om_away *away);

/* page.c: home's pages */

bool om_has_content(unsigned long addr);
int om_send_pages(struct om_proc *p, const unsigned long *addr, unsigned int n,
		  bool more);
int om_send_hot(struct om_proc *p, const struct om_regs *regs);
int om_serve_fault(struct om_proc *p, unsigned long addr);
int om_push_some(struct om_proc *p);
int om_take_pages(struct om_proc *p, const void *data, size_t len);
int om_user_write(unsigned long addr, const void *from, size_t len);

/* body.c: becoming a process, and giving it back */

struct om_body {
	struct om_link *link;
	u32 home;
	u32 home_pid;
	bool running;		/* user code of the process runs here */
	bool recall;		/* home wants it back */
	bool urgent;		/* at once */
	bool park;		/* home wants it to stand still */
	bool own_memory;	/* see OM_PREP_OWN_MEMORY */
	u32 budget;		/* changes that home surely can repeat */
	u32 moves;		/* of mappings, as in om_away */
	u64 rseq;
	u32 rseq_sig;
	u32 vdso_len;
	u64 vdso;		/* with its entries replaced, see vdso.c */
	char comm[TASK_COMM_LEN];	/* at home */
	struct list_head guests;	/* while it runs: see guests.c */
	struct proc_dir_entry *dir;
	struct om_leave leave;	/* what home shall be told */
	bool leave_due;
	bool expelled;
	unsigned long leave_asked;	/* jiffies */
	unsigned int nops;	/* changes of mappings that home does not know */
	struct om_op op[OM_MAX_OPS];
	unsigned long sent_to;	/* dirty pages were sent up to here, on recall */
	struct maple_tree owned;	/* home may have pages there */
	struct xarray stash;	/* pages received, not yet mapped */
	unsigned long bad;	/* address that home could not provide */
	struct om_usage base;	/* this task's own, when the process came */
	struct om_usage told;
	u64 calls_local;
	u64 prefetched;
	struct timer_list tick;
	struct task_struct *task;
};

int om_body_start(struct om_link *link);
void om_body_resume(struct om_proc *p, struct pt_regs *regs);
void om_body_signal(struct om_proc *p);
void om_body_syscall(struct om_proc *p, struct pt_regs *regs);
void om_body_return(struct om_body *b, struct pt_regs *regs, u32 reason,
		    u32 arg) __noreturn;
void om_body_free(struct om_body *b);
void om_body_usage(struct om_body *b, struct om_usage *u);
void om_body_die(struct om_body *b, const char *why) __noreturn;

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
int om_set_owned(struct om_body *b, unsigned long start, unsigned long end,
		 unsigned long kind);
unsigned long om_owned_any(struct om_body *b, unsigned long start,
			   unsigned long end);
int om_set_layout(const struct om_prepare *prep);
int om_map_vma(struct om_body *b, const struct om_vma *v);
int om_apply_op(struct om_body *b, const struct om_op *op);

/* own.c: memory calls that a body makes itself */

bool om_own_memory(struct om_body *b, const struct pt_regs *regs, long *result);
int om_flush_ops(struct om_body *b);

/* forward.c */

int om_write_out(struct om_body *b, u64 addr, const void *from, size_t len);
int om_take_bytes(struct om_body *b, const struct om_msg *msg);

/* paging.c: pages of a body */

#define OM_OWNED_ANON	1
#define OM_OWNED_FILE	2

/* A page as home has it. Free while CONFIG_MEM_SOFT_DIRTY is off (Kconfig). */
#define OM_PTE_FROM_HOME	(_AT(pteval_t, 1) << _PAGE_BIT_SOFTW3)

int om_body_dispatch(struct om_body *b, const struct om_msg *msg);
int om_body_drain(struct om_body *b);
int om_body_recv(struct om_body *b, struct om_msg *msg);
void om_stash_drop(struct om_body *b, unsigned long start, unsigned long end);
void om_stash_map(struct om_body *b);
bool om_body_has(struct om_body *b, unsigned long addr);

/* dirty.c: what home does not have */

int om_send_dirty(struct om_body *b);
int om_send_early(struct om_body *b);

/* table.c */

struct om_arg {
	u8 kind;
	u8 dir;			/* OM_SEG_* */
	u8 other;		/* the argument that holds a count or length */
	u16 size;		/* of the object, or of one element */
};

enum om_row_kind { OM_ROW_HOME = 0, OM_ROW_FORWARD, OM_ROW_LOCAL, OM_ROW_MEMORY,
		   OM_ROW_EXIT, OM_ROW_SIGRETURN };
enum om_arg_kind {
	OM_A_VALUE = 0, OM_A_STRING, OM_A_FIXED, OM_A_ARRAY, OM_A_RESULT,
	OM_A_AT, OM_A_MESSAGE, OM_A_IOV, OM_A_FDS, OM_A_SIGPAIR, OM_A_MSG,
	OM_A_MMSG, OM_A_COMMAND,
};

struct om_row {
	u8 kind;
	struct om_arg arg[6];
};

const struct om_row *om_row_of(u64 nr);

/* args.c: what travels with a body's call */

#define OM_SEGS_INLINE	16

struct om_request {
	struct om_call call;
	struct om_seg *seg;
	unsigned int max;	/* room in @seg */
	size_t in;		/* bytes of the IN segments */
	void *data;		/* them, if they are few enough to be inline */
	struct om_seg few[OM_SEGS_INLINE];
};

int om_add(struct om_request *r, u64 addr, u64 len, u16 dir, u16 unit);
int om_gather(struct om_request *r, const struct om_row *row);
void om_request_free(struct om_request *r);

/* command.c: arguments that depend on a command */

int om_add_command(struct om_request *r);

/* mutant.c */

#ifdef CONFIG_OPENMOSIX_MUTANTS
bool om_mutant(const char *name);
#else
static inline bool om_mutant(const char *name) { return false; }
#endif

/* fault.c */

enum om_fault_action {
	OM_FAULT_NONE = 0, OM_FAULT_KILL, OM_FAULT_RESET, OM_FAULT_GARBAGE,
	OM_FAULT_TRUNCATE, OM_FAULT_HOLD,
};

#ifdef CONFIG_OPENMOSIX_MUTANTS
enum om_fault_action om_fault_due(struct om_link *link, bool recv, u8 type);
#else
static inline enum om_fault_action om_fault_due(struct om_link *link, bool recv,
						u8 type)
{
	return OM_FAULT_NONE;
}
#endif

#endif
