/* SPDX-License-Identifier: MIT */
/* kinds.c: variables of each kind of type in C, and of types composed of these. */
#include "kinds.h"

typedef unsigned int u32;
typedef u32 index_t;
typedef volatile const index_t fixed_t;
typedef fixed_t row_t[3];

struct never;

enum sign { MINUS = -3, ZERO, PLUS = 5 };
enum wide { LARGE = 0xffffffff00000001ul, SMALL = 1 };
enum { NAMELESS = 4 } nameless = NAMELESS;

enum sign sign = MINUS;
enum wide wide = LARGE;

union shapes {
	u32 number;
	unsigned char bytes[4];
	struct {
		unsigned short low, high;
	} halves;
	float real;
} shapes = { .number = 0x3f800000 };

struct packed_bits {
	u32 a : 1;
	u32 b : 31;
	int c : 3;
	_Bool d : 1;
	enum sign e : 4;
	unsigned long f : 60;
	u32 : 0;
	unsigned char g : 7;
} packed_bits = { 1, 0x7ffffffe, -4, 1, PLUS, 0xabcdef012345678, 99 };

struct inner {
	struct {
		union {
			struct {
				int deep;
				u32 bit : 2;
			};
			long other;
		};
		int beside;
	};
	int last;
} inner = { { { { 11, 3 } }, 22 }, 33 };

struct cell {
	struct {
		short x, y;
	} points[2];
	row_t row;
} cells[3] = { [1] = { { { 1, 2 }, { 3, 4 } }, { 5, 6, 7 } } };

typedef struct {
	int of_typedef;
} nameless_t;
typedef nameless_t alias_t;
const alias_t alias = { 44 };

static int add_one(int number)
{
	return number + 1;
}

typedef int step_t(int number);
int (*plain)(int number) = add_one;
step_t *stepped = add_one;
step_t **twice = &stepped;
int (*functions[2])(int number) = { 0, add_one };
void (*(*returns)(void))(int number);

fixed_t fixed = 8;
row_t rows[2] = { { 1, 2, 3 }, { 4, 5, 6 } };
u32 (*to_row)[3];

struct flexible {
	int count;
	int items[];
};
struct flexible flexible = { 2, { 70, 71 } };

struct empty {
} empty;

/* Types that cannot be shown: too large, too wide, too deep. */
struct huge {
	char bytes[2 << 20];
} * huge;
__int128 sixteen = 1;
long double extended = 1;

#define WRAP(outer, inner)                                                                                   \
	struct outer {                                                                                       \
		struct inner in;                                                                             \
	}
struct deep_0 {
	int number;
};
WRAP(deep_1, deep_0);
WRAP(deep_2, deep_1);
WRAP(deep_3, deep_2);
WRAP(deep_4, deep_3);
WRAP(deep_5, deep_4);
WRAP(deep_6, deep_5);
WRAP(deep_7, deep_6);
WRAP(deep_8, deep_7);
WRAP(deep_9, deep_8);
WRAP(deep_10, deep_9);
WRAP(deep_11, deep_10);
WRAP(deep_12, deep_11);
WRAP(deep_13, deep_12);
WRAP(deep_14, deep_13);
WRAP(deep_15, deep_14);
WRAP(deep_16, deep_15);
WRAP(deep_17, deep_16) deep;

struct holder {
	struct never *never;
	struct whole *whole;
	struct holder *self;
} holders[1000] = { [999] = { 0, (struct whole *)0xffffffff803f0000, &holders[999] } };
