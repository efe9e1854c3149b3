// SPDX-License-Identifier: GPL-2.0-only
/*
 * A call of the body, executed by its deputy: see native.c for the moment itself.
 *
 * The call runs on home's own memory, at the body's addresses. The bytes that
 * the caller hands in travel with the request and are written there first; the
 * bytes that the call hands out are read from there and travel with the reply.
 * So every kind of descriptor works without code of its own.
 */
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/uaccess.h>
#include <asm/unistd.h>

#include "om.h"
#include "trace.h"
#include "../fs/proc/internal.h"

/* How often at most a call waits for the handler of a signal that was there before it. */
#define OM_PUT_OFF_PERIOD	(HZ / 20)

bool om_range_ok(u64 start, u64 len)
{
	return len <= TASK_SIZE_MAX && start <= TASK_SIZE_MAX - len;
}

/* Makes @w of the message, after checking all of it; kvfree() it. */
static struct om_work *om_call_parse(const struct om_msg *msg)
{
	const struct om_call *call = msg->data;
	struct om_work *w;
	size_t in = 0, head;
	unsigned int i;

	if (msg->len < sizeof(*call) || call->segs > OM_MAX_SEGS)
		return ERR_PTR(-EPROTO);
	head = sizeof(*call) + call->segs * sizeof(struct om_seg);
	if (msg->len < head)
		return ERR_PTR(-EPROTO);
	w = kvzalloc(struct_size(w, out, call->segs), GFP_KERNEL);
	if (!w)
		return ERR_PTR(-ENOMEM);
	w->call = call;
	w->seg = (const void *)(call + 1);
	w->data = msg->data + head;
	for (i = 0; i < call->segs; i++) {
		const struct om_seg *s = &w->seg[i];

		if (!om_range_ok(s->addr, s->len) || s->len > MAX_RW_COUNT ||
		    (s->dir & ~(OM_SEG_IN | OM_SEG_OUT | OM_SEG_AHEAD)))
			goto broken;
		if (s->dir & OM_SEG_IN)
			in += s->len;
	}
	if (msg->len == head + in)
		return w;
broken:
	kvfree(w);
	return ERR_PTR(-EPROTO);
}

static int om_write_ins(const struct om_work *w)
{
	const void *data = w->data;
	unsigned int i;

	for (i = 0; i < w->call->segs; i++) {
		if (!(w->seg[i].dir & OM_SEG_IN))
			continue;
		if (om_user_write(w->seg[i].addr, data, w->seg[i].len))
			return -EFAULT;
		data += w->seg[i].len;
	}
	return 0;
}

/**
 * om_take_ahead - data of a call that is about to come
 * @p: the process; the current one
 * @msg: the address and the bytes
 */
int om_take_ahead(struct om_proc *p, const struct om_msg *msg)
{
	const u64 *addr = msg->data;
	size_t len = msg->len - sizeof(*addr);

	if (msg->len <= sizeof(*addr) || !om_range_ok(*addr, len))
		return -EPROTO;
	if (om_user_write(*addr, addr + 1, len))
		p->away.unwritable = true;
	return 0;
}

/**
 * om_send_memory - bytes of the current process, for its body
 * @p: its state
 * @addr: where
 * @len: how many
 *
 * What cannot be read was not written either, and is left out.
 */
int om_send_memory(struct om_proc *p, u64 addr, size_t len)
{
	u64 *buf = kvmalloc(sizeof(*buf) + OM_MAX_INLINE, GFP_KERNEL);
	size_t chunk;
	int ret = 0;

	if (!buf)
		return -ENOMEM;
	om_note_written(&p->away, addr, len);
	for (; len && !ret; addr += chunk, len -= chunk) {
		/* the length is the body's */
		cond_resched();
		if (fatal_signal_pending(current)) {
			ret = -EINTR;
			break;
		}
		chunk = min_t(size_t, len, OM_MAX_INLINE);
		*buf = addr;
		if (copy_from_user(buf + 1, (void __user *)addr, chunk))
			continue;
		ret = om_link_send_one(p->link, OM_M_BYTES, buf,
				       sizeof(*buf) + chunk);
	}
	kvfree(buf);
	return ret;
}

/* Lists what the call wrote. Returns the number of bytes. */
static size_t om_list_outs(struct om_proc *p, struct om_work *w)
{
	long result = w->reply.result;
	size_t total = 0, left;
	unsigned int i;

	if (w->reply.flags & OM_REPLY_NATIVE)
		return 0;
	left = result > 0 ? result : 0;
	for (i = 0; i < w->call->segs; i++) {
		struct om_seg s = w->seg[i];

		if (!(s.dir & OM_SEG_OUT))
			continue;
		if (s.unit) {
			s.len = min_t(size_t, s.len, left * s.unit);
			left -= s.len / s.unit;
		} else if (IS_ERR_VALUE(result) &&
			   !(s.dir & (OM_SEG_IN | OM_SEG_AHEAD))) {
			continue;	/* it was not written */
		}
		if (!s.len)
			continue;
		om_note_written(&p->away, s.addr, s.len);
		w->out[w->reply.outs++] = s;
		total += s.len;
	}
	return total;
}

/* Sends the reply with what the call wrote. */
static int om_send_reply(struct om_proc *p, struct om_work *w)
{
	size_t total = om_list_outs(p, w), at = 0;
	void *buf = NULL;
	struct kvec vec[4];
	unsigned int i;
	int ret = 0;

	if (total > OM_MAX_INLINE) {
		for (i = 0; i < w->reply.outs && !ret; i++)
			ret = om_send_memory(p, w->out[i].addr, w->out[i].len);
		if (ret)
			return ret;
		w->reply.outs = 0;
		total = 0;
	}
	if (total) {
		buf = kvmalloc(total, GFP_KERNEL);
		if (!buf)
			return -ENOMEM;
	}
	for (i = 0; i < w->reply.outs; i++) {
		/* what cannot be read was not written either */
		if (copy_from_user(buf + at, (void __user *)w->out[i].addr,
				   w->out[i].len))
			w->out[i].len = 0;
		at += w->out[i].len;
	}
	vec[0].iov_base = &w->reply;
	vec[0].iov_len = sizeof(w->reply);
	vec[1].iov_base = w->op;
	vec[1].iov_len = w->reply.ops * sizeof(w->op[0]);
	vec[2].iov_base = w->out;
	vec[2].iov_len = w->reply.outs * sizeof(w->out[0]);
	vec[3].iov_base = buf;
	vec[3].iov_len = at;
	p->away.granted = om_may_own_memory(p);
	if (p->away.granted)
		w->reply.flags |= OM_REPLY_OWN_MEMORY;
	if (om_is_counted())
		w->reply.flags |= OM_REPLY_COUNTED;
	if (om_is_ringing())
		w->reply.flags |= OM_REPLY_RINGING;
	w->reply.budget = om_map_budget();
	om_clock_tell(&w->reply.clock);
	ret = om_link_send(p->link, OM_M_REPLY, vec, 4, false);
	kvfree(buf);
	return ret;
}

/*
 * Is this a file of /proc that shows or changes memory of the process? Its title home
 * has been told, all of it that counts.
 */
static bool om_shows_memory(const struct dentry *dentry)
{
	static const char * const title_files[] = { "environ", "cmdline" };
	static const char * const others[] = { "mem", "pagemap", "clear_refs" };
	const char *name = (const char *)dentry->d_name.name;
	struct om_title title;

	if (match_string(title_files, ARRAY_SIZE(title_files), name) >= 0)
		return !om_title_find(&title);
	return match_string(others, ARRAY_SIZE(others), name) >= 0;
}

/*
 * Does the call read or write the caller's memory through a file? Only the whole
 * process can do that right.
 */
static bool om_reaches_itself(const struct om_call *call)
{
	struct inode *inode;
	bool found = false;
	struct fd f;

	switch (call->nr) {
	case __NR_read:
	case __NR_write:
	case __NR_pread64:
	case __NR_pwrite64:
	case __NR_readv:
	case __NR_writev:
	case __NR_preadv:
	case __NR_pwritev:
	case __NR_preadv2:
	case __NR_pwritev2:
	case __NR_splice:
		f = fdget_raw(call->arg[0]);
		break;
	case __NR_sendfile:
		f = fdget_raw(call->arg[1]);
		break;
	default:
		return false;
	}
	if (!fd_file(f))
		return false;
	inode = file_inode(fd_file(f));
	if (inode->i_sb->s_magic == PROC_SUPER_MAGIC &&
	    fd_file(f)->f_path.dentry->d_parent != inode->i_sb->s_root)
		found = proc_pid(inode) == task_tgid(current) &&
			om_shows_memory(fd_file(f)->f_path.dentry);
	fdput(f);
	return found;
}

/* Is the call to go on later? The owner of a file may be the group 512, which looks so. */
static bool om_goes_on(const struct om_call *call, long result)
{
	return om_must_restart(result) &&
	       !(call->nr == __NR_fcntl && (u32)call->arg[1] == F_GETOWN);
}

/*
 * Has a signal to be handled before the call is made? A CPU timer may have expired by
 * what the program used until then, which nobody would find out while the deputy
 * sleeps. The rest of a sleep has its own way to be interrupted, and a call of the vdso
 * cannot be made again, for the process leaves the vdso before it handles a signal.
 * Nor is each call put off: where signals come faster than calls, none would be made.
 */
static bool om_signal_first(struct om_proc *p, const struct om_call *call)
{
	if (task_work_pending(current))
		task_work_run();
	if (!task_sigpending(current) || call->nr == __NR_restart_syscall ||
	    time_before(jiffies, p->away.put_off + OM_PUT_OFF_PERIOD) ||
	    om_vdso_contains(call->ip))
		return false;
	p->away.put_off = jiffies;
	return true;
}

/* As it is, for the body. */
static long om_run_forward(struct om_proc *p, struct om_work *w, bool light)
{
	struct pt_regs *regs = task_pt_regs(current);
	const unsigned long orig_ax = regs->orig_ax;
	long result;

	if (om_signal_first(p, w->call))
		return -ERESTARTNOINTR;
	/* for /proc/PID/syscall: the registers themselves are with the body */
	om_call_regs(regs, w->call);
	if (w->call->nr == __NR_rseq)
		om_rseq_give(p);
	result = light ? om_native_light(p, w->call) : om_native(w->call);
	regs->orig_ax = orig_ax;
	if (w->call->nr == __NR_rseq)
		om_rseq_take(p);
	else if (w->call->nr == __NR_sched_setaffinity && !result)
		om_rseq_tell(p);
	/* unless it has done some of it before */
	if (p->away.at_home && result == -EAGAIN)
		w->reply.flags |= OM_REPLY_NATIVE;
	p->away.at_home = false;
	return result;
}

static long om_run(struct om_proc *p, struct om_work *w, bool light)
{
	struct pt_regs *regs = task_pt_regs(current);

	regs->ip = w->call->ip;
	regs->sp = w->call->sp;
	if (om_write_ins(w) || p->away.unwritable ||
	    om_reaches_itself(w->call)) {
		/* home may lack memory that the body has: a grown stack */
		p->away.unwritable = false;
		w->reply.flags |= OM_REPLY_NATIVE;
		return 0;
	}
	switch (om_row_of(w->call->nr)->kind) {
	case OM_ROW_FORWARD:
	case OM_ROW_CLOCK:
		return om_run_forward(p, w, light);
	case OM_ROW_MEMORY:
		return om_memory_call(p, w);
	case OM_ROW_SIGRETURN:
		if (om_returns_to_vdso(w->call)) {
			w->reply.flags |= OM_REPLY_NATIVE;
			return 0;
		}
		w->reply.flags |= OM_REPLY_REGS;
		return om_native(w->call);
	default:
		w->reply.flags |= OM_REPLY_NATIVE;
		return 0;
	}
}

/* Does the program go on with the result there, or come home with it, or stand still? */
static void om_decide(struct om_proc *p, struct om_work *w)
{
	if (w->reply.flags & OM_REPLY_REGS) {
		task_pt_regs(current)->ax = w->reply.result;
	} else if (READ_ONCE(p->wanted) || READ_ONCE(p->hurry)) {
		w->reply.flags |= OM_REPLY_RETURN;
	} else if (rlimit(RLIMIT_STACK) != p->away.told.stack_limit) {
		/* the body's stack grows without asking */
		p->stat.home_reason = OM_HOME_SYSCALL;
		p->stat.home_arg = w->call->nr;
		w->reply.flags |= OM_REPLY_RETURN;
	} else if (om_goes_on(w->call, w->reply.result) ||
		   task_sigpending(current)) {
		/*
		 * What the program sent itself is delivered before the call
		 * returns, and what becomes of an interrupted call only the
		 * exit to user mode knows.
		 */
		w->reply.flags |= OM_REPLY_PARK;
		p->away.parking = true;
	}
}

/**
 * om_call_execute - execute a call of the body and answer it
 * @p: the process; the current one
 * @msg: the request
 *
 * Does not return for a call that ends the process. Returns 0, or a negative
 * errno if the link is of no use any more.
 */
int om_call_execute(struct om_proc *p, const struct om_msg *msg)
{
	struct om_work *w = om_call_parse(msg);
	bool light, handled;
	u64 nr;
	int ret;

	if (IS_ERR(w))
		return PTR_ERR(w);
	nr = w->call->nr;
	ret = om_usage_add(p, &w->call->usage);
	if (ret) {
		kvfree(w);
		return ret;
	}
	if (om_row_of(nr)->kind == OM_ROW_EXIT) {
		struct om_call call = *w->call;

		kvfree(w);
		om_link_bind(p->link, NULL, OM_NOTIFY_NONE);
		/* the body sees its link end, and ends */
		om_link_kill(p->link, -ESHUTDOWN);
		om_native(&call);
	}
	light = om_may_nudge(w->call);
	om_set_in_call(p, light ? OM_CALL_LIGHT : OM_CALL_DEEP);
	if (READ_ONCE(p->wanted))
		wake_up(&p->home_wait);
	trace_om_call(task_tgid_nr(current), p->link->node, nr);
	om_link_bind(p->link, current, OM_NOTIFY_DEATH);
	if (om_link_alive(p->link)) {
		w->reply.result = om_run(p, w, light);
		/* the last close of a file may take long, and is part of the call */
		if (task_work_pending(current))
			task_work_run();
	}
	om_link_bind(p->link, current, OM_NOTIFY_NONE);
	om_set_in_call(p, OM_CALL_NONE);
	om_decide(p, w);
	trace_om_reply(task_tgid_nr(current), p->link->node, w->reply.result);
	ret = om_send_reply(p, w);
	handled = w->reply.flags & OM_REPLY_REGS;
	kvfree(w);
	/* what the handler had blocked comes before the program goes on */
	if (!ret && handled)
		ret = om_deliver(p, task_pt_regs(current));
	return ret;
}
