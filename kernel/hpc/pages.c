// SPDX-License-Identifier: GPL-2.0-only
/*
 * OM_M_PAGES, which both halves send: pages collected into one message.
 */
#include <linux/mm.h>

#include "om.h"

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
