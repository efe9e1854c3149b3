// SPDX-License-Identifier: GPL-2.0-only
/*
 * What ps shows of a process: its arguments and its environment. A program may write
 * over them, and others read home's, at any time and without a word to it. So what
 * became of them elsewhere is told to home, before each call and each report of time.
 */
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <linux/xxhash.h>

#include "om.h"

/* The part of the title that lies in the page number @page of it, or nothing. */
static size_t om_title_part(const struct om_title *t, unsigned int page, u64 *at)
{
	u64 end = t->start + t->len;

	*at = page ? (t->start & PAGE_MASK) + page * PAGE_SIZE : t->start;
	return *at < end ? min(end, (*at & PAGE_MASK) + PAGE_SIZE) - *at : 0;
}

/* Returns the sum of these bytes, or @otherwise if they cannot be read. */
static u64 om_title_sum(u64 at, size_t len, u64 otherwise)
{
	u64 sum = 0;
	u8 some[256];
	size_t n;

	for (; len; at += n, len -= n) {
		n = min(len, sizeof(some));
		if (copy_from_user(some, (void __user *)at, n))
			return otherwise;
		sum = xxh64(some, n, sum);
	}
	return sum;
}

/**
 * om_title_find - where the title of the current process is
 * @t: out; without sums
 *
 * As a rule the environment follows the arguments, and a title that is longer than
 * these goes on there. Of a very long one only the beginning counts. Returns whether
 * it is all of both.
 */
bool om_title_find(struct om_title *t)
{
	struct mm_struct *mm = current->mm;
	bool both;
	u64 end;

	spin_lock(&mm->arg_lock);
	t->start = mm->arg_start;
	both = mm->env_start == mm->arg_end;
	end = both ? mm->env_end : mm->arg_end;
	spin_unlock(&mm->arg_lock);
	t->len = end > t->start ? min_t(u64, end - t->start, OM_MAX_TITLE) : 0;
	return both && t->start + t->len == end;
}

/**
 * om_title_note - what home has of it
 * @t: found by om_title_find(); its sums are set
 */
void om_title_note(struct om_title *t)
{
	unsigned int i;
	u64 at;

	for (i = 0; i < OM_TITLE_PAGES; i++) {
		size_t len = om_title_part(t, i, &at);

		t->sum[i] = len ? om_title_sum(at, len, 0) : 0;
	}
}

/* Is this, from the wire, a title? */
bool om_title_sane(const struct om_title *t)
{
	return t->len <= OM_MAX_TITLE && om_range_ok(t->start, t->len);
}

/* Returns 0, 1 if it is to be tried again, or a negative errno if the link is gone. */
static int om_title_send(struct om_body *b, u64 at, size_t len)
{
	u64 *buf = kmalloc(sizeof(at) + len, GFP_KERNEL);
	int ret = 1;

	if (!buf)
		return ret;
	*buf = at;
	if (!copy_from_user(buf + 1, (void __user *)at, len))
		ret = om_link_send_one(b->link, OM_M_BYTES, buf,
				       sizeof(at) + len);
	kfree(buf);
	return ret;
}

/**
 * om_title_tell - tell home what the program made of its title here
 * @b: the body; the current task, without locks
 *
 * A page that this side never had is as home has it. Returns 0 or a negative errno if
 * the link is gone.
 */
int om_title_tell(struct om_body *b)
{
	struct om_title *t = &b->title;
	unsigned int i;
	int ret = 0;
	u64 at, sum;

	for (i = 0; i < OM_TITLE_PAGES && ret >= 0; i++) {
		size_t len = om_title_part(t, i, &at);

		if (!len || om_mutant("old-title"))
			break;
		if (!om_body_has(b, at & PAGE_MASK))
			continue;
		sum = om_title_sum(at, len, t->sum[i]);
		if (sum == t->sum[i])
			continue;
		ret = om_title_send(b, at, len);
		if (!ret)
			t->sum[i] = sum;
	}
	return min(ret, 0);
}
