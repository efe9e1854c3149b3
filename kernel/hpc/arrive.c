// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process comes home: registers first, then its dirty pages.
 *
 * Nothing but TAKEN ends the body, so a link that breaks on the way leaves no copy
 * at all, and the deputy reports that death.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "om.h"
#include "trace.h"

/* Dirty pages, each once, up to the last one. Returns 0 or a negative errno. */
static int om_receive_pages(struct om_proc *p)
{
	unsigned long left = current->mm->total_vm, n;
	struct om_msg msg;
	int ret;

	for (;;) {
		ret = om_link_recv_wait(p->link, &msg, OM_LINK_TIMEOUT);
		if (ret < 0)
			return ret;
		if (msg.type == OM_M_RETURNED)
			return 0;
		n = p->stat.pages_in;
		if (msg.type == OM_M_PAGES)
			ret = om_take_pages(p, msg.data, msg.len);
		else if (msg.type != OM_M_FAULT)
			ret = -EPROTO;
		if (ret < 0)
			return ret;
		/* a fault: of a page that it then did not need */
		n = max(p->stat.pages_in - n, 1UL);
		if (n > left)
			return -EPROTO;
		left -= n;
	}
}

/**
 * om_fetch_memory - have all memory of a parked body here
 * @p: the process; the current one, which is about to die
 *
 * If that fails, the memory is what it was when the process left.
 */
void om_fetch_memory(struct om_proc *p)
{
	u32 urgent = 1;
	struct om_msg msg;

	if (om_link_send_one(p->link, OM_M_RECALL, &urgent, sizeof(urgent)))
		return;
	do {
		if (om_link_recv_wait(p->link, &msg, OM_LINK_TIMEOUT) < 0)
			return;
		if (msg.type == OM_M_OPS && om_take_ops(p, &msg))
			return;
		if (msg.type == OM_M_PAGES &&
		    om_take_pages(p, msg.data, msg.len))
			return;
	} while (msg.type != OM_M_RETURN);
	if (!om_receive_pages(p))
		om_link_send_one(p->link, OM_M_TAKEN, NULL, 0);
}

/* What it came home with, checked, or an error; kvfree() it. */
static struct om_return *om_take_return(const struct om_msg *msg)
{
	const struct om_return *said = msg->data;
	struct om_return *r;

	if (msg->len < sizeof(*said) || said->reason > OM_HOME_NODE ||
	    (said->reason == OM_HOME_REASON && said->arg >= OM_R_COUNT))
		return ERR_PTR(-EPROTO);
	r = kvmalloc(msg->len, GFP_KERNEL);
	if (!r)
		return ERR_PTR(-ENOMEM);
	memcpy(r, said, msg->len);
	if (om_regs_sane(&r->regs, r + 1, msg->len - sizeof(*r)) &&
	    om_trap_sane(&r->trap))
		return r;
	kvfree(r);
	return ERR_PTR(-EPROTO);
}

/* It is here, and its body runs no more. */
static void om_note_return(struct om_proc *p, const struct om_return *r)
{
	spin_lock(&p->lock);
	if (p->requested && p->target == om_self()) {
		p->requested = false;
		p->target = 0;
	}
	WRITE_ONCE(p->hurry, false);
	/* On its way to another node it never is at home. */
	if (!om_wanted(p) || p->wanted) {
		om_set_where(p, 0);
		p->nmigs++;
		p->state = OM_HOME;
		om_count(OM_C_MOVES_HOME);
	}
	p->stat.moved = true;
	p->stat.calls_local = r->calls_local;
	p->stat.prefetched = r->prefetched;
	if (r->reason != OM_HOME_NONE) {
		p->stat.home_reason = r->reason;
		p->stat.home_arg = r->arg;
	}
	p->stat.bytes_out = p->link->bytes_out;
	p->stat.bytes_in = p->link->bytes_in;
	p->stat.resumed = ktime_get_ns();
	p->stat.released = p->stat.resumed;
	spin_unlock(&p->lock);
}

/**
 * om_arrive - have the process here
 * @p: the process; the current one
 * @regs: its user registers, replaced
 * @first: what its body says as it leaves
 *
 * Returns 0 or a negative errno: then there is no copy of it any more.
 */
int om_arrive(struct om_proc *p, struct pt_regs *regs, const struct om_msg *first)
{
	struct om_return *r = om_take_return(first);
	int ret;

	if (IS_ERR(r))
		return PTR_ERR(r);
	spin_lock(&p->lock);
	p->state = OM_RETURNING;
	/* it has been standing still since it sent this */
	p->stat.frozen = ktime_get_ns() - om_link_half_trip(p->link);
	p->stat.prepared = p->stat.frozen;
	spin_unlock(&p->lock);
	trace_om_returning(task_tgid_nr(current), p->link->node, r->reason);
	ret = om_usage_add(p, &r->usage);
	if (!ret)
		ret = om_receive_pages(p);
	if (ret)
		goto out;
	/* what home has loaded for the body lacks only what no signal changes */
	ret = p->away.keep_regs ? om_data_segments_load(&r->regs) :
				  om_regs_load(regs, &r->regs, r + 1);
	if (ret)
		goto out;
	/* a call that is to be made again needs the exit path to look */
	if (regs->orig_ax != (unsigned long)-1)
		set_notify_signal(current);
	om_stop_again();
	om_trap_raise(regs, &r->trap);
	/* If it does not get there: the body waits for it, and runs no more. */
	om_link_send_one(p->link, OM_M_TAKEN, NULL, 0);
	trace_om_taken(task_tgid_nr(current), p->link->node, 0);
	if (fatal_signal_pending(current)) {
		ret = -EINTR;
		goto out;
	}
	om_note_return(p, r);
	/* the kernel makes the call again here, unless a handler ends it */
	if ((long)regs->ax == -ERESTART_RESTARTBLOCK && task_sigpending(current))
		om_tell_rest(p, false);
	else if (!READ_ONCE(p->where))
		p->away.rest.at = NULL;
out:
	kvfree(r);
	return ret;
}
