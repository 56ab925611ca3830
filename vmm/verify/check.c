/* SPDX-License-Identifier: MIT */
/*
 * check.c: how findings are written.
 */
#include "verify/check.h"

#include "base/array.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct finding *finding_new(struct check *check, uint64_t address)
{
	struct verdict *verdict = check->verdict;
	struct finding finding = { .invariant = check->invariant, .address = address };

	verdict->finding_count++;
	if (++check->result->findings > FINDINGS_LISTED)
		return NULL;
	if (array_push(&verdict->findings, finding) < 0) {
		check->no_memory = true;
		return NULL;
	}
	return &verdict->findings.items[verdict->findings.count - 1];
}

/* vsnprintf into an array member of a finding that may be NULL. */
#define WRITE(finding, member, format)                                                                       \
	do {                                                                                                 \
		va_list arguments;                                                                           \
		va_start(arguments, format);                                                                 \
		if (finding)                                                                                 \
			vsnprintf((finding)->member, sizeof((finding)->member), format, arguments);          \
		va_end(arguments);                                                                           \
	} while (0)

void finding_claimed(struct finding *finding, const char *format, ...)
{
	WRITE(finding, claimed, format);
}

void finding_found(struct finding *finding, const char *format, ...)
{
	WRITE(finding, found, format);
}

void finding_where(struct finding *finding, const char *format, ...)
{
	WRITE(finding, where, format);
}

/* " NAME" of the variable that holds the area's address, or "". */
static const char *area_name(const struct check *check, const struct claim_area *area, char *out, size_t size)
{
	const struct verify_input *input = check->facts->input;
	const struct claims *claims = check->facts->claims;

	out[0] = '\0';
	for (size_t i = 0; i < claims->variables.count && i < input->variable_name_count; i++)
		if (claims->variables.items[i].address == area->va_start &&
		    (claims->variables.items[i].state == VARIABLE_LIVE || area->state == AREA_LAZY ||
		     area->deferred))
			snprintf(out, size, " '%.32s'", input->variable_names[i]);
	return out;
}

void finding_where_area(struct finding *finding, const struct check *check, const struct claim_area *area)
{
	size_t index = (size_t)(area - check->facts->claims->areas.items);
	char name[40], caller[80] = "";

	if (check->facts->input->area_findings)
		check->facts->input->area_findings[index] |= 1u << check->invariant;
	if (!finding)
		return;
	finding->area = index + 1;
	if (check->facts->input->symbols)
		symbols_describe(check->facts->input->symbols, area->caller, caller, sizeof(caller));
	finding_where(finding, "%s area%s of %" PRIu32 " pages at 0x%" PRIx64 "%s%s",
		      area->deferred             ? "still mapped, freed"
		      : area->state == AREA_LIVE ? "live"
						 : "lazily freed",
		      area_name(check, area, name, sizeof(name)), area->nr_pages, area->va_start,
		      caller[0] ? ", allocated by " : "", caller);
}

static const char *part_of_space(uint64_t gva)
{
	if (gva < KVMAP_PAGE_SIZE)
		return "page 0";
	if (gva >> 63 == 0)
		return "the low half";
	if (gva >= KVMAP_IMAGE_BASE)
		return "the image's range";
	if (gva >= KVMAP_DIRECT_BASE && gva < KVMAP_VMALLOC_START)
		return "the direct map";
	if (gva >= KVMAP_VMALLOC_START && gva < KVMAP_VMALLOC_END)
		return "the vmalloc range, in no area";
	return "outside every range of the layout";
}

void finding_where_gva(struct finding *finding, const struct check *check, uint64_t gva)
{
	const struct facts *facts = check->facts;
	const struct claim_area *area = facts->claims ? claims_area_at(facts->claims, gva) : NULL;
	char symbol[160] = "";

	if (!finding)
		return;
	if (area) {
		finding_where_area(finding, check, area);
		return;
	}
	if (facts->input->symbols && gva >= KVMAP_IMAGE_BASE)
		symbols_describe(facts->input->symbols, gva, symbol, sizeof(symbol));
	finding_where(finding, "%s%s%s", part_of_space(gva), symbol[0] ? ": " : "", symbol);
}

void check_not_seen(struct check *check, const char *why)
{
	check->result->seen = NOT_SEEN;
	snprintf(check->result->why_not, sizeof(check->result->why_not), "%s", why);
}
