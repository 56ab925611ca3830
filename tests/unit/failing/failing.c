/* SPDX-License-Identifier: MIT */
#include "failing.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

static const char *failing;
static int failure;
static void (*precedes)(void);
static atomic_uint passing_left, failures_left; /* other threads call, too */
static atomic_bool failed;

static void choose(const char *name, unsigned int n, unsigned int times, int errnum)
{
	failures_left = 0;
	failing = name;
	failure = errnum;
	precedes = NULL;
	passing_left = n ? n - 1 : 0;
	failed = false;
	failures_left = n ? times : 0;
}

void call_fails(const char *name, unsigned int n, int errnum)
{
	choose(name, n, 1, errnum);
}

void calls_fail(const char *name, int errnum, unsigned int times)
{
	choose(name, 1, times, errnum);
}

void call_preceded(const char *name, unsigned int n, void (*function)(void))
{
	choose(name, n, 0, 0);
	precedes = function;
	failures_left = 1;
}

bool call_failed(void)
{
	return failed;
}

bool call_is_failing(const char *name)
{
	if (!failures_left || strcmp(failing, name) != 0)
		return false;
	if (passing_left) {
		passing_left--;
		return false;
	}
	failures_left--;
	failed = true;
	if (precedes) {
		precedes();
		return false;
	}
	errno = failure;
	return true;
}
