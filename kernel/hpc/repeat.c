// SPDX-License-Identifier: GPL-2.0-only
/*
 * Home's half of the address space, the other way round: changes that the body made
 * itself, repeated here.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <asm/unistd.h>

#include "om.h"

/**
 * om_note_op - what was sent of a range is void when the range changes
 * @p: the process; the current one
 * @op: the change
 */
void om_note_op(struct om_proc *p, const struct om_op *op)
{
	struct om_away *away = &p->away;

	if (op->kind == OM_OP_PROTECT || op->kind == OM_OP_BRK ||
	    op->kind == OM_OP_GROW)
		return;
	if (op->kind == OM_OP_MOVE && op->to == op->start) {
		if (op->to_len < op->len)
			om_sent_clear(away, op->start + op->to_len,
				      op->start + op->len);
		return;
	}
	om_sent_clear(away, op->start, op->start + op->len);
	if (op->kind != OM_OP_MOVE)
		return;
	om_sent_clear(away, op->to, op->to + op->to_len);
	/* pages that had not been pushed yet have moved */
	away->moves++;
	away->again = true;
	away->pushed = false;
}

/* A stack has grown so far, or had already when the process left. */
static int om_grow(unsigned long start)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	int ret = 0;

	if (mmap_write_lock_killable(mm))
		return -EINTR;
	vma = find_vma(mm, start);
	if (vma && vma->vm_start > start && (vma->vm_flags & VM_GROWSDOWN))
		ret = expand_stack_locked(vma, start);
	mmap_write_unlock(mm);
	return ret;
}

/* Is there nothing but what a body may change, which is private anonymous memory? */
static bool om_is_own(unsigned long start, unsigned long len)
{
	struct vm_area_struct *vma;
	bool own = true;

	VMA_ITERATOR(vmi, current->mm, start);

	if (!om_range_sane(start, len))
		return false;
	mmap_read_lock(current->mm);
	for_each_vma_range(vmi, vma, start + len)
		own &= vma_is_anonymous(vma);
	mmap_read_unlock(current->mm);
	return own;
}

/*
 * Is that a change that a body may make? Only a stack grows without leave, of which
 * home would otherwise see to limits, seals and the like.
 */
static bool om_op_sane(const struct om_proc *p, const struct om_op *op)
{
	if (op->kind == OM_OP_GROW)
		return op->start < TASK_SIZE_MAX && PAGE_ALIGNED(op->start);
	if (!p->away.granted)
		return false;
	switch (op->kind) {
	case OM_OP_BRK:
		return op->start < TASK_SIZE_MAX;
	case OM_OP_MOVE:
		return om_is_own(op->start, op->len) &&
		       om_is_own(op->to, op->to_len);
	default:
		return om_is_own(op->start, op->len) &&
		       !(op->flags & ~OM_VMA_FLAGS);
	}
}

/* Returns 0 or a negative errno. */
static int om_repeat(const struct om_op *op)
{
	struct om_call call = { };
	long result;

	switch (op->kind) {
	case OM_OP_MAP:
		call.nr = __NR_mmap;
		call.arg[3] = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
		call.arg[4] = -1;
		call.arg[2] = om_prot(op->flags);
		break;
	case OM_OP_UNMAP:
		call.nr = __NR_munmap;
		break;
	case OM_OP_PROTECT:
		call.nr = __NR_mprotect;
		call.arg[2] = om_prot(op->flags);
		break;
	case OM_OP_DISCARD:
		call.nr = __NR_madvise;
		call.arg[2] = MADV_DONTNEED;
		break;
	case OM_OP_BRK:
		call.nr = __NR_brk;
		break;
	case OM_OP_MOVE:
		return om_move_range(op->start, op->len, op->to, op->to_len);
	case OM_OP_GROW:
		return om_grow(op->start);
	default:
		return -EPROTO;
	}
	call.arg[0] = op->start;
	if (op->kind != OM_OP_BRK)
		call.arg[1] = op->len;
	result = om_native(&call);
	switch (op->kind) {
	case OM_OP_MAP:
	case OM_OP_BRK:
		return result == op->start ? 0 : -ENOMEM;
	case OM_OP_PROTECT:
		/* half of it may have been done, on either side alike */
		return result == -ENOMEM ? -ENOMEM : 0;
	default:
		return result;
	}
}

/* A mapping that counts for nothing where memory must not be overcommitted. */
static int om_map_uncounted(unsigned long start, unsigned long len,
			    unsigned long prot)
{
	unsigned long populate, result;

	if (mmap_write_lock_killable(current->mm))
		return -EINTR;
	result = do_mmap(NULL, start, len, prot,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, VM_NORESERVE,
			 0, &populate, NULL);
	mmap_write_unlock(current->mm);
	return result == start ? 0 : -ENOMEM;
}

static int om_grow_heap_uncounted(unsigned long brk)
{
	unsigned long old = PAGE_ALIGN(current->mm->brk), new = PAGE_ALIGN(brk);
	int ret = 0;

	if (brk < current->mm->start_brk)
		return -EPROTO;
	if (new > old)
		ret = om_is_own(old, new - old) ?
		      om_map_uncounted(old, new - old, PROT_READ | PROT_WRITE) :
		      -EPROTO;
	if (!ret)
		current->mm->brk = brk;
	return ret;
}

/* What is there already is not counted when it becomes writable. */
static int om_exempt(unsigned long start, unsigned long len)
{
	struct vm_area_struct *vma;

	VMA_ITERATOR(vmi, current->mm, start);

	if (mmap_write_lock_killable(current->mm))
		return -EINTR;
	for_each_vma_range(vmi, vma, start + len)
		vm_flags_set(vma, VM_NORESERVE);
	mmap_write_unlock(current->mm);
	return 0;
}

/* And what grows is not counted any more, where that could be refused. */
static int om_discount(unsigned long start, unsigned long len)
{
	struct vm_area_struct *vma;

	VMA_ITERATOR(vmi, current->mm, start);

	if (sysctl_overcommit_memory != OVERCOMMIT_NEVER)
		return 0;
	if (mmap_write_lock_killable(current->mm))
		return -EINTR;
	for_each_vma_range(vmi, vma, start + len) {
		if (!(vma->vm_flags & VM_ACCOUNT))
			continue;
		vm_unacct_memory(vma_pages(vma));
		vm_flags_mod(vma, VM_NORESERVE, VM_ACCOUNT);
	}
	mmap_write_unlock(current->mm);
	return 0;
}

static int om_repeat_uncounted(const struct om_op *op)
{
	switch (op->kind) {
	case OM_OP_MAP:
		return om_map_uncounted(op->start, op->len, om_prot(op->flags));
	case OM_OP_BRK:
		return om_grow_heap_uncounted(op->start);
	case OM_OP_PROTECT:
		return om_exempt(op->start, op->len) ?: om_repeat(op);
	case OM_OP_MOVE:
		return om_discount(op->start, op->len) ?: om_repeat(op);
	default:
		return om_repeat(op);
	}
}

/*
 * The program has been told that it was done: a limit that somebody else has set
 * since then, for it or for all, holds from the next call on, as it does for what
 * is there already.
 */
static int om_repeat_unlimited(const struct om_op *op)
{
	static const u8 which[] = { RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK };
	struct rlimit *limit = current->signal->rlim;
	unsigned long was[ARRAY_SIZE(which)];
	unsigned int i;
	int ret;

	task_lock(current->group_leader);
	for (i = 0; i < ARRAY_SIZE(which); i++) {
		was[i] = limit[which[i]].rlim_cur;
		limit[which[i]].rlim_cur = RLIM_INFINITY;
	}
	task_unlock(current->group_leader);
	ret = om_repeat_uncounted(op);
	task_lock(current->group_leader);
	/* unless they were set once more, meanwhile */
	for (i = 0; i < ARRAY_SIZE(which); i++)
		if (limit[which[i]].rlim_cur == RLIM_INFINITY)
			limit[which[i]].rlim_cur = was[i];
	task_unlock(current->group_leader);
	return ret;
}

/**
 * om_take_ops - repeat what the body did to its address space
 * @p: the process; the current one
 * @msg: the changes
 *
 * An error means that the two sides differ from here, and the process cannot go
 * on.
 */
int om_take_ops(struct om_proc *p, const struct om_msg *msg)
{
	const struct om_op *op = msg->data;
	const struct om_op *end = op + msg->len / sizeof(*op);
	int ret;

	if (!msg->len || msg->len % sizeof(*op))
		return -EPROTO;
	for (; op < end; op++) {
		if (!om_op_sane(p, op))
			return -EPROTO;
		/* what has been moved in part cannot be moved again */
		ret = op->kind == OM_OP_MOVE ? -ENOMEM : om_repeat(op);
		if (ret == -ENOMEM)
			ret = om_repeat_unlimited(op);
		if (ret)
			return ret;
		om_note_op(p, op);
	}
	return 0;
}
