// SPDX-License-Identifier: GPL-2.0-only
/*
 * Traps of a process that is away. A fault is simply executed again at home, and
 * faults there; but the instruction of a trap is done. So the body tells which it
 * was, and home raises the signal as its own processor would have.
 */
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <asm/trapnr.h>

#include "om.h"

#define OM_INT3		0xcc	/* the instruction of one byte */

/**
 * om_trap_note - was this signal one of a trap?
 * @sig: its number, pending for the current task
 * @trap: out
 *
 * The caller holds the siglock.
 */
void om_trap_note(int sig, struct om_trap *trap)
{
	u32 number = current->thread.trap_nr;
	struct sigqueue *q;

	*trap = (struct om_trap){ };
	if (sig == SIGTRAP ? number != X86_TRAP_DB && number != X86_TRAP_BP :
			     sig != SIGSEGV || number != X86_TRAP_OF)
		return;
	trap->number = number;
	list_for_each_entry(q, &current->pending.list, list) {
		if (q->info.si_signo != sig)
			continue;
		trap->code = q->info.si_code;
		if (number == X86_TRAP_DB)
			trap->addr = (u64)q->info.si_addr;
		return;
	}
}

/* Is it one that a processor may have raised? */
bool om_trap_sane(const struct om_trap *trap)
{
	switch (trap->number) {
	case 0:
	case X86_TRAP_BP:
	case X86_TRAP_OF:
		return true;
	case X86_TRAP_DB:
		return trap->code >= TRAP_BRKPT && trap->code <= TRAP_HWBKPT;
	default:
		return false;
	}
}

/**
 * om_trap_raise - the current task goes on where a trap has left it
 * @regs: its user registers
 * @trap: the trap, checked by om_trap_sane()
 *
 * A breakpoint is met again: it may be one of the kernel's own, of which the
 * program is to know nothing.
 */
void om_trap_raise(struct pt_regs *regs, const struct om_trap *trap)
{
	u8 code;

	if (!trap->number)
		return;
	if (trap->number == X86_TRAP_BP &&
	    !get_user(code, (u8 __user *)regs->ip - 1) && code == OM_INT3) {
		regs->ip--;
		return;
	}
	current->thread.trap_nr = trap->number;
	current->thread.error_code = 0;
	if (trap->number == X86_TRAP_DB)
		force_sig_fault(SIGTRAP, trap->code, (void __user *)trap->addr);
	else
		force_sig(trap->number == X86_TRAP_BP ? SIGTRAP : SIGSEGV);
}
