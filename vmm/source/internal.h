/* SPDX-License-Identifier: MIT */
/*
 * internal.h: shared by the files of vmm/source.
 */
#ifndef VMM_SOURCE_INTERNAL_H
#define VMM_SOURCE_INTERNAL_H

#include "source/source.h"

/* The copying of one source_snapshot(). */
struct snapshot {
	struct source *sources;
	size_t count;
	unsigned int pauses;  /* since the reader began anew; 0: no VM was paused yet */
	unsigned int repeats; /* calls because of SOURCE_AGAIN */
	uint64_t start_ns;    /* CLOCK_MONOTONIC */
	bool is_final;        /* the last call read one moment only */
	bool has_ended;       /* and said so, by source_end_stop() */
};

/* Whether the guest runs on, and SOURCE_AGAIN is allowed: for two seconds. */
bool snapshot_may_repeat(const struct source *source);

/*
 * Opens the view of source->process: memory slots and registers as the host's kernel has them. `stop`: stops
 * the process first. ERROR_PERMISSION or ERROR_HOST where the kernel cannot be read.
 */
int source_read_process(struct source *source, bool stop, struct error *error);

/*
 * Whether the process is a kvmap that will have a control socket and does not have it yet. A process that has just been
 * made is waited for until it has executed its program.
 */
bool source_is_starting(uint32_t pid);

/* Whether the name is a process id. */
bool source_is_pid(const char *name, uint32_t *out);

/*
 * Waits until the CPU that the source wants has page tables, or any if it wants none, and kvmap's own guest its
 * structures, until the guest is at its end, it has
 * no such CPU, or a minute has passed. -1: the VM cannot be read.
 */
int source_wait_for_tables(const struct source *source, struct error *error);

/* The mode of the CPU that the source wants, else of the first with paging: *cpu_out. -1: no paging. */
int source_find_mode(const struct source *source, const struct view *view, unsigned int *cpu_out,
		     struct walk_mode *out, struct error *error);

#endif
