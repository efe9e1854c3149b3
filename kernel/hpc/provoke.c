// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reports on order: openmosix.provoke=lockdep or =kasan makes the kernel's own
 * checkers report something at boot, so that whoever watches the console can be
 * seen to notice. Their silence counts only after that.
 */
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

static char om_provoke_what[32] __initdata;

static int __init om_provoke_setup(char *what)
{
	strscpy(om_provoke_what, what, sizeof(om_provoke_what));
	return 1;
}
__setup("openmosix.provoke=", om_provoke_setup);

static void __init om_provoke_lockdep(void)
{
	static DEFINE_SPINLOCK(first);
	static DEFINE_SPINLOCK(second);

	spin_lock(&first);
	spin_lock(&second);
	spin_unlock(&second);
	spin_unlock(&first);
	/* the other way round: no deadlock here, but one in waiting */
	spin_lock(&second);
	spin_lock(&first);
	spin_unlock(&first);
	spin_unlock(&second);
}

static void __init om_provoke_kasan(void)
{
	char *gone = kmalloc(64, GFP_KERNEL);

	if (!gone)
		return;
	kfree(gone);
	OPTIMIZER_HIDE_VAR(gone);
	pr_info("openmosix: read of freed memory: %d\n", READ_ONCE(*gone));
}

static int __init om_provoke(void)
{
	if (!strcmp(om_provoke_what, "lockdep"))
		om_provoke_lockdep();
	else if (!strcmp(om_provoke_what, "kasan"))
		om_provoke_kasan();
	return 0;
}
late_initcall(om_provoke);
