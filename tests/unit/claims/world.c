/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* memfd_create */
#include "world.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const char *world_program(void)
{
	const char *path = getenv("CLAIMS_PROGRAM_5");

	cr_assert_not_null(path, "CLAIMS_PROGRAM_5 must name the program");
	return path;
}

void *world_at(struct world *world, uint64_t gva)
{
	uint64_t gpa = gva >= KVMAP_IMAGE_BASE ? gva - KVMAP_IMAGE_BASE : gva - KVMAP_DIRECT_BASE;

	cr_assert_lt(gpa, WORLD_SIZE, "test uses GVA 0x%lx", gva);
	return world->memory + gpa;
}

uint64_t world_symbol(struct world *world, const char *name)
{
	uint64_t address = 0;

	cr_assert(symbols_find(world->symbols, name, &address, NULL), "no symbol %s", name);
	return address;
}

struct page *world_page(struct world *world, uint32_t pfn)
{
	return (struct page *)(world->memory + WORLD_MEM_MAP) + pfn;
}

uint64_t world_cache_gva(struct world *world, unsigned int index)
{
	return world_symbol(world, index == 1 ? "vmap_area_cache" : "vm_struct_cache");
}

struct kmem_cache *world_cache(struct world *world, unsigned int index)
{
	return world_at(world, world_cache_gva(world, index));
}

struct cpu_cache *world_cpu(struct world *world, unsigned int cpu)
{
	return &world_root(world, "cpu_caches", struct cpu_cache)[cpu];
}

uint64_t world_range_gva(enum world_range range)
{
	return KVMAP_DIRECT_BASE + WORLD_VMAP_AREAS + range * sizeof(struct vmap_area);
}

struct vmap_area *world_range(struct world *world, enum world_range range)
{
	return world_at(world, world_range_gva(range));
}

struct vmap_block *world_vmap_block(struct world *world, enum world_range range)
{
	struct vmap_block *block = (struct vmap_block *)(world->memory + WORLD_VMAP_BLOCK);
	struct vmap_area *va = world_range(world, range);

	*block = (struct vmap_block){
		.va = (void *)world_range_gva(range),
		.va_start = va->va_start,
		.dirty = VMAP_SLOTS(1),
		.used = WORLD_SLOTS,
		.nr = 3,
	};
	block->maps[WORLD_SLOT_OF_4] =
		(struct vmap_block_map){ .frames_sum = 77, .nr_pages = 4, .allocated = 5 };
	block->maps[WORLD_SLOT_OF_1] =
		(struct vmap_block_map){ .nr_pages = 1, .unmapped = 8, .state = VMAP_LAZY };
	block->maps[WORLD_SLOT_OF_2] = (struct vmap_block_map){ .nr_pages = 2, .allocated = 7 };
	va->va_end = va->va_start + VMAP_BLOCK_SIZE;
	va->vmap_block = world_va(WORLD_VMAP_BLOCK);
	va->state = VMAP_BLOCK;
	return block;
}

struct vm_struct *world_vm(struct world *world, enum world_range range)
{
	return (struct vm_struct *)(world->memory + WORLD_VMS) + range;
}

uint64_t *world_pte(struct world *world, uint64_t gva, unsigned int level)
{
	uint64_t *table = (uint64_t *)(world->memory + WORLD_TABLES), *entry = NULL;

	for (unsigned int at = 4; at >= level; at--) {
		entry = &table[(gva >> (12 + 9 * (at - 1))) & 511];
		if (at > level && !*entry) {
			*entry = world->tables_end | PTE_P | PTE_W;
			world->tables_end += PAGE_SIZE;
		}
		table = (uint64_t *)(world->memory + (*entry & PTE_ADDRESS) % WORLD_SIZE);
	}
	return entry;
}

static void world_map(struct world *world)
{
	for (uint64_t gpa = 0; gpa < WORLD_SIZE; gpa += 2 << 20)
		*world_pte(world, KVMAP_DIRECT_BASE + gpa, 2) = gpa | PTE_P | PTE_W | PTE_PS;
	for (uint64_t gpa = 0x200000; gpa < 0x300000; gpa += PAGE_SIZE)
		*world_pte(world, KVMAP_IMAGE_BASE + gpa, 1) = gpa | PTE_P | PTE_W;
}

static void world_fill_memblock(struct world *world)
{
	struct memblock *memblock = world_root(world, "memblock", struct memblock);

	*memblock = (struct memblock){
		.nr_memory = 2,
		.nr_reserved = 3,
		.memory = { { .base = 0, .size = 0x9f000 },
			    { .base = 0x100000, .size = WORLD_SIZE - 0x100000 } },
		.reserved = { { .base = 0, .size = 0x9f000, .kind = MEMBLOCK_LOW },
			      { .base = 0x100000, .size = 0x300000, .kind = MEMBLOCK_IMAGE },
			      { .base = 0x400000, .size = 0x300000, .kind = MEMBLOCK_MEM_MAP } },
	};
}

/* Frames 0x700..0x7ff have been touched, those above are fresh. */
static void world_fill_zone(struct world *world)
{
	struct zone *zone = world_root(world, "zones", struct zone);

	*world_root(world, "mem_map", uint64_t) = KVMAP_DIRECT_BASE + WORLD_MEM_MAP;
	*world_root(world, "max_pfn", uint64_t) = WORLD_FRAMES;
	*world_root(world, "nr_zones", uint32_t) = 1;
	*world_root(world, "nr_nodes", uint32_t) = 1;
	*zone = (struct zone){
		.start_pfn = 0x700,
		.end_pfn = WORLD_FRAMES,
		.fresh_start = 0x800,
		.fresh_end = WORLD_FRAMES,
		.kind = ZONE_DMA32,
		.free_pages = WORLD_FRAMES - 0x800 + 10,
		.free_area = { [0] = { .first = 0x701, .nr_free = 2 },
			       [3] = { .first = 0x708, .nr_free = 1 } },
	};
	*world_page(world, 0x701) = (struct page){ .owner = PAGE_FREE, .next = 0x703 };
	*world_page(world, 0x703) = (struct page){ .owner = PAGE_FREE, .prev = 0x701 };
	*world_page(world, 0x708) = (struct page){ .owner = PAGE_FREE, .order = 3 };
	*world_root(world, "held_pages", uint32_t) = 0x740;
	*world_page(world, 0x740) = (struct page){ .owner = PAGE_HELD, .next = 0x741 };
	*world_page(world, 0x741) = (struct page){ .owner = PAGE_HELD };
	world_cpu(world, 0)->pcp = (struct per_cpu_pages){ 0x760, 2 };
	world_cpu(world, 2)->pcp_zero = (struct per_cpu_pages){ 0x762, 1 };
	*world_page(world, 0x760) = (struct page){ .owner = PAGE_PCP, .next = 0x761 };
	*world_page(world, 0x761) = (struct page){ .owner = PAGE_PCP };
	*world_page(world, 0x762) = (struct page){ .owner = PAGE_PCP };
}

/* An area of the frames given, 0-terminated. */
static void world_fill_area(struct world *world, enum world_range range, uint64_t address,
			    const uint32_t *frames)
{
	struct vm_struct *vm = world_vm(world, range);
	struct vmap_area *area = world_range(world, range);

	*vm = (struct vm_struct){ .addr = (void *)address,
				  .pages = frames[0],
				  .caller = (void *)0xffffffff80201000 };
	for (; *frames; frames++) {
		*world_page(world, *frames) = (struct page){
			.owner = PAGE_VMALLOC,
			.next = frames[1],
			.vpn = PAGE_VPN(address + vm->nr_pages * PAGE_SIZE),
		};
		vm->nr_pages++;
	}
	vm->size = WORLD_AREA_SIZE(vm->nr_pages);
	vm->requested_size = vm->nr_pages * PAGE_SIZE - 7;
	vm->flags = VM_ALLOC;
	*area = (struct vmap_area){ .va_start = address, .va_end = address + vm->size, .allocated = 3 };
	area->vm = world_va((uint64_t)((uint8_t *)vm - world->memory));
}

static struct rb_node *range_link(enum world_range range)
{
	return (struct rb_node *)(world_range_gva(range) + offsetof(struct vmap_area, rb_node));
}

static void world_fill_trees(struct world *world)
{
	static const uint32_t a[] = { 0x710, 0x720, 0 }, b[] = { 0x711, 0 }, c[] = { 0x730, 0x712, 0x731, 0 };
	static const uint32_t d[] = { 0x750, 0x751, 0 };
	struct vmap_area *left = world_range(world, RANGE_E), *right = world_range(world, RANGE_F);

	world_fill_area(world, RANGE_A, WORLD_A, a);
	world_fill_area(world, RANGE_B, WORLD_B, b);
	world_fill_area(world, RANGE_C, WORLD_C, c);
	world_fill_area(world, RANGE_D, WORLD_D, d);
	world_range(world, RANGE_D)->unmapped = 5;
	world_range(world, RANGE_A)->rb_node.__rb_parent_color = (unsigned long)range_link(RANGE_B);
	world_range(world, RANGE_C)->rb_node.__rb_parent_color = (unsigned long)range_link(RANGE_B);
	world_range(world, RANGE_B)->rb_node =
		(struct rb_node){ RB_BLACK, .rb_left = range_link(RANGE_A), .rb_right = range_link(RANGE_C) };
	world_root(world, "vmap_area_root", struct rb_root)->rb_node = range_link(RANGE_B);
	world_cpu(world, 5)->lazy.purge_list = (void *)world_range_gva(RANGE_D);

	*left = (struct vmap_area){ .va_start = WORLD_E, .va_end = WORLD_D };
	*right = (struct vmap_area){ .va_start = WORLD_F, .va_end = KVMAP_VMALLOC_END };
	left->rb_node = (struct rb_node){ RB_BLACK, .rb_right = range_link(RANGE_F) };
	right->rb_node.__rb_parent_color = (unsigned long)range_link(RANGE_E);
	left->subtree_max_size = right->subtree_max_size = right->va_end - right->va_start;
	world_root(world, "free_vmap_area_root", struct rb_root)->rb_node = range_link(RANGE_E);
}

/* Two free objects in each cache, after those in use: one on the list of CPU 3, one on that of the slab. */
static void world_fill_cache(struct world *world, uint16_t index, const char *name, uint64_t name_gpa,
			     uint64_t gpa, size_t size, uint32_t in_use)
{
	uint64_t free = gpa + in_use * size;
	struct kmem_cache *cache = world_cache(world, index);

	strcpy((char *)world->memory + name_gpa, name);
	*cache = (struct kmem_cache){
		.name = world_va(name_gpa),
		.object_size = (uint32_t)size,
		.index = index,
		.partial = (uint32_t)(gpa >> PAGE_SHIFT),
		.nr_slabs = 1,
		.nr_partial = 1,
	};
	world_root(world, "kmem_caches", uint64_t)[index] = world_cache_gva(world, index);
	world_cpu(world, 3)->objects[index] = (struct kmem_list){ world_va(free + size), 1, 0 };
	world_page(world, (uint32_t)(gpa >> PAGE_SHIFT))->owner = PAGE_SLAB;
	world_page(world, (uint32_t)(gpa >> PAGE_SHIFT))->cache = index;
	world_page(world, (uint32_t)(gpa >> PAGE_SHIFT))->freelist = (u16)(free % PAGE_SIZE / 8 + 1);
	world_page(world, (uint32_t)(gpa >> PAGE_SHIFT))->nr_objects = 1;
	*world_root(world, "nr_kmem_caches", uint32_t) = index;
}

static void world_fill_counters(struct world *world)
{
	struct tlb_flush *flushes = world_root(world, "tlb_flush_log", struct tlb_flush);
	struct agent_variable *variables = world_root(world, "agent_variables", struct agent_variable);

	for (uint32_t i = 0; i < 3; i++)
		flushes[i + 1] = (struct tlb_flush){ .stamp = i + 1, .begun = i, .start = 0, .end = ~0ull };
	*world_root(world, "arch_nr_cpus", uint32_t) = 1;
	*world_root(world, "tlb_gen", uint64_t) = 3;
	*world_root(world, "vmalloc_policy", uint32_t) = 1;
	for (uint64_t i = 0; i < NR_VM_STAT_ITEMS; i++)
		world_cpu(world, i % 2)->vm_stat[i] = 1000 + i;
	for (uint64_t i = 0; i < NR_VM_STAT_ITEMS; i++)
		world_cpu(world, 63)->vm_stat[i] =
			(uint64_t)-900; /* one CPU counts down what others counted up */
	for (uint64_t i = 0; i < sizeof(struct vmalloc_stats) / sizeof(uint64_t); i++)
		((uint64_t *)&world_cpu(world, 2)->stats)[i] = 200 + i;
	*world_root(world, "agent_nr_variables", uint32_t) = 2;
	variables[1] = (struct agent_variable){
		.address = KVMAP_VMALLOC_START,
		.size = 8185,
		.filled = 8192,
		.fill_seed = 7,
		.state = VARIABLE_LIVE,
		.contents = CONTENTS_PATTERN,
		.write_address = KVMAP_VMALLOC_START + 8,
		.write_value = 9,
	};
}

void world_create(struct world *world)
{
	struct view_region region = { .size = WORLD_SIZE, .fd = memfd_create("world", MFD_CLOEXEC) };
	struct error error;

	*world = (struct world){ .tables_end = WORLD_TABLES + PAGE_SIZE };
	cr_assert_geq(region.fd, 0);
	cr_assert_eq(ftruncate(region.fd, (off_t)WORLD_SIZE), 0);
	world->memory = mmap(NULL, WORLD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, region.fd, 0);
	cr_assert_neq(world->memory, MAP_FAILED);
	region.bytes = world->memory;
	world->view.physical_bits = 40;
	world->mode =
		(struct walk_mode){ .root = WORLD_TABLES, .levels = 4, .physical_bits = 40, .nx = true };
	cr_assert_eq(view_add_region(&world->view, &region, &error), 0, "%s", error.text);
	cr_assert_eq(symbols_open(world_program(), &world->symbols, &error), 0, "%s", error.text);
	cr_assert_eq(claims_layout_open(world->symbols, &world->layout, &error), 0, "%s", error.text);
	world_map(world);
	world_fill_memblock(world);
	world_fill_zone(world);
	world_fill_trees(world);
	world_fill_cache(world, 1, "vmap_area", WORLD_NAMES, WORLD_VMAP_AREAS, sizeof(struct vmap_area),
			 RANGE_COUNT);
	world_fill_cache(world, 3, "vm_struct", WORLD_NAMES + 64, WORLD_VMS, sizeof(struct vm_struct),
			 RANGE_D + 1);
	world_fill_counters(world);
}

void world_destroy(struct world *world)
{
	claims_layout_close(world->layout);
	symbols_close(world->symbols);
	munmap(world->memory, WORLD_SIZE);
	close(world->view.regions[0].fd);
	view_clear(&world->view);
}

void world_read(struct world *world, struct claims *claims)
{
	struct error error;

	cr_assert_eq(claims_read(&world->view, &world->mode, world->layout, claims, &error), 0, "%s",
		     error.text);
}

const struct claim_damage *damage_with(const struct claims *claims, const char *invariant, const char *what)
{
	for (size_t i = 0; i < claims->damages.count; i++)
		if (!strcmp(claims->damages.items[i].invariant, invariant) &&
		    strstr(claims->damages.items[i].what, what))
			return &claims->damages.items[i];
	return NULL;
}

void expect_damage(const struct claims *claims, const char *invariant, const char *what)
{
	cr_expect(damage_with(claims, invariant, what), "no %s \"%s\"; %zu others, first: %s", invariant,
		  what, claims->damages.count, claims->damages.count ? claims->damages.items[0].what : "-");
}
