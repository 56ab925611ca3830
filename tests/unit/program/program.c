/* SPDX-License-Identifier: MIT */
/*
 * program.c: the program whose symbols, types and values the tests read.
 */
#include "program.h"

static int double_it(int number)
{
	return 2 * number;
}

struct node tail = { 0, 22 };
struct node head = { &tail, 11 };

struct everything everything = {
	.letter = 'x',
	.small = -5,
	.byte = 200,
	.two = -300,
	.four = 4000000000u,
	.eight = -5,
	.large = 0xffffc90000001000,
	.yes = 1,
	.colour = BLUE,
	.colourless = (enum colour)5,
	.half = 0.5f,
	.quarter = 0.25,
	.text = "ab\033c",
	.full = { 'f', 'u', 'l', 'l' },
	.string = "pointed at",
	.bits = { 5, 100, -3, 0x123456789a },
	.whole = 0x1122334455667788,
	.table = { { 1, 2, 3 }, { 4, 5, 6 } },
	.many = { [3] = 9, [99] = 1 },
	.nodes = { &head, 0 },
	.function = double_it,
	.anything = &everything,
	.qualified = 77,
};

static int twin = 1; /* other.c has one too */

struct twin {
	int first;
} first_twin; /* other.c has another structure of that name */

int twins(void);

int twins(void)
{
	return twin++ + other_twin();
}

u32 not_initialised[4];

u32 huge[0x44000]; /* 64K larger than the bytes that a value shows */

static inline __attribute__((always_inline)) void inlined(volatile u32 *number)
{
	*number += *number / 3;
}

void inlines(volatile u32 *number);

/* Has another function's lines, by inlining. */
void inlines(volatile u32 *number)
{
	*number = 1;
	inlined(number);
	*number = 2;
}

/* A label of assembly. */
extern const char stack_leaf[];

const char *leaf = stack_leaf;
