/* SPDX-License-Identifier: MIT */
/*
 * symbols.c: replaces vmm/program/symbols.c and backtrace.c by segments and stacks that the test sets. The
 * only names are those of the idle text.
 */
#include "world.h"

#include "program/backtrace.h"
#include "program/program_file.h"

#include <stdlib.h>
#include <string.h>

struct symbols_segment segments[3];
size_t segment_count;
struct backtrace stack;

int symbols_open(const char *path, struct symbols **out, struct error *error)
{
	(void)out;
	return error_set(error, ERROR_INPUT, 0, 0, "%s: not in this test", path);
}

int symbols_open_file(struct private_file *file, struct symbols **out, struct error *error)
{
	(void)file;
	return symbols_open("", out, error);
}

void symbols_close(struct symbols *symbols)
{
	(void)symbols;
}

bool symbols_find(const struct symbols *symbols, const char *name, uint64_t *address_out, uint64_t *size_out)
{
	(void)symbols;
	(void)size_out;
	if (strcmp(name, "idle_text_start") && strcmp(name, "idle_text_end"))
		return false;
	*address_out = strcmp(name, "idle_text_end") ? IDLE_TEXT : IDLE_TEXT_END;
	return true;
}

struct unwinder *unwinder_open(const struct symbols *symbols)
{
	(void)symbols;
	return malloc(1);
}

void unwinder_close(struct unwinder *unwinder)
{
	free(unwinder);
}

void unwinder_take(struct unwinder *unwinder, const struct view *view, const struct walk_mode *mode,
		   const struct view_cpu *registers, struct backtrace *out)
{
	(void)unwinder;
	(void)view;
	(void)mode;
	(void)registers;
	*out = stack;
}

uint64_t symbols_offset(const struct symbols *symbols)
{
	(void)symbols;
	return 0;
}

void symbols_set_offset(struct symbols *symbols, uint64_t offset)
{
	(void)symbols, (void)offset;
}

bool symbols_are_own(const struct symbols *symbols)
{
	(void)symbols;
	return true;
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

const struct program_file *symbols_file(const struct symbols *symbols)
{
	static const struct program_file none;

	(void)symbols;
	return &none;
}
