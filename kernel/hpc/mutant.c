// SPDX-License-Identifier: GPL-2.0-only
/*
 * Deliberate bugs, one at a time, chosen at boot by openmosix.mutant=NAME: a
 * suite that stays green with a mutant on does not test what it says.
 */
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "om.h"

static char om_mutant_name[32] __ro_after_init;

static int __init om_mutant_setup(char *name)
{
	strscpy(om_mutant_name, name, sizeof(om_mutant_name));
	pr_notice("openmosix: deliberate bug '%s' is on\n", om_mutant_name);
	return 1;
}
__setup("openmosix.mutant=", om_mutant_setup);

bool om_mutant(const char *name)
{
	return om_mutant_name[0] && !strcmp(om_mutant_name, name);
}

/* Takes every eighth pending signal away, unseen, if that is the bug. */
void om_mutant_signal(void)
{
	static atomic_t count = ATOMIC_INIT(0);
	kernel_siginfo_t info;
	enum pid_type type;

	if (!om_mutant("lose-signal") || atomic_inc_return(&count) % 8)
		return;
	spin_lock_irq(&current->sighand->siglock);
	dequeue_signal(&current->blocked, &info, &type);
	spin_unlock_irq(&current->sighand->siglock);
}
