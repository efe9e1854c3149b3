// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which of home's pages the body has got: a bit a page.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "om.h"

struct om_sent {
	DECLARE_BITMAP(pages, PTRS_PER_PTE);
};

static struct om_sent *om_sent_of(struct om_away *away, unsigned long addr)
{
	return xa_load(&away->sent, addr >> PMD_SHIFT);
}

/* Has the body got this page, or is it on its way? */
bool om_was_sent(struct om_away *away, unsigned long addr)
{
	struct om_sent *s = om_sent_of(away, addr);

	return s && test_bit(pte_index(addr), s->pages);
}

int om_mark_sent(struct om_away *away, unsigned long addr)
{
	struct om_sent *s = om_sent_of(away, addr);

	if (!s) {
		s = kzalloc(sizeof(*s), GFP_KERNEL);
		if (!s)
			return -ENOMEM;
		if (xa_is_err(xa_store(&away->sent, addr >> PMD_SHIFT, s,
				       GFP_KERNEL))) {
			kfree(s);
			return -ENOMEM;
		}
	}
	__set_bit(pte_index(addr), s->pages);
	return 0;
}

/* The content there is new: what was sent is no longer what was sent. */
void om_sent_clear(struct om_away *away, unsigned long start,
		   unsigned long end)
{
	unsigned long index, first, last;
	struct om_sent *s;

	if (start >= end)
		return;
	xa_for_each_range(&away->sent, index, s, start >> PMD_SHIFT,
			  (end - 1) >> PMD_SHIFT) {
		first = max(start, index << PMD_SHIFT);
		last = min(end - 1, (index << PMD_SHIFT) + PMD_SIZE - 1);
		bitmap_clear(s->pages, pte_index(first),
			     pte_index(last) - pte_index(first) + 1);
	}
}

/**
 * om_note_written - a call has written memory at home
 * @away: the process's pages
 * @addr: where
 * @len: how many bytes
 *
 * A page that the body lacks is not written there, for home will send it. If it
 * was empty when the push came by and is not any more, the push has to come by
 * once more: without that the body would take it for empty when it hears that all
 * is pushed.
 */
void om_note_written(struct om_away *away, unsigned long addr, size_t len)
{
	unsigned long end = min(addr + len, away->cursor);

	if (away->pushed || away->again)
		return;
	for (addr &= PAGE_MASK; addr < end && !away->again &&
	     !fatal_signal_pending(current); addr += PAGE_SIZE)
		away->again = !om_was_sent(away, addr) &&
			      om_has_content(addr);
}

/* What one thread began, others end, and not one of them alone. */
void om_sent_free(struct om_away *away)
{
	struct om_sent *s;
	unsigned long index;

	xa_for_each(&away->sent, index, s)
		kfree(xa_erase(&away->sent, index));
	xa_destroy(&away->sent);
	om_hot_free(away);
}
