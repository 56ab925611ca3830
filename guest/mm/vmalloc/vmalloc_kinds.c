/* SPDX-License-Identifier: MIT */
/*
 * vmalloc_kinds.c: vmalloc() with flags, NUMA nodes and arrays.
 */
#include "mm/page/nodes.h"
#include "mm/vmalloc/vmap.h"

/* Flags that apply to areas; any other is refused. */
#define GFP_OF_AREAS (KVMAP_GFP_ALL & ~__GFP_NOFAIL)

#define CALLER __builtin_return_address(0)

u32 vmalloc_gfp_status(gfp_t gfp)
{
	if (gfp & __GFP_NOFAIL)
		return KVMAP_REFUSED_NOFAIL;
	/* The two address limits exclude each other. */
	if (gfp & ~GFP_OF_AREAS || (gfp & __GFP_DMA && gfp & __GFP_DMA32))
		return KVMAP_REFUSED_FLAGS;
	return KVMAP_OK;
}

void *__vmalloc(unsigned long size, gfp_t gfp)
{
	u32 status = vmalloc_gfp_status(gfp);

	if (!status)
		return vmalloc_area(size, gfp, 0, CALLER);
	vmalloc_refuse(status, NULL, CALLER);
	return NULL;
}

void *vmalloc_user(unsigned long size)
{
	return vmalloc_area(size, GFP_KERNEL | __GFP_ZERO, VM_USERMAP, CALLER);
}

void *vmalloc_32(unsigned long size)
{
	return vmalloc_area(size, GFP_KERNEL | __GFP_DMA32, 0, CALLER);
}

/* Prefers frames of one NUMA node; with __GFP_THISNODE requires them. */
static void *node_area(unsigned long size, gfp_t gfp, int node, const void *caller)
{
	if (gfp_on_node(&gfp, node))
		return vmalloc_area(size, gfp, 0, caller);
	vmalloc_refuse_request(KVMAP_REFUSED_NO_MEMORY, size, gfp, NULL, caller); /* no such node */
	return NULL;
}

void *vmalloc_node(unsigned long size, int node)
{
	return node_area(size, GFP_KERNEL, node, CALLER);
}

void *vzalloc_node(unsigned long size, int node)
{
	return node_area(size, GFP_KERNEL | __GFP_ZERO, node, CALLER);
}

static void *array_area(unsigned long nr, unsigned long size, gfp_t gfp, const void *caller)
{
	unsigned long bytes;

	if (!__builtin_mul_overflow(nr, size, &bytes))
		return vmalloc_area(bytes, gfp, 0, caller);
	vmalloc_refuse_product(caller);
	return NULL;
}

void *vmalloc_array(unsigned long nr, unsigned long size)
{
	return array_area(nr, size, GFP_KERNEL, CALLER);
}

void *vcalloc(unsigned long nr, unsigned long size)
{
	return array_area(nr, size, GFP_KERNEL | __GFP_ZERO, CALLER);
}
