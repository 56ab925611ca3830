/* SPDX-License-Identifier: MIT */
/* other.c: has a static variable and a structure that program.c has too. */
#include "program.h"

static int twin = 2;

struct twin {
	long before;
	int second;
} second_twin;

int other_twin(void)
{
	return twin++;
}
