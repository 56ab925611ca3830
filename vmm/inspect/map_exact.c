/* SPDX-License-Identifier: MIT */
#include "inspect/map_exact.h"

#include "base/page.h"
#include "inspect/frames.h"

/* Whether the guest maps the frame at that distance, and writable if `writable`. */
static bool maps_at(const struct map_check_input *input, uint64_t gpa, uint64_t distance, bool writable)
{
	struct walk walk;

	walk_translate(input->view, input->mode, gpa + distance, &walk);
	return walk.stop == WALK_MAPPED && walk.gpa == gpa && (!writable || walk.rights & RIGHT_W);
}

/* The mappings of the frame that the fault does not count. There is one at most at each distance. */
static uint64_t not_counted(const struct map_check_input *input, const struct map_images *images,
			    enum map_fault fault, uint64_t gpa)
{
	const struct map_direct *direct = input->direct;
	bool table = fault == MAP_TABLE_WRITABLE;
	uint64_t count = 0;

	if (fault == MAP_WRITABLE_ELSEWHERE)
		return 0;
	if (direct->found)
		count += maps_at(input, gpa, direct->base, table);
	for (size_t i = 0; table && i < images->count; i++) {
		uint64_t distance = images->items[i];

		if ((i && distance == images->items[i - 1]) || (direct->found && distance == direct->base))
			continue;
		count += maps_at(input, gpa, distance, true);
	}
	return count;
}

struct counter {
	const struct map_check_input *input;
	const struct map_images *images;
	uint64_t frames_left;
};

/* 1: *out is the number; 0: it is not known; -1: memory is out. */
static int count_frame(struct counter *counter, enum map_fault fault, uint64_t gpa, uint64_t *out)
{
	const struct map_check_input *input = counter->input;
	struct frame_reaches reaches;
	struct error error;
	bool cut_short;
	uint64_t all;

	if (!counter->frames_left)
		return 0;
	counter->frames_left--;
	if (frames_reach(input->view, input->mode, gpa / PAGE_4K, 0, &reaches, &error) < 0)
		return -1;
	all = fault == MAP_TABLE_WRITABLE ? reaches.writable : reaches.leaves;
	cut_short = reaches.cut_short;
	frame_reaches_destroy(&reaches);
	if (cut_short) {
		counter->frames_left = 0;
		return 0;
	}
	*out = all - not_counted(input, counter->images, fault, gpa);
	return *out <= all;
}

/* The same of all frames of the violation; 0 also if they do not have the same number. */
static int count_violation(struct counter *counter, const struct map_violation *violation, uint64_t *out)
{
	if (violation->size / PAGE_4K > counter->frames_left)
		return 0;
	for (uint64_t at = 0; at < violation->size; at += PAGE_4K) {
		uint64_t count;
		int known = count_frame(counter, violation->fault, violation->gpa + at, &count);

		if (known <= 0)
			return known;
		/* Fewer than were seen: the guest runs. */
		if (count < violation->mappings || (at && count != *out))
			return 0;
		*out = count;
	}
	return 1;
}

/* Number of frames that may be counted. */
static uint64_t frames_of(const struct map_check_input *input)
{
	uint64_t most = MAP_EXACT_TABLES / (input->all->tables + 1);

	if (input->start || input->end != UINT64_MAX)
		return 0;
	return most < MAP_EXACT_FRAMES ? most : MAP_EXACT_FRAMES;
}

int map_count_exactly(const struct map_check_input *input, const struct map_images *images,
		      struct map_violations *violations)
{
	struct counter counter = { input, images, frames_of(input) };

	if (!violations->at_least)
		return 0;
	violations->at_least = false;
	for (size_t i = 0; i < violations->count; i++) {
		struct map_violation *violation = &violations->items[i];
		uint64_t count = 0;
		int known;

		/* About one mapping, which may be one of many of its frame. */
		if (violation->fault == MAP_WRITABLE_EXECUTABLE)
			continue;
		known = count_violation(&counter, violation, &count);
		if (known < 0)
			return -1;
		if (known)
			violation->mappings = count;
		violation->at_least = !known;
		violations->at_least |= violation->at_least;
	}
	return 0;
}
