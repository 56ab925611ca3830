/* SPDX-License-Identifier: MIT */
#include "inspect/address.h"

#include "base/number.h"
#include "kvmap/layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

uint64_t place_guard(const struct claim_area *area)
{
	return area->va_end - KVMAP_GUARD_SIZE;
}

uint64_t place_area_bytes(const struct claim_area *area)
{
	uint64_t size = area->va_end - area->va_start;

	return size > KVMAP_GUARD_SIZE ? size - KVMAP_GUARD_SIZE : 0;
}

const char *place_caller(const struct claim_area *area, struct symbols *symbols, char *out, size_t size)
{
	const char *freed = area->deferred ? ", freed and still mapped" : "";
	char name[256];

	if (symbols && *symbols_describe(symbols, area->caller, name, sizeof(name)))
		snprintf(out, size, ", allocated by %s%s", name, freed);
	else
		snprintf(out, size, "%s", freed);
	return out;
}

const char *place_state(const struct claim_area *area)
{
	return area->deferred ? "deferred" : area->state == AREA_LIVE ? "live" : "lazy";
}

static void explain_vmalloc(uint64_t gva, const struct claims *claims, struct symbols *symbols, char *out,
			    size_t size)
{
	const struct claim_area *area = claims ? claims_area_at(claims, gva) : NULL;
	char bytes[40], caller[300], where[64] = "";

	if (!area) {
		snprintf(out, size, claims ? "vmalloc range, in no area" : "vmalloc range");
		return;
	}
	if (gva - area->va_start >= place_area_bytes(area))
		snprintf(where, sizeof(where), "guard page of");
	else
		snprintf(where, sizeof(where), "byte 0x%" PRIx64 " of", gva - area->va_start);
	snprintf(out, size, "%s the %s%s area at 0x%016" PRIx64 "%s", where,
		 area->state == AREA_LAZY ? "lazily freed " : "",
		 number_bytes(place_area_bytes(area), bytes, sizeof(bytes)), area->va_start,
		 place_caller(area, symbols, caller, sizeof(caller)));
}

const char *place_in_image(uint64_t gva, const struct symbols *symbols)
{
	const struct symbols_segment *segments;
	size_t count;

	if (gva < KVMAP_IMAGE_BASE)
		return NULL;
	if (!symbols)
		return "image";
	count = symbols_segments(symbols, &segments);
	for (size_t i = 0; i < count; i++)
		if (gva >= segments[i].gva && gva - segments[i].gva < segments[i].memory_size)
			return segments[i].executable ? "text" : segments[i].writable ? "data" : "rodata";
	return "image, outside its segments";
}

const char *place_explain(uint64_t gva, const struct claims *claims, struct symbols *symbols, char *out,
			  size_t size)
{
	const char *segment = place_in_image(gva, symbols);
	char name[256];

	if (gva < KVMAP_PAGE_SIZE)
		snprintf(out, size, "the null page");
	else if (!claims && !symbols)
		snprintf(out, size, "an address of a guest whose layout kvmap does not know");
	else if (gva >= KVMAP_VMALLOC_START && gva < KVMAP_VMALLOC_END)
		explain_vmalloc(gva, claims, symbols, out, size);
	else if (gva >= KVMAP_DIRECT_BASE && gva < KVMAP_VMALLOC_START)
		snprintf(out, size, "direct map of GPA 0x%" PRIx64, gva - KVMAP_DIRECT_BASE);
	else if (segment && symbols && *symbols_describe(symbols, gva, name, sizeof(name)))
		snprintf(out, size, "%s: %s", segment, name);
	else if (segment)
		snprintf(out, size, "%s", segment);
	else
		snprintf(out, size, "nothing that the guest uses");
	return out;
}

uint64_t place_runs(const struct claims *claims, const struct claim_area *area)
{
	const uint32_t *frames = claims->frames.items + area->first_frame;
	uint64_t runs = area->frame_count ? 1 : 0;

	for (size_t i = 1; i < area->frame_count; i++)
		runs += frames[i] != frames[i - 1] + 1;
	return runs;
}
