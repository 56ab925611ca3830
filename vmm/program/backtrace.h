/* SPDX-License-Identifier: MIT */
/*
 * backtrace.h: the stack backtrace of a CPU, from its registers and the guest's memory: by the program's call
 * frame information (DWARF CFI, libdwfl), or by frame pointers if it has none.
 */
#ifndef VMM_PROGRAM_BACKTRACE_H
#define VMM_PROGRAM_BACKTRACE_H

#include "program/symbols.h"
#include "paging/walk.h"

#define BACKTRACE_FRAMES_MAX 64

struct backtrace_frame {
	uint64_t pc;
	uint64_t sp;
	bool exact; /* pc is the next instruction, of the CPU or after a trap; else it is a return address */
};

enum backtrace_end {
	BACKTRACE_OUTERMOST = 0, /* by the call frame information or the chain of frame pointers */
	BACKTRACE_TOO_DEEP,      /* more than BACKTRACE_FRAMES_MAX frames */
	BACKTRACE_LOST,          /* no rule for the last frame, or its stack is not mapped */
	BACKTRACE_OUTSIDE,       /* the next return address is outside the text of the program */
	BACKTRACE_CIRCLE,        /* the next frame is the last one again */
};

struct backtrace {
	struct backtrace_frame frames[BACKTRACE_FRAMES_MAX];
	size_t count; /* at least 1 */
	enum backtrace_end end;
};

struct unwinder;

/*
 * Opens an unwinder for any number of backtraces of one program, which is borrowed. NULL symbols: frame
 * pointers only. NULL if memory runs out.
 */
struct unwinder *unwinder_open(const struct symbols *symbols);
void unwinder_close(struct unwinder *unwinder);

/*
 * Reads the stack of a CPU that is in the kernel, from its registers, which may be older than the memory. A
 * first RIP outside the text was called through a bad pointer: its return address is at RSP. Never fails:
 * out->end says why there are no more frames.
 */
void unwinder_take(struct unwinder *unwinder, const struct view *view, const struct walk_mode *mode,
		   const struct view_cpu *registers, struct backtrace *out);

/* The reason for the end, as text: "the outermost frame". */
const char *backtrace_end_text(enum backtrace_end end);

#endif
