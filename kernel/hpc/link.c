// SPDX-License-Identifier: GPL-2.0-only
/*
 * Framed messages on a connected TCP socket.
 *
 * A deputy usually has a signal pending when it talks to its body, and a
 * blocking socket call returns early then, perhaps with half a frame sent. So
 * nothing here blocks inside the socket: every call is MSG_DONTWAIT, partial
 * frames are kept, and the waiting is done on the link's own queue, which only
 * a fatal signal ends. The socket's callbacks are ours, since sk_sleep() would
 * not wake a killable sleeper.
 */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/net.h>
#include <linux/resume_user_mode.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "om.h"

/* A stub may wait for days: that is no load. */
#define OM_WAIT_STATE	(TASK_KILLABLE | TASK_NOLOAD)

#define OM_RX_KEEP	(OM_MAX_PAGES * (PAGE_SIZE + 8) + 4096)

/* The longest payload of each type; anything longer is a broken peer. */
static const u32 om_max_len[OM_M_COUNT] = {
	[OM_M_PREPARE]	= sizeof(struct om_prepare),
	[OM_M_VMAS]	= OM_MAX_VMAS * sizeof(struct om_vma),
	[OM_M_COMMIT]	= sizeof(struct om_regs) + OM_MAX_XSTATE,
	[OM_M_HOLE]	= sizeof(struct om_range),
	[OM_M_BADPAGE]	= sizeof(u64),
	[OM_M_REPLY]	= sizeof(struct om_reply) +
			  OM_MAX_OPS * sizeof(struct om_op) +
			  OM_MAX_SEGS * sizeof(struct om_seg) + OM_MAX_INLINE,
	[OM_M_PUSHED]	= sizeof(u32),
	[OM_M_RECALL]	= sizeof(u32),
	[OM_M_REGS]	= sizeof(struct om_regs) + OM_MAX_XSTATE,
	[OM_M_REFUSE]	= sizeof(s32),
	[OM_M_FAULT]	= sizeof(u64),
	[OM_M_CALL]	= sizeof(struct om_call) +
			  OM_MAX_SEGS * sizeof(struct om_seg) + OM_MAX_INLINE,
	[OM_M_OPS]	= OM_MAX_OPS * sizeof(struct om_op),
	[OM_M_USAGE]	= sizeof(struct om_usage),
	[OM_M_PARKED]	= sizeof(struct om_parked) + OM_MAX_XSTATE,
	[OM_M_RETURN]	= sizeof(struct om_return) + OM_MAX_XSTATE,
	[OM_M_PAGES]	= sizeof(struct om_pages) +
			  OM_MAX_PAGES * (8 + PAGE_SIZE),
	[OM_M_BYTES]	= sizeof(u64) + OM_MAX_INLINE,
};

static void om_link_wake(struct om_link *link)
{
	wake_up(&link->wait);
	if (link->idle) {
		om_pool_reap();
	} else if (link->task) {
		if (link->notify == OM_NOTIFY_RESUME)
			set_notify_resume(link->task);
		else if (link->notify == OM_NOTIFY_SIGNAL)
			set_notify_signal(link->task);
	}
}

static void om_sk_wake(struct sock *sk)
{
	struct om_link *link;

	read_lock_bh(&sk->sk_callback_lock);
	link = sk->sk_user_data;
	if (link)
		om_link_wake(link);
	read_unlock_bh(&sk->sk_callback_lock);
}

/* Room to send concerns only who waits for it. */
static void om_sk_write_space(struct sock *sk)
{
	struct om_link *link;

	read_lock_bh(&sk->sk_callback_lock);
	link = sk->sk_user_data;
	if (link)
		wake_up(&link->wait);
	read_unlock_bh(&sk->sk_callback_lock);
}

/*
 * A fault of a body talks to home with the mmap lock held, while a program's
 * send() faults with its socket locked. These are never the same socket: say so.
 */
static void om_sk_set_class(struct sock *sk)
{
#ifdef CONFIG_DEBUG_LOCK_ALLOC
	static struct lock_class_key key;

	lockdep_init_map(&sk->sk_lock.dep_map, "sk_lock-openmosix", &key, 0);
#endif
	/* nor do they share a page that is being filled */
	sk->sk_use_task_frag = false;
}

/**
 * om_link_get_fd - make a link of a connected TCP socket
 * @fd: descriptor of the calling process
 * @node: the node at its other end
 *
 * Returns the link with one reference, or an ERR_PTR: -ENOTSOCK, -EINVAL if it
 * is not TCP over IPv4, -ENOTCONN, -EBUSY if the kernel has that socket already.
 */
struct om_link *om_link_get_fd(int fd, u32 node)
{
	struct om_link *link;
	struct socket *sock;
	struct sock *sk;
	int ret;

	sock = sockfd_lookup(fd, &ret);
	if (!sock)
		return ERR_PTR(ret);
	sk = sock->sk;
	ret = -EINVAL;
	if (sk->sk_family != AF_INET || sk->sk_protocol != IPPROTO_TCP)
		goto put;
	ret = -ENOTCONN;
	if (sk->sk_state != TCP_ESTABLISHED)
		goto put;
	ret = -ENOMEM;
	link = kzalloc(sizeof(*link), GFP_KERNEL);
	if (!link)
		goto put;
	link->rx_cap = OM_RX_KEEP;
	link->rx_buf = kvmalloc(link->rx_cap, GFP_KERNEL);
	if (!link->rx_buf)
		goto free;
	refcount_set(&link->ref, 1);
	link->node = node;
	link->file = sock->file;
	link->sock = sock;
	init_waitqueue_head(&link->wait);
	INIT_LIST_HEAD(&link->pool);

	write_lock_bh(&sk->sk_callback_lock);
	ret = -EBUSY;
	if (sk->sk_user_data) {
		write_unlock_bh(&sk->sk_callback_lock);
		goto free;
	}
	sk->sk_user_data = link;
	link->saved_data_ready = sk->sk_data_ready;
	link->saved_write_space = sk->sk_write_space;
	link->saved_state_change = sk->sk_state_change;
	link->saved_error_report = sk->sk_error_report;
	sk->sk_data_ready = om_sk_wake;
	sk->sk_write_space = om_sk_write_space;
	sk->sk_state_change = om_sk_wake;
	sk->sk_error_report = om_sk_wake;
	write_unlock_bh(&sk->sk_callback_lock);
	om_sk_set_class(sk);
	return link;
free:
	kvfree(link->rx_buf);
	kfree(link);
put:
	sockfd_put(sock);
	return ERR_PTR(ret);
}

void om_link_put(struct om_link *link)
{
	struct sock *sk;

	if (!link || !refcount_dec_and_test(&link->ref))
		return;
	sk = link->sock->sk;
	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_user_data = NULL;
	sk->sk_data_ready = link->saved_data_ready;
	sk->sk_write_space = link->saved_write_space;
	sk->sk_state_change = link->saved_state_change;
	sk->sk_error_report = link->saved_error_report;
	write_unlock_bh(&sk->sk_callback_lock);
	kernel_sock_shutdown(link->sock, SHUT_RDWR);
	fput(link->file);
	kvfree(link->rx_buf);
	kfree(link);
}

/**
 * om_link_bind - say who is told when something arrives
 * @link: the link
 * @task: the task, which must unbind itself before it goes; or NULL
 * @notify: how
 */
void om_link_bind(struct om_link *link, struct task_struct *task,
		  enum om_notify notify)
{
	struct sock *sk = link->sock->sk;

	write_lock_bh(&sk->sk_callback_lock);
	link->task = task;
	link->notify = notify;
	write_unlock_bh(&sk->sk_callback_lock);
}

/**
 * om_link_kill - end a link; the other side sees it at once
 * @link: the link
 * @error: why, a negative errno; the first one is kept
 */
void om_link_kill(struct om_link *link, int error)
{
	if (link->dead)
		return;
	link->dead = true;
	link->error = error;
	kernel_sock_shutdown(link->sock, SHUT_RDWR);
}

/* Is there something to receive, be it the end? */
bool om_link_readable(struct om_link *link)
{
	struct sock *sk = link->sock->sk;

	return !skb_queue_empty_lockless(&sk->sk_receive_queue) ||
	       !om_link_alive(link);
}

bool om_link_alive(struct om_link *link)
{
	struct sock *sk = link->sock->sk;

	return !link->dead && !READ_ONCE(sk->sk_err) &&
	       !(READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN) &&
	       READ_ONCE(sk->sk_state) == TCP_ESTABLISHED;
}

/* Bytes sent that the peer's TCP has not acknowledged. */
u32 om_link_inflight(struct om_link *link)
{
	struct tcp_sock *tp = tcp_sk(link->sock->sk);

	return READ_ONCE(tp->write_seq) - READ_ONCE(tp->snd_una);
}

/* Nanoseconds that a message takes, as TCP has measured it. */
u64 om_link_half_trip(struct om_link *link)
{
	/* srtt_us is eight times the round trip */
	return READ_ONCE(tcp_sk(link->sock->sk)->srtt_us) *
	       (NSEC_PER_USEC / 8) / 2;
}

/* Would @bytes go into the socket at once? If not, ask to be woken. */
bool om_link_room(struct om_link *link, size_t bytes)
{
	struct sock *sk = link->sock->sk;

	if (sk_stream_wspace(sk) >= (int)bytes)
		return true;
	set_bit(SOCK_NOSPACE, &link->sock->flags);
	return sk_stream_wspace(sk) >= (int)bytes;
}

static int om_recv_bytes(struct om_link *link, void *to, size_t len)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct kvec vec = { .iov_base = to, .iov_len = len };
	int ret;

	if (link->dead)
		return link->error;
	ret = kernel_recvmsg(link->sock, &msg, &vec, 1, len, msg.msg_flags);
	if (ret > 0) {
		link->bytes_in += ret;
		return ret;
	}
	if (ret == -EAGAIN || ret == -EINTR || ret == -ERESTARTSYS)
		return 0;
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
 * link is dead.
 */
int om_link_recv(struct om_link *link, struct om_msg *msg)
{
	size_t have, want;
	int ret;

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
 * om_link_recv_wait - the next message
 * @link: the link
 * @msg: out, as om_link_recv()
 * @timeout: jiffies, or MAX_SCHEDULE_TIMEOUT
 *
 * Only a fatal signal ends the wait early. Returns 1, or a negative errno:
 * -EINTR, -ETIMEDOUT, or that of the dead link.
 */
int om_link_recv_wait(struct om_link *link, struct om_msg *msg, long timeout)
{
	long left = timeout;
	int ret;

	for (;;) {
		ret = om_link_recv(link, msg);
		if (ret)
			return ret;
		left = ___wait_event(link->wait,
				     ___wait_cond_timeout(om_link_readable(link)),
				     OM_WAIT_STATE, 0, left,
				     __ret = schedule_timeout(__ret));
		if (left < 0)
			return -EINTR;
		if (!left && !om_link_readable(link))
			return -ETIMEDOUT;
	}
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
	struct sock *sk = link->sock->sk;
	enum om_fault_action fault = om_fault_due(link, false, type);
	unsigned int i;
	size_t total;
	long left;
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
	link->tx_seq++;
	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, v, n + 1, total);
	while (msg_data_left(&msg)) {
		msg.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL |
				(more ? MSG_MORE : 0);
		ret = sock_sendmsg(link->sock, &msg);
		if (ret > 0) {
			link->bytes_out += ret;
			continue;
		}
		if (ret != -EAGAIN && ret != -EINTR && ret != -ERESTARTSYS) {
			om_link_kill(link, ret ? ret : -EPIPE);
			return link->error;
		}
		set_bit(SOCK_NOSPACE, &link->sock->flags);
		left = wait_event_killable_timeout(link->wait,
				sk_stream_is_writeable(sk) || link->dead ||
				READ_ONCE(sk->sk_err) ||
				READ_ONCE(sk->sk_state) != TCP_ESTABLISHED,
				OM_LINK_TIMEOUT);
		if (left <= 0) {
			om_link_kill(link, left ? -EINTR : -ETIMEDOUT);
			return link->error;
		}
	}
	if (fault == OM_FAULT_TRUNCATE)
		om_link_kill(link, -EPIPE);
	return link->dead ? link->error : 0;
}

int om_link_send_one(struct om_link *link, u8 type, const void *data,
		     size_t len)
{
	struct kvec vec = { .iov_base = (void *)data, .iov_len = len };

	return om_link_send(link, type, &vec, len ? 1 : 0, false);
}
