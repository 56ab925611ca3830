/* SPDX-License-Identifier: MIT */
/* other.c: has a static variable that program.c has, too. */
#include "program.h"

static int twin = 2;

int other_twin(void)
{
	return twin++;
}
