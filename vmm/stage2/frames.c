/* SPDX-License-Identifier: MIT */
/*
 * frames.c: finds the host frames that back the leaves, by bulk reads of /proc/PID/pagemap.
 */
#include "stage2/pagemap.h"
#include "base/page.h"
#include "stage2/stage2.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Maximum of one read, in words of 8 bytes, one per page: covers 256 MiB of memory. */
#define WINDOW_WORDS (1u << 16)
/* Leaves at most this many pages apart are read together, because skipping costs a system call. */
#define WINDOW_GAP 512

/* A part of pagemap. start is a page number, count the number of valid words. */
struct window {
	int fd;
	uint64_t start, count;
	uint64_t *words;
	int errnum;  /* errno of a read that failed; 0: none */
	bool hidden; /* a present page without a frame number: the kernel hides it */
};

/*
 * Number of pages from the start of `leaf` to the end of the last leaf that is near enough and fits into a
 * window.
 */
static uint64_t pages_ahead(const struct stage2 *stage2, const struct stage2_leaf *leaf)
{
	const struct stage2_leaf *end = stage2->leaves.items + stage2->leaves.count;
	uint64_t start = leaf->gpa / PAGE_4K, reached = start;

	for (; leaf < end; leaf++) {
		uint64_t page = leaf->gpa / PAGE_4K, next = page + stage2_leaf_frames(leaf);

		if ((page > reached && page - reached > WINDOW_GAP) || next - start > WINDOW_WORDS)
			break;
		reached = next > reached ? next : reached;
	}
	return reached - start;
}

static bool window_holds(const struct window *window, uint64_t page, uint64_t pages)
{
	return page >= window->start && page - window->start <= window->count &&
	       window->count - (page - window->start) >= pages;
}

/* Reads `pages` words from `page` on, at most WINDOW_WORDS. False if it could read only fewer. */
static bool window_move(struct window *window, uint64_t page, uint64_t pages)
{
	ssize_t length =
		pread(window->fd, window->words, pages * sizeof(uint64_t), (off_t)(page * sizeof(uint64_t)));

	if (length < 0)
		window->errnum = errno;
	window->start = page;
	window->count = length > 0 ? (uint64_t)length / sizeof(uint64_t) : 0;
	return window->count >= pages;
}

/*
 * Takes `count` words of a leaf; words[0] is its word number `first`. The leaf keeps word 0 as its backing;
 * `stray` records the first page whose frame is not contiguous with it.
 */
static void take_words(struct stage2_leaf *leaf, const uint64_t *words, uint64_t first, uint64_t count,
		       struct window *window)
{
	if (!first)
		leaf->backing = words[0];
	for (uint64_t i = 0; i < count && !leaf->stray; i++) {
		uint64_t frame = words[i] & PAGEMAP_FRAME;

		if (words[i] & PAGEMAP_PRESENT && !frame)
			window->hidden = true;
		if (first + i &&
		    (!(words[i] & PAGEMAP_PRESENT) || frame != (leaf->backing & PAGEMAP_FRAME) + first + i))
			leaf->stray = (uint32_t)(first + i) + 1;
	}
}

static void look_up(struct stage2 *stage2, struct stage2_leaf *leaf, struct window *window)
{
	const struct stage2_slot *slot = leaf->nested || leaf->smm ? NULL : stage2_slot_at(stage2, leaf->gpa);
	uint64_t frames = stage2_leaf_frames(leaf), page;

	/* A leaf that extends beyond its slot has no HVA; check.c reports it. */
	if (!slot || slot->size - (leaf->gpa - slot->gpa) < frames * PAGE_4K)
		return;
	page = (slot->hva + (leaf->gpa - slot->gpa)) / PAGE_4K;
	for (uint64_t done = 0, part; done < frames; done += part) {
		part = frames - done < WINDOW_WORDS ? frames - done : WINDOW_WORDS;
		if (!window_holds(window, page + done, part) &&
		    !window_move(window, page + done,
				 done || part < frames ? part : pages_ahead(stage2, leaf)) &&
		    !window_holds(window, page + done, part))
			return;
		take_words(leaf, window->words + (page + done - window->start), done, part, window);
	}
	leaf->looked_up = true;
}

static void forget(struct stage2 *stage2)
{
	for (size_t i = 0; i < stage2->leaves.count; i++) {
		stage2->leaves.items[i].looked_up = false;
		stage2->leaves.items[i].backing = 0;
		stage2->leaves.items[i].stray = 0;
	}
}

static void cannot_read(struct stage2 *stage2, const char *pagemap, int errnum)
{
	error_set(&stage2->no_frames, errnum == EACCES || errnum == EPERM ? ERROR_PERMISSION : ERROR_HOST,
		  errnum, 0, "cannot read %s: run as root, or as the user of that process", pagemap);
}

int stage2_look_up_frames(struct stage2 *stage2, const char *pagemap, struct error *error)
{
	struct window window = { .fd = open(pagemap, O_RDONLY | O_CLOEXEC) };

	stage2->no_frames = (struct error){ 0 };
	if (window.fd < 0) {
		cannot_read(stage2, pagemap, errno);
		return 0;
	}
	window.words = malloc(WINDOW_WORDS * sizeof(uint64_t));
	if (!window.words) {
		close(window.fd);
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	}
	for (size_t i = 0; i < stage2->leaves.count && !window.errnum && !window.hidden; i++)
		look_up(stage2, &stage2->leaves.items[i], &window);
	if (window.errnum)
		cannot_read(stage2, pagemap, window.errnum);
	else if (window.hidden)
		error_set(&stage2->no_frames, ERROR_PERMISSION, 0, 0,
			  "%s hides host frames without CAP_SYS_ADMIN: run as root", pagemap);
	if (stage2->no_frames.text[0])
		forget(stage2);
	free(window.words);
	close(window.fd);
	return 0;
}
