/* SPDX-License-Identifier: MIT */
/*
 * set_memory.c: permissions of areas: read and write, read only, or read and execute. Never write and
 * execute.
 */
#include "mm/vmalloc/set_memory.h"

#include "mm/vmalloc/vmap.h"

static int refuse(u32 status, unsigned long addr, const void *caller)
{
	vmalloc_refuse(status, (const void *)addr, caller);
	return -1;
}

static enum pgprot prot_of(unsigned long flags)
{
	if (!(flags & VM_READONLY))
		return PGPROT_READWRITE;
	return flags & VM_EXEC ? PGPROT_EXECUTE : PGPROT_READONLY;
}

static void area_protect(struct vmap_area *va, unsigned long flags)
{
	enum pgprot prot = prot_of(flags);

	arch_protect(va->va_start, va->vm->nr_pages, prot);
	va->vm->flags = flags;
	/* PGPROT_READONLY is the only value that removes a permission. */
	if (prot == PGPROT_READONLY)
		vmap_flush(va->va_start, vmap_mapped_end(va));
}

static int change(unsigned long addr, int numpages, unsigned long set, unsigned long clear,
		  const void *caller)
{
	u32 status = KVMAP_OK;
	struct vmap_area *va;
	unsigned long flags;

	if (vmalloc_refuse_in_interrupt((const void *)addr, caller))
		return -1;
	va = vmap_range_at(addr, &status);
	if (!va)
		return refuse(status, addr, caller);
	if (numpages < 0 || (u32)numpages != va->vm->nr_pages)
		return refuse(KVMAP_REFUSED_COUNT, addr, caller);
	flags = (va->vm->flags | set) & ~clear;
	if (flags & VM_EXEC && !(flags & VM_READONLY))
		return refuse(KVMAP_REFUSED_WX, addr, caller);
	if (prot_of(flags) != prot_of(va->vm->flags))
		area_protect(va, flags);
	vmalloc_done();
	return 0;
}

int set_memory_ro(unsigned long addr, int numpages)
{
	return change(addr, numpages, VM_READONLY, 0, __builtin_return_address(0));
}

int set_memory_rw(unsigned long addr, int numpages)
{
	return change(addr, numpages, 0, VM_READONLY, __builtin_return_address(0));
}

int set_memory_x(unsigned long addr, int numpages)
{
	return change(addr, numpages, VM_EXEC, 0, __builtin_return_address(0));
}

int set_memory_nx(unsigned long addr, int numpages)
{
	return change(addr, numpages, 0, VM_EXEC, __builtin_return_address(0));
}
