/* SPDX-License-Identifier: MIT */
/*
 * fuzz.c: what the fuzz targets share.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

void fuzz_broken(const char *promise, const char *file, int line)
{
	fprintf(stderr, "%s:%d: broken promise: %s\n", file, line, promise);
	abort();
}

uint64_t fuzz_number(struct fuzz_input *input, size_t size)
{
	uint64_t number = 0;

	for (size_t i = 0; i < size && input->left; i++, input->left--)
		number |= (uint64_t)*input->at++ << (8 * i);
	return number;
}
