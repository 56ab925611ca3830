/* SPDX-License-Identifier: MIT */
/*
 * leaks.c: a leak makes a test fail. Criterion ignores the exit status of a test that it has taken for passed, but not its
 * death by a signal.
 */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "abort_on_error=1";
}
