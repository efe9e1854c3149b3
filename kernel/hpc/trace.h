/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace points of each step of a migration: events openmosix:om_*.
 *
 * The first list happens at home, to a process of this node; the second on the
 * guest, to a body.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM openmosix

#if !defined(_HPC_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _HPC_TRACE_H

#include <linux/tracepoint.h>

DECLARE_EVENT_CLASS(om_home,
	TP_PROTO(int pid, u32 node, long arg),
	TP_ARGS(pid, node, arg),
	TP_STRUCT__entry(
		__field(int, pid)
		__field(u32, node)
		__field(long, arg)
	),
	TP_fast_assign(
		__entry->pid = pid;
		__entry->node = node;
		__entry->arg = arg;
	),
	TP_printk("pid=%d node=%u arg=%ld", __entry->pid, __entry->node,
		  __entry->arg)
);

#define OM_HOME_EVENT(name)						\
DEFINE_EVENT(om_home, name,						\
	TP_PROTO(int pid, u32 node, long arg), TP_ARGS(pid, node, arg))

OM_HOME_EVENT(om_request);	/* arg: 1 if automatic */
OM_HOME_EVENT(om_prepare);	/* the address space goes out */
OM_HOME_EVENT(om_ready);	/* the stub has rebuilt it */
OM_HOME_EVENT(om_freeze);
OM_HOME_EVENT(om_commit);	/* from here home cannot resume */
OM_HOME_EVENT(om_away);		/* the body runs */
OM_HOME_EVENT(om_released);	/* home holds nothing that it needs */
OM_HOME_EVENT(om_fault);	/* arg: the address that the body touched */
OM_HOME_EVENT(om_call);		/* arg: number of the body's call */
OM_HOME_EVENT(om_reply);	/* arg: its result */
OM_HOME_EVENT(om_park);		/* a signal waits */
OM_HOME_EVENT(om_deliver);
OM_HOME_EVENT(om_leave);	/* the guest node wants it gone; arg: target */
OM_HOME_EVENT(om_recall);	/* arg: 1 if at once */
OM_HOME_EVENT(om_returning);	/* the body stands still */
OM_HOME_EVENT(om_taken);	/* home has it all */
OM_HOME_EVENT(om_failed);	/* a request; arg: errno */
OM_HOME_EVENT(om_lost);		/* the body, and so the process; arg: errno */

DECLARE_EVENT_CLASS(om_guest,
	TP_PROTO(u32 home, u32 home_pid, long arg),
	TP_ARGS(home, home_pid, arg),
	TP_STRUCT__entry(
		__field(u32, home)
		__field(u32, home_pid)
		__field(long, arg)
	),
	TP_fast_assign(
		__entry->home = home;
		__entry->home_pid = home_pid;
		__entry->arg = arg;
	),
	TP_printk("home=%u home_pid=%u arg=%ld", __entry->home,
		  __entry->home_pid, __entry->arg)
);

#define OM_GUEST_EVENT(name)						\
DEFINE_EVENT(om_guest, name,						\
	TP_PROTO(u32 home, u32 home_pid, long arg),			\
	TP_ARGS(home, home_pid, arg))

OM_GUEST_EVENT(om_guest_prepare);	/* arg: number of mappings */
OM_GUEST_EVENT(om_guest_refuse);	/* arg: errno */
OM_GUEST_EVENT(om_guest_run);
OM_GUEST_EVENT(om_guest_fault);		/* arg: the address */
OM_GUEST_EVENT(om_guest_call);		/* arg: number of the call */
OM_GUEST_EVENT(om_guest_parked);
OM_GUEST_EVENT(om_guest_leave);		/* arg: target */
OM_GUEST_EVENT(om_guest_return);	/* arg: enum om_home_reason */
OM_GUEST_EVENT(om_guest_end);		/* arg: the link's error */

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
