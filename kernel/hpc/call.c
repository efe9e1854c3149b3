// SPDX-License-Identifier: GPL-2.0-only
/*
 * A call of the body, executed by its deputy.
 *
 * The call runs on home's own memory, at the body's addresses. The bytes that
 * the caller hands in travel with the request and are written there first; the
 * bytes that the call hands out are read from there and travel with the reply.
 * So every kind of descriptor works without code of its own.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/uaccess.h>
#include <asm/syscall.h>
#include <asm/unistd.h>

#include "om.h"

struct om_work {
	const struct om_call *call;
	const struct om_seg *seg;
	const void *data;		/* of the IN segments */
	struct om_reply reply;
	struct om_op op[OM_MAX_OPS];
	struct om_seg out[OM_MAX_SEGS];
};

static long om_native(const struct om_call *call)
{
	struct pt_regs regs = *task_pt_regs(current);

	regs.orig_ax = call->nr;
	regs.di = call->arg[0];
	regs.si = call->arg[1];
	regs.dx = call->arg[2];
	regs.r10 = call->arg[3];
	regs.r8 = call->arg[4];
	regs.r9 = call->arg[5];
	return x64_sys_call(&regs, call->nr);
}

/* Calls that a nudge ends without a trace: made again, they go on. */
static bool om_may_nudge(u64 nr)
{
	switch (nr) {
	case __NR_read:
	case __NR_poll:
	case __NR_ppoll:
	case __NR_nanosleep:
	case __NR_clock_nanosleep:
		return true;
	default:
		return false;
	}
}

/*
 * A call may block for hours, and the body's pages must not wait for that: while
 * there is something to push, the call is broken off now and then.
 */
static long om_native_pushing(struct om_proc *p, const struct om_call *call)
{
	struct om_call again = *call;
	long result;
	int more;

	if (p->away.pushed || !om_may_nudge(call->nr))
		return om_native(call);
	for (;;) {
		om_nudge_soon(p);
		result = om_native(&again);
		timer_delete_sync(&p->nudge);
		if (test_thread_flag(TIF_NOTIFY_SIGNAL))
			clear_notify_signal();
		if (!om_must_restart(result) || task_sigpending(current))
			return result;
		if (task_work_pending(current))
			task_work_run();
		do {
			more = om_push_some(p);
		} while (more > 0);
		/* a link that broke is noticed when the reply is sent */
		if (more < 0)
			p->away.pushed = true;
		if (result == -ERESTART_RESTARTBLOCK)
			again.nr = __NR_restart_syscall;
		if (p->away.pushed)
			return om_native(&again);
	}
}

static bool om_range_ok(u64 start, u64 len)
{
	return len <= TASK_SIZE_MAX && start <= TASK_SIZE_MAX - len;
}

/* Points @w into the message, after checking all of it. */
static int om_call_parse(const struct om_msg *msg, struct om_work *w)
{
	const struct om_call *call = msg->data;
	size_t in = 0, out = 0, head;
	unsigned int i;

	if (msg->len < sizeof(*call) || call->segs > OM_MAX_SEGS)
		return -EPROTO;
	head = sizeof(*call) + call->segs * sizeof(struct om_seg);
	if (msg->len < head)
		return -EPROTO;
	w->call = call;
	w->seg = (const void *)(call + 1);
	w->data = msg->data + head;
	for (i = 0; i < call->segs; i++) {
		const struct om_seg *s = &w->seg[i];

		if (!om_range_ok(s->addr, s->len) ||
		    (s->dir & ~(OM_SEG_IN | OM_SEG_OUT)) || s->by_result > 1)
			return -EPROTO;
		if (s->dir & OM_SEG_IN)
			in += s->len;
		if (s->dir & OM_SEG_OUT)
			out += s->len;
	}
	if (msg->len != head + in || in > OM_MAX_BUFFERS ||
	    out > OM_MAX_BUFFERS)
		return -EPROTO;
	return 0;
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

/* Sends the reply with what the call wrote. */
static int om_send_reply(struct om_proc *p, struct om_work *w)
{
	long result = w->reply.result;
	size_t total = 0, left, at = 0;
	void *buf = NULL;
	struct kvec vec[4];
	unsigned int i;
	int ret;

	left = result > 0 ? result : 0;
	for (i = 0; i < w->call->segs; i++) {
		struct om_seg s = w->seg[i];

		if (!(s.dir & OM_SEG_OUT) ||
		    (w->reply.flags & OM_REPLY_NATIVE))
			continue;
		if (s.by_result) {
			s.len = min_t(size_t, s.len, left);
			left -= s.len;
		} else if (IS_ERR_VALUE(result) && result != -EINTR &&
			   result != -ERESTART_RESTARTBLOCK &&
			   result != -ERESTARTNOHAND) {
			continue;
		}
		if (!s.len)
			continue;
		w->out[w->reply.outs++] = s;
		total += s.len;
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
	ret = om_link_send(p->link, OM_M_REPLY, vec, 4, false);
	kvfree(buf);
	return ret;
}

/* Memory: executed here, and written down for the body to repeat */

static void om_op_add(struct om_proc *p, struct om_work *w, struct om_op op)
{
	if (w->reply.ops == OM_MAX_OPS) {
		/* more than fits: the process comes home and needs none */
		w->reply.flags |= OM_REPLY_RETURN;
		return;
	}
	w->op[w->reply.ops++] = op;
	if (op.kind != OM_OP_PROTECT)
		om_sent_clear(&p->away, op.start, op.start + op.len);
	if (op.kind == OM_OP_MOVE) {
		om_sent_clear(&p->away, op.to, op.to + op.to_len);
		/* pages that had not been pushed yet have moved */
		p->away.again = true;
		p->away.pushed = false;
	}
}

/* The mappings in a range as they are now, each as one operation. */
static void om_op_vmas(struct om_proc *p, struct om_work *w, u32 kind,
		       unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;

	VMA_ITERATOR(vmi, current->mm, start);

	mmap_read_lock(current->mm);
	for_each_vma_range(vmi, vma, end) {
		unsigned long from = max(start, vma->vm_start);
		unsigned long to = min(end, vma->vm_end);

		om_op_add(p, w, (struct om_op){
			.kind = kind, .start = from, .len = to - from,
			.flags = om_vma_flags(vma),
		});
	}
	mmap_read_unlock(current->mm);
}

static long om_brk(struct om_proc *p, struct om_work *w)
{
	unsigned long old = PAGE_ALIGN(current->mm->brk), new;
	long result = om_native(w->call);

	new = PAGE_ALIGN(current->mm->brk);
	if (new > old)
		om_op_vmas(p, w, OM_OP_MAP, old, new);
	else if (new < old)
		om_op_add(p, w, (struct om_op){
			.kind = OM_OP_UNMAP, .start = new, .len = old - new });
	return result;
}

static long om_mmap(struct om_proc *p, struct om_work *w)
{
	unsigned long flags = w->call->arg[3];
	unsigned long len = PAGE_ALIGN(w->call->arg[1]);
	u32 reasons;
	long result;

	/* what may be a reason to stay is done at home, by the whole process */
	if ((flags & MAP_TYPE) != MAP_PRIVATE ||
	    (flags & (MAP_LOCKED | MAP_HUGETLB))) {
		w->reply.flags |= OM_REPLY_NATIVE;
		return 0;
	}
	result = om_native(w->call);
	if (IS_ERR_VALUE(result))
		return result;
	om_op_vmas(p, w, OM_OP_MAP, result, result + len);
	reasons = flags & MAP_ANONYMOUS ? 0 : om_stay_reasons(current);
	if (reasons) {
		w->reply.flags |= OM_REPLY_RETURN;
		p->stat.home_reason = OM_HOME_REASON;
		p->stat.home_arg = __ffs(reasons);
	}
	return result;
}

static long om_mprotect(struct om_proc *p, struct om_work *w)
{
	unsigned long start = w->call->arg[0], len = PAGE_ALIGN(w->call->arg[1]);
	struct vm_area_struct *vma;
	bool shared = false;
	long result;

	VMA_ITERATOR(vmi, current->mm, start);

	if (!om_range_ok(start, len) || !PAGE_ALIGNED(start))
		return om_native(w->call);
	mmap_read_lock(current->mm);
	for_each_vma_range(vmi, vma, start + len)
		shared |= vma->vm_flags & VM_MAYSHARE;
	mmap_read_unlock(current->mm);
	if (shared) {
		w->reply.flags |= OM_REPLY_NATIVE;
		return 0;
	}
	result = om_native(w->call);
	/* it may fail half way: the body gets what came of it */
	om_op_vmas(p, w, OM_OP_PROTECT, start, start + len);
	return result;
}

static long om_mremap(struct om_proc *p, struct om_work *w)
{
	unsigned long old = w->call->arg[0], old_len = PAGE_ALIGN(w->call->arg[1]);
	unsigned long new_len = PAGE_ALIGN(w->call->arg[2]);
	long result;

	if (!old_len || (w->call->arg[3] & ~MREMAP_MAYMOVE)) {
		w->reply.flags |= OM_REPLY_NATIVE;
		return 0;
	}
	result = om_native(w->call);
	if (IS_ERR_VALUE(result))
		return result;
	if (result != old)
		om_op_add(p, w, (struct om_op){
			.kind = OM_OP_MOVE, .start = old, .len = old_len,
			.to = result, .to_len = new_len });
	else if (new_len < old_len)
		om_op_add(p, w, (struct om_op){
			.kind = OM_OP_UNMAP, .start = old + new_len,
			.len = old_len - new_len });
	else if (new_len > old_len)
		om_op_vmas(p, w, OM_OP_MAP, old + old_len, old + new_len);
	return result;
}

static long om_madvise(struct om_proc *p, struct om_work *w)
{
	unsigned long start = w->call->arg[0], len = PAGE_ALIGN(w->call->arg[1]);
	long result;

	switch (w->call->arg[2]) {
	case MADV_DONTNEED:
	case MADV_FREE:
		break;
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_DONTDUMP:
	case MADV_DODUMP:
	case MADV_DONTFORK:
	case MADV_DOFORK:
		return om_native(w->call);
	default:
		w->reply.flags |= OM_REPLY_NATIVE;
		return 0;
	}
	result = om_native(w->call);
	/* a page that is lazily free at home must not look clean there */
	if (!result && w->call->arg[2] == MADV_DONTNEED)
		om_op_add(p, w, (struct om_op){
			.kind = OM_OP_DISCARD, .start = start, .len = len });
	return result;
}

static long om_munmap(struct om_proc *p, struct om_work *w)
{
	unsigned long start = w->call->arg[0], len = PAGE_ALIGN(w->call->arg[1]);
	long result = om_native(w->call);

	if (!result)
		om_op_add(p, w, (struct om_op){
			.kind = OM_OP_UNMAP, .start = start, .len = len });
	return result;
}

static long om_memory_call(struct om_proc *p, struct om_work *w)
{
	switch (w->call->nr) {
	case __NR_brk:
		return om_brk(p, w);
	case __NR_mmap:
		return om_mmap(p, w);
	case __NR_munmap:
		return om_munmap(p, w);
	case __NR_mprotect:
		return om_mprotect(p, w);
	case __NR_mremap:
		return om_mremap(p, w);
	default:
		return om_madvise(p, w);
	}
}

static long om_run(struct om_proc *p, struct om_work *w)
{
	if (om_write_ins(w)) {
		/* home lacks memory that the body has: a stack that cannot grow */
		w->reply.flags |= OM_REPLY_NATIVE;
		return 0;
	}
	switch (om_row_of(w->call->nr)->kind) {
	case OM_ROW_FORWARD:
		return om_native_pushing(p, w->call);
	case OM_ROW_MEMORY:
		return om_memory_call(p, w);
	default:
		w->reply.flags |= OM_REPLY_NATIVE;
		return 0;
	}
}

/**
 * om_call_execute - execute a call of the body and answer it
 * @p: the process; the current one
 * @msg: the request
 * @result: out, the call's own result
 *
 * Does not return for a call that ends the process. Returns 0, or a negative
 * errno if the link is of no use any more.
 */
int om_call_execute(struct om_proc *p, const struct om_msg *msg, long *result)
{
	struct om_work *w;
	int ret;

	w = kvzalloc(sizeof(*w), GFP_KERNEL);
	if (!w)
		return -ENOMEM;
	ret = om_call_parse(msg, w);
	if (ret)
		goto out;
	om_usage_add(p, &w->call->usage);
	if (om_row_of(w->call->nr)->kind == OM_ROW_EXIT) {
		struct om_call call = *w->call;

		kvfree(w);
		/* the body sees its link end, and ends */
		om_link_kill(p->link, -ESHUTDOWN);
		om_native(&call);
	}
	w->reply.result = om_run(p, w);
	*result = w->reply.result;
	if (om_must_restart(w->reply.result)) {
		w->reply.flags |= OM_REPLY_RETURN;
		p->stat.home_reason = OM_HOME_SIGNAL;
		p->stat.home_arg = om_next_signal();
	}
	ret = om_send_reply(p, w);
out:
	kvfree(w);
	return ret;
}
