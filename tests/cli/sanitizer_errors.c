// SPDX-License-Identifier: MIT
// A program with one error of the kind that its argument names; without a sanitizer it exits with status 0.
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void *volatile kept;

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";
	volatile int number = INT_MAX;

	kept = malloc(4);
	if (strcmp(kind, "overflow") == 0)
		number = number + 1;
	else if (strcmp(kind, "bounds") == 0)
		((volatile char *)kept)[4] = 1;
	else if (strcmp(kind, "leak") == 0)
		kept = NULL;
	return 0;
}
