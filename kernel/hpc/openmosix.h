/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * openMosix: the hooks that the rest of the kernel calls.
 *
 * Copied to include/linux/openmosix.h by the build. Only forward declarations:
 * core headers include this, and an edit must not rebuild the kernel.
 */
#ifndef _LINUX_OPENMOSIX_H
#define _LINUX_OPENMOSIX_H

#include <linux/types.h>

struct address_space;
struct file;
struct file_operations;
struct mm_struct;
struct om_body;
struct om_proc;
struct pt_regs;
struct signal_struct;
struct task_struct;
struct vm_fault;

#ifdef CONFIG_OPENMOSIX

void om_mm_init(struct mm_struct *mm);
int om_signal_fork(struct signal_struct *sig);
void om_signal_free(struct signal_struct *sig);
void om_resume_user_mode(struct pt_regs *regs);
bool om_syscall_enter(struct pt_regs *regs);
void om_get_signal(void);
void om_before_core(void);
bool om_is_body(struct task_struct *task);
/* vm_fault_t is spelled out: mm_types.h must not be needed here. */
bool om_fault(struct vm_fault *vmf, unsigned int *ret);
unsigned int om_task_state(struct task_struct *task, unsigned int index);
void om_exit(bool group_dead);
void om_exec(int error);
int om_mm_access(struct task_struct *task, unsigned int mode);
void om_attach(struct task_struct *task);
int om_mm_touch(struct mm_struct *mm);
void om_mmap_file(struct file *file, unsigned long flags);
void om_write_file(struct address_space *mapping);
void om_truncated_file(struct address_space *mapping);

extern const struct file_operations om_proc_lock_operations;
extern const struct file_operations om_proc_goto_operations;
extern const struct file_operations om_proc_cantmove_operations;
extern const struct file_operations om_proc_where_operations;
extern const struct file_operations om_proc_nmigs_operations;
extern const struct file_operations om_proc_migstat_operations;

#else

static inline void om_mm_init(struct mm_struct *mm) { }
static inline int om_signal_fork(struct signal_struct *sig) { return 0; }
static inline void om_signal_free(struct signal_struct *sig) { }
static inline void om_resume_user_mode(struct pt_regs *regs) { }
static inline bool om_syscall_enter(struct pt_regs *regs) { return false; }
static inline void om_get_signal(void) { }
static inline void om_before_core(void) { }
static inline bool om_is_body(struct task_struct *task) { return false; }
static inline bool om_fault(struct vm_fault *vmf, unsigned int *ret)
{
	return false;
}
static inline unsigned int om_task_state(struct task_struct *task,
					 unsigned int index)
{
	return index;
}
static inline void om_exit(bool group_dead) { }
static inline void om_exec(int error) { }
static inline int om_mm_access(struct task_struct *task, unsigned int mode) { return 0; }
static inline void om_attach(struct task_struct *task) { }
static inline int om_mm_touch(struct mm_struct *mm) { return 0; }
static inline void om_mmap_file(struct file *file, unsigned long flags) { }
static inline void om_write_file(struct address_space *mapping) { }
static inline void om_truncated_file(struct address_space *mapping) { }

#endif
#endif
