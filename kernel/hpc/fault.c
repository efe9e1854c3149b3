// SPDX-License-Identifier: GPL-2.0-only
/*
 * Failures on order: what happens when a side dies, or a link breaks, at one
 * message of a migration. For testing the handling of failures.
 *
 *   echo send:commit:reset >/sys/module/openmosix/parameters/fault
 *
 * SIDE is send (before the message goes out) or recv (when it has arrived);
 * MESSAGE one of the names below; ACTION one of
 *
 *   kill      SIGKILL for the task that handles the message
 *   reset     the connection is aborted
 *   garbage   send: the message's header is nonsense
 *   payload   send: the header is right, and all that follows it is nonsense
 *   truncate  send: half of the message, then the end
 *   hold      stand still until this file is written again
 *
 * It happens once. Reading gives what was ordered, and how often it happened.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <net/tcp.h>

#include "om.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "openmosix."

static const char * const om_fault_messages[OM_M_COUNT] = {
	[OM_M_PREPARE] = "prepare", [OM_M_VMAS] = "vmas",
	[OM_M_COMMIT] = "commit", [OM_M_HOLE] = "hole",
	[OM_M_BADPAGE] = "badpage", [OM_M_PUSHED] = "pushed",
	[OM_M_REPLY] = "reply", [OM_M_PARK] = "park", [OM_M_REGS] = "regs",
	[OM_M_RECALL] = "recall", [OM_M_TAKEN] = "taken",
	[OM_M_READY] = "ready", [OM_M_REFUSE] = "refuse",
	[OM_M_RESUMED] = "resumed", [OM_M_FAULT] = "fault",
	[OM_M_CALL] = "call", [OM_M_OPS] = "ops", [OM_M_USAGE] = "usage",
	[OM_M_PARKED] = "parked", [OM_M_RETURN] = "return",
	[OM_M_RETURNED] = "returned", [OM_M_PAGES] = "pages",
	[OM_M_BYTES] = "bytes", [OM_M_LEAVE] = "leave",
};

static const char * const om_fault_sides[] = { "send", "recv" };
static const char * const om_fault_actions[] = {
	[OM_FAULT_NONE] = "none", [OM_FAULT_KILL] = "kill",
	[OM_FAULT_RESET] = "reset", [OM_FAULT_GARBAGE] = "garbage",
	[OM_FAULT_TRUNCATE] = "truncate", [OM_FAULT_HOLD] = "hold",
	[OM_FAULT_PAYLOAD] = "payload",
};

static struct {
	int side, message, action;
	bool armed;
	unsigned int writes;	/* of the parameter: ends a hold */
	unsigned int hits;
} om_fault_plan;
static DEFINE_SPINLOCK(om_fault_lock);
static DECLARE_WAIT_QUEUE_HEAD(om_fault_wait);

static int om_fault_set(const char *text, const struct kernel_param *param)
{
	char *copy = kstrdup(text, GFP_KERNEL), *rest, *word;
	int side, message, action, ret = -EINVAL;

	if (!copy)
		return -ENOMEM;
	rest = strim(copy);
	word = strsep(&rest, ":");
	side = match_string(om_fault_sides, ARRAY_SIZE(om_fault_sides), word);
	word = strsep(&rest, ":");
	for (message = OM_M_COUNT - 1; word && message > 0; message--)
		if (!strcmp(om_fault_messages[message], word))
			break;
	action = rest ? match_string(om_fault_actions,
				     ARRAY_SIZE(om_fault_actions), rest) : -1;
	spin_lock(&om_fault_lock);
	if (!strcmp(copy, "none")) {
		om_fault_plan.armed = false;
		ret = 0;
	} else if (side >= 0 && word && message > 0 && action >= 0) {
		om_fault_plan.side = side;
		om_fault_plan.message = message;
		om_fault_plan.action = action;
		om_fault_plan.hits = 0;
		om_fault_plan.armed = true;
		ret = 0;
	}
	om_fault_plan.writes += !ret;
	spin_unlock(&om_fault_lock);
	wake_up_all(&om_fault_wait);
	kfree(copy);
	return ret;
}

static int om_fault_get(char *text, const struct kernel_param *param)
{
	if (!om_fault_plan.message)
		return sysfs_emit(text, "none\n");
	return sysfs_emit(text, "%s:%s:%s %u\n",
			  om_fault_sides[om_fault_plan.side],
			  om_fault_messages[om_fault_plan.message],
			  om_fault_actions[om_fault_plan.action],
			  om_fault_plan.hits);
}

static const struct kernel_param_ops om_fault_ops = {
	.set = om_fault_set,
	.get = om_fault_get,
};
module_param_cb(fault, &om_fault_ops, NULL, 0600);

/**
 * om_fault_due - carry out what was ordered for this message
 * @link: the link
 * @recv: the message has arrived; else it is about to be sent
 * @type: OM_M_*
 *
 * Returns what is left to the caller: OM_FAULT_GARBAGE, OM_FAULT_PAYLOAD,
 * OM_FAULT_TRUNCATE or OM_FAULT_NONE.
 */
enum om_fault_action om_fault_due(struct om_link *link, bool recv, u8 type)
{
	enum om_fault_action action = OM_FAULT_NONE;
	unsigned int writes;

	if (likely(!READ_ONCE(om_fault_plan.armed)))
		return OM_FAULT_NONE;
	spin_lock(&om_fault_lock);
	if (om_fault_plan.armed && om_fault_plan.side == recv &&
	    om_fault_plan.message == type) {
		action = om_fault_plan.action;
		om_fault_plan.armed = false;
		om_fault_plan.hits++;
	}
	writes = om_fault_plan.writes;
	spin_unlock(&om_fault_lock);
	switch (action) {
	case OM_FAULT_KILL:
		send_sig(SIGKILL, current, 1);
		break;
	case OM_FAULT_RESET:
		tcp_abort(link->sock->sk, ECONNABORTED);
		om_link_kill(link, -ECONNABORTED);
		break;
	case OM_FAULT_HOLD:
		wait_event_killable(om_fault_wait,
				    READ_ONCE(om_fault_plan.writes) != writes);
		break;
	default:
		return action;
	}
	return OM_FAULT_NONE;
}

/**
 * om_fault_noise - what takes the place of a payload
 * @len: bytes; not 0
 *
 * Returns random ones, to be freed by kvfree(), or NULL.
 */
void *om_fault_noise(size_t len)
{
	void *noise = kvmalloc(len, GFP_KERNEL);

	if (noise)
		get_random_bytes(noise, len);
	return noise;
}
