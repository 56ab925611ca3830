/* SPDX-License-Identifier: MIT */
/* Stacks that are complete, end in a trap, lead outside the text, have a cycle, or never end. */
#include "program/backtrace.h"
#include "world.h"

#include <criterion/criterion.h>
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
	cr_assert_eq(backtrace.count, 3);
	cr_expect_eq(backtrace.end, BACKTRACE_OUTERMOST);
	cr_expect_eq(backtrace.frames[0].pc, code("stack_leaf", 0));
	cr_expect(backtrace.frames[0].exact);
	cr_expect_eq(backtrace.frames[1].pc, code("stack_middle", AFTER_CALL_MIDDLE));
	cr_expect_eq(backtrace.frames[1].sp, WORLD_STACK + 8);
	cr_expect_not(backtrace.frames[1].exact);
	cr_expect_eq(backtrace.frames[2].sp, WORLD_STACK + 24);
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
	cr_assert_eq(backtrace.count, 3);
	cr_expect_eq(backtrace.frames[0].pc, 0);
	cr_expect_eq(backtrace.frames[1].pc, code("stack_middle", AFTER_CALL_MIDDLE));
	cr_expect_not(backtrace.frames[1].exact);
	cr_expect_eq(backtrace.end, BACKTRACE_OUTERMOST);
	take(0, WORLD_END, 0);
	cr_expect_eq(backtrace.count, 1);
	cr_expect_eq(backtrace.end, BACKTRACE_OUTSIDE);
}

Test(backtrace, ends_at_a_return_address_outside_the_text)
{
	stack[0] = 0xffffc90000001234;
	take(code("stack_leaf", 0), WORLD_STACK, 0);
	cr_expect_eq(backtrace.count, 1);
	cr_expect_eq(backtrace.end, BACKTRACE_OUTSIDE);
}

Test(backtrace, ends_where_the_stack_is_not_mapped)
{
	take(code("stack_leaf", 0), WORLD_END - 4, 0);
	cr_expect_eq(backtrace.count, 1);
	cr_expect_eq(backtrace.end, BACKTRACE_LOST);
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
	cr_expect_leq(backtrace.count, 2);
	cr_expect_eq(backtrace.end, BACKTRACE_CIRCLE);
}

Test(backtrace, without_call_frame_information_the_frame_pointer_leads_to_the_caller)
{
	stack[4] = 0; /* at RBP */
	stack[5] = code("stack_middle", AFTER_CALL_MIDDLE);
	make_middle(6, code("stack_outermost", AFTER_CALL_OUTERMOST));
	take(code("stack_unknown", 0), WORLD_STACK, WORLD_STACK + 32);
	cr_assert_eq(backtrace.count, 3);
	cr_expect_eq(backtrace.frames[1].pc, code("stack_middle", AFTER_CALL_MIDDLE));
	cr_expect_eq(backtrace.frames[1].sp, WORLD_STACK + 48);
	cr_expect_eq(backtrace.end, BACKTRACE_OUTERMOST);
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
	cr_assert_eq(backtrace.count, 3);
	cr_expect_eq(backtrace.frames[0].pc, 0x3333);
	cr_expect_eq(backtrace.frames[1].pc, 0x1111);
	cr_expect_eq(backtrace.frames[2].pc, 0x2222);
	cr_expect_eq(backtrace.frames[2].sp, WORLD_STACK + 80);
	cr_expect_eq(backtrace.end, BACKTRACE_OUTERMOST);
}

Test(backtrace, frame_pointers_that_do_not_lead_up_are_not_followed)
{
	without_program();
	stack[0] = WORLD_STACK; /* to itself */
	stack[1] = 0x1111;
	take(0x3333, WORLD_STACK, WORLD_STACK);
	cr_expect_eq(backtrace.count, 2);
	cr_expect_eq(backtrace.end, BACKTRACE_CIRCLE);
	take(0x3333, WORLD_STACK, WORLD_END);
	cr_expect_eq(backtrace.count, 1);
	cr_expect_eq(backtrace.end, BACKTRACE_LOST);
	take(0x3333, WORLD_STACK, WORLD_STACK + 1);
	cr_expect_eq(backtrace.end, BACKTRACE_LOST);
	for (size_t i = 0; i < 1000; i += 2) {
		stack[i] = WORLD_STACK + 8 * (i + 2);
		stack[i + 1] = 0x1111;
	}
	take(0x3333, WORLD_STACK, WORLD_STACK);
	cr_expect_eq(backtrace.count, BACKTRACE_FRAMES_MAX);
	cr_expect_eq(backtrace.end, BACKTRACE_TOO_DEEP);
}

Test(backtrace, every_end_has_a_text)
{
	for (int end = BACKTRACE_OUTERMOST; end <= BACKTRACE_CIRCLE; end++)
		cr_expect_str_not_empty(backtrace_end_text((enum backtrace_end)end));
}
