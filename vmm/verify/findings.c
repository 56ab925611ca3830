/* SPDX-License-Identifier: MIT */
/*
 * findings.c: the list of findings. Within one invariant, one object is one finding: what else is wrong with
 * the object is a further claim of that finding, so that the number of findings is that of objects.
 */
#include "verify/check.h"

#include "base/array.h"

#include <string.h>

static bool is_same_object(const struct finding_object *a, const struct finding_object *b)
{
	return a->kind != OBJECT_OWN && a->kind == b->kind && a->start < b->end && b->start < a->end;
}

/* Objects that overlap or are side by side become one. */
static void object_add(struct finding_object *object, const struct finding_object *other)
{
	if (object->kind != other->kind || object->start > other->end || other->start > object->end)
		return;
	object->start = object->start < other->start ? object->start : other->start;
	object->end = object->end > other->end ? object->end : other->end;
}

/* The findings of an invariant are the last of the list, FINDINGS_LISTED at most. */
static size_t first_finding(const struct check *check)
{
	const struct verdict *verdict = check->verdict;
	size_t i = verdict->findings.count;

	while (i && verdict->findings.items[i - 1].invariant == check->invariant)
		i--;
	return i;
}

/* Lists a further claim of finding `of`; NULL when memory is out. */
static struct finding *add_further(struct check *check, size_t of, struct finding further)
{
	struct verdict *verdict = check->verdict;

	further.of = of;
	if (array_push(&verdict->further, further) < 0) {
		check->no_memory = true;
		return NULL;
	}
	check->further++;
	return &verdict->further.items[verdict->further.count - 1];
}

struct finding *finding_new_about(struct check *check, uint64_t address, struct finding_object object)
{
	struct verdict *verdict = check->verdict;
	struct finding finding = { .invariant = check->invariant, .address = address, .object = object };

	for (size_t i = first_finding(check); i < verdict->findings.count; i++) {
		struct finding *listed = &verdict->findings.items[i];

		if (!is_same_object(&listed->object, &object))
			continue;
		object_add(&listed->object, &object);
		if (check->further < FINDINGS_LISTED)
			return add_further(check, i, finding);
		listed->more_unlisted++;
		return NULL;
	}
	if (is_same_object(&check->unlisted.object, &object)) {
		object_add(&check->unlisted.object, &object);
		return NULL;
	}
	verdict->finding_count++;
	if (++check->result->findings > FINDINGS_LISTED) {
		check->unlisted = finding;
		return NULL;
	}
	if (array_push(&verdict->findings, finding) < 0) {
		check->no_memory = true;
		return NULL;
	}
	return &verdict->findings.items[verdict->findings.count - 1];
}

struct finding *finding_new(struct check *check, uint64_t address)
{
	return finding_new_about(check, address, (struct finding_object){ OBJECT_OWN, 0, 0 });
}

struct finding *finding_new_frame(struct check *check, uint64_t gpa)
{
	return finding_new_about(check, gpa, frame_object(gpa));
}

struct finding *finding_new_structure(struct check *check, uint64_t address, uint64_t structure)
{
	return finding_new_about(check, address,
				 (struct finding_object){ OBJECT_STRUCTURE, structure, structure + 1 });
}

struct finding *finding_new_page(struct check *check, uint64_t gva)
{
	uint64_t page = gva & ~(KVMAP_PAGE_SIZE - 1ull);

	return finding_new_about(check, gva,
				 (struct finding_object){ OBJECT_VIRTUAL, page, page + KVMAP_PAGE_SIZE });
}

static bool extend(struct finding *finding, const struct check *check, const struct finding_pages *pages)
{
	bool is_grouped = pages->group && finding->group == pages->group, gaps = pages->gaps || is_grouped;
	uint64_t end = pages->start + pages->size;

	if (finding->invariant != check->invariant || !finding->pages || finding->cause != pages->cause ||
	    finding->variant != pages->variant || finding->object.kind != pages->object.kind)
		return false;
	if (finding->range_end == pages->start || (gaps && finding->range_end < pages->start)) {
		finding->gaps = finding->gaps || finding->range_end != pages->start;
		finding->range_end = end;
	} else if (gaps && end <= finding->range_start) {
		finding->gaps = finding->gaps || end != finding->range_start;
		finding->range_start = pages->start;
	} else if (!is_grouped || !finding->gaps) {
		return false;
	}
	finding->pages += pages->count ? pages->count : 1;
	finding->group = pages->group;
	object_add(&finding->object, &pages->object);
	return true;
}

static bool extend_any(struct check *check, const struct finding_pages *pages)
{
	struct verdict *verdict = check->verdict;

	for (size_t i = verdict->findings.count, first = first_finding(check); i-- > first;)
		if (extend(&verdict->findings.items[i], check, pages))
			return true;
	for (size_t i = verdict->further.count; i-- > verdict->further.count - check->further;) {
		struct finding *further = &verdict->further.items[i];

		if (extend(further, check, pages)) {
			object_add(&verdict->findings.items[further->of].object, &further->object);
			return true;
		}
	}
	return extend(&check->unlisted, check, pages);
}

struct finding *finding_new_pages(struct check *check, uint64_t address, const struct finding_pages *added)
{
	struct finding_pages pages = *added;
	uint64_t counted = check->result->findings;
	struct finding *finding;

	if (pages.object.kind == OBJECT_OWN)
		pages.object =
			(struct finding_object){ OBJECT_VIRTUAL, pages.start, pages.start + pages.size };
	if (extend_any(check, &pages))
		return NULL;
	finding = finding_new_about(check, address, pages.object);
	if (!finding && check->result->findings == counted)
		return NULL;
	if (!finding)
		finding = &check->unlisted;
	finding->pages = pages.count ? pages.count : 1;
	finding->range_start = pages.start;
	finding->range_end = pages.start + pages.size;
	finding->cause = pages.cause;
	finding->variant = pages.variant;
	finding->group = pages.group;
	return finding == &check->unlisted ? NULL : finding;
}

/* Makes finding `from` a further claim of `to`, which comes before it. */
static void join(struct check *check, size_t to, size_t from)
{
	struct verdict *verdict = check->verdict;
	struct finding *findings = verdict->findings.items, joined = findings[from];

	for (size_t i = 0; i < verdict->further.count; i++) {
		struct finding *further = &verdict->further.items[i];

		if (further->of == from)
			further->of = to;
		else if (further->of > from)
			further->of--;
	}
	object_add(&findings[to].object, &joined.object);
	findings[to].more_unlisted += joined.more_unlisted;
	joined.more_unlisted = 0;
	add_further(check, to, joined);
	verdict->findings.count--;
	memmove(&findings[from], &findings[from + 1], (verdict->findings.count - from) * sizeof(*findings));
	verdict->finding_count--;
	check->result->findings--;
}

void findings_join(struct check *check)
{
	struct verdict *verdict = check->verdict;

	for (size_t to = first_finding(check); to < verdict->findings.count; to++)
		for (size_t from = to + 1; from < verdict->findings.count; from++)
			if (is_same_object(&verdict->findings.items[to].object,
					   &verdict->findings.items[from].object)) {
				join(check, to, from);
				from = to; /* `to` has grown */
			}
}
