/* SPDX-License-Identifier: GPL-2.0-only */
/* System calls of a process that is away, on both sides. See om.h for the locks. */
#ifndef _HPC_CALL_H
#define _HPC_CALL_H

#include <linux/types.h>

#include "wire.h"

struct om_proc;
struct om_msg;

/* table.c */

struct om_arg {
	u8 kind;
	u8 dir;			/* OM_SEG_* */
	u8 other;		/* the argument that holds a count or length */
	u16 size;		/* of the object, or of one element */
};

enum om_row_kind { OM_ROW_HOME = 0, OM_ROW_FORWARD, OM_ROW_LOCAL, OM_ROW_MEMORY,
		   OM_ROW_CLOCK, OM_ROW_EXIT, OM_ROW_SIGRETURN };
enum om_arg_kind {
	OM_A_VALUE = 0, OM_A_STRING, OM_A_FIXED, OM_A_ARRAY, OM_A_RESULT,
	OM_A_AT, OM_A_MESSAGE, OM_A_IOV, OM_A_FDS, OM_A_SIGPAIR, OM_A_MSG,
	OM_A_MMSG, OM_A_COMMAND,
};

struct om_row {
	u8 kind;
	struct om_arg arg[6];
};

const struct om_row *om_row_of(u64 nr);

/* args.c: what travels with a body's call */

#define OM_SEGS_INLINE	16

struct om_request {
	struct om_call call;
	struct om_seg *seg;
	unsigned int max;	/* room in @seg */
	size_t in;		/* bytes of the IN segments */
	void *data;		/* them, if they are few enough to be inline */
	struct om_seg few[OM_SEGS_INLINE];
};

int om_add(struct om_request *r, u64 addr, u64 len, u16 dir, u16 unit);
int om_gather(struct om_request *r, const struct om_row *row);
void om_request_free(struct om_request *r);

/* command.c: arguments that depend on a command */

int om_add_command(struct om_request *r);

/* native.c: a body's call is made at home */

enum om_in_call {
	OM_CALL_NONE = 0,
	OM_CALL_LIGHT,		/* can be broken off without a trace */
	OM_CALL_DEEP,
};

void om_set_in_call(struct om_proc *p, enum om_in_call what);
void om_break_off(struct om_proc *p, struct task_struct *deputy);
bool om_may_nudge(const struct om_call *call);
void om_call_regs(struct pt_regs *regs, const struct om_call *call);
long om_native(const struct om_call *call);
long om_native_light(struct om_proc *p, const struct om_call *call);
int om_tell_rest(struct om_proc *p, bool away);

/* call.c: what comes in with it, and what goes out */

struct om_work {
	const struct om_call *call;
	const struct om_seg *seg;
	const void *data;		/* of the IN segments */
	struct om_reply reply;
	struct om_op op[OM_MAX_OPS];
	struct om_seg out[];
};

bool om_range_ok(u64 start, u64 len);
int om_call_execute(struct om_proc *p, const struct om_msg *msg);
int om_take_ahead(struct om_proc *p, const struct om_msg *msg);
int om_send_memory(struct om_proc *p, u64 addr, size_t len);

/* clock.c */

void om_clock_tell(struct om_clock *c);

/* memcall.c: home's half of the address space */

bool om_may_own_memory(const struct om_proc *p);
u32 om_map_budget(void);
long om_memory_call(struct om_proc *p, struct om_work *w);

/* repeat.c: the same, of what the body did by itself */

void om_note_op(struct om_proc *p, const struct om_op *op);
int om_take_ops(struct om_proc *p, const struct om_msg *msg);

#endif
