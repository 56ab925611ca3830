/* SPDX-License-Identifier: MIT */
/* Stacks that are complete, end in a trap, lead outside the text, have a cycle, or never end. */
#include "program/backtrace.h"
#include "failing.h"
#include "no_memory.h"
#include "world.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static struct world world;
static struct unwinder *unwinder;
static struct backtrace backtrace;
static uint64_t *stack; /* at WORLD_STACK */

static void setup(void)
{
	world_create(&world, "PROGRAM_5");
	stack = world_at(&world, WORLD_STACK);
	unwinder = unwinder_open(world.symbols);
	cr_assert_not_null(unwinder);
}

static void teardown(void)
{
	unwinder_close(unwinder);
	world_destroy(&world);
}

TestSuite(backtrace, .init = setup, .fini = teardown);

static uint64_t code(const char *function, uint64_t offset)
{
	return world_symbol(&world, function) + offset;
}

static const struct symbols_segment *text(void)
{
	return symbols_segment_at(world.symbols, code("stack_leaf", 0));
}

static uint64_t text_start(void)
{
	return text()->gva;
}

static uint64_t text_size(void)
{
	return text()->memory_size;
}

/* Return addresses: offsets of the instruction after each call. */
#define AFTER_CALL_MIDDLE    6
#define AFTER_CALL_OUTERMOST 6
#define AFTER_CALL_CIRCLE    6
#define AFTER_CALL_UNKNOWN   6

static void take(uint64_t rip, uint64_t rsp, uint64_t rbp)
{
	struct view_cpu registers = { .rip = rip, .rsp = rsp, .rbp = rbp };

	unwinder_take(unwinder, &world.view, &world.mode, &registers, &backtrace);
}

/* All frames and the end of the backtrace. */
static void expect_frames(enum backtrace_end end, const struct backtrace_frame *frames, size_t count)
{
	cr_expect_eq(backtrace.end, end, "end %d", backtrace.end);
	cr_assert_eq(backtrace.count, count, "%zu frames", backtrace.count);
	for (size_t i = 0; i < count; i++) {
		cr_expect_eq(backtrace.frames[i].pc, frames[i].pc, "%zu: 0x%lx", i, backtrace.frames[i].pc);
		cr_expect_eq(backtrace.frames[i].sp, frames[i].sp, "%zu: 0x%lx", i, backtrace.frames[i].sp);
		cr_expect_eq(backtrace.frames[i].exact, frames[i].exact, "%zu", i);
	}
}

#define EXPECT_FRAMES(end, ...)                                                                              \
	expect_frames(end, (struct backtrace_frame[]){ __VA_ARGS__ },                                        \
		      sizeof((struct backtrace_frame[]){ __VA_ARGS__ }) / sizeof(struct backtrace_frame))

/* Makes the frame of stack_middle at stack[at]: RBX and the return address. */
static void make_middle(size_t at, uint64_t return_to)
{
	stack[at] = 0;
	stack[at + 1] = return_to;
}

Test(backtrace, call_frame_information_leads_to_the_outermost_frame)
{
	stack[0] = code("stack_middle", AFTER_CALL_MIDDLE);
	make_middle(1, code("stack_outermost", AFTER_CALL_OUTERMOST));
	take(code("stack_leaf", 0), WORLD_STACK, 0);
	EXPECT_FRAMES(BACKTRACE_OUTERMOST, { code("stack_leaf", 0), WORLD_STACK, true },
		      { code("stack_middle", AFTER_CALL_MIDDLE), WORLD_STACK + 8, false },
		      { code("stack_outermost", AFTER_CALL_OUTERMOST), WORLD_STACK + 24, false });
}

/* Stack and text are mapped a second time, 2 MiB higher: what the program would be there. */
Test(backtrace, call_frame_information_is_used_at_the_offset_of_the_program)
{
	const uint64_t offset = 2 << 20;
	uint64_t *directory = (uint64_t *)(world.memory + WORLD_TABLES + 0x2000);
	char text[256];

	directory[2] = directory[1];
	unwinder_close(unwinder);
	symbols_set_offset(world.symbols, offset);
	unwinder = unwinder_open(world.symbols);
	stack[0] = code("stack_middle", AFTER_CALL_MIDDLE);
	make_middle(1, code("stack_outermost", AFTER_CALL_OUTERMOST));
	take(code("stack_leaf", 0), WORLD_STACK + offset, 0);
	cr_assert_eq(backtrace.count, 3);
	cr_expect_eq(backtrace.end, BACKTRACE_OUTERMOST);
	cr_expect_eq(backtrace.frames[1].pc, code("stack_middle", AFTER_CALL_MIDDLE));
	cr_expect_eq(backtrace.frames[2].sp, WORLD_STACK + offset + 24);
	symbols_describe_frame(world.symbols, backtrace.frames[1].pc, false, text, sizeof(text));
	cr_expect(strstr(text, "stack_middle+0x6 (stack.S:"), "%s", text);
}

Test(backtrace, a_return_address_at_the_end_of_a_function_belongs_to_the_call_before_it)
{
	char text[256];

	symbols_describe_frame(world.symbols, code("stack_middle", AFTER_CALL_MIDDLE), false, text,
			       sizeof(text));
	cr_expect(strstr(text, "stack_middle+0x6 (stack.S:"), "%s", text);
	symbols_describe_frame(world.symbols, code("stack_middle", AFTER_CALL_MIDDLE), true, text,
			       sizeof(text));
	cr_expect(strstr(text, "stack_leaf (stack.S:"), "%s", text);
}

Test(backtrace, an_address_between_two_functions_is_named_and_ends_the_backtrace)
{
	char text[256];

	stack[0] = code("stack_middle", AFTER_CALL_MIDDLE);
	take(code("stack_unknown", 7 + 9), WORLD_STACK, 0);
	EXPECT_FRAMES(BACKTRACE_LOST, { code("stack_unknown", 7 + 9), WORLD_STACK, true });
	symbols_describe_frame(world.symbols, backtrace.frames[0].pc, true, text, sizeof(text));
	cr_expect_eq(strncmp(text, "stack_unknown+0x10, after its end", 33), 0, "%s", text);
}

Test(backtrace, continues_after_a_trap_at_the_interrupted_instruction)
{
	stack[0] = code("stack_leaf", 1); /* RIP, CS, RFLAGS, RSP, SS */
	stack[3] = WORLD_STACK + 0x1000;
	stack[0x200] = code("stack_outermost", AFTER_CALL_OUTERMOST);
	take(code("stack_trap", 0), WORLD_STACK, 0);
	cr_assert_eq(backtrace.count, 3);
	cr_expect_eq(backtrace.end, BACKTRACE_OUTERMOST);
	cr_expect_eq(backtrace.frames[1].pc, code("stack_leaf", 1));
	cr_expect_eq(backtrace.frames[1].sp, WORLD_STACK + 0x1000);
#ifndef __clang__ /* its assembler does not mark signal frames in .debug_frame */
	cr_expect(backtrace.frames[1].exact, "a trap interrupts before an instruction, not after a call");
#endif
}

Test(backtrace, the_caller_of_an_address_outside_the_text_is_read_from_the_stack)
{
	stack[0] = code("stack_middle", AFTER_CALL_MIDDLE);
	make_middle(1, code("stack_outermost", AFTER_CALL_OUTERMOST));
	take(0, WORLD_STACK, 0);
	EXPECT_FRAMES(BACKTRACE_OUTERMOST, { 0, WORLD_STACK, true },
		      { code("stack_middle", AFTER_CALL_MIDDLE), WORLD_STACK + 8, false },
		      { code("stack_outermost", AFTER_CALL_OUTERMOST), WORLD_STACK + 24, false });
	take(0, WORLD_END, 0);
	EXPECT_FRAMES(BACKTRACE_OUTSIDE, { 0, WORLD_END, true });
	stack[0] = text_start(); /* the call before it is outside */
	take(0x1234, WORLD_STACK, 0);
	EXPECT_FRAMES(BACKTRACE_OUTSIDE, { 0x1234, WORLD_STACK, true });
	take(code("stack_outermost", 0), WORLD_STACK, 0);
	EXPECT_FRAMES(BACKTRACE_OUTERMOST, { code("stack_outermost", 0), WORLD_STACK, true });
}

Test(backtrace, ends_at_a_return_address_outside_the_text)
{
	const uint64_t outside[] = { 0xffffc90000001234, text_start() + text_size(),
				     world_symbol(&world, "head"), text_start() - 8 };

	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		stack[0] = outside[i];
		take(code("stack_leaf", 0), WORLD_STACK, 0);
		EXPECT_FRAMES(BACKTRACE_OUTSIDE, { code("stack_leaf", 0), WORLD_STACK, true });
	}
	stack[0] = text_start();
	take(code("stack_leaf", 0), WORLD_STACK, 0);
	cr_expect_eq(backtrace.count, 2, "the first address of the text");
	stack[0] = text_start() + text_size() - 1;
	take(code("stack_leaf", 0), WORLD_STACK, 0);
	cr_expect_eq(backtrace.count, 2, "the last address of the text");
}

Test(backtrace, ends_where_the_stack_is_not_mapped)
{
	take(code("stack_leaf", 0), WORLD_END - 4, 0);
	EXPECT_FRAMES(BACKTRACE_LOST, { code("stack_leaf", 0), WORLD_END - 4, true });
}

Test(backtrace, a_stack_that_never_ends_is_cut)
{
	for (size_t i = 0; i < 4000; i += 2)
		make_middle(i, code("stack_middle", AFTER_CALL_MIDDLE));
	take(code("stack_middle", 1), WORLD_STACK, 0);
	cr_expect_eq(backtrace.count, BACKTRACE_FRAMES_MAX);
	cr_expect_eq(backtrace.end, BACKTRACE_TOO_DEEP);
}

Test(backtrace, a_stack_that_leads_to_itself_ends)
{
	stack[0] = code("stack_circle", AFTER_CALL_CIRCLE);
	take(code("stack_circle", 0), WORLD_STACK, 0);
	EXPECT_FRAMES(BACKTRACE_CIRCLE, { code("stack_circle", 0), WORLD_STACK, true },
		      { code("stack_circle", AFTER_CALL_CIRCLE), WORLD_STACK, false });
}

Test(backtrace, without_call_frame_information_the_frame_pointer_leads_to_the_caller)
{
	stack[4] = 0; /* at RBP */
	stack[5] = code("stack_middle", AFTER_CALL_MIDDLE);
	make_middle(6, code("stack_outermost", AFTER_CALL_OUTERMOST));
	take(code("stack_unknown", 0), WORLD_STACK, WORLD_STACK + 32);
	EXPECT_FRAMES(BACKTRACE_OUTERMOST, { code("stack_unknown", 0), WORLD_STACK, true },
		      { code("stack_middle", AFTER_CALL_MIDDLE), WORLD_STACK + 48, false },
		      { code("stack_outermost", AFTER_CALL_OUTERMOST), WORLD_STACK + 64, false });
}

static void without_program(void)
{
	unwinder_close(unwinder);
	unwinder = unwinder_open(NULL);
	cr_assert_not_null(unwinder);
}

Test(backtrace, without_a_program_frame_pointers_are_followed)
{
	without_program();
	stack[0] = WORLD_STACK + 64;
	stack[1] = 0x1111;
	stack[8] = 0;
	stack[9] = 0x2222;
	take(0x3333, WORLD_STACK - 64, WORLD_STACK);
	EXPECT_FRAMES(BACKTRACE_OUTERMOST, { 0x3333, WORLD_STACK - 64, true },
		      { 0x1111, WORLD_STACK + 16, false }, { 0x2222, WORLD_STACK + 80, false });
	stack[9] = 0; /* no return address */
	take(0x3333, WORLD_STACK - 64, WORLD_STACK);
	EXPECT_FRAMES(BACKTRACE_OUTERMOST, { 0x3333, WORLD_STACK - 64, true },
		      { 0x1111, WORLD_STACK + 16, false });
	take(0x3333, WORLD_STACK - 64, 0);
	EXPECT_FRAMES(BACKTRACE_OUTERMOST, { 0x3333, WORLD_STACK - 64, true });
}

Test(backtrace, frame_pointers_that_do_not_lead_up_are_not_followed)
{
	without_program();
	stack[0] = WORLD_STACK; /* to itself */
	stack[1] = 0x1111;
	take(0x3333, WORLD_STACK, WORLD_STACK);
	EXPECT_FRAMES(BACKTRACE_CIRCLE, { 0x3333, WORLD_STACK, true }, { 0x1111, WORLD_STACK + 16, false });
	stack[0] = WORLD_STACK - 8; /* down */
	take(0x3333, WORLD_STACK, WORLD_STACK);
	EXPECT_FRAMES(BACKTRACE_CIRCLE, { 0x3333, WORLD_STACK, true }, { 0x1111, WORLD_STACK + 16, false });
	take(0x3333, WORLD_STACK, WORLD_END);
	EXPECT_FRAMES(BACKTRACE_LOST, { 0x3333, WORLD_STACK, true });
	take(0x3333, WORLD_STACK, WORLD_STACK + 1);
	EXPECT_FRAMES(BACKTRACE_LOST, { 0x3333, WORLD_STACK, true });
	take(0x3333, WORLD_STACK, WORLD_STACK + 4);
	EXPECT_FRAMES(BACKTRACE_LOST, { 0x3333, WORLD_STACK, true });
	for (size_t i = 0; i < 1000; i += 2) {
		stack[i] = WORLD_STACK + 8 * (i + 2);
		stack[i + 1] = 0x1111;
	}
	take(0x3333, WORLD_STACK, WORLD_STACK);
	cr_expect_eq(backtrace.count, BACKTRACE_FRAMES_MAX);
	cr_expect_eq(backtrace.end, BACKTRACE_TOO_DEEP);
}

Test(backtrace, every_register_may_locate_a_frame)
{
	static const size_t registers[] = {
#define AT(name) offsetof(struct view_cpu, name)
		AT(rax), AT(rdx), AT(rcx), AT(rbx), AT(rsi), AT(rdi), AT(rbp), AT(rsp),
		AT(r8),  AT(r9),  AT(r10), AT(r11), AT(r12), AT(r13), AT(r14), AT(r15),
#undef AT
	};
	char function[32];

	stack[1] = code("stack_outermost", AFTER_CALL_OUTERMOST);
	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
		struct view_cpu cpu = { .rsp = WORLD_STACK };

		snprintf(function, sizeof(function), "stack_by_%zu", i);
		cpu.rip = code(function, 0);
		*(uint64_t *)((uint8_t *)&cpu + registers[i]) = WORLD_STACK;
		unwinder_take(unwinder, &world.view, &world.mode, &cpu, &backtrace);
		EXPECT_FRAMES(BACKTRACE_OUTERMOST, { cpu.rip, WORLD_STACK, true },
			      { code("stack_outermost", AFTER_CALL_OUTERMOST), WORLD_STACK + 16, false });
	}
}

/* The saved register is in a page that is not mapped, the return address in the next one. */
Test(backtrace, a_saved_register_that_is_not_mapped_does_not_end_the_backtrace)
{
	uint64_t sp = WORLD_STACK + 0x1000 - 8;

	make_middle(0x1ff, code("stack_outermost", AFTER_CALL_OUTERMOST));
	world_map(&world, WORLD_STACK, false);
	take(code("stack_middle", 1), sp, 0);
	EXPECT_FRAMES(BACKTRACE_OUTERMOST, { code("stack_middle", 1), sp, true },
		      { code("stack_outermost", AFTER_CALL_OUTERMOST), sp + 16, false });
}

Test(backtrace, a_backtrace_of_exactly_as_many_frames_as_there_is_room_for_is_whole)
{
	for (size_t i = 0; i < 2 * (BACKTRACE_FRAMES_MAX - 1); i += 2)
		make_middle(i, code("stack_middle", AFTER_CALL_MIDDLE));
	make_middle(2 * (BACKTRACE_FRAMES_MAX - 2), code("stack_outermost", AFTER_CALL_OUTERMOST));
	take(code("stack_middle", 1), WORLD_STACK, 0);
	cr_expect_eq(backtrace.count, BACKTRACE_FRAMES_MAX);
	cr_expect_eq(backtrace.end, BACKTRACE_OUTERMOST);
}

Test(backtrace, an_unwinder_that_libdwfl_refuses_follows_frame_pointers)
{
	unwinder_close(unwinder);
	call_fails("dwfl_attach_state", 1, EIO);
	unwinder = unwinder_open(world.symbols);
	cr_assert_not_null(unwinder);
	cr_assert(call_failed());
	take(code("stack_leaf", 0), WORLD_STACK, 0);
	EXPECT_FRAMES(BACKTRACE_OUTERMOST, { code("stack_leaf", 0), WORLD_STACK, true });
}

Test(backtrace, without_memory_there_is_no_unwinder)
{
	no_memory_at(1);
	cr_expect_null(unwinder_open(world.symbols));
	no_memory_at(0);
	unwinder_close(NULL);
}

Test(backtrace, every_end_has_a_text)
{
	static const char *const texts[] = {
		[BACKTRACE_OUTERMOST] = "the outermost frame",
		[BACKTRACE_TOO_DEEP] = "more frames are not shown",
		[BACKTRACE_LOST] = "lost: no rule for this frame, or its stack is not mapped",
		[BACKTRACE_OUTSIDE] = "lost: the return address is outside the program's text",
		[BACKTRACE_CIRCLE] = "lost: the stack has a cycle",
	};

	for (int end = BACKTRACE_OUTERMOST; end <= BACKTRACE_CIRCLE; end++)
		cr_expect_str_eq(backtrace_end_text((enum backtrace_end)end), texts[end]);
}
