/* SPDX-License-Identifier: MIT */
/*
 * main.c: runs each test in a process of its own, since a process boots one machine. TAP on stdout.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct plain_test *tests;
static int number, failed;

void plain_add(struct plain_test *test)
{
	test->next = tests;
	tests = test;
}

void plain_fail(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: not true: %s\n", file, line, what);
	_Exit(1);
}

static void run(const struct plain_test *test, void *parameter)
{
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		test->run(parameter);
		exit(0); /* ThreadSanitizer's own status if it has found a race */
	}
	if (child > 0)
		waitpid(child, &status, 0);
	failed += status != 0;
	printf("%s %d - %s\n", status ? "not ok" : "ok", ++number, test->name);
}

int main(void)
{
	for (const struct plain_test *test = tests; test; test = test->next) {
		struct plain_parameters parameters = { 0 };

		if (!test->parameters) {
			run(test, NULL);
			continue;
		}
		parameters = test->parameters();
		for (size_t i = 0; i < parameters.count; i++)
			run(test, (char *)parameters.items + i * parameters.size);
	}
	printf("1..%d\n", number);
	return failed != 0;
}
