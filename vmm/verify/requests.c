/* SPDX-License-Identifier: MIT */
/*
 * requests.c: compares the claims with the requests of the script (requests.h): V1 of areas, V4 of the zones and nodes of
 * objects, V8 of what was freed in an interrupt, V13 of what exists besides. Where no script is known nothing is compared.
 */
#include "verify/requests.h"
#include "verify/check.h"

#include "kvmap/gfp.h"

#include <inttypes.h>
#include <stdlib.h>

#define VM_OF_REQUESTS ((uint64_t)(VM_USERMAP | VM_READONLY | VM_EXEC | VM_MAP | VM_MAP_RAM))

static bool in_vmalloc(uint64_t address)
{
	return address >= KVMAP_VMALLOC_START && address < KVMAP_VMALLOC_END;
}

/* The live area that is the request's; NULL: there is none, which V12 states. */
static const struct claim_area *area_of(const struct claims *claims, uint64_t address)
{
	const struct claim_area *area = in_vmalloc(address) ? claims_area_at(claims, address) : NULL;

	return area && area->state == AREA_LIVE && area->va_start == address ? area : NULL;
}

static void differs(struct check *check, const struct claim_area *area, const char *what, uint64_t wanted,
		    uint64_t has)
{
	struct finding *finding = finding_new_structure(check, area->va_start, area->vmap_area);

	finding_claimed(finding, "%s of the script's request: 0x%" PRIx64, what, wanted);
	finding_found(finding, "0x%" PRIx64, has);
	finding_where_area(finding, check, area);
}

/* Where there is one node, requests name none. */
static void check_area(struct check *check, const struct request *request, const struct claim_area *area)
{
	bool nodes = check->facts->claims->numa_node_count > 1;
	uint32_t limits = __GFP_DMA | __GFP_DMA32 | (nodes ? __GFP_THISNODE | GFP_NODE_MASK : 0);

	check->result->checked++;
	if (area->requested_size != request->size)
		differs(check, area, "the size", request->size, area->requested_size);
	if ((area->flags & VM_OF_REQUESTS) != request->flags)
		differs(check, area, "the flags", request->flags, area->flags & VM_OF_REQUESTS);
	if (request->alias || !request->gfp_known)
		return;
	if ((area->gfp & limits) != (request->gfp & limits))
		differs(check, area, "the zone and node", request->gfp & limits, area->gfp & limits);
	if (!(area->flags & VM_ZERO) != !(request->gfp & __GFP_ZERO))
		differs(check, area, "zeroed contents", !!(request->gfp & __GFP_ZERO),
			!!(area->flags & VM_ZERO));
}

void check_requested_areas(struct check *check)
{
	const struct requests *requests = check->facts->input->requests;

	for (size_t i = 0; requests && i < requests->count; i++) {
		const struct claim_area *area = area_of(check->facts->claims, requests->items[i].address);

		if (area && !area->deferred)
			check_area(check, &requests->items[i], area);
	}
}

void check_requested_objects(struct check *check)
{
	const struct requests *requests = check->facts->input->requests;
	struct finding *finding;

	for (size_t i = 0; requests && i < requests->count; i++) {
		const struct request *request = &requests->items[i];
		uint64_t gpa = request->address - KVMAP_DIRECT_BASE;
		uint64_t end = request->gfp & __GFP_DMA     ? ZONE_DMA_END_PFN
			       : request->gfp & __GFP_DMA32 ? ZONE_DMA32_END_PFN
							    : 0;

		if (request->address < KVMAP_DIRECT_BASE || request->address >= KVMAP_VMALLOC_START ||
		    !request->gfp_known || !end)
			continue;
		check->result->checked++;
		if ((gpa + request->size - 1) >> KVMAP_PAGE_SHIFT < end)
			continue;
		finding = finding_new_frame(check, gpa & ~(uint64_t)(KVMAP_PAGE_SIZE - 1));
		finding_claimed(finding, "requested below frame 0x%" PRIx64, end);
		finding_found(finding, "an object of %" PRIu64 " bytes at 0x%" PRIx64, request->size,
			      request->address);
		finding_where_gva(finding, check, request->address);
	}
}

void check_requested_deferral(struct check *check)
{
	const struct requests *requests = check->facts->input->requests;
	const struct claim_area *area;
	struct finding *finding;

	if (!requests || !requests->deferred || check_lacks(check, PART_AREAS | PART_DEFERRED))
		return;
	check->result->checked++;
	area = claims_area_at(check->facts->claims, requests->deferred);
	if (area && area->deferred)
		return;
	finding = finding_new(check, requests->deferred);
	finding_claimed(
		finding,
		"freed where nothing may wait: it stays mapped, on a CPU's list, until a later operation");
	finding_found(finding, area ? "it was freed at once" : "no area is there");
	finding_where_gva(finding, check, requests->deferred);
}

/* A buddy block of kmalloc() that no request has. */
static void check_blocks(struct check *check, const struct keyed_array *known)
{
	const struct claims *claims = check->facts->claims;

	for (size_t i = 0; i < claims->pages.count; i++) {
		uint64_t address = KVMAP_DIRECT_BASE + (claims->pages.items[i].pfn << KVMAP_PAGE_SHIFT);
		struct finding *finding;
		size_t at;

		if (claims->pages.items[i].owner != PAGE_KMALLOC)
			continue;
		check->result->checked++;
		at = keyed_find(known, address);
		if (at < known->count && known->items[at].key == address)
			continue;
		finding = finding_new_frame(check, address - KVMAP_DIRECT_BASE);
		finding_claimed(finding, "a buddy block in use");
		finding_found(finding, "no request of the script has it");
		finding_where_gva(finding, check, address);
	}
}

/* Areas that no request has, and the sum of the addresses of the objects that requests have. */
static void check_leaks(struct check *check, const struct keyed_array *known, uint64_t sum)
{
	const struct claims *claims = check->facts->claims;
	struct finding *finding;

	for (size_t i = 0; i < claims->areas.count; i++) {
		const struct claim_area *area = &claims->areas.items[i];
		size_t at = keyed_find(known, area->va_start);

		if (area->state != AREA_LIVE || area->deferred)
			continue;
		check->result->checked++;
		if (at < known->count && known->items[at].key == area->va_start)
			continue;
		finding = finding_new_structure(check, area->va_start, area->vmap_area);
		finding_claimed(finding, "a live area");
		finding_found(finding, "no request of the script has it");
		finding_where_area(finding, check, area);
	}
	check->result->checked++;
	if (sum == claims->kmalloc_sum)
		return;
	finding = finding_new(check, 0);
	finding_claimed(finding, "objects of kmalloc in use: the sum of their addresses 0x%" PRIx64,
			claims->kmalloc_sum);
	finding_found(finding, "0x%" PRIx64 ", of those that the script has", sum);
	finding_where(finding, "cpu_cache.kmalloc_sum");
}

/* Whether the struct page says that the address lies in a slab. */
static bool in_slab(const struct claims *claims, uint64_t address)
{
	const struct claim_page *page =
		claims_page(claims, (address - KVMAP_DIRECT_BASE) >> KVMAP_PAGE_SHIFT);

	return !page || page->owner != PAGE_KMALLOC;
}

void check_requested_all(struct check *check)
{
	const struct requests *requests = check->facts->input->requests;
	struct keyed_array known = { 0 };
	uint64_t sum = 0;

	if (!requests || requests->incomplete ||
	    check_lacks(check, PART_AREAS | PART_STRUCT_PAGES | PART_OWNERS | PART_OBJECTS))
		return;
	for (size_t i = 0; i < requests->count; i++) {
		struct keyed item = { .key = requests->items[i].address };

		if (array_push(&known, item) < 0) {
			check->no_memory = true;
			break;
		}
		if (!in_vmalloc(item.key) && in_slab(check->facts->claims, item.key))
			sum += item.key;
	}
	if (keyed_sort(&known) < 0)
		check->no_memory = true;
	if (!check->no_memory) {
		check_blocks(check, &known);
		check_leaks(check, &known, sum);
	}
	free(known.items);
}
