/* SPDX-License-Identifier: MIT */
/*
 * calls.h: the functions of other rooms that a source calls, replaced by the linker. The VM is page tables of the test.
 */
#ifndef TESTS_UNIT_SOURCE_CALLS_H
#define TESTS_UNIT_SOURCE_CALLS_H

#include "source/internal.h"
#include "source/snapshot.h"
#include "tables.h"

struct calls {
	char log[1024];             /* their names, each followed by a blank */
	const char *failing;        /* the one that fails next, with its own name as the text of the error */
	unsigned int complete_from; /* the pause from which on all that is read is of one moment */
	unsigned int pauses;
	struct control_pause_time times[16]; /* of the pauses */
	struct ptrace_stop_end stop_end;     /* of the stop */
	uint64_t symbols_offset;
	uint64_t clock_ns;
	long slept_ns; /* by the last nanosleep() */
	struct control_hello hello;
	struct stage2_guest guest; /* that stage2_read_guest() finds; slots are malloc'ed */
	bool hardware;
};

extern struct calls calls;
extern struct tables tables;

/* Objects of which only the addresses matter. */
extern struct control_client *const a_client;
extern struct symbols *const some_symbols;
extern struct claims_layout *const a_layout;
extern struct stage2_reader *const a_reader;
extern struct ptrace_stop *const a_stop;

/* Tables with a CPU in long mode. */
void calls_start(void);
void calls_end(void);

void note(const char *name);

#endif
