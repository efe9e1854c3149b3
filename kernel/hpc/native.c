// SPDX-License-Identifier: GPL-2.0-only
/*
 * A call of the body, made at home by its deputy.
 *
 * It may sleep for hours. Where the program cannot tell, it is broken off and made
 * again: now and then while pages wait to be pushed, and at once when somebody
 * wants the process.
 */
#include <linux/file.h>
#include <linux/net.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/task_work.h>
#include <linux/tty.h>
#include <net/sock.h>
#include <asm/syscall.h>
#include <asm/unistd.h>

#include "om.h"
#include "../drivers/tty/tty.h"

/**
 * om_set_in_call - say what the deputy is about to do
 * @p: its process; the current one
 * @what: a call that can be broken off, another one, or none
 *
 * Who wants the process says so and looks at this in one critical section. So the
 * deputy either sees that it is wanted after this, or its call is broken off; and
 * nothing that was meant for one call reaches the next one.
 */
void om_set_in_call(struct om_proc *p, enum om_in_call what)
{
	spin_lock(&p->lock);
	WRITE_ONCE(p->in_call, what);
	spin_unlock(&p->lock);
}

/**
 * om_break_off - end the call of a deputy, if the program cannot tell
 * @p: its process, locked by the caller
 * @deputy: its task
 */
void om_break_off(struct om_proc *p, struct task_struct *deputy)
{
	lockdep_assert_held(&p->lock);
	if (p->in_call == OM_CALL_LIGHT)
		set_notify_signal(deputy);
}

/* Writes the number and the arguments of a call into registers. */
void om_call_regs(struct pt_regs *regs, const struct om_call *call)
{
	regs->orig_ax = call->nr;
	regs->di = call->arg[0];
	regs->si = call->arg[1];
	regs->dx = call->arg[2];
	regs->r10 = call->arg[3];
	regs->r8 = call->arg[4];
	regs->r9 = call->arg[5];
}

/* Makes the call as the program at home would. */
long om_native(const struct om_call *call)
{
	struct pt_regs regs = *task_pt_regs(current);

	om_call_regs(&regs, call);
	return x64_sys_call(&regs, call->nr);
}

/* Would a read that is broken off come back with what is there, short of more? */
static bool om_gathers_tty(struct file *file)
{
	struct file_operations tty;
	struct ktermios *t;

	tty_default_fops(&tty);
	if (file->f_op->read_iter != tty.read_iter)
		return true;	/* a device that hands out a page at a time */
	t = &((struct tty_file_private *)file->private_data)->tty->termios;
	return !(t->c_lflag & ICANON) &&
	       (t->c_cc[VMIN] > 1 || t->c_cc[VTIME]);
}

static bool om_read_gathers(unsigned int fd)
{
	struct fd f = fdget(fd);
	struct socket *sock;
	bool gathers = false;

	if (!fd_file(f))
		return false;
	sock = sock_from_file(fd_file(f));
	if (sock)
		/* or begin its time anew */
		gathers = READ_ONCE(sock->sk->sk_rcvlowat) > 1 ||
			  READ_ONCE(sock->sk->sk_rcvtimeo) !=
			  MAX_SCHEDULE_TIMEOUT;
	else if (S_ISCHR(file_inode(fd_file(f))->i_mode))
		gathers = om_gathers_tty(fd_file(f));
	fdput(f);
	return gathers;
}

/* Where a sleep that is broken off writes what is left of it, or NULL. */
static void __user *om_rest_of_sleep(const struct om_call *call)
{
	switch (call->nr) {
	case __NR_nanosleep:
		return (void __user *)call->arg[1];
	case __NR_clock_nanosleep:
		return call->arg[1] & TIMER_ABSTIME ? NULL :
		       (void __user *)call->arg[3];
	default:
		return NULL;
	}
}

/* Can a time be written there, if that is asked for? */
static bool om_may_write_time(void __user *time)
{
	return !time || !fault_in_safe_writeable(time,
					sizeof(struct __kernel_timespec));
}

/* Calls that a nudge ends without a trace: made again, they go on. */
bool om_may_nudge(const struct om_call *call)
{
	switch (call->nr) {
	case __NR_read:
	case __NR_accept:
	case __NR_accept4:
		return !om_read_gathers(call->arg[0]);
	case __NR_recvfrom:
		return !(call->arg[3] & MSG_WAITALL) &&
		       !om_read_gathers(call->arg[0]);
	case __NR_recvmsg:
		return !(call->arg[2] & MSG_WAITALL) &&
		       !om_read_gathers(call->arg[0]);
	/* these begin a time of theirs anew, or write what is left of it */
	case __NR_select:
	case __NR_pselect6:
		return !call->arg[4];
	case __NR_epoll_wait:
	case __NR_epoll_pwait:
		return (int)call->arg[3] < 0;
	/* where it is to write that, it may only read: nothing is written as it ends */
	case __NR_nanosleep:
	case __NR_clock_nanosleep:
		return om_may_write_time(om_rest_of_sleep(call));
	/* where it cannot write that, it begins its time anew */
	case __NR_ppoll:
		return !(current->personality & STICKY_TIMEOUTS) &&
		       om_may_write_time((void __user *)call->arg[2]);
	case __NR_poll:
	case __NR_wait4:
	case __NR_waitid:
	case __NR_restart_syscall:	/* of one of these */
		return true;
	default:
		return false;
	}
}

/*
 * Some files answer a nudge with EINTR: nobody may see that. Of restart_syscall it
 * means that there is nothing to restart.
 */
static bool om_false_eintr(u64 nr, long result)
{
	return result == -EINTR && nr != __NR_restart_syscall;
}

/* Is the process wanted elsewhere, or its guest node about to say so? */
static bool om_interrupted(struct om_proc *p)
{
	return READ_ONCE(p->wanted) || READ_ONCE(p->hurry) ||
	       om_link_readable(p->link);
}

/*
 * A call may block for hours, and the body's pages must not wait for that: while
 * there is something to push, the call is broken off now and then.
 */
static long om_push_amid(struct om_proc *p, const struct om_call *call)
{
	struct om_call again = *call;
	long result;
	int more;

	if (p->away.pushed)
		return om_native(call);
	for (;;) {
		om_nudge_soon(p);
		result = om_native(&again);
		timer_delete_sync(&p->nudge);
		if (test_thread_flag(TIF_NOTIFY_SIGNAL))
			clear_notify_signal();
		if ((!om_must_restart(result) &&
		     !om_false_eintr(again.nr, result)) ||
		    task_sigpending(current) || om_interrupted(p))
			return result;
		/* a mask for the time of the call is set anew with the next try */
		restore_saved_sigmask();
		if (task_work_pending(current))
			task_work_run();
		do {
			more = om_push_some(p);
		} while (more > 0 && !signal_pending(current) &&
			 !om_interrupted(p));
		/* a link that broke is noticed when the reply is sent */
		if (more < 0)
			p->away.pushed = true;
		if (result == -ERESTART_RESTARTBLOCK)
			again.nr = __NR_restart_syscall;
		if (p->away.pushed)
			return om_native(&again);
	}
}

/*
 * A sleep that nobody broke off but us has no rest: there stays what there was. What
 * is left of one that is to go on is kept, should a signal end it first.
 */
static long om_native_pushing(struct om_proc *p, const struct om_call *call)
{
	struct om_rest *kept = &p->away.rest;
	struct __kernel_timespec was, is;
	void __user *rest;
	long result;

	rest = call->nr == __NR_restart_syscall ? kept->at :
						  om_rest_of_sleep(call);
	kept->at = NULL;
	if (rest && copy_from_user(&was, rest, sizeof(was)))
		rest = NULL;
	result = om_push_amid(p, call);
	if (!rest || (result && (result != -ERESTART_RESTARTBLOCK ||
				 task_sigpending(current))))
		return result;
	if (copy_from_user(&is, rest, sizeof(is)))
		return result;
	if (result) {
		kept->at = rest;
		kept->left = is;
	}
	/* somebody else may write there, unless we did */
	if (memcmp(&is, &was, sizeof(is)) &&
	    copy_to_user(rest, &was, sizeof(was)))
		result = -EFAULT;
	return result;
}

/**
 * om_tell_rest - a signal ends the sleep that we broke off
 * @p: the process; the current one
 * @away: its body is to have that, too
 *
 * Writes what was left of it where the program asked for that. Returns 0, or a
 * negative errno of the link.
 */
int om_tell_rest(struct om_proc *p, bool away)
{
	struct om_rest *kept = &p->away.rest;
	unsigned long at = (unsigned long)kept->at;

	kept->at = NULL;
	if (!at || om_user_write(at, &kept->left, sizeof(kept->left)))
		return 0;
	return away ? om_send_memory(p, at, sizeof(kept->left)) : 0;
}

/**
 * om_native_light - make a call that may be nudged
 * @p: the process; the current one
 * @call: the call
 *
 * Returns what the call does, or a result that makes the program's call go on
 * elsewhere: never an interruption by what no program may know of.
 */
long om_native_light(struct om_proc *p, const struct om_call *call)
{
	long result;

	om_link_bind(p->link, current, OM_NOTIFY_CALL);
	if (om_interrupted(p))
		set_notify_signal(current);
	result = om_native_pushing(p, call);
	/* should a signal come before it is made again, a handler's is a true one */
	if (om_false_eintr(call->nr, result) && !task_sigpending(current))
		result = -ERESTARTNOHAND;
	return result;
}
