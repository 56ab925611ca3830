/* SPDX-License-Identifier: MIT */
#include "commands/core_dump.h"

#include "base/array.h"
#include "base/number.h"
#include "base/page.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

/* Appends a piece, which is memory of the view in full. */
static int add(struct core_dump *dump, uint64_t gva, uint64_t gpa, uint64_t size)
{
	struct core_mapping mapping = { gva, gpa, size, PF_R | PF_W | PF_X };

	return array_push(&dump->mappings, mapping);
}

/*
 * Without paging: physical addresses are the virtual ones (--physical has them in any case). The image has no
 * address then, but a debugger would show the bytes of the program's file at the addresses it is linked at.
 */
static int collect_without_tables(struct core_dump *dump)
{
	const struct symbols_segment *segments = NULL;
	size_t count = dump->symbols ? symbols_segments(dump->symbols, &segments) : 0;
	const struct view *view = dump->view;

	for (unsigned int i = 0; i < view->region_count && !dump->physical; i++)
		if (add(dump, view->regions[i].gpa, view->regions[i].gpa, view->regions[i].size) < 0)
			return -1;
	for (size_t i = 0; i < count; i++) {
		uint64_t before = segments[i].gpa % PAGE_4K;
		uint64_t size = page_round_up(before + segments[i].memory_size, PAGE_4K);

		if (segments[i].gva % PAGE_4K == before &&
		    view_region(view, segments[i].gpa - before, size) &&
		    add(dump, segments[i].gva - before, segments[i].gpa - before, size) < 0)
			return -1;
	}
	return 0;
}

int core_dump_collect(struct core_dump *dump, struct error *error)
{
	if (dump->mode)
		return mappings_collect(dump->view, dump->mode, dump->physical, &dump->mappings, error);
	if (collect_without_tables(dump) < 0)
		return error_set(error, ERROR_HOST, ENOMEM, 0, "the memory of the guest");
	return 0;
}

/* Bytes of the program's image that the core does not have. A debugger shows those of the program's file. */
static uint64_t image_lacks(const struct core_dump *dump)
{
	const struct symbols_segment *segments = NULL;
	size_t count = dump->symbols ? symbols_segments(dump->symbols, &segments) : 0;
	uint64_t lacks = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t end = segments[i].gva + segments[i].memory_size;

		for (uint64_t gva = page_round_down(segments[i].gva, PAGE_4K); gva < end; gva += PAGE_4K)
			if (!mappings_cover(&dump->mappings, gva, PAGE_4K))
				lacks += PAGE_4K;
	}
	return lacks;
}

/* Registers that a debugger shows as 0. EFER and PAT are in none of its notes. */
static unsigned int not_known(const struct view *view)
{
	unsigned int lacks = 0;

	for (unsigned int cpu = 0; cpu < view->cpu_count; cpu++)
		lacks |= view->cpus[cpu].lacks;
	return lacks & ~(unsigned int)VIEW_LACKS_EFER;
}

static void warn(const struct core_dump *dump, const char *path)
{
	const struct mappings *mappings = &dump->mappings;
	uint64_t lacks = image_lacks(dump);
	char bytes[40], names[80];

	if (!dump->mode)
		fprintf(stderr, "kvmap: %s: without the guest's page tables%s (%s)\n", path,
			dump->physical ? "" : ", each virtual address in the core is the physical one",
			dump->no_mode);
	if (not_known(dump->view))
		fprintf(stderr, "kvmap: %s: not known of the guest, and 0 in the core: %s\n", path,
			view_lacks_text(not_known(dump->view), names, sizeof(names)));
	if (lacks)
		fprintf(stderr,
			"kvmap: %s: the guest does not map %s of its program: a debugger shows the bytes of the "
			"program's file there, not those of the guest\n",
			path, number_bytes(lacks, bytes, sizeof(bytes)));
	if (mappings->repeated)
		fprintf(stderr,
			"kvmap: %s: %s of virtual addresses from 0x%" PRIx64
			" on are left out: page tables that are mapped again and again translate them\n",
			path, number_bytes(mappings->repeated, bytes, sizeof(bytes)), mappings->repeated_gva);
	if (mappings->cut_short)
		fprintf(stderr,
			"kvmap: %s: the guest's tables map more than a guest needs, so they are damaged: a "
			"debugger finds %zu pieces of its memory, not all\n",
			path, mappings->count);
}

/*
 * Bytes of guest memory on the disk: headers and notes come before it in the file. The blocks of a file system may be
 * larger than pages.
 */
static uint64_t stored_memory(const struct view *view, const char *path)
{
	uint64_t memory = view_size(view), head, stored;
	struct stat status;

	if (stat(path, &status) < 0 || (uint64_t)status.st_size < memory)
		return 0;
	head = (uint64_t)status.st_size - memory;
	stored = (uint64_t)status.st_blocks * 512;
	stored -= stored < head ? stored : head;
	return stored < memory ? stored : memory;
}

int core_dump_write(const struct core_dump *dump, const char *path, struct report_dump *out,
		    struct error *error)
{
	const struct core_addresses addresses = { dump->mappings.items, dump->mappings.count,
						  dump->physical };
	if (core_write_checked(dump->view, &addresses, path, dump->program, dump->check, dump->check_context,
			       error) < 0)
		return -1;
	*out = (struct report_dump){
		.file = path,
		.program = dump->program,
		.offset = dump->symbols ? symbols_offset(dump->symbols) : 0,
		.view = dump->view,
		.physical = dump->physical,
		.no_tables = dump->mode ? NULL : dump->no_mode,
		.mappings = dump->mappings.count,
		.left_out = dump->mappings.repeated,
		.not_known = not_known(dump->view),
		.cut_short = dump->mappings.cut_short,
		.stored = stored_memory(dump->view, path),
	};
	warn(dump, path);
	return 0;
}

void core_dump_destroy(struct core_dump *dump)
{
	mappings_destroy(&dump->mappings);
}
