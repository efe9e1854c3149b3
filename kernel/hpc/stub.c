// SPDX-License-Identifier: GPL-2.0-only
/*
 * Becoming a process.
 *
 * The task is a child of the node daemon that called OM_IOC_BODY. It waits in
 * its return to user mode, gives up what it has, takes on the address space and
 * then the registers that home sends, and returns into the middle of somebody
 * else's program.
 */
#include <linux/cred.h>
#include <linux/fdtable.h>
#include <linux/mm.h>
#include <linux/rseq.h>
#include <linux/sched/coredump.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/syscalls.h>
#include <linux/user_namespace.h>
#include <uapi/linux/sched/types.h>

#include "om.h"
#include "trace.h"

static void om_next_tick(struct om_body *b)
{
	mod_timer(&b->tick, jiffies + READ_ONCE(b->period));
}

static void om_tick_fn(struct timer_list *timer)
{
	struct om_body *b = from_timer(b, timer, tick);

	set_notify_signal(b->task);
	om_next_tick(b);
}

/**
 * om_body_start - make the calling task a stub
 * @link: its link to the home of whatever process may come; taken over
 */
int om_body_start(struct om_link *link)
{
	struct om_proc *p = om_proc_make(current);
	struct om_body *b;

	if (!p)
		return -ENOMEM;
	if (p->body || p->link)
		return -EBUSY;
	b = kzalloc(sizeof(*b), GFP_KERNEL);
	if (!b)
		return -ENOMEM;
	b->link = link;
	b->home = link->node;
	b->task = current;
	INIT_LIST_HEAD(&b->guests);
	xa_init(&b->stash);
	mt_init(&b->owned);
	timer_setup(&b->tick, om_tick_fn, 0);
	om_count(OM_C_BODIES);
	p->link = link;
	WRITE_ONCE(p->guest, true);
	/* pairs with om_syscall_enter() and the other hooks: b is complete */
	smp_store_release(&p->body, b);
	set_thread_flag(TIF_NOTIFY_RESUME);
	return 0;
}

/* A stub belongs to the daemon; a body belongs to nobody. */
static int om_drop_everything(void)
{
	const kuid_t nobody = KUIDT_INIT(65534);
	const kgid_t nogroup = KGIDT_INIT(65534);
	struct group_info *none;
	struct cred *cred;
	unsigned int i;
	int ret;

	ret = ksys_unshare(CLONE_FILES);
	if (ret)
		return ret;
	__close_range(0, ~0U, 0);
	current->clear_child_tid = NULL;
	current->robust_list = NULL;
	rseq_execve(current);
	flush_signal_handlers(current, 1);
	current->signal->rlim[RLIMIT_AS].rlim_cur = RLIM_INFINITY;
	current->signal->rlim[RLIMIT_DATA].rlim_cur = RLIM_INFINITY;
	current->signal->rlim[RLIMIT_CPU].rlim_cur = RLIM_INFINITY;

	none = groups_alloc(0);
	if (!none)
		return -ENOMEM;
	cred = prepare_creds();
	if (!cred) {
		put_group_info(none);
		return -ENOMEM;
	}
	set_groups(cred, none);
	put_group_info(none);
	cred->uid = nobody;
	cred->euid = nobody;
	cred->suid = nobody;
	cred->fsuid = nobody;
	cred->gid = nogroup;
	cred->egid = nogroup;
	cred->sgid = nogroup;
	cred->fsgid = nogroup;
	cap_clear(cred->cap_inheritable);
	cap_clear(cred->cap_permitted);
	cap_clear(cred->cap_effective);
	cap_clear(cred->cap_ambient);
	commit_creds(cred);
	for (i = 0; i < _NSIG; i++)
		current->sighand->action[i].sa.sa_handler = SIG_DFL;
	spin_lock_irq(&current->sighand->siglock);
	sigemptyset(&current->blocked);
	recalc_sigpending();
	spin_unlock_irq(&current->sighand->siglock);
	return 0;
}

/* The owner's wishes count on the guest, too. */
static int om_set_priority(const struct om_prepare *prep)
{
	const struct sched_param none = { };

	if ((prep->policy != SCHED_NORMAL && prep->policy != SCHED_BATCH &&
	     prep->policy != SCHED_IDLE) ||
	    prep->nice < MIN_NICE || prep->nice > MAX_NICE)
		return -EPROTO;
	set_user_nice(current, prep->nice);
	return sched_setscheduler_nocheck(current, prep->policy, &none);
}

/* Rebuilds the address space. Returns 0, or why it cannot be. */
static int om_prepare(struct om_body *b, const struct om_msg *first)
{
	const struct om_prepare prep = *(struct om_prepare *)first->data;
	char comm[TASK_COMM_LEN];
	u32 left = prep.vma_count;
	const struct om_vma *v;
	struct om_msg msg;
	unsigned int i, n;
	int ret;

	if (prep.comm[sizeof(prep.comm) - 1] || !om_title_sane(&prep.title))
		return -EPROTO;
	memcpy(b->comm, prep.comm, sizeof(b->comm));
	b->title = prep.title;
	b->home_pid = prep.home_pid;
	trace_om_guest_prepare(b->home, b->home_pid, prep.vma_count);
	b->own_memory = prep.flags & OM_PREP_OWN_MEMORY;
	om_body_count(b, prep.flags & OM_PREP_COUNTED,
		      prep.flags & OM_PREP_RINGING);
	b->budget = prep.budget;
	b->rseq = prep.rseq;
	b->rseq_sig = prep.rseq_sig;
	b->vdso = prep.vdso;
	b->vdso_len = prep.vdso_len;
	current->signal->rlim[RLIMIT_STACK].rlim_cur = prep.stack_limit;
	current->mm->om_body = b;
	/* what the daemon was called with is no longer there */
	current->mm->arg_start = 0;
	current->mm->arg_end = 0;
	current->mm->env_start = 0;
	current->mm->env_end = 0;
	/* Nobody fills a hole but us: no huge pages, now or later. */
	set_bit(MMF_DISABLE_THP, &current->mm->flags);
	/* A page of zeros that KSM has put there would look like a hole. */
	clear_bit(MMF_VM_MERGE_ANY, &current->mm->flags);
#ifdef CONFIG_NUMA_BALANCING
	/* A hinting fault costs a page its mark: all would count as dirty. */
	current->mm->numa_next_scan = jiffies + MAX_JIFFY_OFFSET;
#endif
	om_stash_drop(b, 0, TASK_SIZE_MAX);
	mtree_destroy(&b->owned);
	mt_init(&b->owned);
	ret = vm_munmap(0, TASK_SIZE_MAX);
	if (!ret && left > sysctl_max_map_count)
		ret = -ENOMEM;
	if (!ret)
		ret = om_set_priority(&prep);
	if (!ret)
		ret = om_set_layout(&prep);
	for (;;) {
		int got = om_link_recv_wait(b->link, &msg, OM_LINK_TIMEOUT);

		if (got < 0)
			return got;
		if (msg.type == OM_M_PAGES) {
			if (!ret)
				ret = om_body_dispatch(b, &msg);
			continue;
		}
		if (msg.type != OM_M_VMAS || msg.len % sizeof(*v))
			return -EPROTO;
		if (!msg.len)
			break;
		v = msg.data;
		n = msg.len / sizeof(*v);
		/* like ones become one mapping here, but what is kept of each adds up */
		if (n > left)
			return -EPROTO;
		left -= n;
		for (i = 0; i < n && !ret; i++)
			ret = om_map_vma(b, &v[i]);
	}
	snprintf(comm, sizeof(comm), "remote(%u)", b->home_pid);
	set_task_comm(current, comm);
	return ret;
}

static int om_commit_body(struct om_body *b, struct pt_regs *regs,
			  const struct om_msg *msg)
{
	const struct om_commit *c = msg->data;
	size_t left = msg->len - sizeof(*c), xlen;
	int ret;

	if (msg->len < sizeof(*c) || c->reserved)
		return -EPROTO;
	xlen = c->regs.xstate_len;
	if (xlen > left || !om_regs_sane(&c->regs, c + 1, xlen))
		return -EPROTO;
	ret = om_patch_stash(b, c->patches, (const void *)(c + 1) + xlen,
			     left - xlen);
	if (!ret)
		ret = om_regs_load(regs, &c->regs, c + 1);
	if (!ret)
		ret = om_guest_admit(b);
	if (ret)
		return ret;
	b->running = true;
	b->stack_vm = current->mm->stack_vm;
	b->recall = false;
	b->park = false;
	b->sent_to = 0;
	b->moves = 0;
	b->nops = 0;
	b->restart_nr = 0;
	set_syscall_work(OPENMOSIX);
	task_cputime(current, &b->base.utime, &b->base.stime);
	b->base.runtime = task_sched_runtime(current);
	b->base.minor_faults = current->min_flt;
	b->base.major_faults = current->maj_flt;
	b->told = (struct om_usage){ };
	reset_mm_hiwater_rss(current->mm);
	om_link_bind(b->link, current, OM_NOTIFY_SIGNAL);
	om_next_tick(b);
	ret = om_link_send_one(b->link, OM_M_RESUMED, NULL, 0);
	om_count(OM_C_MOVES_IN);
	trace_om_guest_run(b->home, b->home_pid, 0);
	om_guest_show(b);
	/* what came before the bind has rung no bell */
	if (om_link_readable(b->link))
		set_notify_signal(current);
	return ret;
}

/* The process stays where it is. */
static void __noreturn om_refuse(struct om_body *b, s32 error)
{
	om_count(OM_C_REFUSED);
	trace_om_guest_refuse(b->home, b->home_pid, -error);
	om_link_send_one(b->link, OM_M_REFUSE, &error, sizeof(error));
	/* home may be amid its list: what is not read resets the link, and it hears nothing */
	om_link_await(b->link, OM_M_COUNT);
	om_body_die(b, "refused");
}

/* A stub: wait, perhaps for days, until a process comes or the link ends. */
static void om_stub(struct om_body *b, struct pt_regs *regs)
{
	struct om_msg msg;
	bool fresh = true;
	int ret;

	while (!b->running) {
		ret = om_link_recv_wait(b->link, &msg, MAX_SCHEDULE_TIMEOUT);
		if (ret < 0)
			om_body_die(b, "no link");
		switch (msg.type) {
		case OM_M_PREPARE:
			if (msg.len != sizeof(struct om_prepare))
				om_body_die(b, "broken message");
			ret = READ_ONCE(om_admin.block) || !om_self() ?
			      -ECONNREFUSED : 0;
			if (!ret && fresh)
				ret = om_drop_everything();
			fresh = false;
			if (!ret)
				ret = om_prepare(b, &msg);
			if (ret)
				om_refuse(b, ret);
			/* whoever is told so sends a process, and keeps none */
			if (fatal_signal_pending(current))
				om_body_die(b, "killed here");
			if (om_link_send_one(b->link, OM_M_READY, NULL, 0))
				om_body_die(b, "no link");
			break;
		case OM_M_COMMIT:
			ret = fresh ? -EPROTO : om_commit_body(b, regs, &msg);
			if (ret == -ECONNREFUSED)
				om_refuse(b, ret);
			if (ret)
				om_body_die(b, "cannot resume");
			break;
		default:
			if (fresh || om_body_dispatch(b, &msg))
				om_body_die(b, "broken message");
			om_stash_relieve(b);
		}
	}
}

void om_body_resume(struct om_proc *p, struct pt_regs *regs)
{
	if (!p->body->running)
		om_stub(p->body, regs);
}
