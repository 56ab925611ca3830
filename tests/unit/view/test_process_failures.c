/* SPDX-License-Identifier: MIT */
/*
 * test_process_failures.c: calls that fail while the memory of another process is read, and while that process is stopped.
 */
#define _GNU_SOURCE
#include "base/clock.h"
#include "failing.h"
#include "descriptors.h"
#include "no_memory.h"
#include "view/process.h"
#include "view/ptrace_stop.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE  0x1000ull
#define PAGES 200

/* The child counts, and signals in counter[1]. Page i of `memory`, its own, begins with i; the 8 pages after are not mapped. */
static atomic_uint *counter;
static uint8_t *memory;
static pid_t child;

static void on_signal(int number)
{
	(void)number;
	atomic_fetch_add(&counter[1], 1);
}

static void init(void)
{
	counter = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memory = mmap(NULL, (PAGES + 8) * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert(counter != MAP_FAILED && memory != MAP_FAILED);
	munmap(memory + PAGES * PAGE, 8 * PAGE);
	child = fork();
	if (!child) {
		signal(SIGUSR1, on_signal);
		for (unsigned int i = 0; i < PAGES; i++)
			memory[i * PAGE] = (uint8_t)i;
		for (;;)
			atomic_fetch_add(counter, 1);
	}
	while (!atomic_load(counter))
		usleep(1000);
}

static void fini(void)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

TestSuite(process_failures, .init = init, .fini = fini);

static void expect_running(void)
{
	unsigned int before = atomic_load(counter);

	for (int i = 0; i < 1000 && atomic_load(counter) < before + 2; i++)
		usleep(1000);
	cr_expect_geq(atomic_load(counter), before + 2, "the process is stopped");
}

static void expect_error(const struct error *error, enum error_kind kind, int errnum, uint64_t address,
			 const char *text)
{
	char whole[300];

	snprintf(whole, sizeof(whole), "%s%s%s", text, errnum ? ": " : "", errnum ? strerror(errnum) : "");
	cr_expect_str_eq(error->text, whole);
	cr_expect_eq(error->kind, kind, "%s", whole);
	cr_expect_eq(error->errnum, errnum, "%s", whole);
	cr_expect_eq(error->address, address, "%s", whole);
}

/* A piece of 50 pages, and one of 40 whose successors the process has. */
static int open_pieces(struct view **view, struct error *error)
{
	const struct process_memory pieces[] = {
		{ 1 << 20, 50 * PAGE, (uintptr_t)memory },
		{ 16 << 20, 40 * PAGE, (uintptr_t)memory + 100 * PAGE },
	};

	return process_view_open(child, pieces, 2, view, error);
}

static struct view *opened(void)
{
	struct view *view = NULL;
	struct error error;

	cr_assert_eq(open_pieces(&view, &error), 0, "%s", error.text);
	return view;
}

/* ---- reading ---- */

static const char no_userfaultfd[] = "no userfaultfd, by which the memory of another process is read";

Test(process_failures, each_call_that_fails_is_reported_and_leaves_nothing)
{
	static const struct {
		const char *call;
		unsigned int n;
		int errnum;
		uint64_t address;
		const char *text;
	} cases[] = {
		{ "ioctl", 1, EINVAL, 0, no_userfaultfd },
		{ "eventfd", 1, EMFILE, 0, no_userfaultfd },
		{ "mmap64", 1, ENOMEM, 1 << 20, "no room for 204800 bytes of guest memory at GPA 0x100000" },
		{ "mmap64", 2, ENOMEM, 16 << 20,
		  "no room for 163840 bytes of guest memory at GPA 0x1000000" },
		{ "ioctl", 3, EBUSY, 16 << 20, "userfaultfd does not accept guest memory" },
		{ "pthread_create", 1, EAGAIN, 0, "cannot start a thread" },
	};
	unsigned int descriptors = open_descriptors(), mappings = open_mappings();

	for (unsigned int i = 0; i < 30 * sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned int which = i % (sizeof(cases) / sizeof(cases[0]));
		bool thread = !strcmp(cases[which].call, "pthread_create");
		struct view *view = (struct view *)1;
		struct error error;

		call_fails(cases[which].call, cases[which].n, cases[which].errnum);
		cr_assert_eq(open_pieces(&view, &error), -1, "%s", cases[which].call);
		cr_assert(call_failed());
		expect_error(&error, ERROR_HOST, thread ? 0 : cases[which].errnum, cases[which].address,
			     cases[which].text);
		cr_expect_eq(view, (struct view *)1);
	}
	cr_expect_eq(open_descriptors(), descriptors);
	cr_expect_lt(open_mappings(), mappings + 25);
}

Test(process_failures, without_memory_or_without_the_process_there_is_no_view)
{
	struct error error;
	struct view *view;

	no_memory_at(1);
	cr_expect_eq(open_pieces(&view, &error), -1);
	expect_error(&error, ERROR_HOST, 0, 0, "out of memory");
	no_memory_at(2);
	cr_expect_eq(open_pieces(&view, &error), -1);
	expect_error(&error, ERROR_HOST, ENOMEM, 0, "the list of 0 of the guest's slots");
	fini();
	cr_expect_eq(open_pieces(&view, &error), -1);
	cr_expect(error.kind == ERROR_INPUT && error.errnum == ENOENT && !error.address);
	cr_expect(strstr(error.text, "cannot read the memory of process "));
	cr_expect(strstr(error.text, ": run as root, or with CAP_SYS_PTRACE: No such file or directory"));
	init();
}

Test(process_failures, the_regions_are_the_pieces)
{
	struct view *view = opened();

	cr_assert_eq(view->region_count, 2);
	for (unsigned int i = 0; i < 2; i++) {
		const struct view_region *region = &view->regions[i];

		cr_expect_eq(region->gpa, i ? 16 << 20 : 1 << 20);
		cr_expect_eq(region->size, i ? 40 * PAGE : 50 * PAGE);
		cr_expect_eq(region->hva, (uintptr_t)memory + (i ? 100 * PAGE : 0));
		cr_expect_eq(region->fd, -1);
		cr_expect(!region->offset && !region->accessed);
	}
	cr_expect(!view->cpu_count && !view->translate);
	view_destroy(view);
}

/* Descriptor 0 is one like any other. */
Test(process_failures, a_descriptor_may_be_zero)
{
	struct view *view;

	close(0);
	view = opened();
	cr_expect_neq(fcntl(0, F_GETFD), -1, "the memory of the process");
	cr_expect_eq(view->regions[0].bytes[7 * PAGE], 7);
	view_destroy(view);
	cr_expect_eq(fcntl(0, F_GETFD), -1);
}

Test(process_failures, a_copy_or_a_wait_that_fails_is_repeated)
{
	struct view *view;

	call_fails("poll", 1, EINTR);
	view = opened();
	cr_expect_eq(view->regions[0].bytes[7 * PAGE], 7);
	cr_expect(call_failed());
	call_fails("ioctl", 1, EEXIST);
	cr_expect_eq(view->regions[0].bytes[9 * PAGE], 9);
	cr_expect(call_failed());
	cr_expect_eq(process_view_lost_pages(view), 0);
	view_destroy(view);
}

static unsigned int pages_copied(const struct view_region *region)
{
	unsigned char in_core[PAGES];
	unsigned int count = 0;

	cr_assert_eq(mincore((void *)region->bytes, region->size, in_core), 0);
	for (unsigned int i = 0; i < region->size / PAGE; i++)
		count += in_core[i] & 1;
	return count;
}

Test(process_failures, sequential_reads_copy_twice_as_many_pages_each_time_up_to_the_end)
{
	struct view *view = opened();
	const struct view_region *first = &view->regions[0], *second = &view->regions[1];
	unsigned int page = 0, ahead = 1;

	for (; page < 40; page += ahead, ahead *= 2) {
		cr_expect_eq(second->bytes[page * PAGE], 100 + page);
		cr_expect_eq(pages_copied(second), page + ahead < 40 ? page + ahead : 40);
	}
	cr_expect_eq(pages_copied(first), 0, "nothing after the end of the piece");
	/* Reads that do not continue the last copy: one page each. */
	for (unsigned int i = 1; i <= 20; i++) {
		cr_expect_eq(first->bytes[(50 - i) * PAGE], 50 - i);
		cr_expect_eq(pages_copied(first), i);
	}
	view_destroy(view);
}

Test(process_failures, at_most_64_pages_are_copied_at_once)
{
	const struct process_memory piece = { 0, PAGES * PAGE, (uintptr_t)memory };
	unsigned int page = 0, ahead = 1;
	struct error error;
	struct view *view;

	cr_assert_eq(process_view_open(child, &piece, 1, &view, &error), 0);
	for (; page < PAGES; page += ahead, ahead = ahead < 64 ? 2 * ahead : 64) {
		cr_expect_eq(view->regions[0].bytes[page * PAGE], page);
		cr_expect_eq(pages_copied(&view->regions[0]), page + ahead < PAGES ? page + ahead : PAGES);
	}
	view_destroy(view);
}

Test(process_failures, each_lost_page_is_zero_whatever_was_copied_before)
{
	const struct process_memory piece = { 0, 4 * PAGE, (uintptr_t)memory + (PAGES - 2) * PAGE };
	struct error error;
	struct view *view;

	cr_assert_eq(process_view_open(child, &piece, 1, &view, &error), 0);
	for (unsigned int page = 0; page < 4; page++) {
		cr_expect_eq(view->regions[0].bytes[page * PAGE], page < 2 ? PAGES - 2 + page : 0);
		cr_expect_eq(process_view_lost_pages(view), page < 2 ? 0 : page - 1);
	}
	view_destroy(view);
}

/* ---- the stop ---- */

/* A limit of ptrace_stop_begin() that no test reaches. */
#define LONG_NS 60000000000ull

static struct ptrace_stop_end end;

/* A stop that fails with this error and leaves the process running. */
static void expect_no_stop(pid_t pid, enum error_kind kind, int errnum, const char *text)
{
	struct ptrace_stop *stop = (struct ptrace_stop *)1;
	unsigned int descriptors = open_descriptors();
	struct error error;

	cr_expect_eq(ptrace_stop_begin(pid, LONG_NS, &stop, &error), -1, "not: %s", text);
	expect_error(&error, kind, errnum, 0, text);
	cr_expect_eq(stop, (struct ptrace_stop *)1);
	cr_expect_eq(open_descriptors(), descriptors, "%s", text);
	expect_running();
}

/* Calls and allocations of the watchdog fail, too: it has the counters as they are at its start. */
Test(process_failures, a_stop_that_fails_is_reported_and_the_process_continues)
{
	static const char no_watchdog[] = "cannot start the process that stops another";
	char text[200];

	for (unsigned int n = 1; n <= 2; n++) {
		no_memory_at(n);
		expect_no_stop(child, ERROR_HOST, 0, "out of memory");
		cr_expect_eq(no_memory_failed(), n == 1, "the second is one of the watchdog");
		no_memory_at(0);
	}
	call_fails("socketpair", 1, EMFILE);
	expect_no_stop(child, ERROR_HOST, EMFILE, no_watchdog);
	call_fails("fork", 1, EAGAIN);
	expect_no_stop(child, ERROR_HOST, EAGAIN, no_watchdog);
	call_fails("send", 1, EPIPE);
	expect_no_stop(child, ERROR_HOST, 0, "the process that stops another has ended");
	call_fails("ptrace", 1, EPERM);
	snprintf(text, sizeof(text),
		 "cannot stop process %d: run as root or as its user, and without a debugger on it", child);
	expect_no_stop(child, ERROR_PERMISSION, EPERM, text);
	call_fails("", 0, 0);
	expect_no_stop(0x7ffffffe, ERROR_INPUT, 0, "there is no process 2147483646");
	end = (struct ptrace_stop_end){ 77, true };
	ptrace_stop_end(NULL, &end);
	cr_expect(!end.stopped_ns && !end.expired);
}

Test(process_failures, a_thread_that_does_not_stop_in_two_seconds_is_an_error)
{
	uint64_t before_ns = clock_monotonic_ns();
	char text[80];

	call_fails("ptrace", 2, EIO); /* the interrupt */
	snprintf(text, sizeof(text), "thread %d does not stop", child);
	expect_no_stop(child, ERROR_HOST, 0, text);
	cr_expect_geq(clock_monotonic_ns() - before_ns, 2000000000);
}

/* As one that ends between the list of threads and the call. */
Test(process_failures, a_thread_that_has_ended_is_left_out)
{
	unsigned int descriptors = open_descriptors();
	struct ptrace_stop *stop;
	struct error error;

	call_fails("ptrace", 1, ESRCH);
	cr_assert_eq(ptrace_stop_begin(child, LONG_NS, &stop, &error), 0, "%s", error.text);
	expect_running();
	ptrace_stop_end(stop, &end);
	cr_expect(end.stopped_ns > 0 && end.stopped_ns < LONG_NS && !end.expired);
	cr_expect_eq(open_descriptors(), descriptors);
}

/* Signals of this process, at the start and at the end of a stop, interrupt its calls. */
Test(process_failures, a_wait_that_is_interrupted_is_continued)
{
	struct ptrace_stop *stop;
	struct error error;

	call_fails("recv", 1, EINTR);
	cr_assert_eq(ptrace_stop_begin(child, LONG_NS, &stop, &error), 0, "%s", error.text);
	cr_expect(call_failed());
	call_fails("waitpid", 1, EINTR);
	ptrace_stop_end(stop, &end);
	cr_expect(call_failed());
	cr_expect_not(end.expired);
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), 0, "the watchdog is no zombie");
	expect_running();
}

/* A seized thread stops at a signal. */
static void signal_child(void)
{
	kill(child, SIGUSR1);
	usleep(20000);
}

/* The watchdog sends it: the second ptrace() is its interrupt. */
Test(process_failures, a_signal_that_comes_before_the_interrupt_is_delivered_by_the_end)
{
	struct ptrace_stop *stop;
	struct error error;

	call_preceded("ptrace", 2, signal_child);
	cr_assert_eq(ptrace_stop_begin(child, LONG_NS, &stop, &error), 0, "%s", error.text);
	cr_expect_eq(atomic_load(&counter[1]), 0);
	ptrace_stop_end(stop, &end);
	expect_running();
	cr_expect_eq(atomic_load(&counter[1]), 1);
}
