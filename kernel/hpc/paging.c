// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of a body.
 *
 * A page from home is mapped clean and writable: the CPU's dirty bit is the log
 * of what changed, at no cost. A page table entry that we made is marked by a
 * bit which no path of the kernel carries over a swap, a merge or a migration of
 * the page, so an entry that went through one of these counts as dirty.
 *
 * Pages that arrive while nobody can map them (inside a fault, where the locks
 * are held already) wait in the stash, which every fault looks into first.
 */
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/pagewalk.h>
#include <linux/rmap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <asm/tlbflush.h>

#include "om.h"
#include "trace.h"
#include "../mm/internal.h"

#define OM_MAP_AROUND	16	/* stashed pages mapped with a faulting one */
/*
 * Pages in the stash: beyond the first number they are mapped when that is possible,
 * beyond the second home sends what nobody can have asked for. A stub is sent but the
 * hot ones, as they were before the process stood still and as they were then.
 */
#define OM_STASH_SOFT	1024
#define OM_STASH_HARD	16384
#define OM_STASH_STUB	(2 * OM_MAX_HOT)

/* Which ranges home still may have something for. */
static unsigned long om_owned(struct om_body *b, unsigned long addr)
{
	void *entry = mtree_load(&b->owned, addr);

	return entry ? xa_to_value(entry) : 0;
}

static void om_stash_take(struct om_body *b, unsigned long index)
{
	if (xa_erase(&b->stash, index))
		b->stashed--;
}

void om_stash_drop(struct om_body *b, unsigned long start, unsigned long end)
{
	unsigned long index;
	struct page *page;

	if (start >= end)
		return;
	xa_for_each_range(&b->stash, index, page, start >> PAGE_SHIFT,
			  (end - 1) >> PAGE_SHIFT) {
		om_stash_take(b, index);
		put_page(page);
	}
}

/* Keeps the pages of a message. Returns 0 or a negative errno. */
int om_stash_pages(struct om_body *b, const struct om_msg *msg)
{
	const struct om_pages *head = msg->data;
	const u64 *addr = msg->data + sizeof(*head);
	const void *from;
	struct page *page;
	unsigned int i, most;
	int ret = om_pages_check(msg->data, msg->len);

	if (ret)
		return ret;
	from = addr + head->count;
	most = b->running ? OM_STASH_HARD : OM_STASH_STUB;
	for (i = 0; i < head->count; i++, from += PAGE_SIZE) {
		if (!om_owned(b, addr[i]))
			continue;
		if (b->stashed >= most)
			return -EPROTO;
		page = alloc_page(GFP_HIGHUSER_MOVABLE);
		if (!page)
			return -ENOMEM;
		if (mem_cgroup_charge(page_folio(page), current->mm, GFP_KERNEL)) {
			put_page(page);
			return -ENOMEM;
		}
		copy_page(page_address(page), (void *)from);
		ret = xa_insert(&b->stash, addr[i] >> PAGE_SHIFT, page,
				GFP_KERNEL);
		if (!ret)
			b->stashed++;
		else
			put_page(page);
		if (ret && ret != -EBUSY)
			return ret;
	}
	return 0;
}

/*
 * Maps a page from home. Returns 0, -EEXIST if something is mapped there
 * already, or another errno; the page is the caller's in all but the first case.
 */
static int om_map_page(struct vm_area_struct *vma, pmd_t *pmd,
		       unsigned long addr, struct page *page)
{
	struct mm_struct *mm = vma->vm_mm;
	struct folio *folio = page_folio(page);
	spinlock_t *ptl;
	pte_t *ptep, pte;

	if (pte_alloc(mm, pmd))
		return -ENOMEM;
	__folio_mark_uptodate(folio);
	pte = mk_pte(page, vma->vm_page_prot);
	pte = pte_mkclean(pte_mkyoung(pte));
	if (vma->vm_flags & VM_WRITE)
		pte = pte_mkclean(pte_mkwrite(pte, vma));
	pte = pte_set_flags(pte, OM_PTE_FROM_HOME);

	ptep = pte_offset_map_lock(mm, pmd, addr, &ptl);
	if (!ptep)
		return -EAGAIN;
	if (!pte_none(ptep_get(ptep))) {
		pte_unmap_unlock(ptep, ptl);
		return -EEXIST;
	}
	inc_mm_counter(mm, MM_ANONPAGES);
	folio_add_new_anon_rmap(folio, vma, addr, RMAP_EXCLUSIVE);
	folio_add_lru_vma(folio, vma);
	set_pte_at(mm, addr, ptep, pte);
	update_mmu_cache(vma, addr, ptep);
	pte_unmap_unlock(ptep, ptl);
	return 0;
}

/*
 * Takes a page out of the stash and maps it; drops it if it is not needed. If there
 * is no memory to map it with, it stays there: nobody else has it any more.
 */
static int om_map_stashed(struct om_body *b, struct vm_area_struct *vma,
			  pmd_t *pmd, unsigned long addr)
{
	struct page *page = xa_load(&b->stash, addr >> PAGE_SHIFT);
	int ret;

	if (!page)
		return -ENOENT;
	ret = om_map_page(vma, pmd, addr, page);
	if (ret && ret != -EEXIST)
		return ret;
	om_stash_take(b, addr >> PAGE_SHIFT);
	if (ret)
		put_page(page);
	else
		b->prefetched++;
	return ret;
}

static pmd_t *om_pmd_of(struct mm_struct *mm, unsigned long addr)
{
	p4d_t *p4d = p4d_alloc(mm, pgd_offset(mm, addr), addr);
	pud_t *pud = p4d ? pud_alloc(mm, p4d, addr) : NULL;

	return pud ? pmd_alloc(mm, pud, addr) : NULL;
}

/* Maps what waits in the stash, as far as there is memory. Called without locks. */
void om_stash_map(struct om_body *b)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	unsigned long index, addr;
	struct page *page;
	pmd_t *pmd;

	if (xa_empty(&b->stash))
		return;
	mmap_read_lock(mm);
	xa_for_each(&b->stash, index, page) {
		addr = index << PAGE_SHIFT;
		vma = vma_lookup(mm, addr);
		/* tables are freed with a mapping */
		pmd = vma ? om_pmd_of(mm, addr) : NULL;
		if (!pmd || anon_vma_prepare(vma))
			continue;
		om_map_stashed(b, vma, pmd, addr);
	}
	mmap_read_unlock(mm);
}

/* The stash is no place for much: nobody sees what it takes. Called without locks. */
void om_stash_relieve(struct om_body *b)
{
	if (b->stashed > OM_STASH_SOFT)
		om_stash_map(b);
}

/* The same, of which this range must not be left out. Returns 0 or -ENOMEM. */
int om_stash_map_range(struct om_body *b, unsigned long start,
		       unsigned long end)
{
	unsigned long index = start >> PAGE_SHIFT;

	om_stash_map(b);
	return start < end && xa_find(&b->stash, &index, (end - 1) >> PAGE_SHIFT,
				      XA_PRESENT) ? -ENOMEM : 0;
}

/* Waits until home has answered for @addr. Called with the mmap lock held. */
static int om_demand(struct om_body *b, unsigned long addr)
{
	u64 page = addr;
	struct om_msg msg;
	int ret;

	b->bad = 0;
	b->asked++;
	trace_om_guest_fault(b->home, b->home_pid, addr);
	ret = om_send_ops(b);
	if (!ret)
		ret = om_link_send_one(b->link, OM_M_FAULT, &page,
				       sizeof(page));
	if (ret)
		return ret;
	for (;;) {
		ret = om_link_recv_wait(b->link, &msg, OM_LINK_TIMEOUT);
		if (ret < 0)
			return ret;
		ret = om_body_dispatch(b, &msg);
		if (ret)
			return ret;
		if (b->bad == addr)
			return -EFAULT;
		if (!om_owned(b, addr) ||
		    xa_load(&b->stash, addr >> PAGE_SHIFT))
			return 0;
	}
}

static void om_map_around(struct om_body *b, struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long at = vmf->address & PAGE_MASK, end;
	unsigned int i;
	int ret;

	end = min(vma->vm_end, (at & PMD_MASK) + PMD_SIZE);
	for (i = 0; i < OM_MAP_AROUND; i++) {
		at += PAGE_SIZE;
		if (at >= end)
			return;
		ret = om_map_stashed(b, vma, vmf->pmd, at);
		if (ret && ret != -EEXIST)
			return;
	}
}

/**
 * om_fault - a page of a body is missing
 * @vmf: the fault
 * @ret: out, what to answer
 *
 * Returns false if the memory is no body's or the page exists nowhere, and the
 * kernel fills it with zeros as ever. Called with the mmap lock or the lock of
 * the mapping held, so it never exits, it lets the task die at its return.
 */
bool om_fault(struct vm_fault *vmf, unsigned int *ret)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long addr = vmf->address & PAGE_MASK;
	struct om_body *b = vma->vm_mm->om_body;
	int error;

	if (likely(!b))
		return false;
	*ret = VM_FAULT_SIGBUS;
	/* ps and gdb of this node look at what is there, and get no more */
	if (current->mm != vma->vm_mm || current != b->task)
		return true;
	if (!xa_load(&b->stash, addr >> PAGE_SHIFT) && !om_owned(b, addr))
		return false;
	*ret = vmf_anon_prepare(vmf);
	if (*ret)
		return true;
	*ret = VM_FAULT_SIGBUS;
	if (!xa_load(&b->stash, addr >> PAGE_SHIFT)) {
		/* it may be reading the message that the answer would replace */
		if (fatal_signal_pending(current))
			return true;
		error = om_demand(b, addr);
		if (error == -EFAULT)
			return true;
		if (error) {
			om_link_kill(b->link, error);
			send_sig(SIGKILL, current, 1);
			return true;
		}
		if (!xa_load(&b->stash, addr >> PAGE_SHIFT))
			return false;	/* a hole at home: zeros */
	}
	error = om_map_stashed(b, vma, vmf->pmd, addr);
	if (error && error != -EEXIST && error != -EAGAIN) {
		*ret = VM_FAULT_OOM;
		return true;
	}
	om_map_around(b, vmf);
	/* at home it would have been there */
	b->base.minor_faults++;
	*ret = VM_FAULT_NOPAGE;
	return true;
}

/* Does the body have this page, so that home's copy may be stale? */
bool om_body_has(struct om_body *b, unsigned long addr)
{
	struct mm_struct *mm = current->mm;
	bool has = true;
	spinlock_t *ptl;
	pmd_t *pmd;
	pte_t *pte;

	if (!om_owned(b, addr) || xa_load(&b->stash, addr >> PAGE_SHIFT))
		return true;
	mmap_read_lock(mm);
	pmd = mm_find_pmd(mm, addr);
	pte = pmd ? pte_offset_map_lock(mm, pmd, addr, &ptl) : NULL;
	if (pte) {
		has = !pte_none(ptep_get(pte));
		pte_unmap_unlock(pte, ptl);
	} else {
		has = false;
	}
	mmap_read_unlock(mm);
	return has;
}
