// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clocks of a process that is away are those of its home.
 *
 * Each reply brings home's time. From that the body reads the clock itself, for
 * a while: the estimate starts behind home's clock, by the way of the reply, and
 * runs a little slower than this node's, so it stays behind. It is put forward
 * with the next reply, never back. So no reading is later than one that anybody
 * makes at home afterwards, nor earlier than what a call has shown the program.
 */
#include <linux/sched.h>
#include <linux/time_namespace.h>
#include <linux/timekeeping.h>
#include <linux/timex.h>
#include <linux/uaccess.h>
#include <asm/unistd.h>

#include "om.h"

/* After that home is asked, which also says how wrong the estimate has become. */
#define OM_CLOCK_FRESH	(NSEC_PER_SEC / 4)
/*
 * Slower by 1/256. Home's clock may be slewed by 1/2000, unless its ticks are told
 * to be of another length, and crystals differ by 1/10000.
 */
#define OM_CLOCK_DRAG	8

/**
 * om_clock_tell - what home says of its clocks
 * @c: filled in; zeros if the current task has clocks of its own, or home's are
 *     slewed by more than the estimate allows for
 */
void om_clock_tell(struct om_clock *c)
{
	memset(c, 0, sizeof(*c));
#ifdef CONFIG_TIME_NS
	if (current->nsproxy->time_ns != &init_time_ns)
		return;
#endif
	if (READ_ONCE(tick_usec) != USER_TICK_USEC)
		return;
	c->mono = ktime_get_ns();
	c->real = ktime_mono_to_real(0);
}

/*
 * What home's monotonic clock shows at least, now that it is @now here. After
 * the time for which that is of use it stands still.
 */
static u64 om_clock_estimate(const struct om_body *b, u64 now)
{
	u64 passed = min_t(u64, now - b->clock_heard, OM_CLOCK_FRESH);

	return b->clock.mono + passed - (passed >> OM_CLOCK_DRAG);
}

/**
 * om_clock_hear - the body has a reply
 * @b: the body
 * @c: home's clocks when it was sent
 */
void om_clock_hear(struct om_body *b, const struct om_clock *c)
{
	u64 now = ktime_get_raw_ns(), mono = c->mono;

	if (!mono) {
		b->clock_heard = 0;
		return;
	}
	if (b->clock_heard)
		mono = max(mono, om_clock_estimate(b, now));
	b->clock.mono = mono;
	b->clock.real = c->real;
	b->clock_heard = now;
}

/**
 * om_clock_call - read a clock without asking home
 * @b: the body
 * @regs: its user registers, which hold the call's arguments
 * @nr: the call
 * @result: what it returns
 *
 * Returns false if home has to be asked.
 */
bool om_clock_call(struct om_body *b, const struct pt_regs *regs,
		   unsigned long nr, long *result)
{
	u64 now = ktime_get_raw_ns(), mono;
	struct __kernel_old_timeval tv;
	struct timespec64 ts;

	if (!b->clock_heard || now - b->clock_heard > OM_CLOCK_FRESH)
		return false;
	mono = om_clock_estimate(b, now);
	*result = 0;
	switch (nr) {
	case __NR_clock_gettime:
		if ((clockid_t)regs->di == CLOCK_MONOTONIC)
			ts = ns_to_timespec64(mono);
		else if ((clockid_t)regs->di == CLOCK_REALTIME)
			ts = ns_to_timespec64(mono + b->clock.real);
		else
			return false;
		return !put_timespec64(&ts, (void __user *)regs->si);
	case __NR_gettimeofday:
		if (regs->si)	/* the time zone, too */
			return false;
		tv = ns_to_kernel_old_timeval(mono + b->clock.real);
		return !regs->di || !copy_to_user((void __user *)regs->di, &tv,
						  sizeof(tv));
	default:
		return false;
	}
}
