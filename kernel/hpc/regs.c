// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers of the current task, at a place where all of them are saved:
 * the return to user mode, or the entry of a system call.
 */
#include <linux/bitmap.h>
#include <linux/kernel.h>
#include <linux/ptrace.h>
#include <linux/regset.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <asm/fpu/api.h>
#include <asm/fpu/sched.h>
#include <asm/fpu/signal.h>
#include <asm/fpu/types.h>
#include <asm/fsgsbase.h>
#include <asm/gsseg.h>
#include <asm/page.h>
#include <asm/pkru.h>
#include <asm/prctl.h>
#include <asm/processor-flags.h>
#include <asm/proto.h>
#include <asm/segment.h>
#include <asm/unistd.h>

#include "om.h"
#include "../arch/x86/kernel/fpu/context.h"
#include "../arch/x86/kernel/fpu/internal.h"
#include "../arch/x86/kernel/fpu/legacy.h"
#include "../arch/x86/kernel/fpu/xstate.h"

/* The flags that a program can change without help of the kernel. */
#define OM_USER_FLAGS	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | \
			 X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_TF | \
			 X86_EFLAGS_DF | X86_EFLAGS_OF | X86_EFLAGS_AC | \
			 X86_EFLAGS_ID)

/* Bytes of the xstate image; 0 on a CPU without XSAVE, which cannot migrate. */
size_t om_xstate_size(void)
{
	if (!cpu_feature_enabled(X86_FEATURE_XSAVE) ||
	    fpu_user_cfg.max_size > OM_MAX_XSTATE)
		return 0;
	return fpu_user_cfg.max_size;
}

/*
 * Most of an xstate image is zeros. What travels is a map of its blocks, and those
 * that hold something: it fits into one segment with all else.
 */
struct om_xmap {
	DECLARE_BITMAP(set, OM_MAX_XSTATE / OM_XSTATE_BLOCK);
};

/*
 * Packs @size bytes that lie one block further on than @buf, where the result
 * begins. Returns its length.
 */
static size_t om_xstate_pack(void *buf, size_t size)
{
	const void *from = buf + OM_XSTATE_BLOCK;
	struct om_xmap map = { };
	void *to = buf + sizeof(map);
	size_t at, n;

	BUILD_BUG_ON(sizeof(map) > OM_XSTATE_BLOCK);
	for (at = 0; at < size; at += n) {
		n = min(size - at, OM_XSTATE_BLOCK);
		if (!memchr_inv(from + at, 0, n))
			continue;
		__set_bit(at / OM_XSTATE_BLOCK, map.set);
		memmove(to, from + at, n);
		to += n;
	}
	memcpy(buf, &map, sizeof(map));
	return to - buf;
}

/* Does it make an image of @size bytes? Writes that to @to, if not NULL. */
static bool om_xstate_unpack(const void *packed, size_t len, void *to,
			     size_t size)
{
	struct om_xmap map;
	size_t at, n;

	if (len < sizeof(map))
		return false;
	memcpy(&map, packed, sizeof(map));
	packed += sizeof(map);
	len -= sizeof(map);
	for (at = 0; at < size; at += n) {
		n = min(size - at, OM_XSTATE_BLOCK);
		if (!__test_and_clear_bit(at / OM_XSTATE_BLOCK, map.set)) {
			if (to)
				memset(to + at, 0, n);
			continue;
		}
		if (n > len)
			return false;
		if (to)
			memcpy(to + at, packed, n);
		packed += n;
		len -= n;
	}
	return !len && bitmap_empty(map.set, OM_MAX_XSTATE / OM_XSTATE_BLOCK);
}

/*
 * Of 64 bits a program uses none, of 32 it needs one, and may load any, with whatever
 * privilege it says.
 */
static bool om_data_segment_sane(u16 selector)
{
	u16 s = selector | SEGMENT_RPL_MASK;

	return s == SEGMENT_RPL_MASK || s == __USER_DS || s == __USER_CS ||
	       s == __USER32_CS || s == __CPUNODE_SEG;
}

/* Segments that any node has; a program can go to one of 32 bits by itself. */
static bool om_segments_sane(const struct om_regs *in)
{
	return (in->cs == __USER_CS || in->cs == __USER32_CS) &&
	       in->ss == __USER_DS && om_data_segment_sane(in->ds) &&
	       om_data_segment_sane(in->es) &&
	       om_data_segment_sane(in->fs) && om_data_segment_sane(in->gs);
}

/**
 * om_data_segments_save - capture what no signal changes
 * @out: registers; gets the segments of data of the current task, and their bases
 */
void om_data_segments_save(struct om_regs *out)
{
	savesegment(ds, out->ds);
	savesegment(es, out->es);
	savesegment(fs, out->fs);
	savesegment(gs, out->gs);
	current_save_fsgs();
	out->fsbase = current->thread.fsbase;
	out->gsbase = current->thread.gsbase;
}

/* Can the current task go on elsewhere in the segments that it is in? */
bool om_segments_travel(const struct pt_regs *regs)
{
	struct om_regs seen = { .cs = regs->cs, .ss = regs->ss };

	om_data_segments_save(&seen);
	return om_segments_sane(&seen);
}

/**
 * om_regs_save - capture the current task
 * @regs: its user registers
 * @out: out
 * @xstate: out, out->xstate_len bytes; there must be room for OM_XSTATE_ROOM
 */
int om_regs_save(const struct pt_regs *regs, struct om_regs *out, void *xstate)
{
	void *image = xstate + OM_XSTATE_BLOCK;
	size_t size = om_xstate_size();
	struct membuf to = { .p = image, .left = size };

	if (!size)
		return -EOPNOTSUPP;
	*out = (struct om_regs){
		.r15 = regs->r15, .r14 = regs->r14, .r13 = regs->r13,
		.r12 = regs->r12, .bp = regs->bp, .bx = regs->bx,
		.r11 = regs->r11, .r10 = regs->r10, .r9 = regs->r9,
		.r8 = regs->r8, .ax = regs->ax, .cx = regs->cx,
		.dx = regs->dx, .si = regs->si, .di = regs->di,
		.orig_ax = regs->orig_ax, .ip = regs->ip,
		.flags = regs->flags & OM_USER_FLAGS, .sp = regs->sp,
		.cs = regs->cs, .ss = regs->ss,
	};
	om_data_segments_save(out);
	/* the register is the program's, the field is as old as the last switch */
	if (cpu_feature_enabled(X86_FEATURE_OSPKE))
		current->thread.pkru = rdpkru();
	memset(image, 0, size);
	fpu_sync_fpstate(&current->thread.fpu);
	copy_xstate_to_uabi_buf(to, current, XSTATE_COPY_XSAVE);
	out->xstate_len = om_xstate_pack(xstate, size);
	return 0;
}

/* With FSGSBASE a program can set these itself, to what no system call takes. */
static bool om_base_sane(u64 base)
{
	return base < TASK_SIZE_MAX ||
	       (boot_cpu_has(X86_FEATURE_FSGSBASE) &&
		__is_canonical_address(base, boot_cpu_data.x86_virt_bits));
}

/*
 * Would these registers be legal ones of a user program? Its instruction pointer
 * may be anything: it faults then.
 */
bool om_regs_sane(const struct om_regs *in, const void *xstate,
		  size_t xstate_len)
{
	return in->xstate_len == xstate_len && om_xstate_size() &&
	       om_xstate_unpack(xstate, xstate_len, NULL, om_xstate_size()) &&
	       !(in->flags & ~OM_USER_FLAGS) && om_segments_sane(in) &&
	       om_base_sane(in->fsbase) && om_base_sane(in->gsbase) &&
	       (in->orig_ax == (u64)-1 || in->orig_ax < NR_syscalls);
}

/**
 * om_data_segments_load - set what no signal changes
 * @in: registers, checked by om_regs_sane()
 */
int om_data_segments_load(const struct om_regs *in)
{
	bool fs = in->fsbase < TASK_SIZE_MAX, gs = in->gsbase < TASK_SIZE_MAX;
	int ret = do_arch_prctl_64(current, ARCH_SET_FS, fs ? in->fsbase : 0);

	if (!ret)
		ret = do_arch_prctl_64(current, ARCH_SET_GS,
				       gs ? in->gsbase : 0);
	if (ret)
		return ret;
	loadsegment(ds, in->ds);
	loadsegment(es, in->es);
	/* what no system call takes; a segment that is loaded brings a base along */
	preempt_disable();
	if (in->fs)
		loadsegment(fs, in->fs);
	if (in->fs || !fs) {
		x86_fsbase_write_cpu(in->fsbase);
		current->thread.fsbase = in->fsbase;
	}
	if (in->gs)
		load_gs_index(in->gs);
	if (in->gs || !gs) {
		x86_gsbase_write_cpu_inactive(in->gsbase);
		current->thread.gsbase = in->gsbase;
	}
	preempt_enable();
	return 0;
}

/**
 * om_regs_load - let the current task go on with these registers
 * @regs: its user registers, which it loads when it returns to user mode
 * @in: registers, checked by om_regs_sane()
 * @xstate: their xstate image, packed
 */
int om_regs_load(struct pt_regs *regs, const struct om_regs *in,
		 const void *xstate)
{
	struct fpu *fpu = &current->thread.fpu;
	size_t size = om_xstate_size();
	void *image = kmalloc(size, GFP_KERNEL);
	int ret;

	if (!image)
		return -ENOMEM;
	if (!om_xstate_unpack(xstate, in->xstate_len, image, size)) {
		kfree(image);
		return -EPROTO;
	}
	if (om_mutant("lose-registers"))
		memset(image + offsetof(struct fxregs_state, xmm_space), 0,
		       sizeof_field(struct fxregs_state, xmm_space));
	/* The task's FPU registers are void from here: it reloads at the exit. */
	fpu_sync_fpstate(fpu);
	fpregs_lock();
	set_thread_flag(TIF_NEED_FPU_LOAD);
	__fpu_invalidate_fpregs_state(fpu);
	fpregs_unlock();
	ret = copy_uabi_from_kernel_to_xstate(fpu->fpstate, image,
					      &current->thread.pkru);
	kfree(image);
	if (ret)
		return ret;
	if (cpu_feature_enabled(X86_FEATURE_OSPKE))
		write_pkru(current->thread.pkru);
	ret = om_data_segments_load(in);
	if (ret)
		return ret;
	regs->r15 = in->r15;
	regs->r14 = in->r14;
	regs->r13 = in->r13;
	regs->r12 = in->r12;
	regs->bp = in->bp;
	regs->bx = in->bx;
	regs->r11 = in->r11;
	regs->r10 = in->r10;
	regs->r9 = in->r9;
	regs->r8 = in->r8;
	regs->ax = in->ax;
	regs->cx = in->cx;
	regs->dx = in->dx;
	regs->si = in->si;
	regs->di = in->di;
	regs->orig_ax = in->orig_ax;
	regs->ip = in->ip;
	regs->cs = in->cs;
	regs->ss = in->ss;
	regs->flags = (in->flags & OM_USER_FLAGS) | X86_EFLAGS_IF |
		      X86_EFLAGS_FIXED;
	regs->sp = in->sp;
	return 0;
}
