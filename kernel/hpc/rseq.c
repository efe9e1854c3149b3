// SPDX-License-Identifier: GPL-2.0-only
/*
 * Restartable sequences of a process that is away: what home's kernel would do to
 * their area, the body does.
 */
#include <linux/rseq.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "om.h"

/* The thread's rseq area is the body's affair while it is away. */
void om_rseq_take(struct om_proc *p)
{
#ifdef CONFIG_RSEQ
	p->away.rseq = current->rseq;
	p->away.rseq_sig = current->rseq_sig;
	current->rseq = NULL;
#endif
}

void om_rseq_give(struct om_proc *p)
{
#ifdef CONFIG_RSEQ
	if (!p->away.rseq)
		return;
	current->rseq = p->away.rseq;
	p->away.rseq = NULL;
	/* the area says on which CPU it is: that is to be set right */
	rseq_migrate(current);
	rseq_set_notify_resume(current);
#endif
}

/**
 * om_rseq_tell - say in the rseq area of a body on which CPU its deputy is
 * @p: the process; the current one
 *
 * After it has bound itself to one, a program may look there. A link that breaks is
 * noticed when the reply is sent.
 */
void om_rseq_tell(struct om_proc *p)
{
#ifdef CONFIG_RSEQ
	struct rseq __user *area = p->away.rseq;
	u32 cpu = raw_smp_processor_id();
	u32 id[2] = { cpu, cpu };
	u32 node = cpu_to_node(cpu);

	if (!area || copy_to_user(&area->cpu_id_start, id, sizeof(id)) ||
	    put_user(node, &area->node_id))
		return;
	om_send_memory(p, (u64)&area->cpu_id_start, sizeof(id));
	om_send_memory(p, (u64)&area->node_id, sizeof(node));
#endif
}

/*
 * A signal ends an rseq critical section, whose area home cannot see. Nothing
 * else does, away: the memory that such a section guards has no other user.
 */
int om_rseq_fixup(struct om_body *b, struct pt_regs *regs)
{
#ifdef CONFIG_RSEQ
	struct rseq __user *area = (void __user *)b->rseq;
	struct rseq_cs cs;
	u64 ptr;
	u32 sig;

	if (!area)
		return 0;
	if (get_user(ptr, (u64 __user *)&area->rseq_cs))
		return -EFAULT;
	if (!ptr)
		return 0;
	if (ptr >= TASK_SIZE_MAX ||
	    copy_from_user(&cs, (void __user *)ptr, sizeof(cs)))
		return -EFAULT;
	if (regs->ip - cs.start_ip < cs.post_commit_offset) {
		if (cs.abort_ip < sizeof(sig) || cs.abort_ip >= TASK_SIZE_MAX ||
		    get_user(sig, (u32 __user *)(cs.abort_ip - sizeof(sig))) ||
		    sig != b->rseq_sig)
			return -EINVAL;
		regs->ip = cs.abort_ip;
	}
	return put_user((u64)0, (u64 __user *)&area->rseq_cs);
#else
	return 0;
#endif
}

/**
 * om_rseq_note - say in an rseq area what home's kernel would have said
 * @b: the body
 * @at: where the area is
 * @flags: of the call, which home has made
 * @sig: its signature
 *
 * Home did not see that area. Any of its CPUs does: all guard the same memory.
 */
void om_rseq_note(struct om_body *b, u64 at, u64 flags, u32 sig)
{
#ifdef CONFIG_RSEQ
	bool gone = flags & RSEQ_FLAG_UNREGISTER;
	struct rseq area = {
		.cpu_id = gone ? RSEQ_CPU_ID_UNINITIALIZED : 0,
	};

	b->rseq = gone ? 0 : at;
	b->rseq_sig = sig;
	/* what cannot be written there faults at its next use, as at home */
	if (copy_to_user((void __user *)at, &area, offsetof(struct rseq, flags)) ||
	    copy_to_user((void __user *)at + offsetof(struct rseq, node_id),
			 &area.node_id,
			 offsetofend(struct rseq, mm_cid) -
			 offsetof(struct rseq, node_id)))
		b->rseq = 0;
#endif
}
