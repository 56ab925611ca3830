/* SPDX-License-Identifier: MIT */
/* A library that no other part of the test uses: it is loaded at the first call, with all arguments. */
#include "base/lazy_library.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

double fma(double x, double y, double z);
double scalbln(double x, long n);

#define FUNCTIONS(X) X(fma) X(scalbln)
LAZY_LIBRARY("libm.so.6", FUNCTIONS)

/* Values that the compiler does not know. */
static volatile double two = 2;
static volatile long three = 3;

Test(lazy_library, the_first_call_and_later_ones_have_their_arguments)
{
	void *before = lazy_address_fma;

	cr_expect_eq(fma(two, 21, 1), 43.0);
	cr_expect_neq(lazy_address_fma, before);
	cr_expect_neq(lazy_address_scalbln, (void *)lazy_first_scalbln, "all functions are found at once");
	cr_expect_eq(fma(two, 21, -two), 40.0);
	cr_expect_eq(scalbln(two, three), 16.0);
}

Test(lazy_library, a_library_that_is_not_there_is_an_error)
{
	const struct lazy_library none = { .file = "libkvmap-none.so.1" };
	struct error error = { 0 };

	cr_assert_eq(lazy_library_load(&none, &error), -1);
	cr_expect_eq(error.kind, ERROR_HOST);
	cr_expect(strstr(error.text, "libkvmap-none.so.1 cannot be loaded: is it installed?"), "%s",
		  error.text);
}

Test(lazy_library, a_library_without_a_function_is_an_error)
{
	void *address = NULL;
	const struct lazy_function missing = { "kvmap_none", &address };
	const struct lazy_library library = { "libm.so.6", &missing, 1 };
	struct error error = { 0 };

	cr_assert_eq(lazy_library_load(&library, &error), -1);
	cr_expect(strstr(error.text, "libm.so.6 has no function kvmap_none"), "%s", error.text);
	cr_expect_null(address);
}

static void end_with_3(const char *text)
{
	_exit(strstr(text, "libkvmap-none.so.1 cannot be loaded") ? 3 : 4);
}

Test(lazy_library, a_call_of_what_cannot_be_loaded_ends_the_process_as_its_program_wants, .exit_code = 3)
{
	const struct lazy_library none = { .file = "libkvmap-none.so.1" };

	lazy_library_begin(end_with_3);
	lazy_library_need(&none);
}
