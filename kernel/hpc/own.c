// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory calls that a body makes itself: on private anonymous memory, which no
 * other process can see. What was done is written down, and home repeats it
 * before it next looks at that memory. The address space is laid out as at home,
 * so an address that is free here is free there. A call for which there is no room
 * here is made once more, at home: only home's limits count.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/signal.h>
#include <asm/unistd.h>

#include "om.h"

/* More than that is asked for at home, where the memory would be missing. */
#define OM_OWN_MAX	(256UL << 20)

#define OM_OWN_MAP_FLAGS (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED |	\
			  MAP_FIXED_NOREPLACE | MAP_NORESERVE | MAP_STACK)

/**
 * om_send_ops - tell home of the calls that were made here
 * @b: the body
 *
 * All that a fault needs: a stack that has grown holds nothing of home's. May be
 * called with the mmap lock held, unlike om_flush_ops(). Returns 0 or a negative errno.
 */
int om_send_ops(struct om_body *b)
{
	unsigned int n = b->nops;
	struct kvec vec = { .iov_base = b->op, .iov_len = n * sizeof(b->op[0]) };

	if (!n)
		return 0;
	b->nops = 0;
	return om_link_send(b->link, OM_M_OPS, &vec, 1, true);
}

static void om_op_write(struct om_body *b, struct om_op op)
{
	b->op[b->nops++] = op;
	/* an error is seen at the next use of the link */
	if (b->nops == OM_MAX_OPS)
		om_send_ops(b);
}

/*
 * A stack grows here without a call. At home it has to before anything else is done
 * there: a lower limit is set, a mapping put where there is room, a device told to
 * write into a buffer, a page of it brought.
 */
static void om_write_down_growth(struct om_body *b)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;

	VMA_ITERATOR(vmi, mm, 0);

	if (READ_ONCE(mm->stack_vm) == b->stack_vm)
		return;
	mmap_read_lock(mm);
	b->stack_vm = mm->stack_vm;
	for_each_vma(vmi, vma)
		if (vma->vm_flags & VM_GROWSDOWN)
			om_op_write(b, (struct om_op){
				.kind = OM_OP_GROW, .start = vma->vm_start });
	mmap_read_unlock(mm);
}

/**
 * om_flush_ops - tell home of all that has become of the address space
 * @b: the body
 *
 * Called without locks. Returns 0 or a negative errno.
 */
int om_flush_ops(struct om_body *b)
{
	om_write_down_growth(b);
	return om_send_ops(b);
}

static void om_write_down(struct om_body *b, struct om_op op)
{
	om_write_down_growth(b);
	om_op_write(b, op);
	b->budget--;
}

/* Is there nothing but anonymous memory, as far as home is concerned? */
static bool om_all_own(struct om_body *b, unsigned long start, unsigned long len)
{
	unsigned long at = start, end = start + len;
	void *entry;

	if (!om_range_sane(start, len))
		return false;
	mt_for_each(&b->owned, entry, at, end - 1)
		if (xa_to_value(entry) == OM_OWNED_FILE)
			return false;
	return true;
}

/* What home had there is of no use any more. */
static void om_disown(struct om_body *b, unsigned long start, unsigned long end)
{
	int ret;

	om_stash_drop(b, start, end);
	ret = om_set_owned(b, start, end, 0);
	/* the two sides differ from here: the process cannot go on */
	if (ret)
		om_link_kill(b->link, ret);
}

static bool om_own_mmap(struct om_body *b, const struct pt_regs *regs,
			long *result)
{
	unsigned long len = PAGE_ALIGN(regs->si), prot = regs->dx;
	unsigned long flags = regs->r10;

	if (!len || len > OM_OWN_MAX || (flags & ~OM_OWN_MAP_FLAGS) ||
	    (prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC)) ||
	    prot == PROT_EXEC || (regs->r9 & ~PAGE_MASK) ||
	    (flags & (MAP_PRIVATE | MAP_ANONYMOUS)) !=
	    (MAP_PRIVATE | MAP_ANONYMOUS))
		return false;
	if ((flags & MAP_FIXED) && !(flags & MAP_FIXED_NOREPLACE) &&
	    !om_all_own(b, regs->di, len))
		return false;
	*result = om_own_call(__NR_mmap, regs->di, len, prot,
			      flags | MAP_NORESERVE, -1);
	/* only home knows who may have the lowest addresses */
	if (*result == -EPERM)
		*result = -ENOMEM;
	if (IS_ERR_VALUE(*result))
		return true;
	om_disown(b, *result, *result + len);
	om_write_down(b, (struct om_op){
		.kind = OM_OP_MAP, .start = *result, .len = len,
		.flags = (prot & PROT_READ ? OM_VMA_READ : 0) |
			 (prot & PROT_WRITE ? OM_VMA_WRITE : 0) |
			 (prot & PROT_EXEC ? OM_VMA_EXEC : 0) | OM_VMA_ANON });
	return true;
}

static bool om_own_munmap(struct om_body *b, const struct pt_regs *regs,
			  long *result)
{
	unsigned long start = regs->di, len = PAGE_ALIGN(regs->si);

	if (!om_all_own(b, start, len))
		return false;
	*result = om_own_call(__NR_munmap, start, len, 0, 0, 0);
	if (!*result) {
		om_disown(b, start, start + len);
		om_write_down(b, (struct om_op){
			.kind = OM_OP_UNMAP, .start = start, .len = len });
	}
	return true;
}

static bool om_own_mprotect(struct om_body *b, const struct pt_regs *regs,
			    long *result)
{
	unsigned long start = regs->di, len = PAGE_ALIGN(regs->si);
	unsigned long prot = regs->dx;

	if ((prot & ~(PROT_READ | PROT_WRITE | PROT_EXEC)) ||
	    prot == PROT_EXEC || len > OM_OWN_MAX || !om_all_own(b, start, len))
		return false;
	*result = om_own_call(__NR_mprotect, start, len, prot, 0, 0);
	if (*result == -ENOMEM)
		return true;
	om_write_down(b, (struct om_op){
		.kind = OM_OP_PROTECT, .start = start, .len = len,
		.flags = (prot & PROT_READ ? OM_VMA_READ : 0) |
			 (prot & PROT_WRITE ? OM_VMA_WRITE : 0) |
			 (prot & PROT_EXEC ? OM_VMA_EXEC : 0) });
	return true;
}

static bool om_own_brk(struct om_body *b, const struct pt_regs *regs,
		       long *result)
{
	unsigned long old = PAGE_ALIGN(current->mm->brk), new;

	if (regs->di > current->mm->brk + OM_OWN_MAX)
		return false;
	*result = om_own_call(__NR_brk, regs->di, 0, 0, 0, 0);
	new = PAGE_ALIGN(current->mm->brk);
	if (*result != regs->di) {
		/* unless it was but a question */
		if (regs->di >= current->mm->start_brk)
			*result = -ENOMEM;
		return true;
	}
	if (new < old)
		om_disown(b, new, old);
	om_write_down(b, (struct om_op){
		.kind = OM_OP_BRK, .start = *result, .len = 0 });
	return true;
}

static bool om_own_mremap(struct om_body *b, const struct pt_regs *regs,
			  long *result)
{
	unsigned long old = regs->di, len = PAGE_ALIGN(regs->si);
	unsigned long new_len = PAGE_ALIGN(regs->dx);

	if ((regs->r10 & ~MREMAP_MAYMOVE) || !new_len || new_len > OM_OWN_MAX ||
	    !om_all_own(b, old, len))
		return false;
	/* pages of what was there before may be on their way to the new place */
	if ((regs->r10 & MREMAP_MAYMOVE) && om_owned_any(b, old, old + len))
		return false;
	/* home will not send again what it has sent */
	*result = om_stash_map_range(b, old, old + len);
	if (*result)
		return true;
	*result = om_own_call(__NR_mremap, old, len, new_len, regs->r10, 0);
	if (IS_ERR_VALUE(*result))
		return true;
	if (*result != old) {
		om_disown(b, old, old + len);
		b->moves++;
	} else if (new_len < len) {
		om_disown(b, old + new_len, old + len);
	}
	om_write_down(b, (struct om_op){
		.kind = OM_OP_MOVE, .start = old, .len = len,
		.to = *result, .to_len = new_len });
	return true;
}

static bool om_own_madvise(struct om_body *b, const struct pt_regs *regs,
			   long *result)
{
	unsigned long start = regs->di, len = PAGE_ALIGN(regs->si);

	if (!om_all_own(b, start, len))
		return false;
	switch (regs->dx) {
	case MADV_FREE:
		/* lazily, that is: not now; but is all of it there? */
		*result = om_own_call(__NR_madvise, start, len, MADV_NORMAL, 0,
				      0);
		return true;
	case MADV_DONTNEED:
		break;
	default:
		return false;
	}
	*result = om_own_call(__NR_madvise, start, len, MADV_DONTNEED, 0, 0);
	/* over a hole it does what it can and fails: at home as well */
	if (*result)
		return true;
	om_disown(b, start, start + len);
	om_write_down(b, (struct om_op){
		.kind = OM_OP_DISCARD, .start = start, .len = len });
	return true;
}

/**
 * om_own_resident - add what is in memory here to what home said of it
 * @start: of the range that mincore() was asked about
 * @len: of it
 * @vec: a byte for each page, as home has filled it
 *
 * What the process has touched only here, home does not have.
 */
void om_own_resident(u64 start, u64 len, u64 vec)
{
	u8 *at_home = (u8 *)__get_free_page(GFP_KERNEL);
	u64 pages = DIV_ROUND_UP(len, PAGE_SIZE), n, i;
	u8 __user *to = (u8 __user *)vec;

	if (!at_home)
		return;
	for (; pages; pages -= n, start += n << PAGE_SHIFT, to += n) {
		n = min_t(u64, pages, PAGE_SIZE);
		if (copy_from_user(at_home, to, n))
			break;
		om_own_call(__NR_mincore, start, n << PAGE_SHIFT,
			    (unsigned long)to, 0, 0);
		for (i = 0; i < n; i++)
			if (at_home[i] && put_user(at_home[i], to + i))
				break;
	}
	free_page((unsigned long)at_home);
}

/**
 * om_own_memory - make a memory call here, if it is one that may be
 * @b: the body
 * @regs: number and arguments of the call
 * @result: out; -ENOMEM if it cannot be made here, and the process has to be home
 *
 * Returns false if home has to see to it.
 */
bool om_own_memory(struct om_body *b, const struct pt_regs *regs, long *result)
{
	if (!b->own_memory || !b->budget)
		return false;
	switch (regs->orig_ax) {
	case __NR_mmap:
		return om_own_mmap(b, regs, result);
	case __NR_munmap:
		return om_own_munmap(b, regs, result);
	case __NR_mprotect:
		return om_own_mprotect(b, regs, result);
	case __NR_brk:
		return om_own_brk(b, regs, result);
	case __NR_mremap:
		return om_own_mremap(b, regs, result);
	case __NR_madvise:
		return om_own_madvise(b, regs, result);
	default:
		return false;
	}
}
