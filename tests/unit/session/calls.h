/* SPDX-License-Identifier: MIT */
/*
 * calls.h: the functions of other rooms that a session calls, replaced by the linker: they keep their arguments, and any of
 * them can fail. Without calls_start() the session's own tests of records and findings do not reach them.
 */
#ifndef TESTS_UNIT_SESSION_CALLS_H
#define TESTS_UNIT_SESSION_CALLS_H

#include "control/server.h"
#include "program/backtrace.h"
#include "program/build_id.h"
#include "session/session.h"

/* Operations that a session gives the guest by the ring, and the answers of the guest. */
struct calls_ring {
	struct kvmap_operation given[3000];
	size_t given_count, pushes;
	char strings[MACHINE_RING_STRINGS]; /* of the last push */
	bool answers;                       /* a RESULT for each operation at once */
	uint32_t lost;                      /* operations of a push that get no RESULT */
	int waiting;                        /* of machine_ring_waiting() */
};

struct calls {
	char log[2048]; /* their names, each followed by a blank */
	/* The one that fails next, with its own name as the text of the error. */
	const char *failing;
	enum error_kind failing_kind;
	/* Events of machine_run() by turns; after them the guest exits with `exit_value`. */
	struct machine_event events[8];
	unsigned int event_count, next_event;
	unsigned int runs; /* calls of machine_run() that did not fail */
	uint64_t exit_value;
	uint64_t deadline_ns; /* of the last machine_run() */
	/* Arguments of the last call. */
	struct machine_config machine;
	int machine_file; /* descriptor of machine.program; -1: none */
	struct kvmap_boot boot;
	struct verify_input verify;
	char no_stage2[64]; /* verify.no_stage2; "" if that is NULL */
	bool no_reader;     /* stage2_reader_check() fails */
	struct view_cpu unwound;
	size_t break_count; /* of ranges_collect() */
	const struct control_vm *served;
	char socket[128], link[128], linked[128];
	/* Results. */
	struct verdict verdict;
	size_t build_id_size; /* 0: the program has none */
	uint64_t clock_ns;    /* goes on by CLOCK_STEP at each call */
	struct calls_ring ring;
};

#define CLOCK_STEP 10

/* The descriptor of the program's file, which is never used. */
#define CALLS_FILE 55

extern struct calls calls;

/* The machine that machine_create() gives. */
extern struct machine *const calls_machine;

/* Letters of what is open: f program's file, m machine, s symbols, l layout, c control VM, v server. "": nothing. */
extern char calls_open[8];

#endif
