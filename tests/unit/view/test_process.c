/* SPDX-License-Identifier: MIT */
/*
 * test_foreign.c: the memory of a process that does not help, and that process standing still.
 */
#define _GNU_SOURCE
#include "view/process.h"
#include "view/ptrace_stop.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
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

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
}

static void *count(void *counter)
{
	for (;;) {
		atomic_fetch_add((atomic_uint *)counter, 1);
		nap();
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

static bool counts(void)
{
	unsigned int before[2];

	for (int i = 0; i < 2; i++)
		before[i] = atomic_load(&shared->counters[i]);
	for (int naps = 0; naps < 50000; naps++) {
		nap();
		if (atomic_load(&shared->counters[0]) > before[0] + 1 &&
		    atomic_load(&shared->counters[1]) > before[1] + 1)
			return true;
	}
	return false;
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
	cr_assert(counts(), "the child lives");
}

static void fini(void)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

TestSuite(process, .init = init, .fini = fini, .timeout = 60);

static struct view *look(void)
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
	struct view *view = look();

	cr_expect_eq(number_at(view, (1 << 20) + 77 * PAGE), 77);
	cr_expect_eq(number_at(view, (16 << 20) + 3 * PAGE), 203);
	/* Ascending, so that what comes is copied ahead; over what was there before, too. */
	for (uint32_t i = 0; i < 200; i++)
		cr_assert_eq(number_at(view, (1 << 20) + i * PAGE), i);
	for (uint32_t i = 100; i--;)
		cr_assert_eq(number_at(view, (16 << 20) + i * PAGE), 200 + i);
	cr_expect_eq(process_view_lost_pages(view), 0);
	view_destroy(view);
}

Test(process, memory_that_the_process_does_not_have_is_told_and_reads_as_zeros)
{
	struct view *view = look();

	cr_expect_eq(number_at(view, (32 << 20) + PAGE), 0);
	cr_expect_eq(process_view_lost_pages(view), 1);
	view_destroy(view);
}

Test(process, a_process_that_ended_is_told_too)
{
	struct view *view = look();

	cr_expect_eq(number_at(view, 1 << 20), 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	cr_expect_eq(number_at(view, 1 << 20), 0, "what was looked at is kept");
	cr_expect_eq(process_view_lost_pages(view), 0);
	number_at(view, 16 << 20);
	cr_expect_eq(process_view_lost_pages(view), 1);
	view_destroy(view);
}

Test(process, a_system_call_may_be_the_first_to_look)
{
	struct view *view = look();
	uint32_t number = 0;
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	if (write(ends[1], view_bytes(view, (1 << 20) + 9 * PAGE, 4), 4) != 4)
		cr_skip_test("only root may serve the kernel's own faults");
	cr_expect_eq(read(ends[0], &number, 4), 4);
	cr_expect_eq(number, 9);
	view_destroy(view);
}

Test(process, no_thread_of_a_process_that_stands_still_moves)
{
	struct ptrace_stop *stop;
	unsigned int before[2];
	struct error error;

	cr_assert_eq(ptrace_stop_begin(child, &stop, &error), 0, "%s", error.text);
	for (int i = 0; i < 2; i++)
		before[i] = atomic_load(&shared->counters[i]);
	for (int i = 0; i < 100; i++)
		nap();
	for (int i = 0; i < 2; i++)
		cr_expect_eq(atomic_load(&shared->counters[i]), before[i], "thread %d", i);
	cr_expect_geq(ptrace_stop_end(stop), 100 * 100000);
	cr_expect(counts(), "it goes on");
}

Test(process, no_signal_is_lost)
{
	struct ptrace_stop *stop;
	struct error error;

	for (unsigned int i = 1; i <= 50; i++) {
		kill(child, SIGUSR1);
		cr_assert_eq(ptrace_stop_begin(child, &stop, &error), 0, "%s", error.text);
		ptrace_stop_end(stop);
		cr_assert(counts());
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
	cr_assert_eq(ptrace_stop_begin(child, &stop, &error), 0, "%s", error.text);
	ptrace_stop_end(stop);
	cr_expect_not(WIFCONTINUED(status));
	cr_expect_eq(waitpid(child, &status, WNOHANG | WCONTINUED), 0, "nobody let it go on");
	kill(child, SIGCONT);
	cr_expect(counts(), "it goes on when it is told to");
}

Test(process, a_process_that_is_not_there_cannot_stand_still)
{
	struct ptrace_stop *stop;
	const struct process_memory piece = { 0, PAGE, PAGE };
	struct view *view;
	struct error error;

	cr_expect_eq(ptrace_stop_begin(2147483647, &stop, &error), -1);
	cr_expect_eq(error.kind, ERROR_INPUT);
	cr_expect_eq(process_view_open(2147483647, &piece, 1, &view, &error), -1);
	cr_expect_eq(error.kind, ERROR_INPUT);
}
