/* SPDX-License-Identifier: MIT */
/* Stacks that are whole, end in a trap, go nowhere, go round, or never end. */
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

static uint64_t place(const char *function, uint64_t offset)
{
	return world_symbol(&world, function) + offset;
}

/* Return addresses: where each function goes on after its call. */
#define AFTER_CALL_MIDDLE    6
#define AFTER_CALL_OUTERMOST 6
#define AFTER_CALL_CIRCLE    6
#define AFTER_CALL_UNKNOWN   6

static void take(uint64_t rip, uint64_t rsp, uint64_t rbp)
{
	struct view_cpu registers = { .rip = rip, .rsp = rsp, .rbp = rbp };

	unwinder_take(unwinder, &world.view, &world.mode, &registers, &backtrace);
}

/* middle's frame at stack[at]: RBX, and its return address. */
static void lay_middle(size_t at, uint64_t return_to)
{
	stack[at] = 0;
	stack[at + 1] = return_to;
}

Test(backtrace, goes_by_the_call_frame_information_to_the_outermost_frame)
{
	stack[0] = place("stack_middle", AFTER_CALL_MIDDLE);
	lay_middle(1, place("stack_outermost", AFTER_CALL_OUTERMOST));
	take(place("stack_leaf", 0), WORLD_STACK, 0);
	cr_assert_eq(backtrace.count, 3);
	cr_expect_eq(backtrace.end, BACKTRACE_OUTERMOST);
	cr_expect_eq(backtrace.frames[0].pc, place("stack_leaf", 0));
	cr_expect(backtrace.frames[0].exact);
	cr_expect_eq(backtrace.frames[1].pc, place("stack_middle", AFTER_CALL_MIDDLE));
	cr_expect_eq(backtrace.frames[1].sp, WORLD_STACK + 8);
	cr_expect_not(backtrace.frames[1].exact);
	cr_expect_eq(backtrace.frames[2].sp, WORLD_STACK + 24);
}

Test(backtrace, a_return_address_behind_a_function_belongs_to_the_call_before_it)
{
	char text[256];

	symbols_describe_frame(world.symbols, place("stack_middle", AFTER_CALL_MIDDLE), false, text,
			       sizeof(text));
	cr_expect(strstr(text, "stack_middle+0x6 (stack.S:"), "%s", text);
	symbols_describe_frame(world.symbols, place("stack_middle", AFTER_CALL_MIDDLE), true, text,
			       sizeof(text));
	cr_expect(strstr(text, "stack_leaf (stack.S:"), "%s", text);
}

Test(backtrace, goes_on_behind_a_trap_at_the_very_instruction)
{
	stack[0] = place("stack_leaf", 1); /* RIP, CS, RFLAGS, RSP, SS */
	stack[3] = WORLD_STACK + 0x1000;
	stack[0x200] = place("stack_outermost", AFTER_CALL_OUTERMOST);
	take(place("stack_trap", 0), WORLD_STACK, 0);
	cr_assert_eq(backtrace.count, 3);
	cr_expect_eq(backtrace.end, BACKTRACE_OUTERMOST);
	cr_expect_eq(backtrace.frames[1].pc, place("stack_leaf", 1));
	cr_expect_eq(backtrace.frames[1].sp, WORLD_STACK + 0x1000);
#ifndef __clang__ /* whose assembler does not say in .debug_frame that a frame is a signal's */
	cr_expect(backtrace.frames[1].exact, "a trap interrupts before an instruction, not after a call");
#endif
}

Test(backtrace, a_call_into_nowhere_was_made_by_whom_the_stack_names)
{
	stack[0] = place("stack_middle", AFTER_CALL_MIDDLE);
	lay_middle(1, place("stack_outermost", AFTER_CALL_OUTERMOST));
	take(0, WORLD_STACK, 0);
	cr_assert_eq(backtrace.count, 3);
	cr_expect_eq(backtrace.frames[0].pc, 0);
	cr_expect_eq(backtrace.frames[1].pc, place("stack_middle", AFTER_CALL_MIDDLE));
	cr_expect_not(backtrace.frames[1].exact);
	cr_expect_eq(backtrace.end, BACKTRACE_OUTERMOST);
	take(0, WORLD_END, 0);
	cr_expect_eq(backtrace.count, 1);
	cr_expect_eq(backtrace.end, BACKTRACE_OUTSIDE);
}

Test(backtrace, ends_where_a_return_address_is_no_text)
{
	stack[0] = 0xffffc90000001234;
	take(place("stack_leaf", 0), WORLD_STACK, 0);
	cr_expect_eq(backtrace.count, 1);
	cr_expect_eq(backtrace.end, BACKTRACE_OUTSIDE);
}

Test(backtrace, ends_where_the_stack_is_not_mapped)
{
	take(place("stack_leaf", 0), WORLD_END - 4, 0);
	cr_expect_eq(backtrace.count, 1);
	cr_expect_eq(backtrace.end, BACKTRACE_LOST);
}

Test(backtrace, a_stack_that_never_ends_is_followed_so_far)
{
	for (size_t i = 0; i < 4000; i += 2)
		lay_middle(i, place("stack_middle", AFTER_CALL_MIDDLE));
	take(place("stack_middle", 1), WORLD_STACK, 0);
	cr_expect_eq(backtrace.count, BACKTRACE_FRAMES_MAX);
	cr_expect_eq(backtrace.end, BACKTRACE_TOO_DEEP);
}

Test(backtrace, a_stack_that_leads_to_itself_ends)
{
	stack[0] = place("stack_circle", AFTER_CALL_CIRCLE);
	take(place("stack_circle", 0), WORLD_STACK, 0);
	cr_expect_leq(backtrace.count, 2);
	cr_expect_eq(backtrace.end, BACKTRACE_CIRCLE);
}

Test(backtrace, without_call_frame_information_a_function_is_left_by_its_frame_pointer)
{
	stack[4] = 0; /* at RBP */
	stack[5] = place("stack_middle", AFTER_CALL_MIDDLE);
	lay_middle(6, place("stack_outermost", AFTER_CALL_OUTERMOST));
	take(place("stack_unknown", 0), WORLD_STACK, WORLD_STACK + 32);
	cr_assert_eq(backtrace.count, 3);
	cr_expect_eq(backtrace.frames[1].pc, place("stack_middle", AFTER_CALL_MIDDLE));
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

Test(backtrace, frame_pointers_lead_up_or_are_not_followed)
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
