// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages that the first instructions away will touch.
 *
 * They go to the stub together with the mappings, while the process runs on; and
 * with its registers goes only what it has changed in them since. So what it
 * stands still for is, as a rule, a single segment.
 *
 * The stub keeps them in its stash until the process runs, and changes them there.
 */
#include <linux/mm.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <asm/fsgsbase.h>

#include "om.h"

/* Bytes that are alike are sent rather than another struct om_patch. */
#define OM_PATCH_GAP	(sizeof(struct om_patch) / sizeof(u64))
/* What is scattered more than that is sent with what lies in between. */
#define OM_PAGE_PATCHES	(OM_MAX_PATCHES / OM_MAX_HOT)

struct om_hot {
	unsigned int count;
	u64 addr[OM_MAX_HOT];
	u64 was[OM_MAX_HOT][PAGE_SIZE / sizeof(u64)];	/* as it was sent */
	/* for the commit */
	unsigned int patches;
	size_t len;
	struct om_patch patch[OM_MAX_PATCHES];
	u8 bytes[OM_MAX_HOT * PAGE_SIZE];
};

/* Home */

void om_hot_free(struct om_away *away)
{
	kvfree(xchg(&away->hot, NULL));
}

/* Lists the pages, each once. Returns how many, at most OM_MAX_HOT. */
static unsigned int om_hot_list(const struct pt_regs *regs, u64 *addr)
{
	unsigned long fs = current->thread.fsbase;
	const unsigned long want[OM_MAX_HOT] = {
		regs->ip, regs->sp, regs->sp - 128, regs->sp + PAGE_SIZE,
		fs, fs + PAGE_SIZE - 1,
	};
	struct vm_area_struct *vma;
	unsigned int i, j, n = 0;

	mmap_read_lock(current->mm);
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		vma = vma_lookup(current->mm, want[i]);
		if (!want[i] || !vma || (vma->vm_flags & (VM_IO | VM_PFNMAP)))
			continue;
		addr[n] = want[i] & PAGE_MASK;
		for (j = 0; addr[j] != addr[n]; j++)
			;
		n += j == n;
	}
	mmap_read_unlock(current->mm);
	return n;
}

/**
 * om_hot_send - send what will probably be needed first
 * @p: the process; the current one, which goes on running
 *
 * Returns 0 or a negative errno.
 */
int om_hot_send(struct om_proc *p)
{
	struct om_hot *hot = p->away.hot;
	struct om_pages head = { };
	u64 want[OM_MAX_HOT];
	struct kvec vec[3];
	struct page *page;
	unsigned int i, n;

	if (!hot)
		hot = kvmalloc(sizeof(*hot), GFP_KERNEL);
	if (!hot)
		return -ENOMEM;
	p->away.hot = hot;
	hot->count = 0;
	current_save_fsgs();
	n = om_hot_list(task_pt_regs(current), want);
	for (i = 0; i < n; i++) {
		page = om_read_page(want[i]);
		if (!page)
			continue;
		/* what is sent is the copy: others may write to the page */
		copy_page(hot->was[hot->count], page_address(page));
		put_page(page);
		hot->addr[hot->count++] = want[i];
	}
	if (!hot->count)
		return 0;
	head.count = hot->count;
	vec[0].iov_base = &head;
	vec[0].iov_len = sizeof(head);
	vec[1].iov_base = hot->addr;
	vec[1].iov_len = hot->count * sizeof(hot->addr[0]);
	vec[2].iov_base = hot->was;
	vec[2].iov_len = hot->count * PAGE_SIZE;
	om_count_add(OM_C_PAGES_OUT, hot->count);
	p->stat.pages_out += hot->count;
	return om_link_send(p->link, OM_M_PAGES, vec, ARRAY_SIZE(vec), true);
}

static void om_patch_add(struct om_hot *hot, u64 addr, const void *from,
			 size_t len)
{
	hot->patch[hot->patches++] = (struct om_patch){
		.addr = addr, .len = len,
	};
	memcpy(hot->bytes + hot->len, from, len);
	hot->len += len;
}

/* What is different in that page now. */
static void om_patch_page(struct om_hot *hot, unsigned int which,
			  const u64 *now)
{
	const unsigned int words = PAGE_SIZE / sizeof(u64);
	const u64 *was = hot->was[which];
	unsigned int at, from, to, n = 0;

	for (at = 0; at < words; at++) {
		if (was[at] == now[at])
			continue;
		from = at;
		to = at + 1;
		for (at++; at < words; at++) {
			if (was[at] != now[at])
				to = at + 1;
			else if (at - to >= OM_PATCH_GAP &&
				 n < OM_PAGE_PATCHES - 1)
				break;
		}
		om_patch_add(hot, hot->addr[which] + from * sizeof(u64),
			     now + from, (to - from) * sizeof(u64));
		n++;
	}
}

/* Whatever becomes of that page is told by a patch. */
static bool om_is_hot(const struct om_hot *hot, u64 addr)
{
	unsigned int i;

	for (i = 0; i < hot->count; i++)
		if (hot->addr[i] == addr)
			return true;
	return false;
}

/**
 * om_hot_freeze - send what is still missing of the hot pages, and list the rest
 * @p: the process; the current one, which stands still
 * @regs: its registers
 * @commit: out, the number of patches
 * @vec: out, two pieces: the patches, and their bytes
 *
 * Returns 0 or a negative errno.
 */
int om_hot_freeze(struct om_proc *p, const struct pt_regs *regs,
		  struct om_commit *commit, struct kvec *vec)
{
	struct om_hot *hot = p->away.hot;
	unsigned long addr[OM_MAX_HOT];
	unsigned int i, want, n = 0;
	u64 list[OM_MAX_HOT];
	struct page *page;
	int ret = 0;

	hot->patches = 0;
	hot->len = 0;
	for (i = 0; i < hot->count && !ret; i++) {
		page = om_read_page(hot->addr[i]);
		if (!page) {
			om_patch_add(hot, hot->addr[i], NULL, 0);
			continue;
		}
		om_patch_page(hot, i, page_address(page));
		put_page(page);
		ret = om_mark_sent(&p->away, hot->addr[i]);
	}
	if (ret)
		return ret;
	want = om_hot_list(regs, list);
	for (i = 0; i < want; i++)
		if (!om_is_hot(hot, list[i]))
			addr[n++] = list[i];
	commit->patches = hot->patches;
	vec[0].iov_base = hot->patch;
	vec[0].iov_len = hot->patches * sizeof(hot->patch[0]);
	vec[1].iov_base = hot->bytes;
	vec[1].iov_len = hot->len;
	ret = om_send_pages(p, addr, n, false, true);
	return ret < 0 ? ret : 0;
}

/* The guest */

static int om_patch_one(struct om_body *b, const struct om_patch *patch,
			const void *bytes)
{
	struct page *page;

	if (patch->addr >= TASK_SIZE_MAX || patch->reserved ||
	    patch->len > PAGE_SIZE - offset_in_page(patch->addr))
		return -EPROTO;
	page = xa_load(&b->stash, patch->addr >> PAGE_SHIFT);
	if (!page)
		return -EPROTO;
	if (patch->len)
		memcpy(page_address(page) + offset_in_page(patch->addr), bytes,
		       patch->len);
	else
		om_stash_drop(b, patch->addr & PAGE_MASK,
			      (patch->addr & PAGE_MASK) + PAGE_SIZE);
	return 0;
}

/**
 * om_patch_stash - make of pages that came early what home has now
 * @b: the body, which does not run yet
 * @count: number of patches
 * @data: these, and after them their bytes, from the wire
 * @len: length of all that
 *
 * Returns 0 or -EPROTO.
 */
int om_patch_stash(struct om_body *b, u32 count, const void *data, size_t len)
{
	const struct om_patch *patch = data;
	const void *bytes;
	unsigned int i;
	int ret;

	if (count > OM_MAX_PATCHES || len < count * sizeof(*patch))
		return -EPROTO;
	bytes = patch + count;
	len -= count * sizeof(*patch);
	for (i = 0; i < count; i++) {
		if (patch[i].len > len)
			return -EPROTO;
		ret = om_patch_one(b, &patch[i], bytes);
		if (ret)
			return ret;
		bytes += patch[i].len;
		len -= patch[i].len;
	}
	return len ? -EPROTO : 0;
}
