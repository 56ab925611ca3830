/* SPDX-License-Identifier: MIT */
/*
 * backtrace.h: who called whom on a CPU's stack, from outside: by the program's call frame information (DWARF
 * CFI, libdwfl), and where there is none by frame pointers.
 */
#ifndef VMM_PROGRAM_BACKTRACE_H
#define VMM_PROGRAM_BACKTRACE_H

#include "program/symbols.h"
#include "paging/walk.h"

#define BACKTRACE_FRAMES_MAX 64

struct backtrace_frame {
	uint64_t pc;
	uint64_t sp;
	bool exact; /* pc is the next instruction (of the CPU, or of what a trap interrupted); else a return
		       address, and the call stands before it */
};

enum backtrace_end {
	BACKTRACE_OUTERMOST = 0, /* the call frame information says so, or the chain of frame pointers does */
	BACKTRACE_TOO_DEEP,      /* there are more than BACKTRACE_FRAMES_MAX */
	BACKTRACE_LOST,          /* no rule for the last frame, or its stack is not mapped */
	BACKTRACE_OUTSIDE,       /* the next return address is in no text of the program */
	BACKTRACE_CIRCLE,        /* the next frame would be the last one again */
};

struct backtrace {
	struct backtrace_frame frames[BACKTRACE_FRAMES_MAX];
	size_t count; /* at least 1 */
	enum backtrace_end end;
};

struct unwinder;

/*
 * For any number of backtraces of one program, which is borrowed. NULL symbols: frame pointers only. NULL
 * when memory is out.
 */
struct unwinder *unwinder_open(const struct symbols *symbols);
void unwinder_close(struct unwinder *unwinder);

/*
 * The stack of a CPU that is in the kernel, from its registers; of a guest's own report they may be older
 * than the CPU's. A first RIP that is in no text was called: its caller is what RSP points to. Never fails:
 * what is wrong is in out->end.
 */
void unwinder_take(struct unwinder *unwinder, const struct view *view, const struct walk_mode *mode,
		   const struct view_cpu *registers, struct backtrace *out);

/* "the outermost frame", "... deeper than 64 frames": why there are no more. */
const char *backtrace_end_text(enum backtrace_end end);

#endif
