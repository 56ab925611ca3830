/* SPDX-License-Identifier: MIT */
/*
 * program.h: the types and functions of the program that the tests read. The tests include it to compare what
 * DWARF says with what the compiler says.
 */
#ifndef TESTS_UNIT_PROGRAM_PROGRAM_H
#define TESTS_UNIT_PROGRAM_PROGRAM_H

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

int other_twin(void); /* in other.c */

#endif
