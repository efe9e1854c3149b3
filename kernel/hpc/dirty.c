// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a body has and home has not: pages on their way home.
 *
 * When home asks for the process, most of them are sent while it goes on
 * running, so that only what it changes meanwhile is left for when it stands
 * still.
 */
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/pagewalk.h>
#include <linux/swap.h>
#include <asm/tlbflush.h>

#include "om.h"

/* Bytes sent and not yet acknowledged, while the process runs. */
#define OM_EARLY_WINDOW	(512 * 1024)
/* Of these, what may lie ahead of it when it stands still. */
#define OM_EARLY_LEFT	(16 * 1024)
/* Jiffies without the program, also where the link takes faster than we send. */
#define OM_EARLY_TURN	2

struct om_dirty {
	bool early;		/* and call them clean */
	DECLARE_BITMAP(pages, PTRS_PER_PTE);
};

/* A page as home has it. A write through a pin of it dirties only the folio. */
static bool om_is_clean(pte_t pte)
{
	return pte_present(pte) && (pte_flags(pte) & OM_PTE_FROM_HOME) &&
	       !pte_dirty(pte) && !folio_test_dirty(page_folio(pte_page(pte)));
}

static void om_dirty_pte(struct om_dirty *d, struct vm_area_struct *vma,
			 pte_t *ptep, unsigned long addr)
{
	pte_t pte = ptep_get(ptep);
	struct folio *folio = NULL;

	if (om_pte_is_hole(pte) || om_is_clean(pte))
		return;
	if (pte_present(pte)) {
		if (is_zero_pfn(pte_pfn(pte)))
			return;
		folio = vm_normal_folio(vma, addr, pte);
	}
	if (d->early) {
		/*
		 * What is not plain memory waits until the end. So does what has a
		 * place in swap: the mark in its entry alone says that it differs from
		 * what is there.
		 */
		if (!folio || folio_test_dirty(folio) ||
		    folio_test_swapcache(folio))
			return;
		pte = ptep_get_and_clear(vma->vm_mm, addr, ptep);
		pte = pte_set_flags(pte_mkclean(pte), OM_PTE_FROM_HOME);
		set_pte_at(vma->vm_mm, addr, ptep, pte);
	}
	__set_bit(pte_index(addr), d->pages);
}

/*
 * A whole table at a time: the process stands still while all its tables are looked
 * through, most of them in vain.
 */
static int om_dirty_pmd(pmd_t *pmd, unsigned long addr, unsigned long next,
			struct mm_walk *walk)
{
	struct om_dirty *d = walk->private;
	pte_t *start, *ptep;
	spinlock_t *ptl;

	/* a body has none, but if it had one it would be new */
	if (pmd_trans_huge(pmdp_get_lockless(pmd))) {
		if (!d->early)
			bitmap_set(d->pages, pte_index(addr),
				   (next - addr) >> PAGE_SHIFT);
		return 0;
	}
	start = pte_offset_map_lock(walk->mm, pmd, addr, &ptl);
	if (!start)
		return 0;
	for (ptep = start; addr < next; ptep++, addr += PAGE_SIZE)
		om_dirty_pte(d, walk->vma, ptep, addr);
	pte_unmap_unlock(start, ptl);
	return 0;
}

static const struct mm_walk_ops om_dirty_ops = {
	.pmd_entry = om_dirty_pmd,
	.walk_lock = PGWALK_RDLOCK,
};

/*
 * Lists the dirty pages of the first page table at or after @addr, which is moved
 * there. Returns the end of what was looked at, or 0.
 */
static unsigned long om_dirty_scan(struct om_dirty *d, unsigned long *addr)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	unsigned long end = 0;

	bitmap_zero(d->pages, PTRS_PER_PTE);
	*addr = om_next_table(*addr);
	mmap_read_lock(mm);
	vma = find_vma(mm, *addr);
	if (vma) {
		*addr = max(*addr, vma->vm_start);
		end = min(pmd_addr_end(*addr, vma->vm_end), vma->vm_end);
		walk_page_range(mm, *addr, end, &om_dirty_ops, d);
		/* from here on the CPU notes a write to them again */
		if (d->early && !bitmap_empty(d->pages, PTRS_PER_PTE))
			flush_tlb_range(vma, *addr, end);
	}
	mmap_read_unlock(mm);
	return end;
}

static int om_dirty_send(struct om_body *b, const struct om_dirty *d,
			 unsigned long addr, unsigned long end)
{
	struct om_batch batch = { };
	struct page *page;
	int ret = 0;

	if (bitmap_empty(d->pages, PTRS_PER_PTE))
		return 0;
	for (; addr < end && !ret; addr += PAGE_SIZE) {
		if (!test_bit(pte_index(addr), d->pages))
			continue;
		if (pte_index(addr) % 8 == 3 && om_mutant("lose-page"))
			continue;
		page = get_dump_page(addr);
		/* swap that cannot be read, or death: it must not be left out */
		if (!page) {
			om_batch_drop(&batch);
			return -EFAULT;
		}
		om_batch_add(&batch, addr, page);
		if (batch.count == OM_MAX_PAGES)
			ret = om_batch_send(b->link, &batch, false);
	}
	return ret ? ret : om_batch_send(b->link, &batch, false);
}

/**
 * om_send_dirty - send home every page that home does not have as it is
 * @b: the body; the current task, which will not run user code again
 *
 * Returns 0 or a negative errno.
 */
int om_send_dirty(struct om_body *b)
{
	struct om_dirty dirty = { };
	unsigned long addr = 0, end;
	int ret = 0;

	while (!ret && (end = om_dirty_scan(&dirty, &addr))) {
		ret = om_dirty_send(b, &dirty, addr, end);
		addr = end;
	}
	return ret;
}

/**
 * om_send_early - send home some of the dirty pages, and run on
 * @b: the body; the current task, with its user code going on in between
 *
 * Returns 1 when all have had their turn and the way home is clear, 0 if not yet,
 * or a negative errno.
 */
int om_send_early(struct om_body *b)
{
	const unsigned long until = jiffies + OM_EARLY_TURN;
	struct om_dirty dirty = { .early = true };
	unsigned long end;
	int ret = om_flush_ops(b);

	while (!ret && om_link_inflight(b->link) < OM_EARLY_WINDOW &&
	       time_before(jiffies, until)) {
		end = om_dirty_scan(&dirty, &b->sent_to);
		if (!end)
			return om_link_inflight(b->link) <= OM_EARLY_LEFT;
		ret = om_dirty_send(b, &dirty, b->sent_to, end);
		b->sent_to = end;
	}
	return ret;
}
