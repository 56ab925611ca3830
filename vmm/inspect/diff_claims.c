/* SPDX-License-Identifier: MIT */
/*
 * diff_claims.c: differences in areas, in owners of page frames and in registers.
 */
#include "inspect/diff.h"

#include "base/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- frames ---- */

/*
 * Cursor over the runs of one side: `next` is the run that contains the current pfn, or the first run above
 * it.
 */
struct run_reader {
	const struct frames *frames;
	size_t next;
};

/*
 * The run that contains pfn; a run of DIFF_NO_MEMORY, from pfn to the next run, if none does. pfn must not
 * decrease.
 */
static struct frame_run run_at(struct run_reader *reader, uint64_t pfn)
{
	const struct frames *frames = reader->frames;
	struct frame_run hole = { .pfn = pfn, .count = UINT64_MAX - pfn, .kind = DIFF_NO_MEMORY };
	const struct frame_run *run;

	while (reader->next < frames->runs.count &&
	       frames->runs.items[reader->next].pfn + frames->runs.items[reader->next].count <= pfn)
		reader->next++;
	if (reader->next == frames->runs.count)
		return hole;
	run = &frames->runs.items[reader->next];
	if (run->pfn <= pfn)
		return *run;
	hole.count = run->pfn - pfn;
	return hole;
}

/* Whether a page of zeros was touched depends on how a core was written: a sparse one does not have it. */
static struct frame_run seen_run(struct frame_run run)
{
	if (run.kind == FRAME_UNTOUCHED) {
		run.kind = (unsigned int)run.of;
		run.of = 0;
	}
	return run;
}

static int add_frames(struct diff_frames *out, const struct diff_frames_run *run)
{
	struct diff_frames_run *last = out->runs.count ? &out->runs.items[out->runs.count - 1] : NULL;

	out->frames += run->count;
	out->moves[run->before][run->after].frames += run->count;
	if (last && last->pfn + last->count == run->pfn && last->before == run->before &&
	    last->after == run->after && last->before_of == run->before_of &&
	    last->after_of == run->after_of) {
		last->count += run->count;
		return 0;
	}
	out->moves[run->before][run->after].runs++;
	return array_push(&out->runs, *run);
}

int diff_frames(const struct frames *before, const struct frames *after, struct diff_frames *out,
		struct error *error)
{
	struct run_reader readers[2] = { { before, 0 }, { after, 0 } };
	struct diff_frames result = { 0 };
	uint64_t pfn = 0, end;

	for (; pfn != UINT64_MAX; pfn = end) {
		struct frame_run one = seen_run(run_at(&readers[0], pfn));
		struct frame_run other = seen_run(run_at(&readers[1], pfn));
		struct diff_frames_run run = { pfn, 0, one.kind, other.kind, one.of, other.of };

		end = one.pfn + one.count < other.pfn + other.count ? one.pfn + one.count
								    : other.pfn + other.count;
		run.count = end - pfn;
		if (one.kind == other.kind && one.of == other.of)
			continue;
		if (add_frames(&result, &run) < 0) {
			diff_frames_destroy(&result);
			return error_set(error, ERROR_HOST, ENOMEM, 0, "the differences of frames");
		}
	}
	*out = result;
	return 0;
}

void diff_frames_destroy(struct diff_frames *frames)
{
	free(frames->runs.items);
	*frames = (struct diff_frames){ 0 };
}

/* ---- areas ---- */

const char *diff_area_change_name(enum diff_area_change change)
{
	static const char *const names[DIFF_AREA_CHANGES] = {
		[DIFF_AREA_NEW] = "new",       [DIFF_AREA_GONE] = "gone",
		[DIFF_AREA_FREED] = "freed",   [DIFF_AREA_ANEW] = "allocated anew",
		[DIFF_AREA_EXTENT] = "size",   [DIFF_AREA_VM_SIZE] = "vm_struct size",
		[DIFF_AREA_PAGES] = "pages",   [DIFF_AREA_REQUESTED] = "requested size",
		[DIFF_AREA_FLAGS] = "flags",   [DIFF_AREA_CALLER] = "caller",
		[DIFF_AREA_FRAMES] = "frames",
	};

	return names[change];
}

static bool same_frames(const struct claims *before, const struct claim_area *one, const struct claims *after,
			const struct claim_area *other)
{
	return one->frame_count == other->frame_count && one->frames_sum == other->frames_sum &&
	       (!one->frame_count ||
		!memcmp(before->frames.items + one->first_frame, after->frames.items + other->first_frame,
			one->frame_count * sizeof(*before->frames.items)));
}

static bool is_freed(const struct claim_area *area)
{
	return area->deferred || area->state == AREA_LAZY;
}

static unsigned int area_changes(const struct claims *before, const struct claim_area *one,
				 const struct claims *after, const struct claim_area *other)
{
	unsigned int changes = 0;

	/* `allocated` never changes during the life of an area. */
	changes |= one->allocated != other->allocated ? 1u << DIFF_AREA_ANEW : 0;
	if (is_freed(other) && (!is_freed(one) || changes))
		changes |= 1u << DIFF_AREA_FREED;
	changes |= one->va_end != other->va_end ? 1u << DIFF_AREA_EXTENT : 0;
	changes |= one->size != other->size ? 1u << DIFF_AREA_VM_SIZE : 0;
	changes |= one->nr_pages != other->nr_pages ? 1u << DIFF_AREA_PAGES : 0;
	changes |= one->requested_size != other->requested_size ? 1u << DIFF_AREA_REQUESTED : 0;
	changes |= one->flags != other->flags ? 1u << DIFF_AREA_FLAGS : 0;
	changes |= one->caller != other->caller ? 1u << DIFF_AREA_CALLER : 0;
	if (!same_frames(before, one, after, other))
		changes |= 1u << DIFF_AREA_FRAMES;
	return changes;
}

/* Sorts the areas by address; tag is an index into claims.areas. */
static int sort_areas(const struct claims *claims, struct keyed_array *out)
{
	for (size_t i = 0; i < claims->areas.count; i++) {
		struct keyed item = { .key = claims->areas.items[i].va_start, .tag = (uint32_t)i };

		if (array_push(out, item) < 0)
			return -1;
	}
	return keyed_sort(out);
}

/* Merges two sorted lists. Areas match if they start at the same address. */
static int merge_areas(const struct claims *before, const struct keyed_array *one, const struct claims *after,
		       const struct keyed_array *other, struct diff_areas *out)
{
	size_t i = 0, j = 0;

	while (i < one->count || j < other->count) {
		struct diff_area area = { 0 };

		if (j == other->count || (i < one->count && one->items[i].key <= other->items[j].key))
			area.before = &before->areas.items[one->items[i].tag];
		if (i == one->count || (j < other->count && other->items[j].key <= one->items[i].key))
			area.after = &after->areas.items[other->items[j].tag];
		i += area.before != NULL;
		j += area.after != NULL;
		area.changes = !area.before ? 1u << DIFF_AREA_NEW | (unsigned int)is_freed(area.after)
									    << DIFF_AREA_FREED
			       : !area.after ? 1u << DIFF_AREA_GONE
					     : area_changes(before, area.before, after, area.after);
		if (area.changes && array_push(out, area) < 0)
			return -1;
	}
	return 0;
}

int diff_areas(const struct claims *before, const struct claims *after, struct diff_areas *out,
	       struct error *error)
{
	struct keyed_array one = { 0 }, other = { 0 };
	struct diff_areas result = { 0 };
	int failed = sort_areas(before, &one) < 0 || sort_areas(after, &other) < 0 ||
		     merge_areas(before, &one, after, &other, &result) < 0;

	free(one.items);
	free(other.items);
	if (failed) {
		diff_areas_destroy(&result);
		return error_set(error, ERROR_HOST, ENOMEM, 0, "the differences of areas");
	}
	*out = result;
	return 0;
}

void diff_areas_destroy(struct diff_areas *areas)
{
	free(areas->items);
	*areas = (struct diff_areas){ 0 };
}

/* ---- registers ---- */

static const struct {
	const char *name;
	size_t offset, size;
	bool translates;
	uint8_t lacks; /* the bit of view_cpu_lacks() that says that it is not known */
} registers[] = {
#define REGISTER_OF(name, translates, lacks)                                                                 \
	{ #name, offsetof(struct view_cpu, name), sizeof(((struct view_cpu *)0)->name), translates, lacks },
#define REGISTER(name, translates) REGISTER_OF(name, translates, 0)
	/* clang-format off */
	REGISTER(cr0, true) REGISTER(cr3, true) REGISTER(cr4, true) REGISTER_OF(efer, true, VIEW_LACKS_EFER)
	REGISTER(cr2, false) REGISTER_OF(rip, false, VIEW_LACKS_RIP) REGISTER_OF(rflags, false, VIEW_LACKS_RFLAGS) REGISTER_OF(rsp, false, VIEW_LACKS_RSP)
	REGISTER(rax, false) REGISTER(rbx, false) REGISTER(rcx, false) REGISTER(rdx, false)
	REGISTER(rsi, false) REGISTER(rdi, false) REGISTER(rbp, false)
	REGISTER(r8, false) REGISTER(r9, false) REGISTER(r10, false) REGISTER(r11, false)
	REGISTER(r12, false) REGISTER(r13, false) REGISTER(r14, false) REGISTER(r15, false)
	REGISTER_OF(cs, false, VIEW_LACKS_SEGMENTS) REGISTER_OF(ss, false, VIEW_LACKS_SEGMENTS)
	REGISTER_OF(ds, false, VIEW_LACKS_SEGMENTS) REGISTER_OF(es, false, VIEW_LACKS_SEGMENTS)
	REGISTER_OF(fs, false, VIEW_LACKS_SEGMENTS) REGISTER_OF(gs, false, VIEW_LACKS_SEGMENTS)
	REGISTER_OF(fs_base, false, VIEW_LACKS_SEGMENTS) REGISTER_OF(gs_base, false, VIEW_LACKS_SEGMENTS)
	REGISTER_OF(pat, false, VIEW_LACKS_PAT)
/* clang-format on */
#undef REGISTER
#undef REGISTER_OF
};

static uint64_t register_value(const struct view_cpu *cpu, size_t which)
{
	uint64_t value = 0;

	memcpy(&value, (const char *)cpu + registers[which].offset, registers[which].size);
	return value;
}

static unsigned int cpus_of_both(const struct view *one, const struct view *other)
{
	return one->cpu_count < other->cpu_count ? one->cpu_count : other->cpu_count;
}

unsigned int diff_not_known(const struct view *view, const struct view *other)
{
	unsigned int lacks = 0;

	for (unsigned int cpu = 0; cpu < cpus_of_both(view, other); cpu++)
		lacks |= view_cpu_lacks(&view->cpus[cpu]);
	return lacks;
}

bool diff_register_next(const struct view *before, const struct view *after, size_t *next,
			struct diff_register *out)
{
	const size_t count = sizeof(registers) / sizeof(registers[0]);

	while (*next < cpus_of_both(before, after) * count) {
		size_t cpu = *next / count, which = (*next)++ % count;

		*out = (struct diff_register){
			.name = registers[which].name,
			.cpu = (unsigned int)cpu,
			.before = register_value(&before->cpus[cpu], which),
			.after = register_value(&after->cpus[cpu], which),
			.translates = registers[which].translates,
		};
		if ((view_cpu_lacks(&before->cpus[cpu]) | view_cpu_lacks(&after->cpus[cpu])) &
		    registers[which].lacks)
			continue;
		if (out->before != out->after)
			return true;
	}
	return false;
}
