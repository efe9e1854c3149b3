// SPDX-License-Identifier: GPL-2.0-only
/*
 * Home's pages while the process is away.
 *
 * Home's address space stays as it was, as a cache: for every page either the
 * body has a dirty copy, which it sends when it returns, or home's copy is
 * right. What has been sent is noted, a bit a page, so that nothing is sent
 * twice; a demand for a page that was sent has crossed it on the wire and needs
 * no answer.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pagewalk.h>
#include <linux/sched/mm.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/uaccess.h>

#include "om.h"
#include "trace.h"

#define OM_PUSH_BATCH	OM_MAX_PAGES			/* pages a message */
#define OM_WINDOW_MIN	(32 * 1024)
#define OM_WINDOW_MAX	(512 * 1024)
#define OM_AROUND	7			/* pages sent after a demanded one */

/* Zeros of anonymous memory are nothing; those of a file hide what it says. */
static bool om_is_anonymous(unsigned long addr)
{
	struct vm_area_struct *vma;
	bool anonymous;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	anonymous = vma && vma_is_anonymous(vma);
	mmap_read_unlock(current->mm);
	return anonymous;
}

/*
 * The page as the body shall see it, or NULL if there is nothing but zeros.
 * put_page() it.
 */
struct page *om_read_page(unsigned long addr)
{
	struct page *page;

	page = get_dump_page(addr);
	/* one that the program has changed is as it made it */
	if (om_vdso_contains(addr) && !(page && PageAnon(page))) {
		if (page)
			put_page(page);
		return om_vdso_page(addr);
	}
	if (page && !memchr_inv(page_address(page), 0, PAGE_SIZE) &&
	    om_is_anonymous(addr)) {
		put_page(page);
		page = NULL;
	}
	return page;
}

/* Whatever its protection: swap that cannot be read, or a file that ends before it. */
static bool om_is_readable(unsigned long addr)
{
	u8 byte;

	return access_process_vm(current, addr, &byte, 1, FOLL_FORCE) == 1;
}

/* Is it really zeros that a page has which could not be had as a page? */
static bool om_is_zeros(unsigned long addr)
{
	u64 some[32];
	unsigned int at;

	for (at = 0; at < PAGE_SIZE; at += sizeof(some))
		if (access_process_vm(current, addr + at, some, sizeof(some),
				      FOLL_FORCE) != sizeof(some) ||
		    memchr_inv(some, 0, sizeof(some)))
			return false;
	return true;
}

/* Is there more than zeros? */
bool om_has_content(unsigned long addr)
{
	struct page *page = om_read_page(addr);

	if (page)
		put_page(page);
	return page;
}

/**
 * om_send_pages - send those of these pages that have content
 * @p: the process, which is the current one
 * @addr: their addresses
 * @n: how many, at most OM_MAX_PAGES
 * @there: home's page tables have all of them
 * @more: another message follows at once
 *
 * Returns how many went, or a negative errno.
 */
int om_send_pages(struct om_proc *p, const unsigned long *addr, unsigned int n,
		  bool there, bool more)
{
	struct om_batch batch = { };
	unsigned int i, count;
	struct page *page;
	int ret = 0;

	if (WARN_ON_ONCE(n > OM_MAX_PAGES))
		return -EINVAL;
	for (i = 0; i < n && !ret; i++) {
		if (om_was_sent(&p->away, addr[i]))
			continue;
		page = om_read_page(addr[i]);
		if (!page) {
			/* a hole is not touched here: it would be one no more */
			if (there && !om_is_zeros(addr[i]))
				p->away.unreadable = true;
			continue;
		}
		om_batch_add(&batch, addr[i], page);
		ret = om_mark_sent(&p->away, addr[i]);
	}
	count = batch.count;
	if (ret)
		om_batch_drop(&batch);
	else
		ret = om_batch_send(p->link, &batch, more);
	if (ret)
		return ret;
	p->stat.pages_out += count;
	return count;
}

/* What page tables say of one PMD's worth of a mapping. */
struct om_scan {
	DECLARE_BITMAP(present, PTRS_PER_PTE);
};

static int om_scan_pmd(pmd_t *pmd, unsigned long addr, unsigned long next,
		       struct mm_walk *walk)
{
	struct om_scan *scan = walk->private;
	pmd_t val = pmdp_get_lockless(pmd);

	if (pmd_trans_huge(val) || is_swap_pmd(val)) {
		bitmap_set(scan->present, pte_index(addr),
			   (next - addr) >> PAGE_SHIFT);
		walk->action = ACTION_CONTINUE;
	}
	return 0;
}

static int om_scan_pte(pte_t *ptep, unsigned long addr, unsigned long next,
		       struct mm_walk *walk)
{
	struct om_scan *scan = walk->private;
	pte_t pte = ptep_get(ptep);

	if (om_pte_is_hole(pte) ||
	    (pte_present(pte) && is_zero_pfn(pte_pfn(pte))))
		return 0;
	__set_bit(pte_index(addr), scan->present);
	return 0;
}

static const struct mm_walk_ops om_scan_ops = {
	.pmd_entry = om_scan_pmd,
	.pte_entry = om_scan_pte,
	.walk_lock = PGWALK_RDLOCK,
};

/*
 * Which pages does home have, at @addr and after it, in the same mapping and
 * PMD? Returns the end of what was looked at, 0 if there is no mapping at or
 * after @addr; @start: where the first look fell.
 */
static unsigned long om_scan(unsigned long addr, struct om_scan *scan,
			     unsigned long *start)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	unsigned long end = 0;

	bitmap_zero(scan->present, PTRS_PER_PTE);
	mmap_read_lock(mm);
	vma = find_vma(mm, addr);
	if (vma) {
		*start = max(addr, vma->vm_start);
		end = min(pmd_addr_end(*start, vma->vm_end), vma->vm_end);
		if (!(vma->vm_flags & (VM_IO | VM_PFNMAP)))
			walk_page_range(mm, *start, end, &om_scan_ops, scan);
	}
	mmap_read_unlock(mm);
	return end;
}

/* The demanded page is not there: tell how far that goes. */
static int om_tell_hole(struct om_proc *p, unsigned long addr)
{
	struct om_range hole = { .start = addr, .end = addr + PAGE_SIZE };
	struct vm_area_struct *vma;
	unsigned long start, limit = 0;
	struct om_scan scan;
	u64 bad = addr;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	if (vma && vma_is_anonymous(vma))
		limit = vma->vm_end;
	mmap_read_unlock(current->mm);
	/* no memory that nobody has touched */
	if (!limit || (om_scan(addr, &scan, &start) &&
		       test_bit(pte_index(addr), scan.present))) {
		if (!om_is_readable(addr))
			return om_link_send_one(p->link, OM_M_BADPAGE, &bad,
						sizeof(bad));
		/* it could not be had as a page, for lack of memory */
		if (!limit || !om_is_zeros(addr))
			return -ENOMEM;
	}
	/* of the mapping behind this one it would say nothing */
	limit = min(limit, om_scan(hole.end, &scan, &start));
	for (; hole.end < limit; hole.end += PAGE_SIZE)
		if (test_bit(pte_index(hole.end), scan.present))
			break;
	return om_link_send_one(p->link, OM_M_HOLE, &hole, sizeof(hole));
}

/**
 * om_serve_fault - the body touched a page that it does not have
 * @p: the process
 * @addr: the page, from the wire
 *
 * Sends it and, in a second message that the body need not wait for, those
 * after it. Returns 0 or a negative errno.
 */
int om_serve_fault(struct om_proc *p, unsigned long addr)
{
	unsigned long around[OM_AROUND], start, end, at;
	struct om_scan scan;
	unsigned int n = 0;
	int ret;

	if (!PAGE_ALIGNED(addr) || addr >= TASK_SIZE_MAX)
		return -EPROTO;
	p->stat.demand_faults++;
	om_count(OM_C_DEMAND_FAULTS);
	trace_om_fault(task_tgid_nr(current), p->link->node, addr);
	if (om_was_sent(&p->away, addr))
		return 0;	/* they have crossed */
	p->stat.round_trips++;
	p->away.window = OM_WINDOW_MIN;
	/* what comes after is wanted next: the push goes on from here */
	p->away.cursor = addr + PAGE_SIZE;
	p->away.again = true;
	ret = om_send_pages(p, &addr, 1, false, false);
	if (ret < 0)
		return ret;
	if (!ret)
		return om_tell_hole(p, addr);
	end = om_scan(addr + PAGE_SIZE, &scan, &start);
	if (!end || start != addr + PAGE_SIZE)
		return 0;
	for (at = start; at < end && n < OM_AROUND; at += PAGE_SIZE)
		if (test_bit(pte_index(at), scan.present))
			around[n++] = at;
	ret = om_send_pages(p, around, n, true, false);
	return ret < 0 ? ret : 0;
}

/**
 * om_push_some - send more of what the body has not asked for
 * @p: the process
 *
 * Sends at most one PMD's worth, and no more than the window allows. Returns 1
 * if there is more to push and room for it, 0 if not, or a negative errno.
 */
int om_push_some(struct om_proc *p)
{
	struct om_away *away = &p->away;
	unsigned long batch[OM_PUSH_BATCH], start, end, at;
	struct om_scan scan;
	unsigned int n = 0;
	int ret;

	if (away->pushed || om_link_inflight(p->link) >= away->window)
		return 0;
	away->cursor = om_next_table(away->cursor);
	end = om_scan(away->cursor, &scan, &start);
	if (!end && away->again) {
		away->again = false;
		away->cursor = 0;
		return 1;
	}
	if (!end) {
		away->pushed = true;
		om_pool_settle(p->link);
		p->stat.released = ktime_get_ns();
		trace_om_released(task_tgid_nr(current), p->link->node, 0);
		/* what was left out is asked for, and then answered for */
		if (away->unreadable)
			return 0;
		return om_link_send_one(p->link, OM_M_PUSHED, &away->moves,
					sizeof(away->moves));
	}
	for (at = start; at < end; at += PAGE_SIZE) {
		if (!test_bit(pte_index(at), scan.present) ||
		    om_was_sent(away, at))
			continue;
		batch[n++] = at;
		if (n == OM_PUSH_BATCH) {
			at += PAGE_SIZE;
			break;
		}
	}
	away->cursor = at;
	ret = om_send_pages(p, batch, n, true, false);
	if (ret < 0)
		return ret;
	away->window = min(away->window + ret * (u32)PAGE_SIZE, OM_WINDOW_MAX);
	return 1;
}

/**
 * om_user_write - write memory of the current process, whatever its protection
 * @addr: where
 * @from: bytes
 * @len: how many
 *
 * The body may have changed a page before it was made read-only. A page that
 * has these bytes already is left alone, for it may be a file's. Returns 0 or
 * -EFAULT.
 */
int om_user_write(unsigned long addr, const void *from, size_t len)
{
	unsigned int gup = FOLL_WRITE | FOLL_FORCE;
	size_t chunk, done, same;
	u8 have[256];

	if (!copy_to_user((void __user *)addr, from, len))
		return 0;
	for (done = 0; done < len; done += chunk) {
		chunk = min(len - done, sizeof(have));
		same = access_process_vm(current, addr + done, have, chunk,
					 FOLL_FORCE);
		if (same == chunk && !memcmp(have, from + done, chunk))
			continue;
		if (access_process_vm(current, addr + done,
				      (void *)from + done, chunk,
				      gup) != chunk)
			return -EFAULT;
	}
	return 0;
}

/*
 * Is this page a file's, or past the end of one? Who shares it has home's, and what a
 * truncation took away cannot be brought back: a touch is answered here.
 */
static bool om_is_files(unsigned long addr)
{
	struct vm_area_struct *vma;
	bool files = false;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, addr);
	if (vma && vma->vm_file && !vma_is_anonymous(vma))
		files = (vma->vm_flags & VM_MAYSHARE) ||
			linear_page_index(vma, addr) >=
			DIV_ROUND_UP(i_size_read(file_inode(vma->vm_file)),
				     PAGE_SIZE);
	mmap_read_unlock(current->mm);
	return files;
}

/* Is this the page of the vdso that the body was given, as it was? */
static bool om_is_given_vdso(unsigned long addr, const void *page)
{
	struct page *given;
	bool same;

	if (!om_vdso_contains(addr))
		return false;
	given = om_vdso_page(addr);
	if (!given)
		return true;
	same = !memcmp(page_address(given), page, PAGE_SIZE);
	put_page(given);
	return same;
}

/* One of them. Returns 0 or a negative errno. */
static int om_take_page(unsigned long addr, const void *page)
{
	/* the vdso of a body is not home's, but for what the program makes of it */
	if (om_is_given_vdso(addr, page) ||
	    !om_user_write(addr, page, PAGE_SIZE))
		return 0;
	return om_is_files(addr) ? 0 : -EFAULT;
}

/* Dirty pages come home. Returns 0 or a negative errno. */
int om_take_pages(struct om_proc *p, const void *data, size_t len)
{
	const struct om_pages *head = data;
	const u64 *addr = data + sizeof(*head);
	const void *page;
	unsigned int i;
	int ret = om_pages_check(data, len);

	if (ret)
		return ret;
	page = addr + head->count;
	for (i = 0; i < head->count; i++, page += PAGE_SIZE)
		if (om_take_page(addr[i], page) ||
		    om_mark_sent(&p->away, addr[i]))
			return -EFAULT;
	p->stat.pages_in += head->count;
	return 0;
}
