// SPDX-License-Identifier: GPL-2.0-only
/*
 * The address space of a body: the mappings of home, all of them as private
 * anonymous memory, since whatever is in them comes over the link.
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/syscalls.h>
#include <asm/syscall.h>
#include <asm/unistd.h>

#include "om.h"

/* PROT_* of OM_VMA_* */
int om_prot(u32 flags)
{
	return (flags & OM_VMA_READ ? PROT_READ : 0) |
	       (flags & OM_VMA_WRITE ? PROT_WRITE : 0) |
	       (flags & OM_VMA_EXEC ? PROT_EXEC : 0);
}

bool om_range_sane(u64 start, u64 len)
{
	return PAGE_ALIGNED(start) && PAGE_ALIGNED(len) && len &&
	       om_range_ok(start, len);
}

int om_set_owned(struct om_body *b, unsigned long start,
			unsigned long end, unsigned long kind)
{
	/* how many ranges there are is for home to say: they are the body's memory */
	return mtree_store_range(&b->owned, start, end - 1,
				 kind ? xa_mk_value(kind) : NULL,
				 GFP_KERNEL_ACCOUNT);
}

static int om_map(struct om_body *b, u64 start, u64 end, u32 flags)
{
	unsigned long how = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED |
			    MAP_NORESERVE;
	unsigned long at;

	if (!om_range_sane(start, end - start) || (flags & ~OM_VMA_FLAGS))
		return -EPROTO;
	if (flags & OM_VMA_STACK)
		how |= MAP_GROWSDOWN;
	at = vm_mmap(NULL, start, end - start, om_prot(flags), how, 0);
	/* the lowest addresses are for those whose home lets them */
	if (at == -EPERM)
		return -ENOMEM;
	return at == start ? 0 : IS_ERR_VALUE(at) ? (long)at : -ENOMEM;
}

/**
 * om_map_vma - make one mapping of a process that arrives
 * @b: the body
 * @v: the mapping, from the wire
 */
int om_map_vma(struct om_body *b, const struct om_vma *v)
{
	int ret = om_map(b, v->start, v->end, v->flags);

	if (ret)
		return ret;
	return om_set_owned(b, v->start, v->end,
			    v->flags & OM_VMA_ANON ? OM_OWNED_ANON :
						     OM_OWNED_FILE);
}

/**
 * om_set_layout - let new mappings go where home would put them
 * @prep: from the wire
 *
 * Returns 0 or -EPROTO.
 */
int om_set_layout(const struct om_prepare *prep)
{
	struct mm_struct *mm = current->mm;

	if ((prep->flags & ~OM_PREP_FLAGS) ||
	    prep->mmap_base >= TASK_SIZE_MAX || !PAGE_ALIGNED(prep->mmap_base) ||
	    prep->brk >= TASK_SIZE_MAX || prep->start_brk > prep->brk)
		return -EPROTO;
	mmap_write_lock(mm);
	mm->mmap_base = prep->mmap_base;
	mm->start_brk = prep->start_brk;
	mm->brk = prep->brk;
	if (prep->flags & OM_PREP_BOTTOM_UP) {
		mm->mmap_legacy_base = prep->mmap_base;
		clear_bit(MMF_TOPDOWN, &mm->flags);
	} else {
		set_bit(MMF_TOPDOWN, &mm->flags);
	}
	mmap_write_unlock(mm);
	return 0;
}

/* One of this task's own calls, on the memory that it holds for another. */
long om_own_call(unsigned int nr, unsigned long a, unsigned long b,
			unsigned long c, unsigned long d, unsigned long e)
{
	struct pt_regs regs = {
		.orig_ax = nr, .di = a, .si = b, .dx = c, .r10 = d, .r8 = e,
	};

	return x64_sys_call(&regs, nr);
}

unsigned long om_owned_any(struct om_body *b, unsigned long start,
				  unsigned long end)
{
	unsigned long at = start;
	void *entry = mt_find(&b->owned, &at, end - 1);

	return entry ? xa_to_value(entry) : 0;
}

/**
 * om_move_range - do what an mremap() did on the other side
 * @start: of what moves
 * @len: its length
 * @to: where it begins afterwards; may be @start
 * @to_len: its new length
 *
 * The two sides need not have split the range into mappings alike, and mremap()
 * takes one of them at a time. Returns 0 or a negative errno.
 */
int om_move_range(unsigned long start, unsigned long len, unsigned long to,
		  unsigned long to_len)
{
	unsigned long how = to == start ? 0 : MREMAP_MAYMOVE | MREMAP_FIXED;
	unsigned long at, n, new;
	struct vm_area_struct *vma;
	int ret;

	if (to_len < len) {
		ret = vm_munmap(start + to_len, len - to_len);
		if (ret)
			return ret;
		len = to_len;
	}
	for (at = 0; at < len; at += n) {
		mmap_read_lock(current->mm);
		vma = vma_lookup(current->mm, start + at);
		n = vma ? min(vma->vm_end - start - at, len - at) : 0;
		mmap_read_unlock(current->mm);
		if (!n)
			return -ENOMEM;
		new = at + n < len ? n : to_len - at;
		if (to == start && new == n)
			continue;
		if (om_own_call(__NR_mremap, start + at, n, new, how,
				to + at) != to + at)
			return -ENOMEM;
	}
	return 0;
}

static int om_move(struct om_body *b, const struct om_op *op)
{
	unsigned long owned = om_owned_any(b, op->start, op->start + op->len);
	int ret;

	if (!om_range_sane(op->to, op->to_len))
		return -EPROTO;
	/* home will not send again what it has sent */
	ret = om_stash_map_range(b, op->start, op->start + op->len);
	if (ret)
		return ret;
	om_stash_drop(b, op->to, op->to + op->to_len);
	ret = om_move_range(op->start, op->len, op->to, op->to_len);
	if (ret)
		return ret;
	b->moves++;
	ret = om_set_owned(b, op->start, op->start + op->len, 0);
	if (!ret)
		ret = om_set_owned(b, op->to, op->to + op->to_len, owned);
	return ret;
}

/**
 * om_apply_op - repeat a change of the address space that was made at home
 * @b: the body
 * @op: the change, from the wire
 *
 * An error means that the two sides differ from here: the process cannot go on.
 */
int om_apply_op(struct om_body *b, const struct om_op *op)
{
	unsigned long end = op->start + op->len;
	int ret;

	if (op->kind == OM_OP_BRK) {
		if (op->start >= TASK_SIZE_MAX)
			return -EPROTO;
		current->mm->brk = op->start;
		return 0;
	}
	if (!om_range_sane(op->start, op->len))
		return -EPROTO;
	switch (op->kind) {
	case OM_OP_UNMAP:
		om_stash_drop(b, op->start, end);
		ret = vm_munmap(op->start, op->len);
		return ret ? ret : om_set_owned(b, op->start, end, 0);
	case OM_OP_MAP:
		om_stash_drop(b, op->start, end);
		ret = om_map(b, op->start, end, op->flags);
		/* new anonymous memory is nobody's: no need to ask */
		return ret ? ret : om_set_owned(b, op->start, end,
				op->flags & OM_VMA_FILE ? OM_OWNED_FILE : 0);
	case OM_OP_PROTECT:
		if (op->flags & ~OM_VMA_FLAGS)
			return -EPROTO;
		return om_own_call(__NR_mprotect, op->start, op->len,
				   om_prot(op->flags), 0, 0);
	case OM_OP_MOVE:
		return om_move(b, op);
	case OM_OP_DISCARD:
		om_stash_drop(b, op->start, end);
		return om_own_call(__NR_madvise, op->start, op->len,
				   MADV_DONTNEED, 0, 0);
	default:
		return -EPROTO;
	}
}
