// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/hpc/stats: what this node has done since it was booted, what it holds
 * for that now, and the one place that makes the trace points.
 */
#include <linux/percpu.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#include "om.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

DEFINE_PER_CPU(struct om_counts, om_counts);

static const char * const om_count_names[OM_COUNTS] = {
	[OM_C_MOVES_OUT] = "moves_out", [OM_C_MOVES_HOME] = "moves_home",
	[OM_C_MOVES_IN] = "moves_in", [OM_C_REFUSED] = "refused",
	[OM_C_FAILED] = "failed", [OM_C_BODIES_LOST] = "bodies_lost",
	[OM_C_LINKS_LOST] = "links_lost",
	[OM_C_CALLS_FORWARDED] = "calls_forwarded",
	[OM_C_CALLS_LOCAL] = "calls_local",
	[OM_C_DEMAND_FAULTS] = "demand_faults",
	[OM_C_PAGES_OUT] = "pages_out", [OM_C_PAGES_IN] = "pages_in",
	[OM_C_BYTES_OUT] = "bytes_out", [OM_C_BYTES_IN] = "bytes_in",
	[OM_C_LINKS] = "links", [OM_C_BODIES] = "bodies",
	[OM_C_STATES] = "states",
};

/*
 * The sums are not of one instant: of what comes and goes, more may seem to have
 * gone than had come.
 */
static int om_stats_show(struct seq_file *m, void *unused)
{
	unsigned int i;
	int cpu;

	for (i = 0; i < OM_COUNTS; i++) {
		s64 sum = 0;

		for_each_possible_cpu(cpu)
			sum += per_cpu(om_counts.value[i], cpu);
		seq_printf(m, "%s %lld\n", om_count_names[i], max(sum, 0));
	}
	return 0;
}

void __init om_stats_init(struct proc_dir_entry *hpc)
{
	proc_create_single("stats", 0444, hpc, om_stats_show);
}
