/* SPDX-License-Identifier: MIT */
/*
 * symbols.h: the guest's ELF file: address of a name, name and line of an address (libdwfl, opened at first
 * use), segments.
 */
#ifndef VMM_PROGRAM_SYMBOLS_H
#define VMM_PROGRAM_SYMBOLS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbols;
struct program_file;
struct private_file;

/* Reads the file at `path`. */
int symbols_open(const char *path, struct symbols **out, struct error *error);

/* Takes `file` over, on failure too. */
int symbols_open_file(struct private_file *file, struct symbols **out, struct error *error);

void symbols_close(struct symbols *symbols);

/*
 * A guest may run its program at an offset to the addresses of the file (KASLR). All addresses of this header, of
 * debug_info.h and of backtrace.h are those of the guest: with the offset, 0 at first, which build_id_check() finds.
 */
void symbols_set_offset(struct symbols *symbols, uint64_t offset);
uint64_t symbols_offset(const struct symbols *symbols);

/* Whether it is kvmap's own guest, at the addresses of include/kvmap/layout.h. They mean nothing in others. */
bool symbols_are_own(const struct symbols *symbols);

/* False if there is no such symbol. size_out may be NULL. */
bool symbols_find(const struct symbols *symbols, const char *name, uint64_t *address_out, uint64_t *size_out);

/* The name most similar to a mistyped one, or NULL. Valid until symbols_close, not escaped. */
const char *symbols_nearest(const struct symbols *symbols, const char *name);

/* "vmalloc+0x12 (vmalloc.c:123)"; without a known line "vmalloc+0x12"; "" without a symbol. Returns out. */
const char *symbols_describe(struct symbols *symbols, uint64_t address, char *out, size_t size);

/*
 * The same for a stack frame, with the inlined functions: "outl (io.h:17) in machine_exit+0x4
 * (machine.c:31)". Not `exact`: pc is a return address, and the line is that of the call before it.
 */
const char *symbols_describe_frame(struct symbols *symbols, uint64_t pc, bool exact, char *out, size_t size);

/* A loadable segment, in memory from gva on (gpa: as in the file); V7 compares the image with it. */
struct symbols_segment {
	uint64_t gva, gpa;
	uint64_t memory_size, file_size;
	const uint8_t *bytes; /* file_size of them, valid until symbols_close */
	bool writable, executable;
};
size_t symbols_segments(const struct symbols *symbols, const struct symbols_segment **out);
/* The segment with a GVA, or NULL. symbols may be NULL. */
static inline const struct symbols_segment *symbols_segment_at(const struct symbols *symbols, uint64_t gva)
{
	const struct symbols_segment *segments;
	size_t count = symbols ? symbols_segments(symbols, &segments) : 0;

	for (size_t i = 0; i < count; i++)
		if (gva >= segments[i].gva && gva - segments[i].gva < segments[i].memory_size)
			return &segments[i];
	return NULL;
}

/* The open file. Valid until symbols_close. */
const struct program_file *symbols_file(const struct symbols *symbols);

#endif
