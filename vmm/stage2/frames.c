/* SPDX-License-Identifier: MIT */
/*
 * frames.c: the host frames that back the leaves' memory, from /proc/PID/pagemap, read in bulk.
 */
#include "stage2/pagemap.h"
#include "base/page.h"
#include "stage2/stage2.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Words of one read: 256 MiB of memory. */
#define WINDOW_WORDS (1u << 16)
/* Leaves that lie nearer than this are read together: skipping costs a system call. */
#define WINDOW_GAP 512

/* A stretch of pagemap, by page number. */
struct window {
	int fd;
	uint64_t start, count;
	uint64_t *words;
	int errnum;  /* of a read that failed */
	bool hidden; /* a page is there and its frame is not told */
};

/* Pages from the leaf on to the end of the last one that lies near and fits into a window. */
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

/* Reads `pages` words from `page` on, at most WINDOW_WORDS. False if there are not so many. */
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

/* A leaf's words: the first is kept, the others must follow it. `first`: number of the first one here. */
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

	/* What leaves its slot has no HVA; check.c says so. */
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
