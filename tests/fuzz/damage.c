/* SPDX-License-Identifier: MIT */
/*
 * damage.c: what a hostile guest could leave in its memory. Takes a core, damages a few words of it, and asks
 * everything that kvmap can ask: claims, map, areas, walks, the verdict, as text and as JSON. Nothing may
 * crash (build it with sanitizers), take long, or let a byte through that a terminal should not see.
 *
 * Usage: kvmap-damage CORE GUEST FIRST-SEED COUNT. The same seed does the same damage. Prints TAP.
 */
#include "base/array.h"
#include "inspect/claims.h"
#include "inspect/ranges.h"
#include "report/report.h"
#include "kvmap/layout.h"
#include "view/core.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WORDS_MAX    16
#define WALKS        4
#define SECONDS_MAX  5.0
#define WORDS_A_PAGE 512

struct guest {
	struct view *core; /* stays open: its file knows the holes */
	struct view view;  /* the same, but over copies that may be changed */
	struct symbols *symbols;
	struct claims_layout *layout;
	struct {
		uint64_t **items; /* pages of the copies that were ever written */
		size_t count, capacity;
	} pages;
};

struct damaged_word {
	uint64_t *at, was;
};

struct tally {
	unsigned int seeds, with_findings, unfit;
	double slowest;
	uint64_t slowest_seed;
};

static void die(const char *what)
{
	printf("Bail out! %s\n", what);
	exit(1);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* splitmix64 */
static uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

/* ---- the guest ---- */

static void copy_region(struct guest *guest, struct view_region *region)
{
	uint8_t *copy = malloc(region->size); /* of its own, so that a sanitizer sees where it ends */
	uint64_t end = region->gpa + region->size, start, stop;

	if (!copy)
		die("out of memory");
	memcpy(copy, region->bytes, region->size);
	for (uint64_t gpa = region->gpa; view_next_data(&guest->view, gpa, end, &start, &stop); gpa = stop)
		for (uint64_t page = start & ~(KVMAP_PAGE_SIZE - 1ull); page < stop; page += KVMAP_PAGE_SIZE)
			if (array_push(&guest->pages, (uint64_t *)(copy + (page - region->gpa))) < 0)
				die("out of memory");
	region->bytes = copy;
}

static void open_guest(struct guest *guest, const char *core_path, const char *program)
{
	struct error error;
	char *noted;

	if (core_open(core_path, &guest->core, &noted, &error) < 0 ||
	    symbols_open(program, &guest->symbols, &error) < 0 ||
	    claims_layout_open(program, guest->symbols, &guest->layout, &error) < 0)
		die(error.text);
	free(noted);
	guest->view = *guest->core;
	for (unsigned int i = 0; i < guest->view.region_count; i++)
		copy_region(guest, &guest->view.regions[i]);
}

static void close_guest(struct guest *guest)
{
	for (unsigned int i = 0; i < guest->view.region_count; i++)
		free((void *)guest->view.regions[i].bytes);
	free(guest->pages.items);
	claims_layout_close(guest->layout);
	symbols_close(guest->symbols);
	view_destroy(guest->core);
}

/* ---- damage ---- */

static uint64_t *any_word(const struct guest *guest, uint64_t *random)
{
	uint64_t *page = guest->pages.items[next_random(random) % guest->pages.count];
	uint64_t *word = page + next_random(random) % WORDS_A_PAGE;

	/* Most words are zero, and most of what matters is not. */
	for (int tries = 0; !*word && tries < 64; tries++)
		word = page + next_random(random) % WORDS_A_PAGE;
	return word;
}

static uint64_t damaged(const struct guest *guest, uint64_t value, uint64_t *random)
{
	uint64_t choice = next_random(random);

	switch (choice % 8) {
	case 0: return value ^ 1ull << (choice >> 8) % 64;
	case 1: return next_random(random);
	case 2: return *any_word(guest, random);
	case 3: return value + (choice >> 8 & 1 ? 1 : -1) * (1ull << (choice >> 16) % 40);
	case 4: return choice >> 8 & 1 ? 0 : ~0ull;
	case 5: return (value & ~0xffffffffull) | (uint32_t)next_random(random);
	case 6: return (value & 0xffffffffull) | next_random(random) << 32;
	default: return *any_word(guest, random) ^ (value & 0xfff);
	}
}

static unsigned int damage(const struct guest *guest, uint64_t seed, struct damaged_word *words)
{
	uint64_t random = seed;
	unsigned int count = 1 + (unsigned int)(next_random(&random) % WORDS_MAX);

	for (unsigned int i = 0; i < count; i++) {
		words[i].at = any_word(guest, &random);
		words[i].was = *words[i].at;
		*words[i].at = damaged(guest, words[i].was, &random);
	}
	return count;
}

static void repair(const struct damaged_word *words, unsigned int count)
{
	while (count-- > 0)
		*words[count].at = words[count].was;
}

/* ---- questions ---- */

static void print_walk(struct report *report, const struct guest *guest, const struct walk_mode *mode,
		       const struct claims *claims, const struct walk *walk)
{
	const struct report_second_stage second_stage = { .not_seen = "a core does not hold it" };
	struct access_rules rules;
	const struct report_walk input = {
		.walk = walk,
		.mode = mode,
		.view = &guest->view,
		.rules = &rules,
		.claims = claims,
		.symbols = guest->symbols,
		.second_stage = &second_stage,
	};

	access_rules_of_cpu(&guest->view.cpus[0], &rules);
	report_walk(report, &input);
}

static void print_walks(struct report *report, const struct guest *guest, const struct walk_mode *mode,
			const struct claims *claims, uint64_t *random)
{
	for (int i = 0; i < WALKS; i++) {
		/* A pointer of the guest's, as often as not. */
		uint64_t gva = i & 1 ? next_random(random) : *any_word(guest, random);
		struct walk walk;

		walk_translate(&guest->view, mode, gva, &walk);
		print_walk(report, guest, mode, claims, &walk);
	}
}

/* All frames, and all that leads to one of them. `claims` may be NULL. */
static void print_frames(struct report *report, const struct guest *guest, const struct walk_mode *mode,
			 const struct claims *claims, uint64_t *random)
{
	struct frame_scatter scatter;
	struct frame_reaches reaches;
	struct owners owners = { 0 };
	struct frames frames;
	struct error error;
	struct report_frames all = {
		.frames = &frames, .scatter = &scatter, .scatter_of = "All pages", .columns = 80
	};
	struct report_frame one = { .pfn = next_random(random) % (view_size(&guest->view) / KVMAP_PAGE_SIZE),
				    .view = &guest->view,
				    .reaches = &reaches,
				    .claims = claims,
				    .owners = &owners,
				    .symbols = guest->symbols };

	if (frames_collect(&guest->view, mode, claims, &frames, &error) < 0 ||
	    frames_reach(&guest->view, mode, one.pfn, 16, &reaches, &error) < 0)
		die(error.text);
	if (claims && owners_collect(claims, &owners) < 0)
		die("out of memory");
	frames_scatter(&guest->view, mode, 0, ~0ull, &scatter);
	one.run = frames_find(&frames, one.pfn);
	report_frames(report, &all);
	report_frame(report, &one);
	frames_destroy(&frames);
	frame_reaches_destroy(&reaches);
	owners_destroy(&owners);
}

/* True if the verdict has a finding, or the guest could not be read at all. */
static bool print_all(struct report *report, const struct guest *guest, uint64_t seed)
{
	struct ranges ranges = { 0 };
	struct claims claims = { 0 };
	struct verdict verdict = { 0 };
	struct walk_mode mode;
	struct error error;
	uint64_t random = ~seed;
	bool found;

	if (walk_mode_of_cpu(&guest->view, 0, &mode, &error) < 0)
		die(error.text);
	if (ranges_collect(&guest->view, &mode, 0, ~0ull, NULL, 0, &ranges, &error) < 0)
		die(error.text);
	if (claims_read(&guest->view, &mode, guest->layout, &claims, &error) < 0) {
		report_map(report, &ranges, NULL, guest->symbols);
		print_walks(report, guest, &mode, NULL, &random);
		print_frames(report, guest, &mode, NULL, &random);
		ranges_destroy(&ranges);
		claims_destroy(&claims);
		return true;
	}
	uint32_t *area_findings = calloc(claims.areas.count + 1, sizeof(*area_findings));
	struct verify_input input = { .view = &guest->view,
				      .mode = &mode,
				      .claims = &claims,
				      .symbols = guest->symbols,
				      .area_findings = area_findings };
	struct report_areas areas = { &claims, &guest->view, &mode, guest->symbols, &verdict, area_findings };

	if (!area_findings)
		die("out of memory");
	if (verify(&input, &verdict, &error) < 0)
		die(error.text);
	report_map(report, &ranges, &claims, guest->symbols);
	report_areas(report, &areas);
	free(area_findings);
	print_walks(report, guest, &mode, &claims, &random);
	print_frames(report, guest, &mode, seed & 2 ? &claims : NULL, &random);
	report_verdict(report, &verdict);
	found = verdict.finding_count > 0;
	verdict_destroy(&verdict);
	claims_destroy(&claims);
	ranges_destroy(&ranges);
	return found;
}

/* ---- what may be printed ---- */

static bool is_clean_text(const char *text)
{
	for (; *text; text++)
		if (*text != '\n' && ((unsigned char)*text < ' ' || *text == 0x7f))
			return false;
	return true;
}

static bool is_json_lines(char *text)
{
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		struct json_object *object = json_tokener_parse(line);

		if (!object)
			return false;
		json_object_put(object);
	}
	return true;
}

static void ask(const struct guest *guest, uint64_t seed, struct tally *tally)
{
	struct damaged_word words[WORDS_MAX];
	unsigned int count = damage(guest, seed, words);
	char *text = NULL;
	size_t size;
	struct report report = { .stream = open_memstream(&text, &size),
				 .format = seed & 1 ? REPORT_JSON : REPORT_TEXT };
	double start = now(), seconds;

	if (!report.stream)
		die("out of memory");
	tally->with_findings += print_all(&report, guest, seed);
	fclose(report.stream);
	seconds = now() - start;
	if (seconds > tally->slowest) {
		tally->slowest = seconds;
		tally->slowest_seed = seed;
	}
	if (!is_clean_text(text) || (report.format == REPORT_JSON && !is_json_lines(text))) {
		printf("# seed %" PRIu64 " prints what is not fit for a terminal, or not JSON\n", seed);
		tally->unfit++;
	}
	free(text);
	tally->seeds++;
	repair(words, count);
}

static void tell(int number, bool ok, const char *name)
{
	printf("%sok %d - %s\n", ok ? "" : "not ", number, name);
}

int main(int argc, char **argv)
{
	struct guest guest = { 0 };
	struct tally tally = { 0 };
	uint64_t first, count;

	if (argc != 5)
		die("usage: kvmap-damage CORE GUEST FIRST-SEED COUNT");
	first = strtoull(argv[3], NULL, 0);
	count = strtoull(argv[4], NULL, 0);
	open_guest(&guest, argv[1], argv[2]);
	for (uint64_t seed = first; seed < first + count; seed++)
		ask(&guest, seed, &tally);
	close_guest(&guest);
	printf("# %u seeds, %u with findings; the slowest, %" PRIu64 ", took %.3f s\n", tally.seeds,
	       tally.with_findings, tally.slowest_seed, tally.slowest);
	tell(1, tally.seeds == count, "every damaged guest can be looked at");
	tell(2, !tally.unfit, "what is printed about them is fit for a terminal, or JSON");
	tell(3, tally.slowest < SECONDS_MAX, "none takes long");
	/* Some damage hits what nobody claims anything about: contents, free memory. */
	tell(4, tally.with_findings > tally.seeds / 2, "most are found out");
	printf("1..4\n");
	return 0;
}
