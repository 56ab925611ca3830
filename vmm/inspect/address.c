/* SPDX-License-Identifier: MIT */
#include "inspect/address.h"

#include "base/number.h"
#include "base/page.h"
#include "kvmap/layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The kind of an address. area: of AREA, DEFERRED, LAZY and GUARD; else NULL. */
struct address {
	enum address_kind kind;
	const struct claim_area *area;
};

const char *address_kind_name(enum address_kind kind)
{
	static const char *const names[] = {
#define NAME(kind, name, label) [ADDRESS_##kind] = name,
		ADDRESS_KINDS(NAME)
#undef NAME
	};

	return names[kind];
}

const char *address_kind_label(enum address_kind kind)
{
	static const char *const labels[] = {
#define LABEL(kind, name, label) [ADDRESS_##kind] = label,
		ADDRESS_KINDS(LABEL)
#undef LABEL
	};

	return labels[kind];
}

const char *address_area_state(const struct claim_area *area)
{
	return area->state == AREA_LAZY ? "lazy" : area->deferred ? "deferred" : "live";
}

enum address_kind address_segment_kind(const struct symbols_segment *segment)
{
	return segment->executable ? ADDRESS_TEXT : segment->writable ? ADDRESS_DATA : ADDRESS_RODATA;
}

static enum address_kind image_kind(uint64_t gva, const struct symbols *symbols)
{
	const struct symbols_segment *segment = symbols_segment_at(symbols, gva);

	return segment ? address_segment_kind(segment) : ADDRESS_IMAGE;
}

static struct address in_vmalloc_range(uint64_t gva, const struct claims *claims)
{
	const struct claim_area *area = claims ? claims_area_at(claims, gva) : NULL;

	if (!area)
		return (struct address){ .kind = ADDRESS_STRAY };
	if (gva >= claim_area_guard(area))
		return (struct address){ .kind = ADDRESS_GUARD, .area = area };
	return (struct address){ .kind = address_area_kind(area->state == AREA_LIVE, area->deferred),
				 .area = area };
}

/* By layout, claims and the image's segments; the page tables are not read. */
static struct address address_find(uint64_t gva, const struct claims *claims, const struct symbols *symbols)
{
	if (gva < PAGE_4K)
		return (struct address){ .kind = ADDRESS_NULL_PAGE };
	if (!claims && !symbols)
		return (struct address){ .kind = ADDRESS_UNKNOWN };
	if (!claims && !symbols_are_own(symbols)) {
		enum address_kind kind = image_kind(gva, symbols);

		return (struct address){ .kind = kind == ADDRESS_IMAGE ? ADDRESS_UNKNOWN : kind };
	}
	if (gva >= KVMAP_VMALLOC_START && gva < KVMAP_VMALLOC_END)
		return in_vmalloc_range(gva, claims);
	if (gva >= KVMAP_DIRECT_BASE && gva < KVMAP_VMALLOC_START)
		return (struct address){ .kind = ADDRESS_DIRECT };
	if (gva >= KVMAP_IMAGE_BASE)
		return (struct address){ .kind = image_kind(gva, symbols) };
	return (struct address){ .kind = ADDRESS_NOTHING };
}

const char *address_caller(const struct claim_area *area, struct symbols *symbols, char *out, size_t size)
{
	const char *state = area->deferred ? ", freed and still mapped" : "";
	char name[256] = "";

	if (symbols)
		symbols_describe(symbols, area->caller, name, sizeof(name));
	snprintf(out, size, "%s%s%s", *name ? ", allocated by " : "", name, state);
	return out;
}

const char *address_area_text(const struct claim_area *area, const char *name, struct symbols *symbols,
			      char *out, size_t size)
{
	char bytes[40], caller[300];

	snprintf(out, size, "%s%s area%s%.32s%s at 0x%016" PRIx64 "%s",
		 area->state == AREA_LAZY ? "lazily freed " : "",
		 number_bytes(claim_area_bytes(area), bytes, sizeof(bytes)), name ? " '" : "",
		 name ? name : "", name ? "'" : "", area->va_start,
		 address_caller(area, symbols, caller, sizeof(caller)));
	return out;
}

/* ": byte 0x8 of the 64 bytes 'k'": what kmalloc gave a variable of the script; "" where that is nothing. */
static const char *object_text(uint64_t gva, const struct claims *claims, char *out, size_t size)
{
	size_t next = 0;
	const struct claim_variable *variable = claims_object_variable(claims, gva, 1, &next);
	char bytes[40];

	*out = '\0';
	if (variable)
		snprintf(out, size, ": byte 0x%" PRIx64 " of the %s '%s'", gva - variable->address,
			 number_bytes(variable->size, bytes, sizeof(bytes)), variable->name);
	return out;
}

const char *address_explain(uint64_t gva, const struct claims *claims, struct symbols *symbols, char *out,
			    size_t size)
{
	struct address address = address_find(gva, claims, symbols);
	const char *label = address_kind_label(address.kind);
	uint64_t area_start = 0;
	char text[400] = "";

	if (address.area) {
		area_start = address.area->va_start;
		address_area_text(address.area, claims_area_variable(claims, address.area), symbols, text,
				  sizeof(text));
	}
	switch (address.kind) {
	case ADDRESS_AREA:
	case ADDRESS_DEFERRED:
	case ADDRESS_LAZY: snprintf(out, size, "byte 0x%" PRIx64 " of the %s", gva - area_start, text); break;
	case ADDRESS_GUARD: snprintf(out, size, "guard page of the %s", text); break;
	case ADDRESS_STRAY: snprintf(out, size, "%s", claims ? label : "vmalloc range"); break;
	case ADDRESS_DIRECT:
		snprintf(out, size, "direct map of GPA 0x%" PRIx64 "%s", gva - KVMAP_DIRECT_BASE,
			 object_text(gva, claims, text, sizeof(text)));
		break;
	case ADDRESS_TEXT:
	case ADDRESS_RODATA:
	case ADDRESS_DATA:
		symbols_describe(symbols, gva, text, sizeof(text));
		snprintf(out, size, "%s%s%s", address_kind_name(address.kind), *text ? ": " : "", text);
		break;
	case ADDRESS_IMAGE: snprintf(out, size, "%s", symbols ? label : "image"); break;
	default: snprintf(out, size, "%s", label);
	}
	return out;
}

int address_with_offset(const char *name, uint64_t address, const char *text, uint64_t *out,
			struct error *error)
{
	uint64_t offset = 0;
	bool overflow;

	if (*text) {
		switch (number_parse(text + 1, strlen(text + 1), &offset)) {
		case NUMBER_OK: break;
		case NUMBER_TOO_LARGE:
			return error_set(error, ERROR_INPUT, 0, 0, "what follows `%s%c` is more than 64 bits",
					 name, *text);
		default:
			return error_set(error, ERROR_INPUT, 0, 0, "what follows `%s%c` is not a number",
					 name, *text);
		}
	}
	overflow = *text == '-' ? __builtin_sub_overflow(address, offset, out)
				: __builtin_add_overflow(address, offset, out);
	if (overflow)
		return error_set(error, ERROR_INPUT, 0, 0, "`%s` is 0x%" PRIx64 ": %c 0x%" PRIx64 " is %s",
				 name, address, *text, offset,
				 *text == '-' ? "below 0" : "more than the 64 bits of an address");
	return 0;
}

int address_of_variable(const char *text, const struct claims *claims, uint64_t *out, struct error *error)
{
	size_t length = strcspn(text, "+-");
	const struct claim_variable *variable = claims_variable(claims, text, length);

	if (!variable)
		return 0;
	if (variable->state == VARIABLE_UNSET)
		return error_set(error, ERROR_INPUT, 0, 0, "the script has not set `%s`", variable->name);
	return address_with_offset(variable->name, variable->address, text + length, out, error) < 0 ? -1 : 1;
}
