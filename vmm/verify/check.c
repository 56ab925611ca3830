/* SPDX-License-Identifier: MIT */
/*
 * check.c: the texts of findings.
 */
#include "verify/check.h"

#include "inspect/address.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

/* The variable that holds the area's address, or NULL. */
static const char *area_name(const struct check *check, const struct claim_area *area)
{
	const struct verify_input *input = check->facts->input;
	const struct claims *claims = check->facts->claims;
	bool live = address_area_kind(area->state == AREA_LIVE, area->deferred) == ADDRESS_AREA;

	for (size_t i = claims->variables.count; i-- > 0;)
		if (i < input->variable_name_count && claims->variables.items[i].address == area->va_start &&
		    (claims->variables.items[i].state == VARIABLE_LIVE || !live))
			return input->variable_names[i];
	return NULL;
}

void finding_where_area(struct finding *finding, const struct check *check, const struct claim_area *area)
{
	size_t index = (size_t)(area - check->facts->claims->areas.items);
	char text[sizeof(finding->where)];

	if (check->facts->input->area_findings)
		check->facts->input->area_findings[index] |= 1u << check->invariant;
	if (!finding)
		return;
	finding->area = index + 1;
	finding_where(finding, "%s",
		      address_area_text(area, area_name(check, area), check->facts->input->symbols, text,
					sizeof(text)));
}

void finding_where_gva(struct finding *finding, const struct check *check, uint64_t gva)
{
	const struct facts *facts = check->facts;
	const struct claim_area *area = facts->claims ? claims_area_at(facts->claims, gva) : NULL;
	char text[sizeof(finding->where)];

	if (!finding)
		return;
	if (area) {
		finding_where_area(finding, check, area);
		return;
	}
	finding_where(finding, "%s",
		      address_explain(gva, facts->claims, facts->input->symbols, text, sizeof(text)));
}

void check_not_seen(struct check *check, const char *why)
{
	check->result->seen = NOT_SEEN;
	snprintf(check->result->why_not, sizeof(check->result->why_not), "%s", why);
}
