// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vdso that works away from home.
 *
 * The vdso's functions read the clock from a data page that the kernel of the
 * node keeps, and a program's clocks are those of its home. So the copy of the
 * vdso that a body gets has each entry replaced by the plain system call: see
 * clock.c for what becomes of that.
 */
#include <linux/elf.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/unistd.h>
#include <asm/vdso.h>

#include "om.h"

#define OM_VDSO_ENTRIES	8
/* offsets in the code of om_vdso_page() */
#define OM_AT_SYSCALL	5
#define OM_AT_RET	7

static struct {
	unsigned long offset;
	u32 nr;
} om_vdso_entry[OM_VDSO_ENTRIES];
static unsigned int om_vdso_entries;

static const struct {
	const char *name;
	u32 nr;
} om_vdso_calls[] = {
	{ "__vdso_clock_gettime", __NR_clock_gettime },
	{ "__vdso_gettimeofday", __NR_gettimeofday },
	{ "__vdso_clock_getres", __NR_clock_getres },
	{ "__vdso_time", __NR_time },
	{ "__vdso_getcpu", __NR_getcpu },
	{ "__vdso_getrandom", __NR_getrandom },
};

static unsigned long om_vdso_start(void)
{
	return (unsigned long)current->mm->context.vdso;
}

/* mov $nr, %eax; syscall; ret */
static bool om_is_entry(const u8 *code)
{
	return code[0] == 0xb8 && code[OM_AT_SYSCALL] == 0x0f &&
	       code[OM_AT_SYSCALL + 1] == 0x05 && code[OM_AT_RET] == 0xc3;
}

/*
 * Is @addr in the current task's vdso, at home? It is remembered where that was
 * even when the program has unmapped it, and has something else there.
 */
bool om_vdso_contains(unsigned long addr)
{
	unsigned long start = om_vdso_start();
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	bool special;

	if (!start || addr < start || addr >= start + vdso_image_64.size)
		return false;
	mmap_read_lock(mm);
	vma = vma_lookup(mm, addr);
	special = vma && vma->vm_ops && vma->vm_ops->name &&
		  !strcmp(vma->vm_ops->name(vma), "[vdso]");
	mmap_read_unlock(mm);
	return special;
}

/*
 * Is @addr in the current task's vdso, and not where an entry begins? Only there
 * may home go on where a body stopped, and a body where home did.
 */
bool om_vdso_amid(unsigned long addr)
{
	unsigned int i;

	if (!om_vdso_contains(addr))
		return false;
	for (i = 0; i < om_vdso_entries; i++)
		if (addr == om_vdso_start() + om_vdso_entry[i].offset)
			return false;
	return true;
}

/**
 * om_vdso_page - the page of the vdso that a body may use
 * @addr: an address for which om_vdso_contains()
 *
 * Returns a new page, or NULL.
 */
struct page *om_vdso_page(unsigned long addr)
{
	unsigned long base = (addr & PAGE_MASK) - om_vdso_start();
	struct page *page = alloc_page(GFP_KERNEL);
	unsigned int i, j;
	u8 *to;

	if (!page)
		return NULL;
	to = page_address(page);
	memcpy(to, vdso_image_64.data + base, PAGE_SIZE);
	for (i = 0; i < om_vdso_entries; i++) {
		u32 nr = om_vdso_entry[i].nr;
		const u8 code[] = {
			0xb8, nr & 0xff, nr >> 8, 0, 0,	/* mov $nr, %eax */
			0x0f, 0x05,			/* syscall */
			0xc3,				/* ret */
		};

		/* an entry may begin on one page and end on the next */
		for (j = 0; j < sizeof(code); j++) {
			unsigned long at = om_vdso_entry[i].offset + j;

			if (at >= base && at < base + PAGE_SIZE)
				to[at - base] = code[j];
		}
	}
	return page;
}

/**
 * om_vdso_leave - leave a replaced entry of the vdso
 * @b: the body
 * @regs: its user registers, which are about to be seen by others
 *
 * A body may be interrupted inside one of the three instructions. Nobody else
 * may see such an address, be it home, where the real function lies there, or a
 * signal frame that the process takes home: begin the entry again, or leave it.
 */
void om_vdso_leave(const struct om_body *b, struct pt_regs *regs)
{
	unsigned long start = b->vdso;
	u8 code[OM_AT_RET + 1];
	u64 to;

	if (!start || regs->ip < start + OM_AT_RET ||
	    regs->ip - start >= b->vdso_len)
		return;
	/* it jumped to where the vdso was, and is about to fault */
	if (copy_from_user(code, (void __user *)regs->ip - OM_AT_RET,
			   sizeof(code)))
		return;
	if (om_is_entry(code)) {
		/* no way out: it begins again, and fails where it returns */
		if (get_user(to, (u64 __user *)regs->sp) ||
		    to >= TASK_SIZE_MAX) {
			regs->ip -= OM_AT_RET;
			return;
		}
		regs->ip = to;
		regs->sp += sizeof(to);
		return;
	}
	if (!copy_from_user(code, (void __user *)regs->ip - OM_AT_SYSCALL,
			    sizeof(code)) && om_is_entry(code))
		regs->ip -= OM_AT_SYSCALL;
}

static int __init om_vdso_init(void)
{
	const u8 *image = vdso_image_64.data;
	const Elf64_Ehdr *ehdr = (const void *)image;
	const Elf64_Shdr *shdr = (const void *)(image + ehdr->e_shoff);
	const Elf64_Shdr *sym = NULL;
	const Elf64_Sym *s, *end;
	unsigned int i;
	const char *names;

	for (i = 0; i < ehdr->e_shnum; i++)
		if (shdr[i].sh_type == SHT_DYNSYM)
			sym = &shdr[i];
	if (WARN_ON_ONCE(!sym))
		return -ENOENT;
	names = (const char *)image + shdr[sym->sh_link].sh_offset;
	s = (const void *)(image + sym->sh_offset);
	end = (const void *)(image + sym->sh_offset + sym->sh_size);
	for (; s < end; s++) {
		for (i = 0; i < ARRAY_SIZE(om_vdso_calls); i++) {
			if (strcmp(names + s->st_name, om_vdso_calls[i].name))
				continue;
			om_vdso_entry[om_vdso_entries].offset = s->st_value;
			om_vdso_entry[om_vdso_entries++].nr =
				om_vdso_calls[i].nr;
			break;
		}
		if (om_vdso_entries == OM_VDSO_ENTRIES)
			break;
	}
	return 0;
}
late_initcall(om_vdso_init);
