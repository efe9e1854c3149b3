// SPDX-License-Identifier: GPL-2.0-only
/*
 * OM_M_PAGES, which both halves send: how they find pages, and collect them into one
 * message.
 */
#include <linux/mm.h>
#include <linux/pagewalk.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "om.h"

/* Is there nothing, neither here nor in swap? What was lost there is not nothing. */
bool om_pte_is_hole(pte_t pte)
{
	return pte_none(pte) ||
	       (is_pte_marker(pte) &&
		!is_poisoned_swp_entry(pte_to_swp_entry(pte)));
}

static int om_first_table(pmd_t *pmd, unsigned long addr, unsigned long next,
			  struct mm_walk *walk)
{
	*(unsigned long *)walk->private = addr;
	return 1;
}

static const struct mm_walk_ops om_table_ops = {
	.pmd_entry = om_first_table,
	.walk_lock = PGWALK_RDLOCK,
};

/**
 * om_next_table - skip what nobody has touched
 * @addr: where to begin
 *
 * A program may reserve many terabytes and use none of them. Returns @addr, or the
 * first address after it that has a page table or a huge page; TASK_SIZE_MAX if there
 * is none.
 */
unsigned long om_next_table(unsigned long addr)
{
	unsigned long found = TASK_SIZE_MAX;

	if (addr >= TASK_SIZE_MAX)
		return found;
	mmap_read_lock(current->mm);
	walk_page_range(current->mm, addr, TASK_SIZE_MAX, &om_table_ops, &found);
	mmap_read_unlock(current->mm);
	return found;
}

/* Takes over the caller's reference to @page. There must be room. */
void om_batch_add(struct om_batch *batch, unsigned long addr, struct page *page)
{
	batch->addr[batch->count] = addr;
	batch->page[batch->count++] = page;
}

/* Lets the pages go, sent or not. */
void om_batch_drop(struct om_batch *batch)
{
	while (batch->count)
		put_page(batch->page[--batch->count]);
}

/**
 * om_batch_send - send what was collected, and let it go
 * @link: to whom
 * @batch: at most OM_MAX_PAGES pages; empty on return
 * @more: another message follows at once
 *
 * Nothing collected is nothing sent. Returns 0 or a negative errno.
 */
int om_batch_send(struct om_link *link, struct om_batch *batch, bool more)
{
	struct om_pages head = { .count = batch->count };
	struct kvec vec[OM_MAX_PAGES + 2];
	unsigned int i;
	int ret;

	if (!batch->count)
		return 0;
	vec[0].iov_base = &head;
	vec[0].iov_len = sizeof(head);
	vec[1].iov_base = batch->addr;
	vec[1].iov_len = batch->count * sizeof(u64);
	for (i = 0; i < batch->count; i++) {
		vec[2 + i].iov_base = page_address(batch->page[i]);
		vec[2 + i].iov_len = PAGE_SIZE;
	}
	ret = om_link_send(link, OM_M_PAGES, vec, 2 + batch->count, more);
	om_count_add(OM_C_PAGES_OUT, batch->count);
	om_batch_drop(batch);
	return ret;
}

/* Is this payload of OM_M_PAGES well-formed? */
int om_pages_check(const void *data, size_t len)
{
	const struct om_pages *head = data;
	const u64 *addr = data + sizeof(*head);
	unsigned int i;

	if (len < sizeof(*head) || !head->count || head->count > OM_MAX_PAGES ||
	    len != sizeof(*head) + head->count * (sizeof(u64) + PAGE_SIZE))
		return -EPROTO;
	for (i = 0; i < head->count; i++)
		if (!PAGE_ALIGNED(addr[i]) || addr[i] >= TASK_SIZE_MAX)
			return -EPROTO;
	om_count_add(OM_C_PAGES_IN, head->count);
	return 0;
}
