/* SPDX-License-Identifier: MIT */
/*
 * program.c: an ELF file with the DWARF of what the tests look at, and the values that they expect.
 */
#include "program.h"

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

enum colour { RED = 1, GREEN, BLUE = 7 };

struct node {
	struct node *next;
	int number;
};

struct bits {
	u32 low : 3;
	u32 middle : 7;
	int negative : 5;
	u64 wide : 40;
};

typedef int (*handler)(int number);

struct everything {
	char letter;
	signed char small;
	u8 byte;
	short two;
	u32 four;
	long eight;
	u64 large;
	_Bool yes;
	enum colour colour, colourless;
	float half;
	double quarter;
	char text[8];
	char full[4];
	const char *string;
	struct bits bits;
	union {
		u64 whole;
		struct {
			u32 bottom, top;
		};
	};
	u32 table[2][3];
	u64 many[100];
	struct node *nodes[2];
	handler function;
	void *anything;
	struct only_declared *unknown;
	volatile const u32 qualified;
};

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

static int twin = 1; /* other.c has one, too */

int twins(void);

int twins(void)
{
	return twin++ + other_twin();
}

u32 not_initialised[4];

/* What the kernel calls by name only. */
extern const char stack_leaf[];

const char *leaf = stack_leaf;
