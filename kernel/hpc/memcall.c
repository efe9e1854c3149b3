// SPDX-License-Identifier: GPL-2.0-only
/*
 * Home's half of the address space: calls of the body that change it, executed
 * here and written down for the body to repeat.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <asm/unistd.h>

#include "om.h"

static void om_op_add(struct om_proc *p, struct om_work *w, struct om_op op)
{
	if (w->reply.ops == OM_MAX_OPS) {
		/* more than fits: the process comes home and needs none */
		w->reply.flags |= OM_REPLY_RETURN;
		return;
	}
	w->op[w->reply.ops++] = op;
	om_note_op(p, &op);
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

/*
 * What is not mapped in a range. A mapping over others that fails may have taken
 * those away.
 */
static void om_op_gaps(struct om_proc *p, struct om_work *w,
		       unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;
	unsigned long to;

	VMA_ITERATOR(vmi, current->mm, start);

	mmap_read_lock(current->mm);
	while (start < end) {
		vma = vma_next(&vmi);
		to = vma ? min(end, vma->vm_start) : end;
		if (to > start)
			om_op_add(p, w, (struct om_op){
				.kind = OM_OP_UNMAP, .start = start,
				.len = to - start });
		start = vma ? vma->vm_end : end;
	}
	mmap_read_unlock(current->mm);
}

static long om_brk(struct om_proc *p, struct om_work *w)
{
	unsigned long old = PAGE_ALIGN(current->mm->brk), new;
	long result = om_native(w->call);

	new = PAGE_ALIGN(current->mm->brk);
	om_op_add(p, w, (struct om_op){
		.kind = OM_OP_BRK, .start = current->mm->brk });
	if (new > old)
		om_op_vmas(p, w, OM_OP_MAP, old, new);
	else if (new < old)
		om_op_add(p, w, (struct om_op){
			.kind = OM_OP_UNMAP, .start = new, .len = old - new });
	return result;
}

/* Memory of this kind gets a protection key, which is a reason to stay. */
static bool om_only_exec(unsigned long prot)
{
	return (prot & (PROT_READ | PROT_WRITE | PROT_EXEC)) == PROT_EXEC;
}

static long om_mmap(struct om_proc *p, struct om_work *w)
{
	unsigned long flags = w->call->arg[3];
	unsigned long start = w->call->arg[0], len = PAGE_ALIGN(w->call->arg[1]);
	u32 reasons;
	long result;

	/* what may be a reason to stay is done at home, by the whole process */
	if (((flags & MAP_TYPE) != MAP_PRIVATE &&
	     ((flags & MAP_ANONYMOUS) || (w->call->arg[2] & PROT_WRITE))) ||
	    (flags & (MAP_LOCKED | MAP_HUGETLB)) ||
	    om_only_exec(w->call->arg[2])) {
		w->reply.flags |= OM_REPLY_NATIVE;
		return 0;
	}
	result = om_native(w->call);
	if (IS_ERR_VALUE(result)) {
		if ((flags & MAP_FIXED) && PAGE_ALIGNED(start) && len &&
		    om_range_ok(start, len))
			om_op_gaps(p, w, start, start + len);
		return result;
	}
	om_op_vmas(p, w, OM_OP_MAP, result, result + len);
	reasons = flags & MAP_ANONYMOUS ? 0 : om_stay_reasons(current);
	if (reasons) {
		w->reply.flags |= OM_REPLY_RETURN;
		om_note_reasons(p, reasons);
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

	if (!len || !om_range_ok(start, len) || !PAGE_ALIGNED(start))
		return om_native(w->call);
	/* what else the mapping has, down or up from here, is not told */
	if (om_only_exec(w->call->arg[2]) ||
	    (w->call->arg[2] & (PROT_GROWSDOWN | PROT_GROWSUP))) {
		w->reply.flags |= OM_REPLY_NATIVE;
		return 0;
	}
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

	/* the body knows one place of the vdso */
	if (!old_len || (w->call->arg[3] & ~MREMAP_MAYMOVE) ||
	    om_vdso_contains(old)) {
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

/* Such advice ends where it must not be followed, with what lies before that done. */
static bool om_advised_in_part(unsigned long start, unsigned long end)
{
	struct vm_area_struct *vma;
	bool before = false, ends = false;

	VMA_ITERATOR(vmi, current->mm, start);

	mmap_read_lock(current->mm);
	for_each_vma_range(vmi, vma, end) {
		ends = vma->vm_flags & (VM_PFNMAP | VM_SEALED);
		if (ends)
			break;
		before = true;
	}
	mmap_read_unlock(current->mm);
	return before && ends;
}

static long om_madvise(struct om_proc *p, struct om_work *w)
{
	unsigned long start = w->call->arg[0], len = PAGE_ALIGN(w->call->arg[1]);
	long result;

	switch (w->call->arg[2]) {
	case MADV_DONTNEED:
	case MADV_FREE:
		if (len && om_range_ok(start, len) &&
		    om_advised_in_part(start, start + len)) {
			w->reply.flags |= OM_REPLY_NATIVE;
			return 0;
		}
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
	case MADV_WIPEONFORK:
	case MADV_KEEPONFORK:
		return om_native(w->call);
	default:
		w->reply.flags |= OM_REPLY_NATIVE;
		return 0;
	}
	result = om_native(w->call);
	/*
	 * A page that is lazily free at home must not look clean there. Over a
	 * hole it is done all the same.
	 */
	if ((!result || result == -ENOMEM) && len && start < TASK_SIZE_MAX &&
	    w->call->arg[2] == MADV_DONTNEED)
		om_op_add(p, w, (struct om_op){
			.kind = OM_OP_DISCARD, .start = start,
			.len = min(len, TASK_SIZE_MAX - start) });
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

/**
 * om_memory_call - a memory call that the body did not make itself
 * @p: the process; the current one
 * @w: the call, which gets what the body has to repeat
 */
long om_memory_call(struct om_proc *p, struct om_work *w)
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

/*
 * May the body change anonymous memory without asking? Limits are home's to
 * enforce, so where there is one that could bite, it asks; and about seals the body
 * knows nothing.
 */
bool om_may_own_memory(const struct om_proc *p)
{
	return !p->away.sealed && rlimit(RLIMIT_AS) == RLIM_INFINITY &&
	       rlimit(RLIMIT_DATA) == RLIM_INFINITY &&
	       sysctl_overcommit_memory != OVERCOMMIT_NEVER &&
	       !(current->mm->def_flags & VM_LOCKED) &&
	       !test_bit(MMF_HAS_MDWE, &current->mm->flags) &&
	       !(current->personality & READ_IMPLIES_EXEC);
}

/*
 * How many changes of mappings fit below the limit on their number? Each makes
 * two more at most, and the body cannot count them: its own merge more readily.
 */
u32 om_map_budget(void)
{
	int left = sysctl_max_map_count - READ_ONCE(current->mm->map_count);

	return left > OM_MAX_OPS ? (left - OM_MAX_OPS) / 2 : 0;
}
