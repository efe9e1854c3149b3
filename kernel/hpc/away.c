// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the commit until the process is back for good, home's side: it has left, is
 * away with a deputy in its place, perhaps goes on to another node, and is home
 * again, or lost.
 */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/rseq.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "om.h"
#include "trace.h"

/*
 * Returns 0 when the body is about to run, a positive errno if the guest node
 * says that it will not, a negative one if nobody knows.
 */
static int om_await_resumed(struct om_proc *p)
{
	struct om_msg msg;
	int ret;

	ret = om_link_recv_wait(p->link, &msg, OM_LINK_TIMEOUT);
	if (ret < 0)
		return ret;
	if (msg.type == OM_M_RESUMED)
		return 0;
	ret = msg.type == OM_M_REFUSE ? -om_is_ready(&msg) : -EPROTO;
	return ret == EPROTO ? -EPROTO : ret;
}

/**
 * om_freeze - everything up to the commit
 * @p: the process; the current one
 * @regs: its user registers
 *
 * Returns 0 when the commit is out, a negative errno if the process still is at home
 * and whole.
 */
int om_freeze(struct om_proc *p, struct pt_regs *regs)
{
	struct om_commit *c;
	struct kvec vec[4];
	int ret;

	/* An rseq critical section does not outlive a change of the CPU. */
	rseq_migrate(current);
	rseq_handle_notify_resume(NULL, regs);
	if (signal_pending(current))
		return -EINTR;

	c = kvmalloc(sizeof(*c) + OM_XSTATE_ROOM, GFP_KERNEL);
	if (!c)
		return -ENOMEM;
	ret = om_regs_save(regs, &c->regs, c + 1);
	if (ret)
		goto out;
	c->regs.orig_ax = -1;	/* no call is under way */
	c->reserved = 0;
	/* the guest node would find that out when it is too late */
	if (!om_regs_sane(&c->regs, c + 1, c->regs.xstate_len)) {
		ret = -EBUSY;
		goto out;
	}
	vec[0].iov_base = c;
	vec[0].iov_len = sizeof(*c);
	vec[1].iov_base = c + 1;
	vec[1].iov_len = c->regs.xstate_len;
	ret = om_hot_freeze(p, regs, c, &vec[2]);
	/* after READY a stub is silent: it has ended, and TCP would not say so */
	if (!ret && om_link_readable(p->link))
		ret = -EAGAIN;
	trace_om_commit(task_tgid_nr(current), p->link->node, ret);
	if (!ret)
		ret = om_link_send(p->link, OM_M_COMMIT, vec, ARRAY_SIZE(vec),
				   false);
out:
	kvfree(c);
	return ret;
}

/*
 * After the commit there is no way back but death, or a guest node that says no.
 * Returns 0 when the process is home again, a positive errno if it did not leave,
 * a negative one if it is lost.
 */
static int om_stand_in(struct om_proc *p, struct pt_regs *regs)
{
	int ret;

	om_link_bind(p->link, current, OM_NOTIFY_NONE);
	if (!p->away.rseq)
		om_rseq_take(p);
	ret = om_await_resumed(p);
	if (!ret) {
		spin_lock(&p->lock);
		if (!p->where || !om_mutant("wrong-where"))
			om_set_where(p, p->link->node);
		p->nmigs++;
		p->state = OM_AWAY;
		/* it may have been asked back meanwhile */
		if (p->target != om_self()) {
			p->requested = false;
			p->target = 0;
		}
		p->stat.moved = true;
		p->stat.resumed = ktime_get_ns();
		p->stat.pages_out_at_resume = p->stat.pages_out;
		spin_unlock(&p->lock);
		om_count(OM_C_MOVES_OUT);
		trace_om_away(task_tgid_nr(current), p->link->node, 0);
		om_recheck_shares(p);
		om_recheck_node(p);
		ret = om_deputy(p, regs);
	}
	om_drop_link(p);
	om_sent_free(&p->away);
	return ret;
}

/**
 * om_start_leaving - from here on it leaves
 * @p: the process; the current one
 *
 * Returns false if the request was withdrawn meanwhile, be it for another one.
 */
bool om_start_leaving(struct om_proc *p)
{
	struct om_away *away = &p->away;

	spin_lock(&p->lock);
	if (!om_wanted(p) || p->target != p->link->node) {
		spin_unlock(&p->lock);
		return false;
	}
	p->stat.frozen = away->still ?: ktime_get_ns();
	p->stat.prepared = p->stat.frozen;
	p->state = OM_FROZEN;
	om_set_out(p, true);
	spin_unlock(&p->lock);
	trace_om_freeze(task_tgid_nr(current), p->link->node, 0);
	away->cursor = 0;
	away->again = false;
	away->pushed = false;
	away->unreadable = false;
	away->recalled = false;
	away->keep_regs = false;
	away->parking = false;
	away->parked = false;
	away->unwritable = false;
	away->at_home = false;
	away->moves = 0;
	away->window = 32 * 1024;
	memset(&away->usage, 0, sizeof(away->usage));
	return true;
}

/*
 * The process came home only to go on to another node, and does not run here. Who has
 * hold of its memory meanwhile waits for it to be home. Returns 0 when the commit is
 * out.
 */
static int om_hop(struct om_proc *p, struct pt_regs *regs)
{
	int ret;

	if (!om_good_moment(regs))
		return -EINTR;
	ret = om_begin(p);
	if (!ret)
		ret = om_wait_ready(p);
	if (ret)
		return ret;
	if (om_is_bringing())
		return -EAGAIN;
	if (!om_start_leaving(p))
		return -ECANCELED;
	return om_freeze(p, regs);
}

/**
 * om_be_away - from the commit until the process is back for good
 * @p: the process; the current one
 * @regs: its user registers, replaced when it returns
 */
void om_be_away(struct om_proc *p, struct pt_regs *regs)
{
	bool lost;
	int ret;

	for (;;) {
		ret = om_stand_in(p, regs);
		lost = ret < 0;
		if (ret > 0)
			om_home_abort(p, ret);
		/* who waited for it to be home, or wants it there, comes first */
		if (ret || !om_wanted(p) || READ_ONCE(p->wanted) ||
		    !READ_ONCE(p->where))
			break;
		ret = -om_hop(p, regs);
		if (ret == EINTR || ret == ECANCELED) {
			/* a signal, or a call, goes first: it moves on then */
			om_drop_link(p);
			om_sent_free(&p->away);
			ret = 0;
			break;
		}
		if (ret) {
			om_home_abort(p, ret);
			break;
		}
	}
	om_rseq_give(p);
	spin_lock(&p->lock);
	if (p->where && !lost) {
		p->nmigs++;
		om_count(OM_C_MOVES_HOME);
	}
	if (lost)
		om_set_lost(p);
	else
		om_set_where(p, 0);
	p->stat.error = abs(ret);
	om_set_home(p);
	spin_unlock(&p->lock);
	if (lost)
		trace_om_lost(task_tgid_nr(current), 0, -ret);
	if (lost && !fatal_signal_pending(current)) {
		om_count(OM_C_BODIES_LOST);
		pr_warn_ratelimited("openmosix: process %d died with its body: error %d\n",
				    task_tgid_nr(current), ret);
		force_sig(SIGKILL);
	}
}
