// SPDX-License-Identifier: MIT
/*
 * load.c: work for the memory manager of the Linux kernel that tests/linux/run boots. All threads map, protect, move, discard and
 * unmap memory, hand pages to each other, and check contents; processes fork from them. Prints one line at its end.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 16, HUGE = 2 << 20, THREADS = 4, SHARED = 8 };

static int rounds;
static uint64_t *_Atomic shared[SHARED]; /* a page each; its first word is its own address */

static void require(int condition, const char *what)
{
	if (condition)
		return;
	printf("load: failed: %s\n", what);
	exit(1);
}

static char *map(size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	require(p != MAP_FAILED, "mmap");
	return p;
}

static void fill(char *p, int value)
{
	for (int i = 0; i < PAGES; i++)
		p[i * PAGE] = (char)(value + i);
}

static void check(const char *p, int value)
{
	for (int i = 0; i < PAGES; i++)
		require(p[i * PAGE] == (char)(value + i), "contents");
}

static void small_pages(int value)
{
	char *p = map(PAGES * PAGE), *q;

	fill(p, value);
	require(!mprotect(p, PAGES * PAGE, PROT_READ), "mprotect");
	check(p, value);
	require(!mprotect(p, PAGES * PAGE, PROT_READ | PROT_WRITE), "mprotect");
	q = mremap(p, PAGES * PAGE, 2 * PAGES * PAGE, MREMAP_MAYMOVE);
	require(q != MAP_FAILED, "mremap");
	check(q, value);
	require(!madvise(q, PAGES * PAGE, MADV_DONTNEED), "madvise");
	require(q[0] == 0 && q[(PAGES - 1) * PAGE] == 0, "discarded pages are zero");
	fill(q, value + 1);
	check(q, value + 1);
	munmap(q, 2 * PAGES * PAGE);
}

static void huge_page(int value)
{
	char *p = map(2 * HUGE), *huge = (char *)(((uintptr_t)p + HUGE - 1) & -(uintptr_t)HUGE);

	madvise(huge, HUGE, MADV_HUGEPAGE);
	fill(huge, value);
	require(!mprotect(huge + PAGES * PAGE, PAGE, PROT_READ), "mprotect of a part of a huge page");
	check(huge, value);
	munmap(p, 2 * HUGE);
}

static void copy_on_write(int value)
{
	char *p = map(PAGES * PAGE);
	int status;
	pid_t child;

	fill(p, value);
	child = fork();
	require(child >= 0, "fork");
	if (!child) {
		check(p, value);
		fill(p, value + 7);
		check(p, value + 7);
		_exit(0);
	}
	fill(p, value + 3);
	check(p, value + 3);
	require(waitpid(child, &status, 0) == child && status == 0, "the child");
	munmap(p, PAGES * PAGE);
}

/* Puts a page of this thread's in the place of one of another's, which this thread then unmaps. */
static void exchange(int value)
{
	uint64_t *mine = (uint64_t *)map(PAGE), *other;

	mine[0] = (uint64_t)(uintptr_t)mine;
	other = __atomic_exchange_n(&shared[value % SHARED], mine, __ATOMIC_ACQ_REL);
	if (!other)
		return;
	require(other[0] == (uint64_t)(uintptr_t)other, "the page of another thread");
	munmap(other, PAGE);
}

static void *work(void *argument)
{
	int thread = (int)(intptr_t)argument;

	for (int i = 0; i < rounds; i++) {
		small_pages(thread * 31 + i);
		exchange(i + thread);
		if (i % 4 == 0)
			huge_page(thread + i);
		if (i % 8 == thread)
			copy_on_write(thread + i);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];

	rounds = argc > 1 ? atoi(argv[1]) : 20;
	for (intptr_t i = 0; i < THREADS; i++)
		require(!pthread_create(&threads[i], NULL, work, (void *)i), "pthread_create");
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	printf("load: %d rounds of %d threads\n", rounds, THREADS);
	return 0;
}
