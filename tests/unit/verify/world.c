/* SPDX-License-Identifier: MIT */
#include "world.h"

#include "base/array.h"
#include "kvmap/boot.h"
#include "kvmap/operation.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAF (PTE_W | PTE_A | PTE_D | PTE_G | PTE_NX)

struct world w;

uint8_t *ram(uint64_t gpa)
{
	return gpa < RAM_LOW_END ? w.tables.low + gpa : w.tables.high + (gpa - RAM_HIGH_START);
}

struct claim_area *area(unsigned int index)
{
	return &w.claims.areas.items[index];
}

uint32_t *frame(unsigned int index, unsigned int page)
{
	return &w.claims.frames.items[area(index)->first_frame + page];
}

struct claim_page *page_of(uint64_t pfn)
{
	struct claim_page page = { .pfn = pfn };
	size_t i = 0;

	while (i < w.claims.pages.count && w.claims.pages.items[i].pfn < pfn)
		i++;
	if (i < w.claims.pages.count && w.claims.pages.items[i].pfn == pfn)
		return &w.claims.pages.items[i];
	cr_assert_eq(array_push(&w.claims.pages, page), 0);
	memmove(&w.claims.pages.items[i + 1], &w.claims.pages.items[i],
		(w.claims.pages.count - 1 - i) * sizeof(page));
	w.claims.pages.items[i] = page;
	return &w.claims.pages.items[i];
}

/* ---- memory ---- */

static void make_image(void)
{
	static const uint8_t text[2 * K4] = { 0x90, 0xc3 }, rodata[K4] = "words";

	memcpy(ram(TEXT), text, sizeof(text));
	memcpy(ram(RODATA), rodata, sizeof(rodata));
	segments[0] =
		(struct symbols_segment){ KVMAP_IMAGE_BASE + TEXT, TEXT, 2 * K4, 2 * K4, text, false, true };
	segments[1] =
		(struct symbols_segment){ KVMAP_IMAGE_BASE + RODATA, RODATA, K4, K4, rodata, false, false };
	segments[2] =
		(struct symbols_segment){ KVMAP_IMAGE_BASE + DATA, DATA, 2 * K4, K4, rodata, true, false };
	segment_count = 3;
	for (uint64_t gpa = TEXT; gpa < TEXT + 2 * K4; gpa += K4)
		tables_map(&w.tables, KVMAP_IMAGE_BASE + gpa, gpa, 1, PTE_A | PTE_G);
	tables_map(&w.tables, KVMAP_IMAGE_BASE + RODATA, RODATA, 1, PTE_A | PTE_G | PTE_NX);
	for (uint64_t gpa = DATA; gpa < DATA + 2 * K4; gpa += K4)
		tables_map(&w.tables, KVMAP_IMAGE_BASE + gpa, gpa, 1, LEAF);
}

static void make_direct_map(void)
{
	tables_map(&w.tables, KVMAP_DIRECT_BASE, 0, 2, LEAF);
	for (uint64_t gpa = TEXT; gpa < RAM_LOW_END; gpa += K4) {
		bool readonly = gpa < TEXT + 2 * K4 || gpa == RODATA;

		tables_map(&w.tables, KVMAP_DIRECT_BASE + gpa, gpa, 1,
			   LEAF & ~(readonly ? PTE_W | PTE_D : 0ull));
	}
	for (uint64_t gpa = RAM_HIGH_START; gpa < RAM_HIGH_END; gpa += M2)
		tables_map(&w.tables, KVMAP_DIRECT_BASE + gpa, gpa, 2, LEAF);
}

/* ---- claims ---- */

static void own(uint64_t pfn, unsigned int owner)
{
	page_of(pfn)->owner = (uint8_t)owner;
}

static void make_area(enum area_state state, uint64_t start, const uint32_t *frames, uint32_t pages)
{
	struct claim_area new = {
		.state = state,
		.va_start = start,
		.va_end = AREA_AFTER(start, pages),
		.vmap_area = KVMAP_DIRECT_BASE + SLAB_0 * K4 + w.claims.areas.count * 0x80,
		.addr = start,
		.size = pages * K4 + KVMAP_GUARD_SIZE,
		.requested_size = pages * K4,
		.nr_pages = pages,
		.first_frame = w.claims.frames.count,
		.frame_count = pages,
	};

	cr_assert_eq(array_push(&w.claims.areas, new), 0);
	for (uint32_t i = 0; i < pages; i++) {
		cr_assert_eq(array_push(&w.claims.frames, frames[i]), 0);
		own(frames[i], PAGE_VMALLOC);
		page_of(frames[i])->vaddr = start + i * K4;
		if (state == AREA_LIVE)
			tables_map(&w.tables, start + i * K4, frames[i] * K4, 1, LEAF);
	}
}

static size_t make_chain(uint32_t pfn, unsigned int owner)
{
	cr_assert_eq(array_push(&w.claims.frames, pfn), 0);
	own(pfn, owner);
	return w.claims.frames.count - 1;
}

static void make_free_block(uint64_t pfn, uint32_t order, uint32_t zone)
{
	struct claim_buddy_block block = { .pfn = pfn, .order = order, .zone = zone };

	cr_assert_eq(array_push(&w.claims.free_buddy_blocks, block), 0);
	own(pfn, PAGE_FREE);
	page_of(pfn)->order = (uint8_t)order;
	w.claims.zones[zone].nr_free[order]++;
	w.claims.zones[zone].free_pages += 1ull << order;
	w.claims.vm_stat[NR_FREE_PAGES] += 1ull << order;
}

static void make_zone(uint32_t zone, uint64_t start, uint64_t fresh, uint64_t end)
{
	w.claims.zones[zone] = (struct claim_zone){ .start_pfn = start,
						    .end_pfn = end,
						    .fresh_start = fresh,
						    .fresh_end = end,
						    .free_pages = end - fresh,
						    .orders = MAX_ORDER + 1,
						    .kind = zone ? ZONE_NORMAL : ZONE_DMA };
	w.claims.vm_stat[NR_FREE_PAGES] += end - fresh;
}

uint64_t world_object(unsigned int cache, unsigned int number)
{
	return KVMAP_DIRECT_BASE + (SLAB_0 + cache) * K4 + number * 128ull;
}

static void make_frames(void)
{
	struct claims *claims = &w.claims;

	claims->memory[0] = (struct claim_region){ 0, RAM_LOW_END, 0 };
	claims->memory[1] = (struct claim_region){ RAM_HIGH_START, RAM_HIGH_END - RAM_HIGH_START, 0 };
	claims->memory_count = 2;
	claims->reserved[0] = (struct claim_region){ 0, 1 << 20, 1 };
	claims->reserved[1] = (struct claim_region){ 2 << 20, 2 << 20, 2 };
	claims->reserved_count = 2;
	claims->zone_count = 2;
	claims->numa_node_count = 1;
	make_zone(0, 0x100, 0x108, 0x200);
	make_zone(1, 0x1000, 0x1010, 0x1400);
	make_free_block(FREE_BLOCK, 0, 0);
	make_free_block(FREE_FOUR, 2, 0);
	make_free_block(0x1000, 0, 1);
	make_free_block(0x100a, 1, 1);
	make_free_block(0x100c, 2, 1);
	for (uint32_t i = 0; i < 2; i++) {
		claims->caches[i] = (struct claim_cache){ .index = i + 1,
							  .object_size = 128,
							  .nr_slabs = 1,
							  .frame_count = 1,
							  .free_objects = 26,
							  .free_claimed = 26,
							  .first_frame = make_chain(SLAB_0 + i, PAGE_SLAB) };
		page_of(SLAB_0 + i)->cache = (uint16_t)(i + 1);
		for (uint32_t object = 0; object < 32; object++)
			*(object < 26 ? &claims->caches[i].free_sum : &claims->kmalloc_sum) +=
				world_object(i, object);
	}
	claims->cache_count = 2;
	claims->held.first_frame = make_chain(HELD, PAGE_HELD);
	claims->held.frame_count = 1;
	claims->vm_stat[NR_SLAB_PAGES] = 2;
	claims->vm_stat[NR_HELD_PAGES] = 1;
}

static void make_rb_node(bool busy, unsigned int index, uint64_t start, uint64_t end, bool black)
{
	struct claim_rb_node node = { .vmap_area = 0xffff888000100000 + (busy ? 0 : 0x800) + index * 0x80,
				      .va_start = start,
				      .va_end = end,
				      .black = black };

	cr_assert_eq(busy ? array_push(&w.claims.busy_tree, node) : array_push(&w.claims.free_tree, node), 0);
}

static void make_trees(void)
{
	struct claim_rb_node *busy, *unused;

	make_rb_node(true, 0, AREA_A, AREA_B, false);
	make_rb_node(true, 1, AREA_B, AREA_L, true);
	make_rb_node(true, 2, AREA_C, AREA_END, false);
	busy = w.claims.busy_tree.items;
	w.claims.busy_root = busy[1].vmap_area;
	busy[0].parent = busy[2].parent = busy[1].vmap_area;
	busy[1].left = busy[0].vmap_area;
	busy[1].right = busy[2].vmap_area;
	make_rb_node(false, 0, FREE, AREA_C, true);
	make_rb_node(false, 1, AREA_END, KVMAP_VMALLOC_END, false);
	w.claims.vmap_highest = AREA_END;
	unused = w.claims.free_tree.items;
	w.claims.free_root = unused[0].vmap_area;
	unused[0].right = unused[1].vmap_area;
	unused[1].parent = unused[0].vmap_area;
	unused[0].subtree_max_size = unused[1].subtree_max_size = KVMAP_VMALLOC_END - AREA_END;
}

static void log_entry(uint32_t stamp, uint32_t cpu, uint64_t start, uint64_t end)
{
	struct claim_flush entry = { stamp, cpu, cpu & TLB_FLUSH_EVENT ? 0 : stamp - 1, start, end };

	cr_assert_eq(array_push(&w.claims.flushes, entry), 0);
	w.claims.flush_count++;
	w.claims.flush_generation = stamp;
}

/* A's range and frames have been used before; L is lazily freed. */
static void make_history(void)
{
	log_entry(1, TLB_FLUSH_UNMAP, AREA_A, AREA_A + 4 * K4);
	log_entry(2, 0, 0, ~0ull);
	log_entry(3, TLB_FLUSH_UNMAP, AREA_L, AREA_L + 2 * K4);
	area(A)->unmapped = 1;
	area(A)->allocated = 2;
	area(L)->unmapped = 3;
	for (unsigned int i = 0; i < 4; i++) {
		page_of(*frame(A, i))->unmapped = 1;
		page_of(*frame(A, i))->allocated = 2;
	}
}

static void make_variable(uint64_t address, uint64_t size, uint32_t contents)
{
	struct claim_variable variable = { .address = address,
					   .size = size,
					   .filled = size + 100,
					   .fill_seed = SEED,
					   .state = VARIABLE_LIVE,
					   .contents = contents };

	cr_assert_eq(array_push(&w.claims.variables, variable), 0);
}

static void make_contents(void)
{
	for (unsigned int i = 0; i < 4; i++)
		for (unsigned int at = 0; at < K4; at += 8)
			memcpy(ram(*frame(A, i) * K4 + at), &(uint64_t){ KVMAP_PATTERN(SEED, i) }, 8);
	memcpy(ram(*frame(C, 0) * K4 + 0x20), &(uint64_t){ 0x1234 }, 8);
	make_variable(AREA_A, 4 * K4 - 100, CONTENTS_PATTERN);
	make_variable(AREA_B, 2 * K4, CONTENTS_ZERO);
	make_variable(AREA_C, K4, 0);
	w.claims.variables.items[2].write_address = AREA_C + 0x20;
	w.claims.variables.items[2].write_value = 0x1234;
	w.claims.variables.items[2].write_words = 1;
}

static void make_counters(void)
{
	for (uint64_t gpa = K4; gpa < w.tables.next; gpa += K4) {
		own(gpa / K4, PAGE_TABLE);
		w.claims.vm_stat[NR_PAGETABLE_PAGES]++;
	}
	w.claims.vm_stat[NR_VMALLOC_PAGES] = 7;
	w.claims.vm_stat[NR_LAZY_PAGES] = 2;
	w.claims.stats.allocations = 5;
	w.claims.stats.frees = 2;
	w.claims.stats.areas_purged = w.claims.unpurged = 1;
	w.claims.stats.pages_mapped = 13;
	w.claims.stats.pages_unmapped = 6;
}

void allocate_four(void)
{
	w.claims.free_buddy_blocks.items[1] =
		w.claims.free_buddy_blocks.items[--w.claims.free_buddy_blocks.count];
	w.claims.zones[0].nr_free[2]--;
	w.claims.zones[0].free_pages -= 4;
	w.claims.vm_stat[NR_FREE_PAGES] -= 4;
	w.claims.vm_stat[NR_KMALLOC_PAGES] += 4;
	w.claims.buddy_blocks_sum = BUDDY_BLOCK_WEIGHT(2, FREE_FOUR);
	page_of(FREE_FOUR)->owner = PAGE_KMALLOC;
}

static int translate(void *context, unsigned int cpu, uint64_t gva, struct view_translation *out)
{
	struct walk walk;

	(void)context;
	(void)cpu;
	walk_translate(&w.tables.view, &w.tables.mode, gva, &walk);
	out->valid = walk.stop == WALK_MAPPED;
	out->gpa = walk.gpa;
	return 0;
}

void world_init(void)
{
	static const char *const names[] = { "first", "second", "third" };

	w = (struct world){ 0 };
	tables_init(&w.tables, 4);
	w.tables.view.cpu_count = 1;
	w.tables.view.translate = translate;
	make_image();
	make_direct_map();
	make_frames();
	make_area(AREA_LIVE, AREA_A, (const uint32_t[]){ 0x1003, FRAME_A, 0x1007, 0x1005 }, 4);
	make_area(AREA_LIVE, AREA_B, (const uint32_t[]){ 0x1002, 0x1006 }, 2);
	make_area(AREA_LIVE, AREA_C, (const uint32_t[]){ 0x1004 }, 1);
	make_area(AREA_LAZY, AREA_L, (const uint32_t[]){ 0x1008, 0x1009 }, 2);
	make_trees();
	make_history();
	make_contents();
	make_counters();
	w.claims.cpu_count = 1;
	w.claims.policy = KVMAP_POLICY_STRICT;
	w.input = (struct verify_input){ .view = &w.tables.view,
					 .mode = &w.tables.mode,
					 .claims = &w.claims,
					 .symbols = (struct symbols *)&w,
					 .variable_names = names,
					 .variable_name_count = 3 };
}

void world_destroy(void)
{
	verdict_destroy(&w.verdict);
	claims_destroy(&w.claims);
	tables_destroy(&w.tables);
}

static void print_findings(void)
{
	for (size_t i = 0; i < w.verdict.findings.count; i++) {
		const struct finding *finding = &w.verdict.findings.items[i];

		cr_log_info("V%u at 0x%lx: claimed %s; found %s; %s", finding->invariant, finding->address,
			    finding->claimed, finding->found, finding->where);
	}
}

void expect_findings(const char *invariants)
{
	char found[80] = "";
	struct error error;

	verdict_destroy(&w.verdict);
	cr_assert_eq(verify(&w.input, &w.verdict, &error), 0);
	for (unsigned int i = 1; i <= INVARIANTS; i++)
		if (w.verdict.results[i].findings)
			snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%s",
				 found[0] ? " " : "", invariant_name(i));
	if (strcmp(found, invariants) != 0)
		print_findings();
	cr_expect_str_eq(found, invariants, "findings by '%s', expected '%s'", found, invariants);
}
