// SPDX-License-Identifier: GPL-2.0-only
/*
 * Links: connected TCP sockets that the kernel has taken over.
 *
 * The socket's callbacks are ours, since sk_sleep() would not wake a killable
 * sleeper, and since who is to be told of an arrival changes: a pool, a task
 * that runs user code, or one that waits on the link.
 */
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/net.h>
#include <linux/resume_user_mode.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "om.h"

/* A full window of pages and what else is sent, with TCP's own overhead. */
#define OM_SNDBUF	(2 * 1024 * 1024)
#define OM_RX_KEEP	(OM_MAX_PAGES * (PAGE_SIZE + 8) + 4096)

/* The body is lost while its deputy is busy with something else. */
static void om_link_mourn(struct om_link *link)
{
	om_count(OM_C_BODIES_LOST);
	pr_warn_ratelimited("openmosix: process %d died with its body on node %u\n",
			    task_tgid_nr(link->task), link->node);
	send_sig(SIGKILL, link->task, 1);
	link->notify = OM_NOTIFY_NONE;
}

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
		else if (link->notify && !om_link_alive(link))
			om_link_mourn(link);
		else if (link->notify == OM_NOTIFY_CALL)
			set_notify_signal(link->task);
		else if (link->notify == OM_NOTIFY_STOP)
			om_unstop_soon(om_proc_of(link->task));
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

/*
 * How much is on its way is our decision. What TCP would start with holds less
 * than one batch of pages, and grows only for one who fills it.
 */
static void om_sk_set_buffer(struct sock *sk)
{
	lock_sock(sk);
	sk->sk_userlocks |= SOCK_SNDBUF_LOCK;
	WRITE_ONCE(sk->sk_sndbuf, OM_SNDBUF);
	release_sock(sk);
	/* each acknowledgement is told: who pushes waits for it */
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
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
	om_sk_set_buffer(sk);
	om_count(OM_C_LINKS);
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
	om_uncount(OM_C_LINKS);
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

/*
 * Nanoseconds that a message takes on an idle link. What TCP has smoothed says how
 * long full queues and put off acknowledgements took, and is ten times that.
 */
u64 om_link_half_trip(struct om_link *link)
{
	u32 trip = tcp_min_rtt(tcp_sk(link->sock->sk));

	return trip == ~0U ? 0 : (u64)trip * NSEC_PER_USEC / 2;
}
