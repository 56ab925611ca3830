/* SPDX-License-Identifier: MIT */
#include "module/layout.h"

#include "kvmap/layout.h"

/* Rounds up to a power of two. No overflow: both are at most MODULE_SIZE_MAX. */
static uint64_t round_up(uint64_t value, uint64_t align)
{
	return (value + align - 1) & ~(align - 1);
}

static int too_large(const struct module_object *object, struct error *error)
{
	return error_set(error, ERROR_INPUT, 0, 0, "%s is too large: a module has at most %d MiB",
			 object->name, MODULE_SIZE_MAX >> 20);
}

/* Places the sections of one part from *end on. */
static int part_layout(struct module_object *object, enum module_part part, uint64_t *end,
		       struct error *error)
{
	struct module_pages *pages = &object->parts[part];
	uint64_t start = *end, at = start;

	for (size_t i = 0; i < object->sections.count; i++) {
		struct module_section *section = &object->sections.items[i];

		if (section->part != part)
			continue;
		at = round_up(at, section->align);
		if (at > MODULE_SIZE_MAX || section->size > MODULE_SIZE_MAX - at)
			return too_large(object, error);
		section->offset = at;
		at += section->size;
	}
	*pages = (struct module_pages){ start, at - start };
	if (at > start)
		*end = round_up(at, KVMAP_PAGE_SIZE) + KVMAP_GUARD_SIZE;
	return 0;
}

int module_layout(struct module_object *object, struct error *error)
{
	uint64_t end = 0;

	for (int part = 0; part < MODULE_PARTS; part++) {
		if (part_layout(object, part, &end, error) < 0)
			return -1;
	}
	object->span = end ? end - KVMAP_GUARD_SIZE : 0;
	return 0;
}
