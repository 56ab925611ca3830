/* SPDX-License-Identifier: MIT */
/* whole.c: the definition of `struct whole`, in the last unit of the program. */
#include "kinds.h"

struct whole {
	long before;
	int value;
};

struct whole wholes[2] = { { 1, 10 }, { 2, 20 } };
struct whole *whole_pointer = &wholes[1];
