// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why a process stays.
 *
 * The reasons are read off the process whenever somebody asks, not kept: so a
 * reason goes when its cause goes, and no path through the kernel can forget to
 * set or clear one.
 */
#include <linux/audit.h>
#include <linux/fs.h>
#include <linux/io_uring_types.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/perf_event.h>
#include <linux/pkeys.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/sched/rt.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/seccomp.h>
#include <linux/secretmem.h>
#include <linux/shmem_fs.h>
#include <linux/thread_info.h>
#include <asm/fpu/xstate.h>

#include "om.h"

static const char * const om_words[OM_R_COUNT] = OM_REASON_WORDS;

/*
 * Another task with the same mm, be it a thread or not. mm_users alone says
 * nothing, since ps raises it, but if only @task and the caller count there is
 * no need to look.
 */
static bool om_shares_mm(struct task_struct *task, struct mm_struct *mm)
{
	struct task_struct *p, *t;
	bool found = false;

	if (get_nr_threads(task) > 1)
		return true;
	if (atomic_read(&mm->mm_users) <= 2)
		return false;
	rcu_read_lock();
	for_each_process(p) {
		if (unlikely(p->flags & PF_KTHREAD) ||
		    same_thread_group(p, task))
			continue;
		for_each_thread(p, t) {
			if (READ_ONCE(t->mm) == mm) {
				found = true;
				goto out;
			}
			if (t->mm)
				break;	/* its other threads have the same */
		}
	}
out:
	rcu_read_unlock();
	return found;
}

/* fs/aio.c keeps this number to itself. */
#define OM_AIO_MAGIC	0xa10a10a1

/* The rings of a kernel facility look like devices, and have words of their own. */
static u32 om_stay_ring(const struct file *file)
{
	const unsigned char *name = file->f_path.dentry->d_name.name;

	if (file_inode(file)->i_sb->s_magic == OM_AIO_MAGIC)
		return BIT(OM_R_AIO);
	if (file_inode(file)->i_sb->s_magic != ANON_INODE_FS_MAGIC)
		return 0;
	if (!strcmp(name, "[perf_event]"))
		return BIT(OM_R_PERF_MMAP);
	return strcmp(name, "[io_uring]") ? 0 : BIT(OM_R_IO_URING);
}

static u32 om_stay_file(struct vm_area_struct *vma)
{
	struct address_space *mapping = vma->vm_file->f_mapping;
	umode_t mode = file_inode(vma->vm_file)->i_mode;
	u32 ring = om_stay_ring(vma->vm_file);

	if (ring)
		return ring;
	if (vma_is_secretmem(vma))
		return BIT(OM_R_MEMFD_SECRET);
	if (shmem_mapping(mapping)) {
		if (vma->vm_flags & VM_MAYSHARE)
			return BIT(OM_R_MONKEY);
	} else if (!S_ISREG(mode)) {
		/* /dev/zero, mapped private, is plain memory */
		if (vma_is_anonymous(vma))
			return 0;
		return BIT(OM_R_MMAP_DEV);
	}
	if (vma->vm_flags & (VM_IO | VM_PFNMAP))
		return BIT(OM_R_MMAP_DEV);
	if (om_mutant("no-monkey"))
		return 0;
	if ((vma->vm_flags & VM_SHARED) || mapping_writably_mapped(mapping))
		return BIT(OM_R_MONKEY);
	/* a view of what somebody may write by other means */
	if ((vma->vm_flags & VM_MAYSHARE) &&
	    inode_is_open_for_write(file_inode(vma->vm_file)))
		return BIT(OM_R_MONKEY);
	return 0;
}

static u32 om_stay_mm(struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	u32 reasons = 0;

	VMA_ITERATOR(vmi, mm, 0);

	if (mm->locked_vm || (mm->def_flags & VM_LOCKED))
		reasons |= BIT(OM_R_MEM_LOCK);
#ifdef CONFIG_X86_INTEL_MEMORY_PROTECTION_KEYS
	/* all memory has key 0, which forbids nothing */
	if (mm_pkey_allocation_map(mm) & ~1U)
		reasons |= BIT(OM_R_PKEY);
#endif
	if (mmap_read_lock_killable(mm))
		return reasons;
	for_each_vma(vmi, vma) {
		if (vma->vm_flags & VM_LOCKED)
			reasons |= BIT(OM_R_MEM_LOCK);
		if (is_vm_hugetlb_page(vma))
			reasons |= BIT(OM_R_HUGETLB);
		else if (vma->vm_file)
			reasons |= om_stay_file(vma);
#ifdef CONFIG_USERFAULTFD
		if (vma->vm_userfaultfd_ctx.ctx)
			reasons |= BIT(OM_R_USERFAULTFD);
#endif
	}
	mmap_read_unlock(mm);
	return reasons;
}

/* A ring that is still open; what the kernel keeps for the next one does not count. */
static bool om_has_io_uring(struct task_struct *task)
{
#ifdef CONFIG_IO_URING
	struct io_uring_task *tctx;
	bool found;

	/* an execve frees it, after a grace period */
	rcu_read_lock();
	tctx = READ_ONCE(task->io_uring);
	found = tctx && !xa_empty(&tctx->xa);
	rcu_read_unlock();
	return found;
#else
	return false;
#endif
}

/*
 * Does an event count what it does, or wait for it? That is a matter of one node's
 * kernel, of which there is nothing where the process is not.
 */
bool om_is_measured(struct task_struct *task)
{
#ifdef CONFIG_PERF_EVENTS
	struct perf_event_context *ctx;
	bool found;

	rcu_read_lock();
	ctx = READ_ONCE(task->perf_event_ctxp);
	found = ctx && READ_ONCE(ctx->nr_events);
	rcu_read_unlock();
	return found;
#else
	return false;
#endif
}

/* A body has not asked for them, and would be refused what is in them. */
static bool om_has_big_registers(struct task_struct *task)
{
	return READ_ONCE(task->group_leader->thread.fpu.perm.__state_perm) &
	       XFEATURE_MASK_USER_DYNAMIC;
}

bool om_real_time(const struct task_struct *task)
{
	unsigned int policy = READ_ONCE(task->policy);

	return policy == SCHED_FIFO || policy == SCHED_RR ||
	       policy == SCHED_DEADLINE;
}

/**
 * om_stay_reasons - every reason for which a process cannot move now
 * @task: one of its threads, referenced
 *
 * Sleeps. Returns bits of enum om_reason.
 */
u32 om_stay_reasons(struct task_struct *task)
{
	struct mm_struct *mm;
	u32 reasons = 0;

	if (task->flags & PF_KTHREAD)
		return BIT(OM_R_KTHREAD);
	if (is_global_init(task))
		reasons |= BIT(OM_R_SYSTEM);
	if (om_real_time(task))
		reasons |= BIT(OM_R_RT_SCHED);
#ifdef CONFIG_X86_IOPL_IOPERM
	if (task->thread.iopl_emul || task->thread.io_bitmap)
		reasons |= BIT(OM_R_DIRECT_IO);
#endif
	if (test_tsk_thread_flag(task, TIF_NOTSC) ||
	    test_tsk_thread_flag(task, TIF_NOCPUID))
		reasons |= BIT(OM_R_PRIV_INST);
	if (om_has_big_registers(task))
		reasons |= BIT(OM_R_AMX);
#ifdef CONFIG_SECCOMP
	if (task->seccomp.mode != SECCOMP_MODE_DISABLED)
		reasons |= BIT(OM_R_SECCOMP);
#endif
	if (test_task_syscall_work(task, SYSCALL_AUDIT))
		reasons |= BIT(OM_R_AUDIT);
	if (test_task_syscall_work(task, SYSCALL_USER_DISPATCH))
		reasons |= BIT(OM_R_SUD);
	if (READ_ONCE(task->ptrace))
		reasons |= BIT(OM_R_PTRACE);
	if (om_has_io_uring(task))
		reasons |= BIT(OM_R_IO_URING);
	if (om_is_measured(task))
		reasons |= BIT(OM_R_PERF_MMAP);
	mm = get_task_mm(task);
	if (mm) {
		if (om_shares_mm(task, mm))
			reasons |= BIT(OM_R_CLONE_VM);
		reasons |= om_stay_mm(mm);
		mmput(mm);
	}
	return reasons;
}

/**
 * om_note_reasons - tell in migstat why a process came home, or did not leave
 * @p: its state; p->lock is not held
 * @reasons: bits of enum om_reason; the first is noted, without one nothing is
 */
void om_note_reasons(struct om_proc *p, u32 reasons)
{
	if (!reasons)
		return;
	spin_lock(&p->lock);
	p->stat.home_reason = OM_HOME_REASON;
	p->stat.home_arg = __ffs(reasons);
	spin_unlock(&p->lock);
}

/* Prints the words, one a line. Returns the length. */
int om_stay_print(u32 reasons, char *buf, size_t size)
{
	int len = 0;
	unsigned int i;

	buf[0] = '\0';
	for (i = 0; i < OM_R_COUNT; i++)
		if (reasons & BIT(i))
			len += scnprintf(buf + len, size - len, "%s\n",
					 om_words[i]);
	return len;
}
