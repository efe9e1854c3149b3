// SPDX-License-Identifier: GPL-2.0-only
/*
 * Framed messages on a link.
 *
 * A deputy usually has a signal pending when it talks to its body, and a
 * blocking socket call returns early then, perhaps with half a frame sent. So
 * nothing here blocks inside the socket: every call is MSG_DONTWAIT, partial
 * frames are kept, and the waiting is done on the link's own queue, which only
 * a fatal signal ends.
 */
#include <linux/mm.h>
#include <linux/net.h>
#include <linux/slab.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "om.h"

/* A stub may wait for days: that is no load. */
#define OM_WAIT_STATE	(TASK_KILLABLE | TASK_NOLOAD)

/* The longest payload of each type; anything longer is a broken peer. */
static const u32 om_max_len[OM_M_COUNT] = {
	[OM_M_PREPARE]	= sizeof(struct om_prepare),
	[OM_M_VMAS]	= OM_MAX_VMAS * sizeof(struct om_vma),
	[OM_M_COMMIT]	= sizeof(struct om_commit) + OM_XSTATE_ROOM +
			  OM_MAX_PATCHES * sizeof(struct om_patch) +
			  OM_MAX_HOT * PAGE_SIZE,
	[OM_M_HOLE]	= sizeof(struct om_range),
	[OM_M_BADPAGE]	= sizeof(u64),
	[OM_M_REPLY]	= sizeof(struct om_reply) +
			  OM_MAX_OPS * sizeof(struct om_op) +
			  OM_MAX_SEGS * sizeof(struct om_seg) + OM_MAX_INLINE,
	[OM_M_PUSHED]	= sizeof(u32),
	[OM_M_RECALL]	= sizeof(u32),
	[OM_M_REGS]	= sizeof(struct om_regs) + OM_XSTATE_ROOM,
	[OM_M_REFUSE]	= sizeof(s32),
	[OM_M_FAULT]	= sizeof(u64),
	[OM_M_CALL]	= sizeof(struct om_call) +
			  OM_MAX_SEGS * sizeof(struct om_seg) + OM_MAX_INLINE,
	[OM_M_OPS]	= OM_MAX_OPS * sizeof(struct om_op),
	[OM_M_USAGE]	= sizeof(struct om_usage),
	[OM_M_PARKED]	= sizeof(struct om_parked) + OM_XSTATE_ROOM,
	[OM_M_RETURN]	= sizeof(struct om_return) + OM_XSTATE_ROOM,
	[OM_M_LEAVE]	= sizeof(struct om_leave),
	[OM_M_PAGES]	= sizeof(struct om_pages) +
			  OM_MAX_PAGES * (8 + PAGE_SIZE),
	[OM_M_BYTES]	= sizeof(u64) + OM_MAX_INLINE,
};

static int om_recv_bytes(struct om_link *link, void *to, size_t len)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct kvec vec = { .iov_base = to, .iov_len = len };
	int ret;

	if (link->dead)
		return link->error;
	/* no peer sends urgent data, before which a read would stop for good */
	if (READ_ONCE(tcp_sk(link->sock->sk)->urg_data)) {
		om_link_kill(link, -EPROTO);
		return link->error;
	}
	ret = kernel_recvmsg(link->sock, &msg, &vec, 1, len, msg.msg_flags);
	if (ret > 0) {
		link->bytes_in += ret;
		om_count_add(OM_C_BYTES_IN, ret);
		return ret;
	}
	if (ret == -EAGAIN || ret == -EINTR || ret == -ERESTARTSYS)
		return 0;
	link->ended = !ret;
	om_link_kill(link, ret ? ret : -ECONNRESET);
	return link->error;
}

static int om_check_hdr(struct om_link *link)
{
	const struct om_hdr *h = &link->rx_hdr;
	void *buf;

	if (h->magic != OM_MAGIC || h->version != OM_PROTOCOL ||
	    !h->type || h->type >= OM_M_COUNT || h->flags ||
	    h->len > om_max_len[h->type] || h->seq != link->rx_seq) {
		pr_warn_ratelimited("openmosix: node %u sent a broken message (type %u, %u bytes)\n",
				    link->node, h->type, h->len);
		om_link_kill(link, -EPROTO);
		return -EPROTO;
	}
	if (h->len > link->rx_cap) {
		buf = kvmalloc(h->len, GFP_KERNEL);
		if (!buf) {
			om_link_kill(link, -ENOMEM);
			return -ENOMEM;
		}
		kvfree(link->rx_buf);
		link->rx_buf = buf;
		link->rx_cap = h->len;
	}
	return 0;
}

/**
 * om_link_recv - the next message, if it has arrived
 * @link: the link
 * @msg: out; its data belong to the link until the next call
 *
 * Returns 1 with a message, 0 if there is none yet, a negative errno if the
 * link is dead, or -EINTR if a fatal signal waits: that comes before any message,
 * for the other side may never fall silent.
 */
int om_link_recv(struct om_link *link, struct om_msg *msg)
{
	size_t have, want;
	int ret;

	if (fatal_signal_pending(current))
		return -EINTR;
	for (;;) {
		have = link->rx_have;
		if (have < sizeof(struct om_hdr)) {
			ret = om_recv_bytes(link, (char *)&link->rx_hdr + have,
					    sizeof(struct om_hdr) - have);
			if (ret <= 0)
				return ret;
			link->rx_have += ret;
			if (link->rx_have == sizeof(struct om_hdr)) {
				ret = om_check_hdr(link);
				if (ret)
					return ret;
			}
			continue;
		}
		have -= sizeof(struct om_hdr);
		want = link->rx_hdr.len;
		if (have < want) {
			ret = om_recv_bytes(link, link->rx_buf + have,
					    want - have);
			if (ret <= 0)
				return ret;
			link->rx_have += ret;
			continue;
		}
		link->rx_have = 0;
		link->rx_seq++;
		msg->type = link->rx_hdr.type;
		msg->len = want;
		msg->data = link->rx_buf;
		om_fault_due(link, true, msg->type);
		return link->dead ? link->error : 1;
	}
}

/**
 * om_link_recv_until - the next message, or something else to do
 * @link: the link
 * @msg: out, as om_link_recv()
 * @timeout: jiffies, or MAX_SCHEDULE_TIMEOUT
 * @until: NULL, or what else ends the wait; who sets it wakes the link's queue
 *
 * Only a fatal signal ends the wait early. Returns 1, 0 if *@until, or a
 * negative errno: -EINTR, -ETIMEDOUT, or that of the dead link.
 */
int om_link_recv_until(struct om_link *link, struct om_msg *msg, long timeout,
		       const bool *until)
{
	long left = timeout;
	int ret;

	for (;;) {
		ret = om_link_recv(link, msg);
		if (ret)
			return ret;
		if (until && READ_ONCE(*until))
			return 0;
		left = ___wait_event(link->wait,
				     ___wait_cond_timeout(
					om_link_readable(link) ||
					(until && READ_ONCE(*until))),
				     OM_WAIT_STATE, 0, left,
				     __ret = schedule_timeout(__ret));
		if (left < 0)
			return -EINTR;
		if (!left && !om_link_readable(link))
			return -ETIMEDOUT;
	}
}

/* The same, with nothing else to do. Returns 1 or a negative errno. */
int om_link_recv_wait(struct om_link *link, struct om_msg *msg, long timeout)
{
	return om_link_recv_until(link, msg, timeout, NULL);
}

/**
 * om_link_await - nothing but this message counts any more
 * @link: the link
 * @type: OM_M_*; OM_M_COUNT for the end of the link
 *
 * Whatever else arrives meanwhile, the wait ends. Returns 0 or a negative errno.
 */
int om_link_await(struct om_link *link, u8 type)
{
	const unsigned long until = jiffies + OM_LINK_TIMEOUT;
	struct om_msg msg;
	long left;
	int ret;

	for (;;) {
		left = until - jiffies;
		if (left <= 0)
			return -ETIMEDOUT;
		ret = om_link_recv_wait(link, &msg, left);
		if (ret < 0)
			return ret;
		if (msg.type == type)
			return 0;
	}
}

/* Puts all of a message into the socket. Returns 0 or a negative errno. */
static int om_send_all(struct om_link *link, struct msghdr *msg, bool more)
{
	struct sock *sk = link->sock->sk;
	size_t inflight;
	long left;
	int ret;

	while (msg_data_left(msg)) {
		msg->msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL |
				 (more ? MSG_MORE : 0);
		ret = sock_sendmsg(link->sock, msg);
		if (ret > 0) {
			link->bytes_out += ret;
			om_count_add(OM_C_BYTES_OUT, ret);
			continue;
		}
		if (ret != -EAGAIN && ret != -EINTR && ret != -ERESTARTSYS)
			return ret ? ret : -EPIPE;
		/* the other side has gone, and empties nothing any more */
		if (!om_link_alive(link))
			return -EPIPE;
		/* there is room, but no memory to fill it */
		if (ret == -EAGAIN && sk_stream_is_writeable(sk))
			schedule_timeout_killable(1);
		if (fatal_signal_pending(current))
			return -EINTR;
		/* one that takes what it gets, however slowly, is not silent */
		inflight = om_link_inflight(link);
		left = wait_event_killable_timeout(link->wait,
				sk_stream_is_writeable(sk) ||
				om_link_inflight(link) != inflight ||
				!om_link_alive(link),
				OM_LINK_TIMEOUT);
		if (left <= 0)
			return left ? -EINTR : -ETIMEDOUT;
	}
	return 0;
}

/**
 * om_link_send - one message
 * @link: the link
 * @type: OM_M_*
 * @vec: its payload, in pieces
 * @n: number of pieces, at most OM_MAX_PAGES + 8
 * @more: another message follows at once
 *
 * Returns 0 when all of it is in the socket, a negative errno if the link is
 * dead or the task is being killed; the link is dead then, too.
 */
int om_link_send(struct om_link *link, u8 type, const struct kvec *vec,
		 unsigned int n, bool more)
{
	struct kvec v[OM_MAX_PAGES + 9];
	struct om_hdr hdr = {
		.magic = OM_MAGIC, .version = OM_PROTOCOL, .type = type,
		.seq = link->tx_seq,
	};
	struct msghdr msg = { };
	enum om_fault_action fault = om_fault_due(link, false, type);
	void *noise = NULL;
	unsigned int i;
	size_t total;
	int ret;

	if (link->dead)
		return link->error;
	if (WARN_ON_ONCE(n + 1 > ARRAY_SIZE(v)))
		return -EINVAL;
	v[0].iov_base = &hdr;
	v[0].iov_len = sizeof(hdr);
	for (i = 0; i < n; i++) {
		v[i + 1] = vec[i];
		hdr.len += vec[i].iov_len;
	}
	total = sizeof(hdr) + hdr.len;
	if (fault == OM_FAULT_GARBAGE)
		hdr.magic = ~hdr.magic;
	else if (fault == OM_FAULT_TRUNCATE)
		total = max(total / 2, sizeof(hdr) / 2);
	else if (fault == OM_FAULT_PAYLOAD && hdr.len)
		noise = om_fault_noise(hdr.len);
	if (noise) {
		v[1].iov_base = noise;
		v[1].iov_len = hdr.len;
		n = 1;
	}
	link->tx_seq++;
	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, v, n + 1, total);
	ret = om_send_all(link, &msg, more);
	kvfree(noise);
	if (!ret && fault == OM_FAULT_TRUNCATE)
		ret = -EPIPE;
	if (ret)
		om_link_kill(link, ret);
	return link->dead ? link->error : 0;
}

int om_link_send_one(struct om_link *link, u8 type, const void *data,
		     size_t len)
{
	struct kvec vec = { .iov_base = (void *)data, .iov_len = len };

	return om_link_send(link, type, &vec, len ? 1 : 0, false);
}
