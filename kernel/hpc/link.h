/* SPDX-License-Identifier: GPL-2.0-only */
/* Links to other nodes, and what goes over them. See om.h for the locks. */
#ifndef _HPC_LINK_H
#define _HPC_LINK_H

#include <linux/list.h>
#include <linux/net.h>
#include <linux/refcount.h>
#include <linux/uio.h>
#include <linux/wait.h>

#include "wire.h"

struct file;
struct socket;
struct task_struct;

/* A peer that says nothing for so long is dead. */
#define OM_LINK_TIMEOUT		(15 * HZ)
/* Idle links that one move tries before it gives up. */
#define OM_LINK_TRIES		4

/* link.c: connected sockets, and message.c: framed messages on them */

enum om_notify {
	OM_NOTIFY_NONE,		/* the task waits on the link itself */
	OM_NOTIFY_RESUME,	/* call its resume_user_mode_work() */
	OM_NOTIFY_SIGNAL,	/* call its get_signal() */
	OM_NOTIFY_DEATH,	/* kill it if the link dies: it may sleep for hours */
	OM_NOTIFY_CALL,		/* and break its call off if something arrives */
	OM_NOTIFY_STOP,		/* and wake it if it is stopped */
};

struct om_link {
	refcount_t ref;
	u32 node;
	bool dead;
	int error;		/* why it is dead; negative errno */
	bool ended;		/* the other side has closed it */
	struct file *file;	/* keeps the socket */
	struct socket *sock;
	wait_queue_head_t wait;
	struct task_struct *task;
	enum om_notify notify;
	bool idle;		/* in a pool */
	bool owed;		/* from one that is to be filled up again */
	struct list_head pool;
	u32 tx_seq;
	u32 rx_seq;
	u64 bytes_out;
	u64 bytes_in;
	struct om_hdr rx_hdr;
	size_t rx_have;		/* of header and payload together */
	void *rx_buf;
	size_t rx_cap;
	void (*saved_data_ready)(struct sock *sk);
	void (*saved_write_space)(struct sock *sk);
	void (*saved_state_change)(struct sock *sk);
	void (*saved_error_report)(struct sock *sk);
};

/* A received message; data is valid until the next receive on the link. */
struct om_msg {
	u8 type;
	u32 len;
	void *data;
};

struct om_link *om_link_get_fd(int fd, u32 node);
void om_link_put(struct om_link *link);
void om_link_bind(struct om_link *link, struct task_struct *task,
		  enum om_notify notify);
void om_link_kill(struct om_link *link, int error);
bool om_link_readable(struct om_link *link);
bool om_link_alive(struct om_link *link);
u32 om_link_inflight(struct om_link *link);
u64 om_link_half_trip(struct om_link *link);
int om_link_recv(struct om_link *link, struct om_msg *msg);
int om_link_recv_wait(struct om_link *link, struct om_msg *msg, long timeout);
int om_link_recv_until(struct om_link *link, struct om_msg *msg, long timeout,
		       const bool *until);
int om_link_await(struct om_link *link, u8 type);
int om_link_send(struct om_link *link, u8 type, const struct kvec *vec,
		 unsigned int n, bool more);
int om_link_send_one(struct om_link *link, u8 type, const void *data,
		     size_t len);

/* pool.c: idle links, the device */

struct om_link *om_pool_take(u32 node);
int om_pool_await(struct om_proc *p);
void om_pool_settle(struct om_link *link);
void om_pool_reap(void);
void om_pool_changed(void);
void om_pool_drop(struct list_head *links);

#endif
