/* SPDX-License-Identifier: MIT */
/*
 * verify.c: all invariants in turn, and the verdict.
 */
#include "verify/check.h"
#include "verify/in_progress.h"

#include "base/array.h"
#include "base/strbuf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reports the damage found while claims were read, as findings of the invariant that the structure serves. */
static void report_damages(struct check *check)
{
	const struct claims *claims = check->facts->claims;

	for (size_t i = 0; claims && i < claims->damages.count; i++) {
		const struct claim_damage *damage = &claims->damages.items[i];
		struct finding *finding;

		if (damage->follows || strcmp(damage->invariant, invariant_name(check->invariant)) != 0)
			continue;
		finding = finding_new(check, damage->address);
		finding_claimed(finding, "a structure that can be read");
		finding_found(finding, "%s (0x%" PRIx64 ")", damage->what, damage->value);
		finding_where_gva(finding, check, damage->address);
	}
}

/* The parts of the claims that each invariant reads: where one is not whole, the invariant is not seen. */
static const unsigned int parts_of[INVARIANTS + 1] = {
	[1] = PART_AREAS | PART_OWNERS,
	[2] = PART_AREAS,
	[3] = PART_AREAS,
	[4] = PART_AREAS | PART_STRUCT_PAGES | PART_OWNERS,
	[5] = PART_AREAS | PART_STRUCT_PAGES | PART_OWNERS,
	[6] = PART_STRUCT_PAGES | PART_OWNERS,
	[8] = PART_AREAS | PART_FREE_RANGES | PART_DEFERRED | PART_CACHED,
	[9] = PART_AREAS | PART_STRUCT_PAGES | PART_OWNERS,
	[12] = PART_AREAS | PART_OWNERS,
	[13] = PART_AREAS | PART_FREE_RANGES | PART_STRUCT_PAGES | PART_OWNERS | PART_OBJECTS | PART_CACHED,
};

static void mark_cut(struct check *check)
{
	static const char *const names[] = { "the areas",
					     "the free ranges",
					     "mem_map",
					     "the owners of frames",
					     "the lists of free objects",
					     "the lists of deferred areas",
					     "the lists of cached ranges" };
	char text[sizeof(check->result->why_not)];
	struct strbuf why = STRBUF(text);
	unsigned int parts =
		check->facts->claims ? check->facts->claims->unread & parts_of[check->invariant] : 0;

	if (!parts || check->result->seen == NOT_SEEN)
		return;
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (parts & 1u << i)
			strbuf_add_item(&why, ", ", "%s", names[i]);
	strbuf_add(&why, " could not all be read, and what depends on that was not checked");
	check_not_seen(check, text);
}

/* Findings of an invariant that need not hold in the operation in progress say nothing: it is not seen. */
static void drop_in_progress(struct check *check)
{
	const struct verify_input *input = check->facts->input;
	struct verdict *verdict = check->verdict;
	size_t areas = input->area_findings ? check->facts->claims->areas.count : 0;
	char why[sizeof(check->result->why_not)];

	if (!input->died || !check->facts->claims || !check->result->findings ||
	    !in_progress_breaks(check->facts->claims, check->invariant, why, sizeof(why)))
		return;
	verdict->finding_count -= check->result->findings;
	while (verdict->findings.count &&
	       verdict->findings.items[verdict->findings.count - 1].invariant == check->invariant)
		verdict->findings.count--;
	verdict->further.count -= check->further;
	for (size_t i = 0; i < areas; i++)
		input->area_findings[i] &= ~(1u << check->invariant);
	check->result->findings = 0;
	check_not_seen(check, why);
}

static int run_all(const struct facts *facts, struct verdict *verdict)
{
	for (unsigned int i = 1; i <= INVARIANTS; i++) {
		struct check check = {
			.facts = facts,
			.verdict = verdict,
			.invariant = i,
			.result = &verdict->results[i],
		};

		if (invariants[i - 1].needs_claims && !facts->claims) {
			check_not_seen(&check, "the guest's structures could not be read");
			continue;
		}
		report_damages(&check);
		invariants[i - 1].run(&check);
		findings_join(&check);
		drop_in_progress(&check);
		mark_cut(&check);
		if (check.no_memory)
			return -1;
	}
	return 0;
}

int verify(const struct verify_input *input, struct verdict *out, struct error *error)
{
	struct verdict verdict = { 0 };
	struct facts facts;
	int result = -1;

	if (facts_build(&facts, input) == 0) {
		result = run_all(&facts, &verdict);
		facts_destroy(&facts);
	}
	if (result < 0) {
		verdict_destroy(&verdict);
		return error_set(error, ERROR_HOST, 0, 0, "out of memory while verifying");
	}
	*out = verdict;
	return 0;
}

void verdict_destroy(struct verdict *verdict)
{
	free(verdict->findings.items);
	free(verdict->further.items);
	*verdict = (struct verdict){ 0 };
}

static bool is_same(const struct finding *a, const struct finding *b)
{
	return a->invariant == b->invariant && a->address == b->address && a->range_end == b->range_end &&
	       !strcmp(a->claimed, b->claimed) && !strcmp(a->found, b->found) && !strcmp(a->where, b->where);
}

/* The index of the same finding; their number if there is none. */
static size_t find_listed(const struct verdict *verdict, const struct finding *finding)
{
	size_t i = 0;

	while (i < verdict->findings.count && !is_same(&verdict->findings.items[i], finding))
		i++;
	return i;
}

/* Whether finding `of` has this further claim, or there is no room for more of the invariant. */
static bool has_further(const struct verdict *verdict, size_t of, const struct finding *further)
{
	size_t listed = 0;

	for (size_t i = 0; i < verdict->further.count; i++) {
		if (verdict->further.items[i].of == of && is_same(&verdict->further.items[i], further))
			return true;
		listed += verdict->further.items[i].invariant == further->invariant;
	}
	return listed >= 2 * FINDINGS_LISTED;
}

/* Appends the further claims of finding `from` of b that finding `to` of a does not have. */
static int add_further(struct verdict *a, size_t to, const struct verdict *b, size_t from)
{
	for (size_t i = 0; i < b->further.count; i++) {
		struct finding further = b->further.items[i];

		if (further.of != from || has_further(a, to, &further))
			continue;
		further.of = to;
		if (array_push(&a->further, further) < 0)
			return -1;
	}
	return 0;
}

/* Appends what is not in the list yet; *known counts what is, by invariant. */
static int add_listed(struct verdict *a, const struct verdict *b, uint64_t *known)
{
	uint64_t listed[INVARIANTS + 1] = { 0 };

	for (size_t i = 0; i < a->findings.count; i++)
		listed[a->findings.items[i].invariant]++;
	for (size_t i = 0; i < b->findings.count; i++) {
		const struct finding *finding = &b->findings.items[i];
		size_t at = find_listed(a, finding);

		if (at < a->findings.count)
			known[finding->invariant]++;
		else if (listed[finding->invariant]++ >= FINDINGS_LISTED)
			continue;
		else if (array_push(&a->findings, *finding) < 0)
			return -1;
		if (add_further(a, at, b, i) < 0)
			return -1;
	}
	return 0;
}

int verdict_add(struct verdict *a, const struct verdict *b)
{
	uint64_t known[INVARIANTS + 1] = { 0 };

	if (add_listed(a, b, known) < 0)
		return -1;
	a->finding_count += b->finding_count;
	a->fallback_frames = b->fallback_frames;
	/* The same slots and leaves again: their number is that of the last verification that compared them. */
	if (b->slots_checked) {
		a->slots_checked = b->slots_checked;
		a->stage2_leaves_checked = b->stage2_leaves_checked;
	}
	for (unsigned int i = 0; i <= INVARIANTS; i++) {
		a->finding_count -= known[i];
		a->results[i].checked += b->results[i].checked;
		a->results[i].findings += b->results[i].findings - known[i];
		/* Not seen once is not seen: "ok" would say too much. */
		if (b->results[i].seen == NOT_SEEN)
			a->results[i].seen = NOT_SEEN;
		if (b->results[i].why_not[0])
			memcpy(a->results[i].why_not, b->results[i].why_not, sizeof(a->results[i].why_not));
	}
	return 0;
}
