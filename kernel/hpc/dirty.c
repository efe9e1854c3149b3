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
#include <linux/swapops.h>
#include <asm/tlbflush.h>

#include "om.h"

/* Bytes sent and not yet acknowledged, while the process runs. */
#define OM_EARLY_WINDOW	(512 * 1024)

struct om_dirty {
	bool early;		/* and call them clean */
	DECLARE_BITMAP(pages, PTRS_PER_PTE);
};

static int om_dirty_pte(pte_t *ptep, unsigned long addr, unsigned long next,
			struct mm_walk *walk)
{
	struct om_dirty *d = walk->private;
	pte_t pte = ptep_get(ptep);
	struct folio *folio = NULL;

	if (pte_none(pte) || is_pte_marker(pte))
		return 0;
	if (pte_present(pte)) {
		if (is_zero_pfn(pte_pfn(pte)))
			return 0;
		folio = vm_normal_folio(walk->vma, addr, pte);
		/* a write through a pin of the page dirties only the folio */
		if (folio && (pte_flags(pte) & OM_PTE_FROM_HOME) &&
		    !pte_dirty(pte) && !folio_test_dirty(folio))
			return 0;
	}
	if (d->early) {
		/* what is not plain memory waits until the end */
		if (!folio || folio_test_dirty(folio))
			return 0;
		pte = ptep_get_and_clear(walk->mm, addr, ptep);
		pte = pte_set_flags(pte_mkclean(pte), OM_PTE_FROM_HOME);
		set_pte_at(walk->mm, addr, ptep, pte);
	}
	__set_bit(pte_index(addr), d->pages);
	return 0;
}

static const struct mm_walk_ops om_dirty_ops = {
	.pte_entry = om_dirty_pte,
	.walk_lock = PGWALK_RDLOCK,
};

/*
 * Lists the dirty pages of one PMD's worth of the first mapping at or after
 * @addr, which is moved there. Returns the end of what was looked at, or 0.
 */
static unsigned long om_dirty_scan(struct om_dirty *d, unsigned long *addr)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	unsigned long end = 0;

	bitmap_zero(d->pages, PTRS_PER_PTE);
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

	for (; addr < end && !ret; addr += PAGE_SIZE) {
		if (!test_bit(pte_index(addr), d->pages))
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
 * Returns 1 when all have had their turn, 0 if there are more, or a negative
 * errno.
 */
int om_send_early(struct om_body *b)
{
	struct om_dirty dirty = { .early = true };
	unsigned long end;
	int ret = om_flush_ops(b);

	while (!ret && om_link_inflight(b->link) < OM_EARLY_WINDOW) {
		end = om_dirty_scan(&dirty, &b->sent_to);
		if (!end)
			return 1;
		ret = om_dirty_send(b, &dirty, b->sent_to, end);
		b->sent_to = end;
	}
	return ret;
}
