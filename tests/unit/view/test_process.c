/* SPDX-License-Identifier: MIT */
/*
 * The memory of another process, read without its help; and that process in a ptrace stop.
 */
#define _GNU_SOURCE
#include "base/clock.h"
#include "descriptors.h"
#include "view/process.h"
#include "view/ptrace_stop.h"
#include "no_memory.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE  0x1000ull
#define PAGES 300

/* What the child and the test share; `private` is a copy of the child's own, at the same address in both. */
static struct {
	atomic_uint counters[2];
	atomic_uint signals;
} * shared;
static uint8_t *private;
static pid_t child;

static void *count(void *counter)
{
	for (;;) {
		atomic_fetch_add((atomic_uint *)counter, 1);
		sched_yield();
	}
	return NULL;
}

static void on_signal(int number)
{
	(void)number;
	atomic_fetch_add(&shared->signals, 1);
}

/* Two threads that count, and memory in which each page begins with its number. */
static void live(void)
{
	pthread_t thread;

	for (uint32_t i = 0; i < PAGES; i++)
		memcpy(private + i * PAGE, &i, sizeof(i));
	signal(SIGUSR1, on_signal);
	pthread_create(&thread, NULL, count, &shared->counters[1]);
	count(&shared->counters[0]);
}

/* Until both threads of the child have run. */
static void wait_until_it_counts(void)
{
	unsigned int before[2];

	for (int i = 0; i < 2; i++)
		before[i] = atomic_load(&shared->counters[i]);
	for (int i = 0; i < 2; i++)
		while (atomic_load(&shared->counters[i]) < before[i] + 2)
			sched_yield();
}

/* The third field of /proc/PID/task/THREAD/stat: 't' in a ptrace stop, 'T' in a stop by a signal. */
static char state_of(const char *thread)
{
	char path[300], text[512] = "";
	const char *end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/stat", child, thread);
	file = fopen(path, "r");
	cr_assert(file && fgets(text, sizeof(text), file));
	fclose(file);
	end = strrchr(text, ')');
	cr_assert(end && end[1] == ' ');
	return end[2];
}

static unsigned int threads_in_state(char state)
{
	const struct dirent *entry;
	unsigned int count = 0;
	char path[64];
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/task", child);
	folder = opendir(path);
	cr_assert(folder);
	while ((entry = readdir(folder)))
		if (isdigit(entry->d_name[0]))
			count += state_of(entry->d_name) == state;
	closedir(folder);
	return count;
}

static void init(void)
{
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	private = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert(shared != MAP_FAILED && private != MAP_FAILED);
	child = fork();
	if (!child)
		live();
	cr_assert_gt(child, 0);
	wait_until_it_counts();
}

static void fini(void)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

TestSuite(process, .init = init, .fini = fini);

static struct view *open_view(void)
{
	const struct process_memory pieces[] = {
		{ 1 << 20, 200 * PAGE, (uintptr_t) private },
		{ 16 << 20, 100 * PAGE, (uintptr_t) private + 200 * PAGE },
		{ 32 << 20, 4 * PAGE, PAGE },
	};
	struct error error;
	struct view *view;

	cr_assert_eq(process_view_open(child, pieces, 3, &view, &error), 0, "%s", error.text);
	return view;
}

static uint32_t number_at(const struct view *view, uint64_t gpa)
{
	uint32_t number = ~0u;
	struct error error;

	cr_expect_eq(view_read(view, gpa, &number, sizeof(number), &error), 0);
	return number;
}

Test(process, each_page_is_read_from_where_its_piece_lies)
{
	struct view *view = open_view();

	cr_expect_eq(number_at(view, (1 << 20) + 77 * PAGE), 77);
	cr_expect_eq(number_at(view, (16 << 20) + 3 * PAGE), 203);
	/* Ascending, so that pages are copied ahead, page 77 again too. */
	for (uint32_t i = 0; i < 200; i++)
		cr_assert_eq(number_at(view, (1 << 20) + i * PAGE), i);
	for (uint32_t i = 100; i--;)
		cr_assert_eq(number_at(view, (16 << 20) + i * PAGE), 200 + i);
	cr_expect_eq(process_view_lost_pages(view), 0);
	view_destroy(view);
}

static bool is_mapped(const void *address)
{
	unsigned char in_core;

	return mincore((void *)address, PAGE, &in_core) == 0;
}

Test(process, a_view_that_is_destroyed_leaves_no_mapping_and_no_descriptor)
{
	unsigned int descriptors = open_descriptors();
	struct view *view = open_view();
	const uint8_t *bytes[] = { view->regions[0].bytes, view->regions[1].bytes };

	cr_expect(is_mapped(bytes[0]) && is_mapped(bytes[1]));
	cr_expect_eq(open_descriptors(), descriptors + 3);
	view_destroy(view);
	cr_expect_not(is_mapped(bytes[0]));
	cr_expect_not(is_mapped(bytes[1]));
	cr_expect_eq(open_descriptors(), descriptors);
}

Test(process, pieces_that_overlap_are_refused_and_leave_nothing_open)
{
	const struct process_memory pieces[] = {
		{ 1 << 20, 2 * PAGE, (uintptr_t) private },
		{ (1 << 20) + PAGE, PAGE, (uintptr_t) private },
	};
	unsigned int descriptors = open_descriptors();
	struct error error;
	struct view *view;

	cr_expect_eq(process_view_open(child, pieces, 2, &view, &error), -1);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect(strstr(error.text, "overlaps"), "%s", error.text);
	cr_expect_eq(open_descriptors(), descriptors);
}

Test(process, memory_that_the_process_does_not_have_is_counted_and_reads_as_zeros)
{
	struct view *view = open_view();

	cr_expect_eq(number_at(view, (32 << 20) + PAGE), 0);
	cr_expect_eq(process_view_lost_pages(view), 1);
	view_destroy(view);
}

Test(process, memory_of_a_process_that_ended_is_counted_too)
{
	struct view *view = open_view();

	cr_expect_eq(number_at(view, 1 << 20), 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	cr_expect_eq(number_at(view, 1 << 20), 0, "a page that was read before stays");
	cr_expect_eq(process_view_lost_pages(view), 0);
	number_at(view, 16 << 20);
	cr_expect_eq(process_view_lost_pages(view), 1);
	view_destroy(view);
}

Test(process, a_process_that_does_not_exist_has_no_memory)
{
	struct error error;
	struct view *view;

	cr_expect_eq(process_view_open(0x7fffffff, NULL, 0, &view, &error), -1);
	cr_expect_eq(error.kind, ERROR_INPUT);
	no_memory_at(1);
	cr_expect_eq(process_view_open(child, NULL, 0, &view, &error), -1);
	cr_expect(no_memory_failed());
}

Test(process, without_descriptors_there_is_no_view)
{
	const struct process_memory piece = { 1 << 20, PAGE, (uintptr_t) private };
	struct rlimit limit;
	struct error error;
	struct view *view;
	rlim_t before;
	int next = dup(0);

	/* The memory's is the last one that is left. */
	close(next);
	getrlimit(RLIMIT_NOFILE, &limit);
	before = limit.rlim_cur;
	limit.rlim_cur = (rlim_t)next + 1;
	setrlimit(RLIMIT_NOFILE, &limit);
	cr_expect_eq(process_view_open(child, &piece, 1, &view, &error), -1);
	limit.rlim_cur = before;
	setrlimit(RLIMIT_NOFILE, &limit);
	cr_expect(strstr(error.text, "no userfaultfd"), "%s", error.text);
}

Test(process, a_system_call_may_be_the_first_to_read_a_page)
{
	struct view *view = open_view();
	uint32_t number = 0;
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	if (write(ends[1], view_bytes(view, (1 << 20) + 9 * PAGE, 4), 4) != 4)
		cr_skip_test("only root may serve the kernel's own faults");
	cr_expect_eq(read(ends[0], &number, 4), 4);
	cr_expect_eq(number, 9);
	view_destroy(view);
}

Test(process, pieces_that_are_empty_unaligned_or_overlap_are_refused)
{
	static const struct process_memory pieces[][2] = {
		{ { 0, 4 * PAGE, PAGE }, { 3 * PAGE, PAGE, PAGE } },
		{ { 0, PAGE, PAGE }, { PAGE, 0, PAGE } },
		{ { 0, PAGE, PAGE }, { PAGE + 8, PAGE, PAGE } },
		{ { 0, PAGE, PAGE }, { -PAGE, 2 * PAGE, PAGE } },
		{ { 0, PAGE, PAGE }, { PAGE, 1ull << 60, PAGE } },
	};
	struct view *view;
	struct error error;

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		error = (struct error){ 0 };
		cr_expect_eq(process_view_open(child, pieces[i], 2, &view, &error), -1, "case %zu", i);
		cr_expect_neq(error.text[0], 0);
	}
}

/* The child is replaced by one of another user, who is this process's user too if `same`. */
static void become_another_user(bool same)
{
	if (geteuid() != 0)
		cr_skip_test("only root can become another user");
	if (same) {
		fini();
		cr_assert_eq(setresgid(65534, 65534, 65534) | setresuid(65534, 65534, 65534), 0);
		/* Lost with the old user; without it the new one may not read this process's child. */
		cr_assert_eq(prctl(PR_SET_DUMPABLE, 1), 0);
		init();
	} else {
		cr_assert_eq(setresgid(65534, 65534, 0) | setresuid(65534, 65534, 0), 0);
	}
}

/* A limit of ptrace_stop_begin() that no test reaches. */
#define LONG_NS 600000000000ull

static struct ptrace_stop_end end;

Test(process, a_user_without_privileges_reads_and_stops_a_process_of_its_own)
{
	struct ptrace_stop *stop;
	struct error error;
	struct view *view;

	become_another_user(true);
	view = open_view();
	for (uint32_t i = 0; i < 200; i++)
		cr_assert_eq(number_at(view, (1 << 20) + i * PAGE), i);
	view_destroy(view);
	cr_assert_eq(ptrace_stop_begin(child, LONG_NS, &stop, &error), 0, "%s", error.text);
	ptrace_stop_end(stop, &end);
	wait_until_it_counts();
}

Test(process, the_process_of_another_user_is_neither_read_nor_stopped)
{
	const struct process_memory piece = { 0, PAGE, (uintptr_t) private };
	struct ptrace_stop *stop;
	struct error error;
	struct view *view;

	become_another_user(false);
	cr_expect_eq(process_view_open(child, &piece, 1, &view, &error), -1);
	cr_expect_eq(error.kind, ERROR_PERMISSION);
	cr_expect_eq(ptrace_stop_begin(child, LONG_NS, &stop, &error), -1);
	cr_expect_eq(error.kind, ERROR_PERMISSION);
	cr_assert_eq(setresuid(0, 0, 0), 0);
	wait_until_it_counts();
}

Test(process, a_process_that_a_debugger_has_stopped_is_refused_and_left_alone)
{
	struct ptrace_stop *first, *second;
	struct error error;
	pid_t other;
	int status;

	cr_assert_eq(ptrace_stop_begin(child, LONG_NS, &first, &error), 0, "%s", error.text);
	other = fork();
	if (!other)
		_exit(ptrace_stop_begin(child, LONG_NS, &second, &error) == 0 ? 0 : 1 + error.kind);
	cr_assert_eq(waitpid(other, &status, 0), other);
	cr_assert(WIFEXITED(status));
	cr_expect_eq(WEXITSTATUS(status), 1 + ERROR_PERMISSION);
	cr_expect_eq(threads_in_state('t'), 2);
	ptrace_stop_end(first, &end);
	wait_until_it_counts();
}

Test(process, every_thread_is_in_the_ptrace_stop_and_runs_after_it)
{
	uint64_t before_ns = clock_monotonic_ns();
	struct ptrace_stop *stop;
	unsigned int before[2];
	struct error error;

	cr_assert_eq(ptrace_stop_begin(child, LONG_NS, &stop, &error), 0, "%s", error.text);
	for (int i = 0; i < 2; i++)
		before[i] = atomic_load(&shared->counters[i]);
	cr_expect_eq(threads_in_state('t'), 2);
	for (int i = 0; i < 2; i++)
		cr_expect_eq(atomic_load(&shared->counters[i]), before[i], "thread %d", i);
	ptrace_stop_end(stop, &end);
	cr_expect_gt(end.stopped_ns, 0);
	cr_expect(!end.expired);
	cr_expect_leq(end.stopped_ns, clock_monotonic_ns() - before_ns);
	wait_until_it_counts();
	cr_expect_eq(threads_in_state('t'), 0);
}

Test(process, a_ptrace_stop_ends_at_its_limit)
{
	struct ptrace_stop *stop;
	struct error error;

	cr_assert_eq(ptrace_stop_begin(child, 100000000, &stop, &error), 0, "%s", error.text);
	/* This process does nothing for it. */
	wait_until_it_counts();
	ptrace_stop_end(stop, &end);
	cr_expect(end.expired);
	cr_expect_geq(end.stopped_ns, 100000000);
}

Test(process, of_two_ptrace_stops_the_first_ends_first)
{
	struct ptrace_stop *first, *second;
	struct error error;
	pid_t other = fork();

	if (!other)
		for (;;)
			pause();
	cr_assert_eq(ptrace_stop_begin(child, 5000000000, &first, &error), 0, "%s", error.text);
	cr_assert_eq(ptrace_stop_begin(other, LONG_NS, &second, &error), 0, "%s", error.text);
	ptrace_stop_end(first, &end);
	cr_expect(!end.expired);
	wait_until_it_counts();
	ptrace_stop_end(second, &end);
	kill(other, SIGKILL);
	cr_assert_eq(waitpid(other, NULL, 0), other);
}

Test(process, a_ptrace_stop_ends_with_the_process_that_wanted_it)
{
	struct ptrace_stop *stop;
	struct error error;
	pid_t other = fork();

	if (!other) {
		if (ptrace_stop_begin(child, LONG_NS, &stop, &error) == 0)
			raise(SIGKILL);
		_exit(1);
	}
	cr_assert_eq(waitpid(other, NULL, 0), other);
	wait_until_it_counts();
}

Test(process, no_signal_is_lost)
{
	struct ptrace_stop *stop;
	struct error error;

	for (unsigned int i = 1; i <= 50; i++) {
		kill(child, SIGUSR1);
		cr_assert_eq(ptrace_stop_begin(child, LONG_NS, &stop, &error), 0, "%s", error.text);
		ptrace_stop_end(stop, &end);
		while (atomic_load(&shared->signals) < i)
			sched_yield();
		wait_until_it_counts();
		cr_assert_eq(atomic_load(&shared->signals), i);
	}
}

Test(process, a_process_that_was_stopped_already_stays_so)
{
	struct ptrace_stop *stop;
	struct error error;
	int status;

	kill(child, SIGSTOP);
	cr_assert_eq(waitpid(child, &status, WUNTRACED), child);
	cr_assert_eq(ptrace_stop_begin(child, LONG_NS, &stop, &error), 0, "%s", error.text);
	cr_expect_eq(threads_in_state('t'), 2);
	ptrace_stop_end(stop, &end);
	while (threads_in_state('T') < 2)
		sched_yield();
	cr_expect_eq(waitpid(child, &status, WNOHANG | WCONTINUED), 0, "it was not continued");
	kill(child, SIGCONT);
	wait_until_it_counts();
}

Test(process, a_process_that_is_not_there_cannot_be_stopped_or_read)
{
	struct ptrace_stop *stop;
	const struct process_memory piece = { 0, PAGE, PAGE };
	struct view *view;
	struct error error;

	cr_expect_eq(ptrace_stop_begin(2147483647, LONG_NS, &stop, &error), -1);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect_eq(process_view_open(2147483647, &piece, 1, &view, &error), -1);
	cr_expect_eq(error.kind, ERROR_INPUT);
}
