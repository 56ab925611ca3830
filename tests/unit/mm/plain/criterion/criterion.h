/* SPDX-License-Identifier: MIT */
/*
 * criterion.h: the part of Criterion that test_threads.c and test_signals.c need, for a program under
 * ThreadSanitizer, where Criterion itself cannot run. Replaces its header.
 */
#ifndef TESTS_UNIT_MM_PLAIN_CRITERION_H
#define TESTS_UNIT_MM_PLAIN_CRITERION_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct plain_parameters {
	size_t size, count;
	void *items;
};

struct plain_test {
	const char *name;
	void (*run)(void *parameter);
	struct plain_parameters (*parameters)(void); /* NULL: it has none */
	struct plain_test *next;
};

void plain_add(struct plain_test *test);
_Noreturn void plain_fail(const char *what, const char *file, int line);

#define PLAIN_ADD(suite, name, ...)                                                                          \
	__attribute__((constructor)) static void suite##_##name##_add(void)                                  \
	{                                                                                                    \
		static struct plain_test test = { #suite "::" #name, __VA_ARGS__, NULL };                    \
                                                                                                             \
		plain_add(&test);                                                                            \
	}

#define Test(suite, name)                                                                                    \
	static void suite##_##name(void *unused);                                                            \
	PLAIN_ADD(suite, name, suite##_##name, NULL)                                                         \
	static void suite##_##name(void *unused __attribute__((unused)))

#define ParameterizedTestParameters(suite, name)                                                             \
	static struct plain_parameters suite##_##name##_parameters(void);                                    \
	static struct plain_parameters suite##_##name##_parameters(void)

#define ParameterizedTest(parameter, suite, name)                                                            \
	static void suite##_##name(parameter);                                                               \
	static void suite##_##name##_run(void *item)                                                         \
	{                                                                                                    \
		suite##_##name(item);                                                                        \
	}                                                                                                    \
	PLAIN_ADD(suite, name, suite##_##name##_run, suite##_##name##_parameters)                            \
	static void suite##_##name(parameter)

#define cr_make_param_array(type, array, count) ((struct plain_parameters){ sizeof(type), count, array })

#define cr_assert(condition, ...)   ((condition) ? (void)0 : plain_fail(#condition, __FILE__, __LINE__))
#define cr_assert_eq(a, b, ...)     cr_assert((a) == (b))
#define cr_assert_neq(a, b, ...)    cr_assert((a) != (b))
#define cr_assert_lt(a, b, ...)     cr_assert((a) < (b))
#define cr_assert_leq(a, b, ...)    cr_assert((a) <= (b))
#define cr_assert_gt(a, b, ...)     cr_assert((a) > (b))
#define cr_assert_geq(a, b, ...)    cr_assert((a) >= (b))
#define cr_assert_null(a, ...)      cr_assert(!(a))
#define cr_assert_not_null(a, ...)  cr_assert(a)
#define cr_assert_str_eq(a, b, ...) cr_assert(!strcmp(a, b))

#endif
