/* SPDX-License-Identifier: MIT */
/*
 * cases.c: how a mapping or a right goes away, through the memory manager's own functions.
 */
#include "witness.h"
#include "kvmap/layout.h"
#include "mm/arch.h"
#include "mm/page/buddy.h"
#include "mm/page/page_alloc.h"
#include "mm/vmalloc/set_memory.h"
#include "mm/vmalloc/vmalloc.h"

#define RET 0xc3

/* Page frames that are held at most, until the one that was freed is among them. */
#define HELD_MAX 512

/* Pages of a mapping of vm_map_ram(), all of one frame. */
#define RAM_PAGES 32

static void *area;
/*
 * A TLB that is direct-mapped, as QEMU's, loses the translation to some page of the kernel at certain
 * addresses. So each attempt has another: a spacer before its area, another page of the same area.
 */
static void *spacer;
static u32 attempts;
static struct page *frame;          /* that vmap() and vm_map_ram() map */
static struct page *held[HELD_MAX]; /* so that an area mapped again has other frames */
static u32 nr_held;

void witness_put(u64 value)
{
	struct page *page = vmalloc_to_page((const void *)witness_address);

	*(u64 *)page_address(page) = value;
}

/* Touches the area's page number `page`, which holds OLD_VALUE. */
static bool touch_area(void *new_area, u32 page)
{
	area = new_area;
	if (!area)
		return false;
	witness_address = (u64)area + page * PAGE_SIZE;
	frame = vmalloc_to_page((const void *)witness_address);
	witness_put(OLD_VALUE);
	return true;
}

static bool space(void)
{
	spacer = vmalloc((1 + attempts++ % 97) * PAGE_SIZE);
	return spacer;
}

static bool map_page(void)
{
	return space() && touch_area(vmalloc(PAGE_SIZE), 0);
}

static bool map_many(void)
{
	return space() && touch_area(vmalloc(16 * PAGE_SIZE), 7);
}

static bool map_huge(void)
{
	return touch_area(vmalloc_huge(512 * PAGE_SIZE, GFP_KERNEL), 5 * attempts++ % 512);
}

static bool map_two(void)
{
	return space() && touch_area(vmalloc(2 * PAGE_SIZE), 1);
}

static bool map_code(void)
{
	if (!map_page())
		return false;
	witness_put(RET);
	return !set_memory_ro(witness_address, 1) && !set_memory_x(witness_address, 1);
}

static void unmap_area(void)
{
	vfree(area);
	area = NULL;
	vmalloc_purge();
}

static void unmap_second(void)
{
	vrealloc(area, PAGE_SIZE, GFP_KERNEL);
	vmalloc_purge();
}

static void take_write(void)
{
	set_memory_ro(witness_address, 1);
}

static void take_execute(void)
{
	set_memory_nx(witness_address, 1);
}

static void end(void)
{
	vfree(spacer);
	spacer = NULL;
	vmalloc_purge();
}

static void end_area(void)
{
	while (nr_held)
		__free_pages(held[--nr_held], 0);
	vfree(area);
	area = NULL;
	end();
}

/* Holds free page frames until the one that was mapped is among them. */
static bool hold_frame(void)
{
	while (nr_held < HELD_MAX) {
		struct page *page = alloc_pages(GFP_KERNEL, 0);

		if (!page)
			return false;
		held[nr_held++] = page;
		if (page == frame)
			return true;
	}
	return false;
}

static bool again(unsigned long size)
{
	if (!hold_frame())
		return false;
	area = vmalloc(size);
	if (!area || witness_address - (u64)area >= size)
		return false;
	witness_put(NEW_VALUE);
	return true;
}

static bool map_page_again(void)
{
	return again(PAGE_SIZE);
}

static bool map_many_again(void)
{
	return again(16 * PAGE_SIZE);
}

/* ---- second mappings of a frame ---- */

static bool frame_make(void)
{
	frame = alloc_pages(GFP_KERNEL, 0);
	if (frame)
		*(u64 *)page_address(frame) = OLD_VALUE;
	return frame;
}

static bool map_frame(void)
{
	if (!space() || !frame_make())
		return false;
	witness_address = (u64)vmap(&frame, 1, 0, PGPROT_READWRITE);
	return witness_address;
}

static void unmap_frame(void)
{
	vunmap((const void *)witness_address);
	vm_unmap_aliases();
}

static bool map_ram(void)
{
	struct page *pages[RAM_PAGES];

	if (!frame_make())
		return false;
	for (u32 i = 0; i < RAM_PAGES; i++)
		pages[i] = frame;
	area = vm_map_ram(pages, RAM_PAGES, NUMA_NO_NODE);
	witness_address = (u64)area + attempts++ % RAM_PAGES * PAGE_SIZE;
	return area;
}

static void unmap_ram(void)
{
	vm_unmap_ram(area, RAM_PAGES);
	area = NULL;
	vm_unmap_aliases();
}

static void end_frame(void)
{
	if (frame)
		__free_pages(frame, 0);
	frame = NULL;
	end();
}

const struct witness_case witness_cases[] = {
	{ .name = "vfree of a page",
	  .map = map_page,
	  .unmap = unmap_area,
	  .reused = true,
	  .map_again = map_page_again,
	  .end = end_area },
	{ .name = "vfree of 16 pages",
	  .map = map_many,
	  .unmap = unmap_area,
	  .reused = true,
	  .map_again = map_many_again,
	  .end = end_area },
	{ .name = "vfree of a 2M page", .map = map_huge, .unmap = unmap_area, .end = end_area },
	{ .name = "vrealloc to half", .map = map_two, .unmap = unmap_second, .end = end_area },
	{ .name = "vunmap", .map = map_frame, .unmap = unmap_frame, .end = end_frame },
	{ .name = "vm_unmap_ram", .map = map_ram, .unmap = unmap_ram, .end = end_frame },
	{ .name = "set_memory_ro",
	  .kind = TOUCH_WRITE,
	  .map = map_page,
	  .unmap = take_write,
	  .end = end_area },
	{ .name = "set_memory_nx",
	  .kind = TOUCH_EXECUTE,
	  .map = map_code,
	  .unmap = take_execute,
	  .end = end_area },
	{ .name = "vfree while the other CPUs are idle",
	  .others_idle = true,
	  .map = map_page,
	  .unmap = unmap_area,
	  .end = end_area },
};

const u32 witness_nr_cases = ARRAY_SIZE(witness_cases);
