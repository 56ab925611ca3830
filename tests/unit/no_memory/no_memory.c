/* SPDX-License-Identifier: MIT */
#include "no_memory.h"

#include <errno.h>
#include <stddef.h>

/* The linker's names for the functions and for the calls of them (--wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static unsigned int left;
static bool failed;

void no_memory_at(unsigned int n)
{
	left = n;
	failed = false;
}

bool no_memory_failed(void)
{
	return failed;
}

static bool fails(void)
{
	if (!left || --left)
		return false;
	failed = true;
	errno = ENOMEM;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return fails() ? NULL : __real_realloc(memory, size);
}
