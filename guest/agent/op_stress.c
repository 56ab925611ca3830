/* SPDX-License-Identifier: MIT */
/*
 * op_stress.c: random allocations, frees and content checks of all kinds of memory, meant for several CPUs at
 * the same time. CPUs exchange objects, so that many are freed by another CPU than the one that allocated
 * them.
 *
 * Objects that are live at the end stay for the host to verify, and for the next `stress`. The seed alone
 * determines the sequence of operations; what they find depends on the other CPUs.
 */
#include "agent/agent.h"
#include "agent/operations.h"
#include "arch/access.h"
#include "arch/percpu.h"
#include "lib/spinlock.h"
#include "mm/slab/kmalloc.h"
#include "mm/vmalloc/kvmalloc.h"
#include "mm/page/page_alloc.h"
#include "mm/vmalloc/vmalloc.h"

#define SLOTS        24 /* objects of each CPU */
#define EXCHANGE     16 /* objects to be swapped between CPUs */
#define WAITING      12 /* buddy blocks whose second mapping was unmapped and not flushed */
#define MAPPED_ORDER 2
#define MAPPED_PAGES (1u << MAPPED_ORDER) /* of a buddy block that is mapped a second time */

/* Two kinds are areas, so that there are as many of these as of second mappings. */
enum kind { NOTHING, AREA, SECOND_MAPPING, SECOND_MAPPING_RAM, OBJECT, FRAMES, MORE_AREAS, KINDS };

/* Memory of `bytes` bytes at address. The first word of each page and the last word of all are written. */
struct object {
	enum kind kind;
	u32 order;          /* FRAMES */
	u64 address, bytes; /* writable memory */
	u64 stamp;
	struct page *frames; /* of a second mapping: the buddy block that it maps */
};

struct stress {
	u64 random;
	struct object slots[SLOTS];
	struct page *waiting[WAITING];
	u32 nr_waiting;
};

static struct stress stresses[NR_CPUS];

static struct {
	struct spinlock lock;
	struct object slots[EXCHANGE];
} exchange;

static u32 pick(struct stress *stress, u32 below)
{
	stress->random = stress->random * 6364136223846793005u + 1442695040888963407u;
	return (u32)((stress->random >> 33) % below);
}

/* ---- contents ---- */

static u64 last_word(const struct object *object)
{
	return object->address + object->bytes - sizeof(u64);
}

static bool write_stamps(const struct object *object)
{
	for (u64 at = 0; at < object->bytes; at += PAGE_SIZE)
		if (access_write(object->address + at, object->stamp + at))
			return false;
	return !access_write(last_word(object), object->stamp + object->bytes);
}

static u32 check_word(struct operation *operation, u64 address, u64 expected)
{
	u64 found = 0;

	operation->address = address;
	if (access_read(address, &found))
		return fault_taken(operation);
	if (found == expected)
		return KVMAP_OK;
	operation->expected = expected;
	operation->found = found;
	return KVMAP_FAILED_CONTENT;
}

static u32 check_stamps(struct operation *operation, const struct object *object)
{
	u32 status = KVMAP_OK;

	/* With a single word the last word is also the first. */
	for (u64 at = 0; at < object->bytes && object->bytes > sizeof(u64) && !status; at += PAGE_SIZE)
		status = check_word(operation, object->address + at, object->stamp + at);
	return status ? status : check_word(operation, last_word(object), object->stamp + object->bytes);
}

static u32 check_zero(struct operation *operation, const struct object *object)
{
	u32 status = KVMAP_OK;

	for (u64 at = 0; at < object->bytes && !status; at += PAGE_SIZE)
		status = check_word(operation, object->address + at, 0);
	return status;
}

/* ---- allocation and free ---- */

/* Mostly a few pages, up to 64. */
static u64 pick_pages(struct stress *stress)
{
	return pick(stress, 16) ? 1 + pick(stress, 4) : 1 + pick(stress, 64);
}

static void *area_make(struct stress *stress, struct object *object, bool *zero)
{
	object->bytes = pick_pages(stress) * PAGE_SIZE;
	switch (pick(stress, 4)) {
	case 0: *zero = true; return vzalloc(object->bytes);
	case 1: return __vmalloc(object->bytes, GFP_NOWAIT);
	default: return vmalloc(object->bytes);
	}
}

/* Maps a buddy block a second time. */
static void *mapping_make(struct object *object)
{
	struct page *pages[MAPPED_PAGES];
	void *address;

	object->frames = alloc_pages(GFP_KERNEL, MAPPED_ORDER);
	if (!object->frames)
		return NULL;
	for (u32 i = 0; i < MAPPED_PAGES; i++)
		pages[i] = object->frames + (MAPPED_PAGES - 1 - i);
	object->bytes = MAPPED_PAGES * PAGE_SIZE;
	address = object->kind == SECOND_MAPPING ? vmap(pages, MAPPED_PAGES, 0, PGPROT_READWRITE)
						 : vm_map_ram(pages, MAPPED_PAGES, -1);
	if (!address)
		__free_pages(object->frames, MAPPED_ORDER);
	return address;
}

static void *memory_make(struct stress *stress, struct object *object, bool *zero)
{
	const struct page *page;

	switch (object->kind) {
	case AREA: return area_make(stress, object, zero);
	case SECOND_MAPPING:
	case SECOND_MAPPING_RAM: return mapping_make(object);
	case OBJECT:
		object->bytes = 8ul << pick(stress, 12); /* up to 16 KiB */
		*zero = !pick(stress, 4);
		return *zero ? kzalloc(object->bytes, GFP_KERNEL) : kvmalloc(object->bytes, GFP_KERNEL);
	default:
		object->order = pick(stress, 4);
		object->bytes = PAGE_SIZE << object->order;
		page = alloc_pages(GFP_KERNEL, object->order);
		return page ? page_address(page) : NULL;
	}
}

/* Allocates an object. Running out of memory is not a failure. */
static u32 make(struct operation *operation, struct stress *stress, struct object *object)
{
	bool zero = false;
	u32 status = KVMAP_OK;

	*object = (struct object){ .kind = 1 + pick(stress, KINDS - 1), .stamp = stress->random };
	if (object->kind == MORE_AREAS)
		object->kind = AREA;
	object->address = (u64)memory_make(stress, object, &zero);
	if (!object->address) {
		object->kind = NOTHING;
		return KVMAP_OK;
	}
	if (zero)
		status = check_zero(operation, object);
	if (!status && !write_stamps(object))
		status = fault_taken(operation);
	return status;
}

/* Frees the buddy blocks of second mappings, after a flush. */
static void free_waiting(struct stress *stress)
{
	while (stress->nr_waiting)
		__free_pages(stress->waiting[--stress->nr_waiting], MAPPED_ORDER);
}

/* Unmaps a second mapping. Its frames are freed later, after a flush, since TLBs may still map them. */
static void mapping_free(struct stress *stress, const struct object *object)
{
	if (object->kind == SECOND_MAPPING)
		vunmap((void *)object->address);
	else
		vm_unmap_ram((void *)object->address, MAPPED_PAGES);
	stress->waiting[stress->nr_waiting++] = object->frames;
	if (stress->nr_waiting < WAITING)
		return;
	vm_unmap_aliases();
	free_waiting(stress);
}

/* Returns an enum kvmap_status: a free of valid memory must not be refused. */
static u32 memory_free(struct stress *stress, const struct object *object)
{
	switch (object->kind) {
	case AREA: vfree((void *)object->address); return vmalloc_status();
	case SECOND_MAPPING:
	case SECOND_MAPPING_RAM: mapping_free(stress, object); return vmalloc_status();
	case OBJECT: kvfree((void *)object->address); return vmalloc_status();
	case FRAMES: free_pages(object->address, object->order); return page_alloc_status();
	default: return KVMAP_OK;
	}
}

static u32 check_and_free(struct operation *operation, struct stress *stress, struct object *object)
{
	u32 status = check_stamps(operation, object);

	if (status)
		return status;
	operation->address = object->address;
	status = memory_free(stress, object);
	object->kind = NOTHING;
	return status;
}

/* Resizes an area. */
static u32 resize(struct operation *operation, struct stress *stress, struct object *object)
{
	u32 status = check_stamps(operation, object);
	u64 bytes = pick_pages(stress) * PAGE_SIZE;
	void *address;

	if (status)
		return status;
	address = vrealloc((void *)object->address, bytes, GFP_KERNEL);
	if (!address)
		return KVMAP_OK; /* out of memory; the area did not change */
	if (bytes < object->bytes)
		object->bytes = bytes;
	object->address = (u64)address;
	for (u64 at = 0; at < object->bytes && !status; at += PAGE_SIZE)
		status = check_word(operation, object->address + at, object->stamp + at);
	object->bytes = bytes;
	if (!status && !write_stamps(object))
		status = fault_taken(operation);
	return status;
}

/* Swaps the object with a random one of the exchange. */
static void swap(struct stress *stress, struct object *object)
{
	struct object *other = &exchange.slots[pick(stress, EXCHANGE)], mine = *object;

	spin_lock(&exchange.lock);
	*object = *other;
	*other = mine;
	spin_unlock(&exchange.lock);
}

static u32 step(struct operation *operation, struct stress *stress)
{
	struct object *object = &stress->slots[pick(stress, SLOTS)];

	if (!object->kind)
		return pick(stress, 8) ? make(operation, stress, object) : (swap(stress, object), KVMAP_OK);
	switch (pick(stress, 16)) {
	case 0:
	case 1: swap(stress, object); return KVMAP_OK;
	case 2:
	case 3: return check_stamps(operation, object);
	case 4: return object->kind == AREA ? resize(operation, stress, object) : KVMAP_OK;
	case 5: return pick(stress, 8) ? KVMAP_OK : (vmalloc_purge(), KVMAP_OK);
	default: return check_and_free(operation, stress, object);
	}
}

u32 op_stress(struct operation *operation)
{
	struct stress *stress = &stresses[arch_cpu()];
	u32 status = KVMAP_OK;

	stress->random = operation->operand[0] * 0x9e3779b97f4a7c15u + arch_cpu();
	operation->size = operation->operand[1];
	for (u64 left = operation->operand[1]; left && !status; left--, operation->result++)
		status = step(operation, stress);
	return status;
}

static u32 free_all(struct operation *operation, struct stress *stress)
{
	u32 status = KVMAP_OK;

	for (u32 i = 0; i < SLOTS && !status; i++) {
		if (!stress->slots[i].kind)
			continue;
		status = check_and_free(operation, stress, &stress->slots[i]);
		operation->result++;
	}
	return status;
}

/* Several CPUs may do so at the same time: each object is taken by one of them. */
static u32 free_exchanged(struct operation *operation, struct stress *stress)
{
	u32 status = KVMAP_OK;

	for (u32 i = 0; i < EXCHANGE && !status; i++) {
		struct object object;

		spin_lock(&exchange.lock);
		object = exchange.slots[i];
		exchange.slots[i].kind = NOTHING;
		spin_unlock(&exchange.lock);
		if (!object.kind)
			continue;
		status = check_and_free(operation, stress, &object);
		operation->result++;
	}
	return status;
}

/* While other CPUs run operations, each has what is its own. */
u32 op_stress_free(struct operation *operation)
{
	u32 first = agent.parallel ? arch_cpu() : 0, end = agent.parallel ? first + 1 : NR_CPUS;
	u32 status = free_exchanged(operation, &stresses[first]);

	for (u32 cpu = first; cpu < end && !status; cpu++)
		status = free_all(operation, &stresses[cpu]);
	vm_unmap_aliases();
	for (u32 cpu = first; cpu < end; cpu++)
		free_waiting(&stresses[cpu]);
	return status;
}
