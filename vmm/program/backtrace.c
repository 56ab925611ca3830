/* SPDX-License-Identifier: MIT */
/*
 * backtrace.c: libdwfl unwinds, with the registers and the memory of a view. Every frame is checked here.
 */
#include "program/backtrace.h"
#include "program/describe.h"
#include "program/program_file.h"

#include <elfutils/libdwfl.h>
#include <stdlib.h>

/* The registers as DWARF numbers them (System V ABI for AMD64, figure 3.36). */
#define REGISTERS    17
#define REGISTER_RSP 7

#define THREAD 1 /* id of the only thread that libdwfl sees: the CPU of the backtrace */

struct unwinder {
	const struct symbols *symbols;
	struct describe *describe; /* NULL: no call frame information */
	/* For one backtrace: */
	const struct view *view;
	const struct walk_mode *mode;
	struct view_cpu registers;
	struct backtrace *out;
	bool unmapped; /* a read has failed since the last frame */
	bool called;   /* registers.rip is one byte before a return address */
};

/* ---- callbacks of libdwfl ---- */

static pid_t next_thread(Dwfl *dwfl, void *context, void **thread)
{
	bool first = !*thread;

	(void)dwfl;
	*thread = context;
	return first ? THREAD : 0;
}

static bool memory_read(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *out, void *context)
{
	struct unwinder *unwinder = context;
	struct error ignored;

	(void)dwfl;
	if (walk_read(unwinder->view, unwinder->mode, address, out, sizeof(*out), &ignored) == 0)
		return true;
	unwinder->unmapped = true;
	return false;
}

static bool set_registers(Dwfl_Thread *thread, void *context)
{
	const struct view_cpu *cpu = &((struct unwinder *)context)->registers;
	const Dwarf_Word values[REGISTERS] = {
		cpu->rax, cpu->rdx, cpu->rcx, cpu->rbx, cpu->rsi, cpu->rdi, cpu->rbp, cpu->rsp, cpu->r8,
		cpu->r9,  cpu->r10, cpu->r11, cpu->r12, cpu->r13, cpu->r14, cpu->r15, cpu->rip,
	};

	return dwfl_thread_state_registers(thread, 0, REGISTERS, values);
}

static const Dwfl_Thread_Callbacks callbacks = {
	.next_thread = next_thread,
	.memory_read = memory_read,
	.set_initial_registers = set_registers,
};

/* ---- frames ---- */

static bool in_text(const struct unwinder *unwinder, uint64_t pc)
{
	const struct symbols_segment *segments;
	size_t count = symbols_segments(unwinder->symbols, &segments);

	for (size_t i = 0; i < count; i++)
		if (segments[i].executable && pc >= segments[i].gva &&
		    pc - segments[i].gva < segments[i].memory_size)
			return true;
	return false;
}

/* Adds a frame; false if it repeats the last one or there is no more room. */
static bool take(struct backtrace *out, uint64_t pc, uint64_t sp, bool exact)
{
	const struct backtrace_frame *last = out->count ? &out->frames[out->count - 1] : NULL;

	if (last && last->pc == pc && last->sp == sp) {
		out->end = BACKTRACE_CIRCLE;
		return false;
	}
	if (out->count == BACKTRACE_FRAMES_MAX) {
		out->end = BACKTRACE_TOO_DEEP;
		return false;
	}
	out->frames[out->count++] = (struct backtrace_frame){ pc, sp, exact };
	return true;
}

static int take_frame(Dwfl_Frame *frame, void *context)
{
	struct unwinder *unwinder = context;
	Dwarf_Word sp = 0;
	Dwarf_Addr pc;
	bool exact;

	unwinder->unmapped = false;
	if (!dwfl_frame_pc(frame, &pc, &exact)) {
		unwinder->out->end = BACKTRACE_LOST;
		return DWARF_CB_ABORT;
	}
	dwfl_frame_reg(frame, REGISTER_RSP, &sp);
	if (unwinder->called) { /* the first frame from libdwfl */
		unwinder->called = false;
		pc++;
		exact = false;
	}
	if (!in_text(unwinder, pc)) {
		unwinder->out->end = BACKTRACE_OUTSIDE;
		return DWARF_CB_ABORT;
	}
	return take(unwinder->out, pc, sp, exact) ? DWARF_CB_OK : DWARF_CB_ABORT;
}

/* RIP is outside the text, as after a call through a damaged pointer: continue with the caller. */
static bool return_to_caller(struct unwinder *unwinder)
{
	struct view_cpu *registers = &unwinder->registers;
	uint64_t caller;
	struct error ignored;

	take(unwinder->out, registers->rip, registers->rsp, true);
	if (walk_read(unwinder->view, unwinder->mode, registers->rsp, &caller, sizeof(caller), &ignored) < 0)
		return false;
	registers->rip = caller - 1;
	registers->rsp += sizeof(caller);
	unwinder->called = true;
	return in_text(unwinder, caller - 1);
}

static void take_by_rules(struct unwinder *unwinder)
{
	unwinder->called = unwinder->unmapped = false;
	if (!in_text(unwinder, unwinder->registers.rip) && !return_to_caller(unwinder)) {
		unwinder->out->end = BACKTRACE_OUTSIDE;
		return;
	}
	/* No rule is for it; libdwfl would take RBP for a frame pointer. */
	if (describe_is_padding(unwinder->describe, unwinder->registers.rip)) {
		take(unwinder->out, unwinder->registers.rip, unwinder->registers.rsp, true);
		unwinder->out->end = BACKTRACE_LOST;
		return;
	}
	/* libdwfl reports a return address that it cannot read as the end of the stack. */
	if (dwfl_getthread_frames(describe_dwfl(unwinder->describe), THREAD, take_frame, unwinder) < 0 ||
	    unwinder->unmapped)
		unwinder->out->end = BACKTRACE_LOST;
	/* libdwfl may give up before the first frame. */
	if (!unwinder->out->count)
		take(unwinder->out, unwinder->registers.rip, unwinder->registers.rsp, true);
}

/* Each frame pointer points to that of the caller, with the return address above it. */
static void take_by_frame_pointers(struct unwinder *unwinder)
{
	uint64_t pointer = unwinder->registers.rbp, pair[2];
	struct error ignored;

	take(unwinder->out, unwinder->registers.rip, unwinder->registers.rsp, true);
	while (pointer) {
		if (pointer & 7 ||
		    walk_read(unwinder->view, unwinder->mode, pointer, pair, sizeof(pair), &ignored) < 0) {
			unwinder->out->end = BACKTRACE_LOST;
			return;
		}
		if (!pair[1])
			return;
		if (!take(unwinder->out, pair[1], pointer + sizeof(pair), false))
			return;
		/* Stacks grow down: a caller's frame is above. */
		if (pair[0] && pair[0] <= pointer) {
			unwinder->out->end = BACKTRACE_CIRCLE;
			return;
		}
		pointer = pair[0];
	}
}

/* ---- */

struct unwinder *unwinder_open(const struct symbols *symbols)
{
	struct unwinder *unwinder = calloc(1, sizeof(*unwinder));

	if (!unwinder || !symbols)
		return unwinder;
	unwinder->symbols = symbols;
	unwinder->describe = describe_open(symbols);
	if (unwinder->describe &&
	    !dwfl_attach_state(describe_dwfl(unwinder->describe), NULL, THREAD, &callbacks, unwinder)) {
		describe_close(unwinder->describe);
		unwinder->describe = NULL;
	}
	return unwinder;
}

void unwinder_close(struct unwinder *unwinder)
{
	if (!unwinder)
		return;
	describe_close(unwinder->describe);
	free(unwinder);
}

void unwinder_take(struct unwinder *unwinder, const struct view *view, const struct walk_mode *mode,
		   const struct view_cpu *registers, struct backtrace *out)
{
	*out = (struct backtrace){ .end = BACKTRACE_OUTERMOST };
	unwinder->view = view;
	unwinder->mode = mode;
	unwinder->registers = *registers;
	unwinder->out = out;
	if (unwinder->describe)
		take_by_rules(unwinder);
	else
		take_by_frame_pointers(unwinder);
}

const char *backtrace_end_text(enum backtrace_end end)
{
	static const char *const texts[] = {
		[BACKTRACE_OUTERMOST] = "the outermost frame",
		[BACKTRACE_TOO_DEEP] = "more frames are not shown",
		[BACKTRACE_LOST] = "lost: no rule for this frame, or its stack is not mapped",
		[BACKTRACE_OUTSIDE] = "lost: the return address is outside the program's text",
		[BACKTRACE_CIRCLE] = "lost: the stack has a cycle",
	};

	return texts[end];
}
