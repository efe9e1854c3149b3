// SPDX-License-Identifier: GPL-2.0-only
/*
 * The time that a process consumes elsewhere, accounted at home.
 */
#include <linux/mmu_context.h>
#include <linux/posix-timers.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include "../kernel/sched/sched.h"

#include "om.h"

/* An interval, in nanoseconds, of which the usual word of what is counted might miss one. */
#define OM_RINGING	(100 * NSEC_PER_MSEC)

/* A process is not away for two years. */
#define OM_MAX_USAGE	(1ULL << 56)
/* Nor does one use 36 of them in all: the kernel divides by a sum that must not overflow. */
#define OM_MAX_CPU	(1ULL << 60)

/**
 * om_is_counted - is there a limit or a timer for the CPU time of the process?
 *
 * Then its body has to tell often what it uses. What others set meanwhile, it is told
 * with the reply to its next call.
 */
bool om_is_counted(void)
{
	const struct posix_cputimers *own = &current->posix_cputimers;
	int i;

	if (READ_ONCE(current->signal->posix_cputimers.timers_active))
		return true;
	for (i = 0; i < CPUCLOCK_MAX; i++)
		if (READ_ONCE(own->bases[i].nextevt) != U64_MAX)
			return true;
	return false;
}

/**
 * om_is_ringing - does an interval timer count the CPU time, and rings again soon?
 *
 * Its signal does not queue: what the body uses between two words of it may be no
 * more than what passes between two of its signals.
 */
bool om_is_ringing(void)
{
	const struct cpu_itimer *timer = current->signal->it;
	u64 prof = READ_ONCE(timer[CPUCLOCK_PROF].incr);
	u64 virt = READ_ONCE(timer[CPUCLOCK_VIRT].incr);

	return (prof && prof < OM_RINGING) || (virt && virt < OM_RINGING);
}

/*
 * Is the signal of such a timer on its way to the program? The next one would be lost
 * on it: that comes with the next word of the body, which is later by less than a ring.
 */
static bool om_ring_waits(void)
{
	sigset_t *pending = &current->signal->shared_pending.signal;
	sigset_t coming;

	if (!om_is_ringing())
		return false;
	sigandnsets(&coming, pending, &current->blocked);
	return sigismember(&coming, SIGPROF) || sigismember(&coming, SIGVTALRM);
}

/* The runtime that CPU clocks read and that utime and stime are scaled to. */
static void om_add_runtime(u64 runtime)
{
	struct rq_flags flags;
	struct rq *rq = task_rq_lock(current, &flags);

	current->se.sum_exec_runtime += runtime;
	task_rq_unlock(rq, current, &flags);
}

/* What it needed of memory: home's mappings have seen little of that. */
static void om_add_memory(const struct om_usage *was, const struct om_usage *now)
{
	struct signal_struct *sig = current->signal;

	if (now->minor_faults > was->minor_faults)
		current->min_flt += now->minor_faults - was->minor_faults;
	if (now->major_faults > was->major_faults)
		current->maj_flt += now->major_faults - was->major_faults;
	sig->maxrss = max_t(unsigned long, sig->maxrss, now->peak);
}

/* Is there room for that in what the process has used so far? In nanoseconds. */
static bool om_sums_sane(u64 utime, u64 stime, u64 runtime)
{
	const struct signal_struct *sig = current->signal;

	return sig->utime + current->utime + utime <= OM_MAX_CPU &&
	       sig->stime + current->stime + stime <= OM_MAX_CPU &&
	       sig->sum_sched_runtime + current->se.sum_exec_runtime +
	       runtime <= OM_MAX_CPU;
}

/**
 * om_usage_add - account what the body consumed since it was last heard
 * @p: the process; the current one
 * @now: what it says it has consumed, in nanoseconds since it resumed
 *
 * Added to the one thread that the process has, so that /proc, getrusage(),
 * times(), wait4(), CPU clocks and CPU limits all see it. Returns 0, or -EPROTO if
 * nobody can have consumed that.
 */
int om_usage_add(struct om_proc *p, const struct om_usage *now)
{
	struct om_usage *was = &p->away.usage;
	u64 utime = now->utime - was->utime;
	u64 stime = now->stime - was->stime;
	u64 runtime = now->runtime - was->runtime;

	if (now->utime > OM_MAX_USAGE || now->stime > OM_MAX_USAGE ||
	    now->runtime > OM_MAX_USAGE || now->minor_faults > OM_MAX_USAGE ||
	    now->major_faults > OM_MAX_USAGE ||
	    now->peak > TASK_SIZE_MAX >> PAGE_SHIFT)
		return -EPROTO;
	if (now->utime < was->utime || now->stime < was->stime ||
	    now->runtime < was->runtime)
		return 0;
	if (!om_sums_sane(utime, stime, runtime))
		return -EPROTO;
	om_add_memory(was, now);
	*was = *now;
	if (om_mutant("cheap-cpu"))
		runtime -= runtime / 32;
	spin_lock(&p->lock);
	p->away_cpu += runtime;
	spin_unlock(&p->lock);
	om_add_runtime(runtime);
	local_irq_disable();
	current->utime += utime;
	current->stime += stime;
	/* RLIMIT_CPU and the CPU timers: as if the tick had found it running */
	account_group_user_time(current, utime);
	account_group_system_time(current, stime);
	account_group_exec_runtime(current, runtime);
	if (!om_ring_waits())
		run_posix_cpu_timers();
	local_irq_enable();
	return 0;
}
