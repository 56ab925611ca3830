/* SPDX-License-Identifier: MIT */
/*
 * check.c: claims against tables, inside one process. Written from the invariants (V1-V6, V8, V9, V13), not
 * from the code under test.
 */
#include "sim.h"

#include "arch/x86_64/pgtable.h"

#include <criterion/criterion.h>
#include <string.h>

#define FRAMES  (SIM_RAM_END >> PAGE_SHIFT)
#define LEAF    0x8000000000000163ul /* NX G D A W P */
#define LEAF_RO 0x8000000000000121ul /* NX G A P */
#define LEAF_RX 0x0000000000000121ul
#define TABLE   0x23ul /* A W P */

extern u32 held_pages;

/* ---- trees ---- */

static unsigned long max_below(const struct rb_node *node)
{
	return node ? container_of(node, struct vmap_area, rb_node)->subtree_max_size : 0;
}

/* Returns the black height. */
static u32 check_node(const struct rb_node *node, const struct rb_node *parent, bool free, u64 *count,
		      unsigned long *end)
{
	const struct vmap_area *va;
	u32 left, right;

	if (!node)
		return 0;
	va = container_of(node, struct vmap_area, rb_node);
	cr_assert_eq(rb_parent(node), parent, "parent link");
	cr_assert(rb_is_black(node) || (parent && rb_is_black(parent)),
		  "a red node below red, or at the root");
	left = check_node(node->rb_left, node, free, count, end);
	cr_assert_geq(va->va_start, *end, "order of the tree");
	cr_assert_lt(va->va_start, va->va_end, "empty range");
	*end = va->va_end;
	(*count)++;
	right = check_node(node->rb_right, node, free, count, end);
	cr_assert_eq(left, right, "black height");
	if (free) {
		unsigned long max = va->va_end - va->va_start;

		max = max_below(node->rb_left) > max ? max_below(node->rb_left) : max;
		max = max_below(node->rb_right) > max ? max_below(node->rb_right) : max;
		cr_assert_eq(va->subtree_max_size, max, "subtree_max_size of %#lx", va->va_start);
	}
	return left + rb_is_black(node);
}

u64 check_tree(const struct rb_root *root, bool free)
{
	unsigned long end = 0;
	u64 count = 0;

	check_node(root->rb_node, NULL, free, &count, &end);
	return count;
}

/* ---- owners ---- */

struct census {
	u8 owner[FRAMES]; /* 0: nobody yet; PAGE_FREE for fresh frames too */
	u64 nr[8];        /* by owner, as counted */
	u64 lazy_pages;
	u64 areas, free_ranges, cached; /* areas: mapped: live, or waiting to be freed */
	u64 deferred;                   /* of these */
	u64 lazy_areas, flushed_areas;  /* unmapped; before and after the flush */
	u64 leaves, aliases;            /* 4K entries; those of VM_MAP areas */
	u64 blocks, areas_in_blocks;    /* of vm_map_ram(); live mappings in them */
	u64 unmapped_in_blocks,
		flushed_in_blocks; /* those that are gone; of them, in blocks that were flushed */
};

static void own(struct census *census, u64 pfn, u8 owner)
{
	cr_assert(pfn && pfn < FRAMES, "frame %#lx does not exist", pfn);
	cr_assert_eq(census->owner[pfn], 0, "frame %#lx belongs to %u and %u", pfn, census->owner[pfn],
		     owner);
	census->owner[pfn] = owner;
	census->nr[owner]++;
}

/* blocks: it may have some of 2M, each of which is its first frame. */
static void own_chain(struct census *census, u32 pfn, u64 nr, u8 owner, bool blocks)
{
	for (; nr; nr--) {
		own(census, pfn, owner);
		cr_assert_eq(pfn_to_page(pfn)->owner, owner, "owner in struct page of %#x", pfn);
		cr_assert(pfn_to_page(pfn)->order == 0 || (blocks && pfn_to_page(pfn)->order == 9));
		for (u32 i = 1; i < 1u << pfn_to_page(pfn)->order; i++, nr--) {
			own(census, pfn + i, owner);
			cr_assert_eq(pfn_to_page(pfn + i)->owner, PAGE_NONE, "tail %#x", pfn + i);
		}
		cr_assert_eq(pfn_to_page(pfn)->prev, 0);
		pfn = pfn_to_page(pfn)->next;
	}
	cr_assert_eq(pfn, 0, "a chain longer than its count");
}

static void check_blocks(struct census *census, const struct zone *zone, u32 order)
{
	u32 pfn, prev = 0, nr = 0;

	for (pfn = zone->free_area[order].first; pfn; prev = pfn, pfn = pfn_to_page(pfn)->next) {
		u32 i, buddy = pfn ^ 1u << order;

		cr_assert_eq(pfn % (1u << order), 0, "block %#x of order %u is not aligned", pfn, order);
		cr_assert(pfn >= zone->start_pfn && pfn + (1u << order) <= zone->end_pfn,
			  "block outside its zone");
		cr_assert_eq(pfn_to_page(pfn)->owner, PAGE_FREE);
		cr_assert_eq(pfn_to_page(pfn)->order, order);
		cr_assert_eq(pfn_to_page(pfn)->prev, prev);
		cr_assert(order == MAX_ORDER || buddy >= max_pfn || pfn_to_page(buddy)->owner != PAGE_FREE ||
				  pfn_to_page(buddy)->order != order,
			  "buddies %#x and %#x of order %u are both free", pfn, buddy, order);
		own(census, pfn, PAGE_FREE);
		for (i = 1; i < 1u << order; i++) {
			const struct page *tail = pfn_to_page(pfn + i);

			own(census, pfn + i, PAGE_FREE);
			cr_assert(!tail->owner && !tail->order && !tail->next && !tail->prev, "tail %#x",
				  pfn + i);
		}
		nr++;
	}
	cr_assert_eq(nr, zone->free_area[order].nr_free);
}

/* What the CPUs keep; of pcp_zero it is zero. */
static void check_pcp(struct census *census)
{
	for (u32 cpu = 0; cpu < NR_CPUS; cpu++) {
		const struct cpu_cache *cache = &cpu_caches[cpu];

		own_chain(census, cache->pcp.first, cache->pcp.nr, PAGE_PCP, false);
		own_chain(census, cache->pcp_zero.first, cache->pcp_zero.nr, PAGE_PCP, false);
		for (u32 pfn = cache->pcp_zero.first; pfn; pfn = pfn_to_page(pfn)->next)
			for (u32 word = 0; word < PAGE_SIZE / sizeof(u64); word++)
				cr_assert_eq(((u64 *)__va((u64)pfn << PAGE_SHIFT))[word], 0,
					     "frame %#x is not zero", pfn);
	}
}

/* Blocks that only their struct pages know. */
static void check_allocated(struct census *census)
{
	u32 pfn, i;

	for (pfn = 1; pfn < max_pfn; pfn++) {
		const struct page *page = pfn_to_page(pfn);

		if (page->owner != PAGE_KMALLOC)
			continue;
		cr_assert_eq(pfn % (1u << page->order), 0, "%#x of order %u is not aligned", pfn,
			     page->order);
		own(census, pfn, PAGE_KMALLOC);
		for (i = 1; i < 1u << page->order; i++) {
			own(census, pfn + i, PAGE_KMALLOC);
			cr_assert_eq(page[i].owner, PAGE_NONE, "tail %#x", pfn + i);
		}
	}
}

static void check_zones(struct census *census)
{
	static const struct page nobody;
	u32 z, order, pfn;

	for (z = 0; z < nr_zones; z++) {
		u64 before = census->nr[PAGE_FREE];

		for (order = 0; order <= MAX_ORDER; order++)
			check_blocks(census, &zones[z], order);
		for (pfn = zones[z].fresh_start; pfn < zones[z].fresh_end; pfn++) {
			own(census, pfn, PAGE_FREE);
			cr_assert_eq(memcmp(pfn_to_page(pfn), &nobody, sizeof(nobody)), 0, "fresh %#x", pfn);
			cr_assert_eq(*(u64 *)__va((u64)pfn << PAGE_SHIFT), 0, "fresh frame %#x is not zero",
				     pfn);
		}
		cr_assert_eq(zones[z].free_pages, census->nr[PAGE_FREE] - before);
	}
}

/* A chain of a cache's slabs, in whole blocks. How many they are. */
static u32 own_slabs(struct census *census, const struct kmem_cache *cache, u32 pfn, u32 *empty)
{
	u32 slabs = 0;

	for (u32 prev = 0; pfn; prev = pfn, pfn = pfn_to_page(pfn)->next, slabs++) {
		const struct page *page = pfn_to_page(pfn);

		cr_assert_eq(page->owner, PAGE_SLAB);
		cr_assert_eq(page->order, cache->order);
		cr_assert_eq(page->cache, cache->index);
		cr_assert_eq(page->prev, prev);
		cr_assert_leq(page->nr_objects, cache->per_slab);
		cr_assert_eq(page->nr_objects == 0, empty == NULL, "on the wrong list");
		if (empty)
			*empty += page->nr_objects == cache->per_slab;
		for (u32 i = 0; i < 1u << cache->order; i++)
			own(census, pfn + i, PAGE_SLAB);
	}
	return slabs;
}

static void own_cache(struct census *census, const struct kmem_cache *cache)
{
	u32 empty = 0;

	cr_assert_eq(own_slabs(census, cache, cache->partial, &empty), cache->nr_partial);
	cr_assert_eq(own_slabs(census, cache, cache->full, NULL), cache->nr_slabs - cache->nr_partial);
	cr_assert_eq(cache->nr_empty, empty);
}

/* Counts a list; its objects are objects, of the cache. */
static u64 count_list(const struct kmem_cache *cache, const struct kmem_list *list)
{
	void **object;
	u64 nr = 0;

	for (object = list->free; object; object = *object, nr++) {
		u64 gpa = __pa(object), slab = ALIGN_DOWN(gpa, PAGE_SIZE << cache->order);

		cr_assert_eq(pfn_to_page((u32)(slab >> PAGE_SHIFT))->cache, cache->index);
		cr_assert_eq((gpa - slab) % cache->object_size, 0, "%s: no object at %#lx", cache->name, gpa);
		cr_assert_lt((gpa - slab) / cache->object_size, cache->per_slab);
	}
	cr_assert_eq(nr, list->nr, "%s: %lu in the list, %u counted", cache->name, nr, list->nr);
	return nr;
}

u64 objects_in_use(const struct kmem_cache *cache)
{
	u64 listed = 0;
	u32 cpu;

	for (u32 pfn = cache->partial; pfn; pfn = pfn_to_page(pfn)->next) {
		struct kmem_list list = { pfn_to_page(pfn)->freelist, pfn_to_page(pfn)->nr_objects, 0 };

		listed += count_list(cache, &list);
		cr_assert_eq(__pa(list.free) >> PAGE_SHIFT >> cache->order << cache->order, pfn);
	}

	for (cpu = 0; cpu < NR_CPUS && cache->index; cpu++)
		listed += count_list(cache, &cpu_caches[cpu].objects[cache->index]);
	return (u64)cache->nr_slabs * cache->per_slab - listed;
}

/* busy: nodes of the busy tree */
static void check_caches(struct census *census, u64 busy)
{
	u32 i;

	for (i = 1; i <= nr_kmem_caches; i++) {
		if (!kmem_caches[i])
			continue;
		cr_assert_eq(kmem_caches[i]->index, i);
		own_cache(census, kmem_caches[i]);
		objects_in_use(kmem_caches[i]);
	}
	cr_assert_eq(objects_in_use(&vmap_area_cache), busy + census->free_ranges);
	cr_assert_eq(objects_in_use(&vm_struct_cache), busy - census->blocks);
	cr_assert_eq(objects_in_use(&vmap_block_cache), census->blocks);
}

/* Every frame of RAM that is not reserved has been owned by now. */
static void check_all_owned(const struct census *census)
{
	u32 m, r;
	u64 pfn;

	for (m = 0; m < memblock.nr_memory; m++) {
		u64 end = (memblock.memory[m].base + memblock.memory[m].size) >> PAGE_SHIFT;

		for (pfn = memblock.memory[m].base >> PAGE_SHIFT; pfn < end; pfn++) {
			bool reserved = false;

			for (r = 0; r < memblock.nr_reserved; r++)
				reserved |= (pfn << PAGE_SHIFT) - memblock.reserved[r].base <
					    memblock.reserved[r].size;
			cr_assert_eq(census->owner[pfn] == 0, reserved, "frame %#lx: owner %u, reserved %d",
				     pfn, census->owner[pfn], reserved);
		}
	}
}

/* ---- areas and tables ---- */

/* Owns the tables below the top one and counts leaves. */
static void check_tables(struct census *census, const u64 *table, u32 level)
{
	u32 i;

	for (i = 0; i < PTRS_PER_TABLE; i++) {
		if (!table[i])
			continue;
		if (level == 1 || table[i] & _PAGE_PSE) {
			census->leaves += level == 1 ? 1 : PTRS_PER_TABLE;
			cr_assert_leq(level, 2);
			continue;
		}
		cr_assert_eq(table[i] & ~PTE_PFN_MASK, TABLE);
		own(census, (table[i] & PTE_PFN_MASK) >> PAGE_SHIFT, PAGE_TABLE);
		cr_assert_eq(pfn_to_page((u32)(table[i] >> PAGE_SHIFT))->owner, PAGE_TABLE);
		check_tables(census, __va(table[i] & PTE_PFN_MASK), level - 1);
	}
}

/* The leaf of a page that is mapped. */
static u64 leaf_of(unsigned long va)
{
	const u64 *table = init_top_pgt;

	for (unsigned int shift = PGD_SHIFT; shift > PTE_SHIFT; shift -= PGD_SHIFT - PUD_SHIFT) {
		if (table[pt_index(va, shift)] & _PAGE_PSE)
			return table[pt_index(va, shift)] & ~(u64)_PAGE_PSE;
		table = __va(table[pt_index(va, shift)] & PTE_PFN_MASK);
	}
	return table[pt_index(va, PTE_SHIFT)];
}

static void check_rights(const struct vmap_area *va)
{
	u64 rights = !(va->vm->flags & VM_READONLY) ? LEAF : va->vm->flags & VM_EXEC ? LEAF_RX : LEAF_RO;

	for (unsigned long page = va->va_start; page < vmap_mapped_end(va); page += PAGE_SIZE)
		cr_assert_eq(leaf_of(page) & ~PTE_PFN_MASK, rights, "rights of %#lx: %#lx", page,
			     leaf_of(page));
}

/* A mapping in a block, or what one left. */
static void check_block_map(struct census *census, const struct vmap_block_map *map, unsigned long start)
{
	u64 sum = 0;

	cr_assert(map->nr_pages && map->nr_pages <= VMAP_BLOCK_MOST);
	if (map->state == VMAP_LAZY) {
		census->unmapped_in_blocks++;
		for (u32 i = 0; i <= map->nr_pages; i++)
			cr_assert_eq(arch_virt_to_phys(start + i * PAGE_SIZE), ~0ul);
		return;
	}
	cr_assert_eq(map->state, VMAP_LIVE);
	for (u32 i = 0; i < map->nr_pages; i++) {
		cr_assert_eq(leaf_of(start + i * PAGE_SIZE) & ~PTE_PFN_MASK, LEAF);
		sum += FRAMES_SUM(i, arch_virt_to_phys(start + i * PAGE_SIZE) >> PAGE_SHIFT);
	}
	cr_assert_eq(map->frames_sum, sum);
	cr_assert_eq(arch_virt_to_phys(start + map->nr_pages * PAGE_SIZE), ~0ul, "guard page of %#lx", start);
	census->aliases += map->nr_pages;
	census->areas_in_blocks++;
}

static void check_block(struct census *census, const struct vmap_area *va)
{
	const struct vmap_block *block = va->vmap_block;
	u32 slot = 0, nr = 0, dirty = 0;

	census->blocks++;
	cr_assert_eq(block->va, va);
	cr_assert_eq(block->va_start, va->va_start);
	cr_assert_eq(va->va_end - va->va_start, VMAP_BLOCK_SIZE);
	cr_assert_eq(vmap_block_at(va->va_start), block);
	cr_assert_leq(block->used, VMAP_BLOCK_SLOTS);
	for (; slot < block->used; slot += VMAP_SLOTS(block->maps[slot].nr_pages), nr++) {
		check_block_map(census, &block->maps[slot], va->va_start + slot * 2 * PAGE_SIZE);
		if (block->maps[slot].state == VMAP_LAZY)
			dirty += VMAP_SLOTS(block->maps[slot].nr_pages);
	}
	cr_assert_eq(slot, block->used);
	cr_assert_eq(nr, block->nr);
	cr_assert(block->dirty == dirty || block->dirty == dirty + VMAP_BLOCK_DIRTY - slot);
}

static void check_live(struct census *census, const struct vmap_area *va)
{
	const struct vm_struct *vm = va->vm;
	u32 i, pfn = vm->pages;

	census->areas++;
	cr_assert_eq((unsigned long)vm->addr, va->va_start);
	cr_assert_eq(vm->size, va->va_end - va->va_start);
	cr_assert_eq(vm->size, ((unsigned long)vm->nr_pages + 1) * PAGE_SIZE);
	cr_assert(vm->requested_size && vm->requested_size <= vm->size - PAGE_SIZE &&
		  vm->requested_size + PAGE_SIZE > vm->size - PAGE_SIZE);
	cr_assert_leq(va->unmapped, va->allocated, "handed out before it was unmapped");
	check_rights(va);
	if (vm->flags & VM_MAP) {
		u64 sum = 0;

		for (i = 0; i < vm->nr_pages; i++)
			sum += FRAMES_SUM(i, arch_virt_to_phys(va->va_start + i * PAGE_SIZE) >> PAGE_SHIFT);
		cr_assert_eq(vm->frames_sum, sum);
		cr_assert_eq(vm->pages, 0);
		census->aliases += vm->nr_pages;
		cr_assert_eq(arch_virt_to_phys(va->va_end - PAGE_SIZE), ~0ul, "guard page of %#lx",
			     va->va_start);
		return;
	}
	own_chain(census, vm->pages, vm->nr_pages, PAGE_VMALLOC, vm->flags & VM_HUGE);
	for (i = 0; i < vm->nr_pages; i += 1u << pfn_to_page(pfn)->order, pfn = pfn_to_page(pfn)->next) {
		cr_assert_eq(arch_virt_to_phys(va->va_start + i * PAGE_SIZE), (u64)pfn << PAGE_SHIFT);
		cr_assert_eq(pfn_to_page(pfn)->vaddr, va->va_start + i * PAGE_SIZE);
		cr_assert(vmalloc_policy == KVMAP_POLICY_LAZY || !pfn_to_page(pfn)->unmapped ||
			  pfn_to_page(pfn)->unmapped < pfn_to_page(pfn)->allocated);
	}
	cr_assert_eq(arch_virt_to_phys(va->va_end - PAGE_SIZE), ~0ul, "guard page of %#lx", va->va_start);
}

/* The ranges of the two trees together cover the space once. */
static void check_cover(struct census *census)
{
	struct rb_node *busy = rb_first(&vmap_area_root), *free = rb_first(&free_vmap_area_root);
	unsigned long at = KVMAP_VMALLOC_START, free_end = 0;

	while (at != KVMAP_VMALLOC_END) {
		if (free && container_of(free, struct vmap_area, rb_node)->va_start == at) {
			cr_assert_neq(free_end, at, "free neighbours at %#lx were not merged", at);
			at = free_end = container_of(free, struct vmap_area, rb_node)->va_end;
			free = rb_next(free);
			census->free_ranges++;
		} else {
			cr_assert(busy && container_of(busy, struct vmap_area, rb_node)->va_start == at,
				  "%#lx is in no range", at);
			at = container_of(busy, struct vmap_area, rb_node)->va_end;
			busy = rb_next(busy);
		}
	}
	cr_assert(!busy && !free, "ranges overlap");
}

/* Ranges on their way to be used again: on exactly the list that their state names. */
static u64 check_lazy(struct census *census, const struct vmap_area *va, bool flushed)
{
	u64 count = 0;

	for (; va; va = va->next) {
		cr_assert_eq(vmap_busy_find(va->va_start), va);
		if (va->state == VMAP_BLOCK) {
			cr_assert_eq(va->vmap_block->dirty, VMAP_BLOCK_DIRTY);
			if (flushed)
				census->flushed_in_blocks += va->vmap_block->nr;
			continue;
		}
		cr_assert_eq(va->state, VMAP_LAZY);
		cr_assert(flushed || (va->vm->nr_pages == 0) ==
					     (vmalloc_policy == KVMAP_POLICY_LAZY || va->vm->flags & VM_MAP));
		own_chain(census, va->vm->pages, va->vm->nr_pages, PAGE_VMALLOC, va->vm->flags & VM_HUGE);
		count++;
	}
	return count;
}

static void check_cached(struct census *census, const struct cpu_cache *cache)
{
	for (u32 pages = 0; pages <= VMAP_CACHED_PAGES; pages++) {
		u32 nr = 0;

		for (const struct vmap_area *va = cache->cached[pages].first; va; va = va->next, nr++) {
			cr_assert_eq(va->state, VMAP_CACHED);
			cr_assert_eq(vmap_pages(va), pages);
			cr_assert(!va->vm->pages && !va->vm->nr_pages);
			cr_assert_eq(vmap_busy_find(va->va_start), va);
		}
		cr_assert_eq(cache->cached[pages].nr, nr);
		census->cached += nr;
	}
}

/* Was it unmapped in a block that has not been flushed? */
static bool is_waiting_in_block(unsigned long addr)
{
	const struct vmap_area *busy = vmap_busy_find(addr), *va;
	const struct vmap_block_map *map;
	unsigned long start;

	if (!busy || busy->state != VMAP_BLOCK)
		return false;
	for (u32 cpu = 0; cpu < NR_CPUS; cpu++)
		for (va = cpu_caches[cpu].lazy.flushed_list; va; va = va->next)
			if (va == busy)
				return false;
	map = vmap_block_find(busy->vmap_block, addr, &start);
	return map && map->state == VMAP_LAZY;
}

/* Is it in a range that maps others' frames? */
static bool is_alias(unsigned long addr)
{
	const struct vmap_area *va = vmap_busy_find(addr);

	return va->state == VMAP_BLOCK || va->vm->flags & VM_MAP;
}

/* Waits `va` for a flush? */
static bool is_waiting(unsigned long addr)
{
	for (u32 cpu = 0; cpu < NR_CPUS; cpu++) {
		const struct vmap_area *va = cpu_caches[cpu].lazy.purge_list;

		for (; va; va = va->next)
			if (va->state != VMAP_BLOCK && addr >= vmap_flush_range(va).start &&
			    addr < vmap_flush_range(va).end)
				return true;
	}
	return is_waiting_in_block(addr);
}

/* V9: where the TLB and the tables differ, nobody may have got the frame (strict) or the range since. */
static void check_tlb(const struct census *census, const struct sim_cpu *cpu)
{
	unsigned long page;

	for (page = 0; page < SIM_TLB_PAGES; page++) {
		unsigned long va = KVMAP_VMALLOC_START + page * PAGE_SIZE;
		u32 pfn = cpu->tlb[page] - 1;

		if (cpu->tlb[page] && arch_virt_to_phys(va) == (u64)pfn << PAGE_SHIFT)
			cr_assert(!cpu->writable[page] || pgtable_allows(va, true, false),
				  "the right to write %#lx is stale", va);
		if (!cpu->tlb[page] || arch_virt_to_phys(va) == (u64)pfn << PAGE_SHIFT)
			continue;
		cr_assert_neq(vmalloc_policy, KVMAP_POLICY_EAGER, "%#lx is stale", va);
		cr_assert(is_waiting(va), "%#lx is stale and waits for no flush", va);
		if (vmalloc_policy == KVMAP_POLICY_STRICT)
			cr_assert(is_alias(va) ? census->owner[pfn] == PAGE_VMALLOC ||
							 census->owner[pfn] == PAGE_KMALLOC
					       : census->owner[pfn] == PAGE_VMALLOC &&
							 (pfn_to_page(pfn)->vaddr == va ||
							  pfn_to_page(pfn)->owner == PAGE_NONE),
				  "frame %#x was given away while %#lx may still lead to it", pfn, va);
	}
}

/* Areas that wait to be freed: nothing of them has changed but their state. */
static u64 check_deferred(const struct vmap_area *va)
{
	u64 count = 0;

	for (; va; va = va->next, count++) {
		cr_assert_eq(va->state, VMAP_DEFERRED);
		cr_assert_eq(vmap_busy_find(va->va_start), va);
	}
	return count;
}

static void check_cpus(struct census *census)
{
	u64 deferred = 0;

	for (u32 cpu = 0; cpu < NR_CPUS; cpu++) {
		const struct vmap_lazy *lazy = &cpu_caches[cpu].lazy;

		census->lazy_areas += check_lazy(census, lazy->purge_list, false);
		census->flushed_areas += check_lazy(census, lazy->flushed_list, true);
		check_cached(census, &cpu_caches[cpu]);
		deferred += check_deferred(lazy->deferred);
	}
	cr_assert_eq(deferred, census->deferred, "%lu areas wait to be freed, the lists have %lu",
		     census->deferred, deferred);
}

void check_machine(void)
{
	static struct census census;
	struct rb_node *node;
	u64 live, busy;

	memset(&census, 0, sizeof(census));
	check_zones(&census);
	check_cover(&census);
	busy = check_tree(&vmap_area_root, false);
	cr_assert_eq(check_tree(&free_vmap_area_root, true), census.free_ranges);
	for (node = rb_first(&vmap_area_root); node; node = rb_next(node)) {
		const struct vmap_area *va = container_of(node, struct vmap_area, rb_node);

		if (va->state == VMAP_LIVE || va->state == VMAP_DEFERRED)
			check_live(&census, va);
		if (va->state == VMAP_BLOCK)
			check_block(&census, va);
		census.deferred += va->state == VMAP_DEFERRED;
	}
	live = census.nr[PAGE_VMALLOC];
	check_cpus(&census);
	cr_assert_eq(busy,
		     census.areas + census.lazy_areas + census.flushed_areas + census.cached + census.blocks);
	check_allocated(&census);
	check_pcp(&census);
	own_chain(&census, held_pages, vm_stat_sum(NR_HELD_PAGES), PAGE_HELD, false);
	check_tables(&census, init_top_pgt, 4);
	check_caches(&census, busy);
	check_all_owned(&census);
	/* One that flushes before it does anything may have what it will. */
	for (u32 cpu = 0; cpu < SIM_CPUS; cpu++)
		if (sim_cpus[cpu].state != CPU_IDLE_STALE)
			check_tlb(&census, &sim_cpus[cpu]);

	cr_assert_eq(census.leaves, live + census.aliases, "%lu pages are mapped, areas have %lu",
		     census.leaves, live);
	cr_assert_eq(vm_stat_sum(NR_FREE_PAGES), census.nr[PAGE_FREE]);
	cr_assert_eq(vm_stat_sum(NR_SLAB_PAGES), census.nr[PAGE_SLAB]);
	cr_assert_eq(vm_stat_sum(NR_PAGETABLE_PAGES), census.nr[PAGE_TABLE]);
	cr_assert_eq(vm_stat_sum(NR_VMALLOC_PAGES), live);
	cr_assert_eq(vm_stat_sum(NR_KMALLOC_PAGES), census.nr[PAGE_KMALLOC]);
	cr_assert_eq(vm_stat_sum(NR_LAZY_PAGES), census.nr[PAGE_VMALLOC] - live);
	cr_assert_eq(stats().pages_mapped - stats().pages_unmapped, live + census.aliases);
	cr_assert_eq(stats().allocations - stats().frees, census.areas + census.areas_in_blocks);
	cr_assert_eq(stats().frees - stats().areas_purged,
		     census.lazy_areas + census.unmapped_in_blocks - census.flushed_in_blocks);
}
