// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stub gets ready for a process: it is told the mappings, and where new ones
 * would go, gets a few pages ahead, and says when it is done. The process goes on
 * running meanwhile.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <asm/vdso.h>

#include "om.h"
#include "trace.h"

/* Who sleeps most of the time waits so long for a stub. */
#define OM_READY_SOON		(HZ / 10)

/* Grows by one at each change of the list of mappings. */
static int om_mm_seq(struct mm_struct *mm)
{
	return READ_ONCE(mm->mm_lock_seq.sequence);
}

u32 om_vma_flags(const struct vm_area_struct *vma)
{
	u32 flags = 0;

	if (vma->vm_flags & VM_READ)
		flags |= OM_VMA_READ;
	if (vma->vm_flags & VM_WRITE)
		flags |= OM_VMA_WRITE;
	if (vma->vm_flags & VM_EXEC)
		flags |= OM_VMA_EXEC;
	if (vma->vm_flags & VM_GROWSDOWN)
		flags |= OM_VMA_STACK;
	flags |= vma_is_anonymous((struct vm_area_struct *)vma) ?
		 OM_VMA_ANON : OM_VMA_FILE;
	return flags;
}

/* Is there a mapping that must not change? None can be sealed away. */
static bool om_any_sealed(struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	bool sealed = false;

	VMA_ITERATOR(vmi, mm, 0);

	mmap_read_lock(mm);
	for_each_vma(vmi, vma)
		sealed |= vma->vm_flags & VM_SEALED;
	mmap_read_unlock(mm);
	return sealed;
}

/* Reads the clock page of this node's kernel: a body gets none. */
static bool om_vma_skipped(const struct vm_area_struct *vma)
{
	return !vma->vm_file && (vma->vm_flags & (VM_IO | VM_PFNMAP));
}

/**
 * om_list_vmas - describe mappings of the current process
 * @start: first address
 * @end: address after the last
 * @out: out
 * @max: room in @out
 * @next: out, where to go on; @end when all are listed
 *
 * Returns how many.
 */
static unsigned int om_list_vmas(unsigned long start, unsigned long end,
				 struct om_vma *out, unsigned int max,
				 unsigned long *next)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	unsigned int n = 0;

	VMA_ITERATOR(vmi, mm, start);

	*next = end;
	mmap_read_lock(mm);
	for_each_vma_range(vmi, vma, end) {
		if (n == max) {
			*next = vma->vm_start;
			break;
		}
		out[n++] = (struct om_vma){
			.start = max(vma->vm_start, start),
			.end = min(vma->vm_end, end),
			.flags = om_vma_skipped(vma) ? 0 : om_vma_flags(vma),
		};
	}
	mmap_read_unlock(mm);
	return n;
}

/* The next message follows at once. */
static int om_send_on(struct om_link *link, u8 type, void *data, size_t len)
{
	struct kvec vec = { .iov_base = data, .iov_len = len };

	return om_link_send(link, type, &vec, 1, true);
}

/* What the guest node has to know of the current process, but for its mappings. */
static void om_fill_prepare(struct om_proc *p, struct om_prepare *prep)
{
	struct mm_struct *mm = current->mm;

	/* two of them are compared byte by byte */
	memset(prep, 0, sizeof(*prep));
	prep->home_pid = task_tgid_nr(current);
	prep->vma_count = mm->map_count;
	prep->stack_limit = rlimit(RLIMIT_STACK);
	prep->mmap_base = mm->mmap_base;
	prep->start_brk = mm->start_brk;
	prep->brk = mm->brk;
	if (!test_bit(MMF_TOPDOWN, &mm->flags))
		prep->flags |= OM_PREP_BOTTOM_UP;
	if (om_may_own_memory(p))
		prep->flags |= OM_PREP_OWN_MEMORY;
	if (om_is_counted())
		prep->flags |= OM_PREP_COUNTED;
	if (om_is_ringing())
		prep->flags |= OM_PREP_RINGING;
	prep->budget = om_map_budget();
#ifdef CONFIG_RSEQ
	/* on its way from node to node it is put by */
	prep->rseq = (u64)(p->away.rseq ?: current->rseq);
	prep->rseq_sig = p->away.rseq ? p->away.rseq_sig : current->rseq_sig;
#endif
	prep->vdso = (u64)mm->context.vdso;
	prep->vdso_len = vdso_image_64.size;
	prep->nice = task_nice(current);
	prep->policy = current->policy;
	get_task_comm(prep->comm, current);
	om_title_find(&prep->title);
}

/**
 * om_send_prepare - tell a stub what address space to rebuild
 * @p: the process; the current one, which goes on running
 *
 * Returns 0 or a negative errno.
 */
int om_send_prepare(struct om_proc *p)
{
	struct mm_struct *mm = current->mm;
	unsigned long at = 0, end = TASK_SIZE_MAX;
	struct om_vma *vmas;
	unsigned int n;
	int ret;

	p->away.sealed = om_any_sealed(mm);
	om_fill_prepare(p, &p->away.told);
	p->away.granted = p->away.told.flags & OM_PREP_OWN_MEMORY;
	om_title_note(&p->away.told.title);
	trace_om_prepare(task_tgid_nr(current), p->link->node, mm->map_count);
	vmas = kvmalloc_array(OM_MAX_VMAS, sizeof(*vmas), GFP_KERNEL);
	if (!vmas)
		return -ENOMEM;
	p->away.ready = false;
	p->away.mm = mm;
	p->away.mm_seq = om_mm_seq(mm);
	ret = om_send_on(p->link, OM_M_PREPARE, &p->away.told,
			 sizeof(p->away.told));
	while (!ret && at < end) {
		n = om_list_vmas(at, end, vmas, OM_MAX_VMAS, &at);
		ret = om_send_on(p->link, OM_M_VMAS, vmas, n * sizeof(*vmas));
	}
	if (!ret)
		ret = om_hot_send(p);
	/* an empty list is the last one */
	if (!ret)
		ret = om_link_send_one(p->link, OM_M_VMAS, NULL, 0);
	kvfree(vmas);
	p->away.patience = jiffies + OM_LINK_TIMEOUT;
	om_retry_at(p, p->away.patience);
	return ret;
}

/* Is what was told of the process, and of its mappings, no longer so? */
bool om_prepare_stale(struct om_proc *p)
{
	struct om_prepare now;

	if (p->away.mm != current->mm ||
	    p->away.mm_seq != om_mm_seq(current->mm))
		return true;
	om_fill_prepare(p, &now);
	/* the sums are last: of a title that has changed since, home is told once more */
	return memcmp(&now, &p->away.told,
		      offsetof(struct om_prepare, title.sum));
}

/**
 * om_begin - find a stub that takes the process, and tell it what to get ready
 * @p: the process; the current one
 *
 * Returns 0 or a negative errno.
 */
int om_begin(struct om_proc *p)
{
	struct om_link *link;
	unsigned int tries;
	int ret = -EAGAIN;

	if (om_stay_now(p))
		return -EBUSY;
	om_note_brings(p);
	if (om_is_bringing())
		return -EAGAIN;
	for (tries = 0; tries < OM_LINK_TRIES; tries++) {
		link = om_pool_take(p->target);
		if (!link)
			break;
		p->away.still = 0;
		/* before the link: nobody else may take it for his */
		WRITE_ONCE(p->mover, current);
		spin_lock(&p->lock);
		WRITE_ONCE(p->link, link);
		p->state = OM_PREPARING;
		spin_unlock(&p->lock);
		om_link_bind(link, current, OM_NOTIFY_RESUME);
		ret = om_send_prepare(p);
		if (!ret)
			return 0;
		om_drop_link(p);
		if (ret == -EINTR || ret == -ENOMEM)
			break;
		ret = -EAGAIN;
	}
	return ret;
}

/* What a stub answers: 0 if it is ready, or why it is not. */
int om_is_ready(const struct om_msg *msg)
{
	s32 error;

	if (msg->type == OM_M_READY)
		return 0;
	if (msg->type != OM_M_REFUSE || msg->len != sizeof(error))
		return -EPROTO;
	error = *(s32 *)msg->data;
	return error < 0 && error >= -MAX_ERRNO ? error : -EPROTO;
}

/*
 * The stub has something to say, or not yet. Returns 1 when it is ready, 0 to
 * go on running.
 */
int om_await_ready(struct om_proc *p)
{
	struct om_msg msg;
	int ret;

	ret = om_link_recv(p->link, &msg);
	if (ret > 0)
		ret = om_is_ready(&msg) ?: 1;
	/* its node answers, and it does not: nothing else would end that */
	else if (!ret && time_after_eq(jiffies, p->away.patience))
		ret = -ETIMEDOUT;
	return ret;
}

/* The same, with the process standing still. Returns 0 or a negative errno. */
static int om_hear_ready(struct om_proc *p, long timeout)
{
	struct om_msg msg;
	int ret;

	ret = om_link_recv_wait(p->link, &msg, timeout);
	if (ret > 0)
		ret = om_is_ready(&msg);
	/* it is said once: a signal may come before the process leaves */
	p->away.ready = !ret;
	return ret;
}

/* The process is to leave now, and stands still as long as a link may be silent. */
int om_wait_ready(struct om_proc *p)
{
	om_link_bind(p->link, current, OM_NOTIFY_NONE);
	return om_hear_ready(p, OM_LINK_TIMEOUT);
}

/*
 * A process that was asleep will be so again before the stub is ready, and would
 * only leave after that: at the next key but one. It waits for the stub instead.
 * Returns 0 or a negative errno.
 */
int om_wait_soon(struct om_proc *p)
{
	int ret;

	p->away.still = ktime_get_ns();
	ret = om_hear_ready(p, OM_READY_SOON);
	if (ret == -ETIMEDOUT) {
		p->away.still = 0;
		return 0;
	}
	if (!ret) {
		trace_om_ready(task_tgid_nr(current), p->link->node, 0);
		set_thread_flag(TIF_NOTIFY_RESUME);
	}
	return ret;
}
