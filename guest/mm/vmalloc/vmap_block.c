/* SPDX-License-Identifier: MIT */
/*
 * vmap_block.c: vmap blocks: small mappings of vm_map_ram() in 2M ranges with one page table each. The CPU
 * that owns a vmap block allocates its slots in ascending order, each once; any CPU unmaps. After all slots
 * were used and unmapped, one flush covers the whole vmap block, and it is reused. So a mapping needs neither
 * a search nor a lock, and no address is reused before a flush that covers it.
 *
 * Linux's vmap blocks differ in that they have no guard pages and allocate powers of two.
 */
#include "kvmap/boot.h"
#include "mm/arch.h"
#include "mm/page/frames.h"
#include "mm/slab/slab.h"
#include "mm/vmalloc/vmap.h"

struct kmem_cache vmap_block_cache = { .name = "vmap_block", .object_size = VMAP_BLOCK_BYTES };

/* A slot: two pages, so that a mapping of any size with its guard wastes at most one page. */
#define SLOT_SIZE (2 * PAGE_SIZE)

static inline u32 slot_of(unsigned long addr)
{
	return (u32)(addr % VMAP_BLOCK_SIZE / SLOT_SIZE);
}

struct vmap_block *vmap_block_at(unsigned long addr)
{
	struct vmap_block *block;
	u32 reference;

	/* Without a page table it is frame 0, whose struct page is always zero. */
	reference = READ_ONCE(pfn_to_page(arch_table_frame(addr))->area);
	if (!reference)
		return NULL;
	block = __va((u64)reference * 16);
	return READ_ONCE(block->va_start) == ALIGN_DOWN(addr, VMAP_BLOCK_SIZE) ? block : NULL;
}

/* ---- creating and freeing ---- */

/* The value of struct page.area for the page table of the vmap block. */
static u32 reference_of(const struct vmap_block *block)
{
	u64 reference = __pa(block) / 16;

	return reference == (u32)reference ? (u32)reference : 0;
}

static void vmap_block_fill(struct vmap_block *block, struct vmap_area *va)
{
	*block = (struct vmap_block){ .va = va, .table = block->table, .va_start = va->va_start };
	for (u32 slot = 0; slot < VMAP_BLOCK_SLOTS; slot++)
		block->maps[slot].state = VMAP_LAZY;
	va->vmap_block = block;
	va->shrunk = 0;
	va->lead = 0;
	va->allocated = READ_ONCE(tlb_gen);
	WRITE_ONCE(va->state, VMAP_BLOCK);
	WRITE_ONCE(pfn_to_page(arch_table_frame(va->va_start))->area, reference_of(block));
	vmap_busy_insert(va);
}

/* NULL without memory or space, or if the vmap block lies beyond the reach of struct page.area. */
static struct vmap_block *vmap_block_create(void)
{
	struct vmap_block *block = kmem_cache_alloc(&vmap_block_cache);
	struct vmap_area *va = NULL;
	u32 status;

	if (!block)
		return NULL;
	if (reference_of(block))
		va = vmap_free_take_aligned(VMAP_BLOCK_SIZE, VMAP_BLOCK_SIZE, &status);
	block->table = va ? arch_table_make(va->va_start) : NULL;
	if (block->table) {
		vmap_block_fill(block, va);
		return block;
	}
	if (va)
		vmap_free_put(va);
	kmem_cache_free(&vmap_block_cache, block);
	return NULL;
}

static void vmap_block_destroy(struct vmap_area *va)
{
	struct vmap_block *block = va->vmap_block;

	WRITE_ONCE(pfn_to_page(arch_table_frame(va->va_start))->area, 0);
	WRITE_ONCE(block->va_start, 0);
	vmap_busy_remove(va);
	vmap_free_put(va);
	kmem_cache_free(&vmap_block_cache, block);
}

void vmap_block_put(struct vmap_area *va)
{
	struct vmap_cached *blocks = &this_cpu_cache()->cached_blocks;
	struct vmap_block *block = va->vmap_block;

	if (blocks->nr >= VMAP_CACHED_BLOCKS_MAX) {
		vmap_block_destroy(va);
		return;
	}
	block->dirty = 0;
	block->used = 0;
	block->nr = 0;
	va->next = blocks->first;
	blocks->first = va;
	blocks->nr++;
}

bool vmap_blocks_drain(struct cpu_cache *cpu)
{
	struct vmap_cached *blocks = &cpu->cached_blocks;
	bool found = blocks->nr;

	while (blocks->first) {
		struct vmap_area *va = blocks->first;

		blocks->first = va->next;
		vmap_block_destroy(va);
	}
	blocks->nr = 0;
	return found;
}

/*
 * Adds slots that will not be used before the flush. The CPU that completes the count queues the vmap block.
 */
static inline void vmap_block_dirty(struct vmap_block *block, u32 slots)
{
	if (likely(__atomic_add_fetch(&block->dirty, slots, __ATOMIC_ACQ_REL) != VMAP_BLOCK_DIRTY))
		return;
	block->va->unmapped = READ_ONCE(tlb_gen);
	vmap_lazy_add_block(block->va);
}

/* The CPU stops using its vmap block: the unused slots count as dirty, plus 1 for the owner. */
static void vmap_block_retire(struct cpu_cache *cpu)
{
	struct vmap_block *block = cpu->vmap_block;

	if (!block)
		return;
	cpu->vmap_block = NULL;
	if (block->used)
		vmap_block_dirty(block, VMAP_BLOCK_DIRTY - block->used);
	else
		vmap_block_put(block->va);
}

void vmap_block_retire_idle(struct cpu_cache *cpu)
{
	const struct vmap_block *block = cpu->vmap_block;

	if (block && __atomic_load_n(&block->dirty, __ATOMIC_ACQUIRE) == block->used)
		vmap_block_retire(cpu);
}

/* An empty vmap block, which becomes this CPU's; NULL without memory. */
static __attribute__((noinline)) struct vmap_block *vmap_block_next(struct cpu_cache *cpu)
{
	struct vmap_area *va;

	vmap_block_retire(cpu);
	if (!cpu->cached_blocks.first && READ_ONCE(cpu->lazy.flushed_list))
		vmap_flushed_release();
	va = cpu->cached_blocks.first;
	if (va) {
		cpu->cached_blocks.first = va->next;
		cpu->cached_blocks.nr--;
		va->allocated = READ_ONCE(tlb_gen);
		cpu->vmap_block = va->vmap_block;
	} else {
		cpu->vmap_block = vmap_block_create();
	}
	return cpu->vmap_block;
}

/* ---- mappings ---- */

void *vmap_block_map(struct page *const *pages, u32 nr, const void *caller)
{
	struct cpu_cache *cpu = this_cpu_cache();
	struct vmap_block *block = cpu->vmap_block;
	struct vmap_block_map *map;
	unsigned long addr;

	if (unlikely(!block || block->used + VMAP_SLOTS(nr) > VMAP_BLOCK_SLOTS)) {
		block = vmap_block_next(cpu);
		if (!block)
			return vmap_ram_area(pages, nr, caller);
	}
	map = &block->maps[block->used];
	addr = block->va_start + block->used * SLOT_SIZE;
	arch_table_map(block->table, addr, pages, nr);
	map->frames_sum = frames_sum(pages, nr);
	map->caller = caller;
	map->nr_pages = nr;
	map->allocated = READ_ONCE(tlb_gen);
	__atomic_store_n(&map->state, VMAP_LIVE, __ATOMIC_RELEASE);
	WRITE_ONCE(block->used, (u16)(block->used + VMAP_SLOTS(nr)));
	block->nr++;
	cpu->stats.allocations++;
	cpu->stats.pages_mapped += nr;
	cpu->vmalloc_status = KVMAP_OK;
	return (void *)addr;
}

struct vmap_block_map *vmap_block_find(struct vmap_block *block, unsigned long addr, unsigned long *start_out)
{
	u32 slots, wanted = slot_of(addr), used = READ_ONCE(block->used);

	for (u32 slot = 0; slot < used && slot <= wanted; slot += slots) {
		slots = VMAP_SLOTS(READ_ONCE(block->maps[slot].nr_pages));
		if (wanted - slot >= slots)
			continue;
		*start_out = block->va_start + slot * SLOT_SIZE;
		return &block->maps[slot];
	}
	return NULL;
}

u32 vmap_block_status(struct vmap_block *block, unsigned long addr)
{
	unsigned long start;
	const struct vmap_block_map *map = vmap_block_find(block, addr, &start);

	if (!map && !READ_ONCE(block->va->unmapped))
		return KVMAP_REFUSED_NOT_AN_AREA; /* never used */
	if (!map || READ_ONCE(map->state) != VMAP_LIVE)
		return KVMAP_REFUSED_DOUBLE_FREE;
	return addr == start ? KVMAP_REFUSED_OTHER_KIND : KVMAP_REFUSED_INTERIOR;
}

/* Slow path of vmap_block_unmap(): refuses the address. */
static __attribute__((noinline)) void unmap_refuse(struct vmap_block *block, unsigned long addr,
						   const void *caller)
{
	u32 status = addr % PAGE_SIZE ? KVMAP_REFUSED_UNALIGNED : vmap_block_status(block, addr);

	/* A live mapping begins at addr, but has another number of pages. */
	vmalloc_refuse(status == KVMAP_REFUSED_OTHER_KIND ? KVMAP_REFUSED_COUNT : status, (const void *)addr,
		       caller);
}

void vmap_block_unmap(struct vmap_block *block, unsigned long addr, u32 nr)
{
	struct cpu_cache *cpu = this_cpu_cache();
	struct vmap_block_map *map = &block->maps[slot_of(addr)];
	u32 live = VMAP_LIVE;

	/*
	 * Live mappings are only at slot starts, and the last two pages belong to no slot. If several CPUs
	 * unmap the same mapping, one succeeds.
	 */
	if (unlikely(addr % SLOT_SIZE || slot_of(addr) == VMAP_BLOCK_SLOTS ||
		     READ_ONCE(map->nr_pages) != nr ||
		     !__atomic_compare_exchange_n(&map->state, &live, VMAP_LAZY, false, __ATOMIC_ACQ_REL,
						  __ATOMIC_RELAXED)))
		return unmap_refuse(block, addr, __builtin_return_address(0));
	map->unmapped = arch_table_unmap(block->table, addr, nr);
	WRITE_ONCE(cpu->vmap_block_unmapped, map->unmapped);
	cpu->stats.frees++;
	cpu->stats.pages_unmapped += nr;
	cpu->vmalloc_status = KVMAP_OK;
	if (unlikely(vmalloc_policy == KVMAP_POLICY_EAGER))
		vmap_flush(addr, addr + nr * PAGE_SIZE);
	vmap_block_dirty(block, VMAP_SLOTS(nr));
}
