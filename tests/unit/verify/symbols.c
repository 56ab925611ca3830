/* SPDX-License-Identifier: MIT */
/*
 * symbols.c: stands in for vmm/inspect/symbols.c: segments that the test has made, and no names.
 */
#include "world.h"

struct symbols_segment segments[3];
size_t segment_count;

int symbols_open(const char *path, struct symbols **out, struct error *error)
{
	(void)out;
	return error_set(error, ERROR_INPUT, 0, 0, "%s: not in this test", path);
}

void symbols_close(struct symbols *symbols)
{
	(void)symbols;
}

bool symbols_find(const struct symbols *symbols, const char *name, uint64_t *address_out, uint64_t *size_out)
{
	(void)symbols;
	(void)name;
	(void)address_out;
	(void)size_out;
	return false;
}

const char *symbols_describe(struct symbols *symbols, uint64_t address, char *out, size_t size)
{
	(void)symbols;
	(void)address;
	if (size)
		out[0] = '\0';
	return out;
}

size_t symbols_segments(const struct symbols *symbols, const struct symbols_segment **out)
{
	(void)symbols;
	*out = segments;
	return segment_count;
}
