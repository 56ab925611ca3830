/* SPDX-License-Identifier: MIT */
/*
 * fuzz_core.c: the bytes are a core file. What can be opened can be used: every byte that the view promises
 * is there, its regions are sorted and apart, and a walk from its registers ends.
 */
#define _GNU_SOURCE /* memfd_create */
#include "fuzz.h"

#include "paging/walk.h"
#include "view/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STRETCHES_MAX 200
#define TABLES_MAX    2000

/* The bytes that were looked at end up here, so that the compiler must read them. */
static volatile unsigned int seen;

static void use_byte(const struct view *view, uint64_t gpa)
{
	const uint8_t *byte = view_bytes(view, gpa, 1);

	fuzz_expect(byte);
	seen += *byte;
}

static void use_regions(const struct view *view)
{
	uint64_t end = 0, gpa = 0, start, stop;

	fuzz_expect(view->region_count >= 1);
	for (unsigned int i = 0; i < view->region_count; i++) {
		const struct view_region *region = &view->regions[i];

		fuzz_expect(region->gpa >= end && region->size);
		end = region->gpa + region->size;
		fuzz_expect(end > region->gpa);
		use_byte(view, region->gpa);
		use_byte(view, region->gpa + region->size / 2);
		use_byte(view, end - 1);
	}
	for (int i = 0; i < STRETCHES_MAX && view_next_data(view, gpa, ~0ull, &start, &stop); i++) {
		fuzz_expect(start >= gpa && start < stop);
		use_byte(view, start);
		use_byte(view, stop - 1);
		gpa = stop;
	}
}

static void use_cpus(const struct view *view)
{
	const struct walk_visitor visitor = { 0 };
	struct walk_mode mode;
	struct error error;
	struct walk walk;

	fuzz_expect(view->cpu_count >= 1 && view->cpu_count <= VIEW_CPUS_MAX);
	for (unsigned int i = 0; i < view->cpu_count; i++) {
		if (walk_mode_of_cpu(view, i, &mode, &error) < 0)
			continue;
		walk_translate(view, &mode, view->cpus[i].rip, &walk);
		walk_range(view, &mode, 0, ~0ull, TABLES_MAX, &visitor);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view *view = NULL;
	char path[64], *program = NULL;
	struct error error = { 0 };
	int fd = memfd_create("core", MFD_CLOEXEC);

	fuzz_expect(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (core_open(path, &view, &program, &error) == 0) {
		use_regions(view);
		use_cpus(view);
		view_destroy(view);
		free(program);
	} else {
		fuzz_expect(!strncmp(error.text, path, strlen(path)) && !strchr(error.text, '\n'));
	}
	close(fd);
	return 0;
}
