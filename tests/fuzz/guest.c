/* SPDX-License-Identifier: MIT */
/*
 * guest.c: a guest's core in copies that may be damaged, and everything that kvmap can be asked about it.
 */
#include "guest.h"

#include "base/array.h"
#include "inspect/frames.h"
#include "kvmap/layout.h"
#include "paging/ranges.h"
#include "report/areas.h"
#include "report/diff.h"
#include "report/frames.h"
#include "report/map.h"
#include "report/verdict.h"
#include "report/walk.h"
#include "view/core.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

void guest_die(const char *what)
{
	printf("Bail out! %s\n", what);
	exit(1);
}

static void copy_region(struct guest *guest, struct view_region *region)
{
	uint8_t *copy = malloc(region->size); /* of its own, so that a sanitizer sees where it ends */
	uint64_t end = region->gpa + region->size, start, stop;

	if (!copy)
		guest_die("out of memory");
	memcpy(copy, region->bytes, region->size);
	for (uint64_t gpa = region->gpa; view_next_data(&guest->view, gpa, end, &start, &stop); gpa = stop)
		for (uint64_t page = start & ~(KVMAP_PAGE_SIZE - 1ull); page < stop; page += KVMAP_PAGE_SIZE)
			if (array_push(&guest->pages, (uint64_t *)(copy + (page - region->gpa))) < 0)
				guest_die("out of memory");
	region->bytes = copy;
}

void guest_open(struct guest *guest, const char *core_path, const char *program)
{
	struct error error;
	char *noted;

	if (core_open(core_path, &guest->core, &noted, &error) < 0 ||
	    symbols_open(program, &guest->symbols, &error) < 0 ||
	    claims_layout_open(guest->symbols, &guest->layout, &error) < 0)
		guest_die(error.text);
	free(noted);
	/* The file does not change: nothing is gained by asking it for its holes again and again. */
	guest->core->data_size_max = view_data_size(guest->core);
	if (walk_mode_of_cpu(guest->core, 0, &guest->mode, &error) < 0 ||
	    claims_read(guest->core, &guest->mode, guest->layout, &guest->sound, &error) < 0)
		guest_die(error.text);
	guest->view = *guest->core;
	guest->view.regions = malloc(guest->view.region_count * sizeof(guest->view.regions[0]));
	if (!guest->view.regions)
		guest_die("out of memory");
	memcpy(guest->view.regions, guest->core->regions,
	       guest->view.region_count * sizeof(guest->view.regions[0]));
	guest->view.cpus = NULL;
	guest->view.cpu_count = guest->view.cpu_capacity = 0;
	if (view_set_cpus(&guest->view, guest->core->cpu_count, &error) < 0)
		guest_die(error.text);
	memcpy(guest->view.cpus, guest->core->cpus, guest->core->cpu_count * sizeof(guest->view.cpus[0]));
	for (unsigned int i = 0; i < guest->view.region_count; i++)
		copy_region(guest, &guest->view.regions[i]);
}

void guest_close(struct guest *guest)
{
	for (unsigned int i = 0; i < guest->view.region_count; i++)
		free((void *)guest->view.regions[i].bytes);
	view_clear(&guest->view);
	free(guest->pages.items);
	claims_destroy(&guest->sound);
	claims_layout_close(guest->layout);
	symbols_close(guest->symbols);
	view_destroy(guest->core);
}

void guest_repair(const struct damaged_word *words, unsigned int count)
{
	while (count-- > 0)
		*words[count].at = words[count].was;
}

static void print_walk(struct report *report, const struct guest *guest, const struct walk_mode *mode,
		       const struct claims *claims, const struct walk *walk)
{
	struct access_rules rules;
	const struct report_walk input = {
		.walk = walk,
		.mode = mode,
		.view = &guest->view,
		.rules = &rules,
		.claims = claims,
		.symbols = guest->symbols,
		.no_stage2 = "a core does not hold it",
	};

	access_rules_of_cpu(&guest->view.cpus[0], &rules);
	report_walk(report, &input);
}

static void print_walks(struct report *report, const struct guest *guest, const struct walk_mode *mode,
			const struct claims *claims, const struct guest_questions *questions)
{
	for (unsigned int i = 0; i < GUEST_WALKS; i++) {
		struct walk walk;

		walk_translate(&guest->view, mode, questions->walks[i], &walk);
		print_walk(report, guest, mode, claims, &walk);
	}
}

/* All frames, and all that leads to one of them. `claims` may be NULL. */
static void print_frames(struct report *report, const struct guest *guest, const struct walk_mode *mode,
			 const struct claims *claims, uint64_t frame)
{
	struct frame_scatter scatter;
	struct frame_reaches reaches;
	struct owners owners = { 0 };
	struct frames frames;
	struct error error;
	struct report_frames all = {
		.frames = &frames, .scatter = &scatter, .scatter_of = "All pages", .columns = 80
	};
	struct report_frame one = { .pfn = frame % (view_size(&guest->view) / KVMAP_PAGE_SIZE),
				    .view = &guest->view,
				    .reaches = &reaches,
				    .claims = claims,
				    .owners = &owners,
				    .symbols = guest->symbols };

	if (frames_collect(&guest->view, mode, claims, &frames, &error) < 0 ||
	    frames_reach(&guest->view, mode, one.pfn, 16, &reaches, &error) < 0)
		guest_die(error.text);
	if (claims && owners_collect(claims, &owners) < 0)
		guest_die("out of memory");
	frames_scatter(&guest->view, mode, 0, ~0ull, &scatter);
	one.run = frames_find(&frames, one.pfn);
	report_frames(report, &all);
	report_frame(report, &one);
	frames_destroy(&frames);
	frame_reaches_destroy(&reaches);
	owners_destroy(&owners);
}

/* Against the guest before it was damaged. `claims` may be NULL. */
static void print_diff(struct report *report, const struct guest *guest, const struct walk_mode *mode,
		       const struct claims *claims)
{
	struct diff_side before = { .view = guest->core, .mode = &guest->mode, .claims = &guest->sound };
	struct diff_side after = { .view = &guest->view, .mode = mode, .claims = claims };
	struct frames owners[2];
	struct diff_tables tables;
	struct diff_frames frames;
	struct diff_areas areas = { 0 };
	struct diff_contents contents = { 0 };
	struct report_diff diff = { .before = &before,
				    .after = &after,
				    .tables = &tables,
				    .frames = &frames,
				    .frames_from_claims = claims != NULL,
				    .areas = claims ? &areas : NULL,
				    .contents = claims ? &contents : NULL,
				    .symbols = guest->symbols,
				    .entries = true };
	struct error error;

	if (diff_tables(&before, &after, true, &tables, &error) < 0 ||
	    frames_collect(guest->core, &guest->mode, claims ? &guest->sound : NULL, &owners[0], &error) <
		    0 ||
	    frames_collect(&guest->view, mode, claims, &owners[1], &error) < 0 ||
	    diff_frames(&owners[0], &owners[1], &frames, &error) < 0 ||
	    (claims && (diff_areas(&guest->sound, claims, &areas, &error) < 0 ||
			diff_contents(&before, &after, &contents, &error) < 0)))
		guest_die(error.text);
	report_diff(report, &diff);
	diff_tables_destroy(&tables);
	diff_frames_destroy(&frames);
	diff_areas_destroy(&areas);
	diff_contents_destroy(&contents);
	frames_destroy(&owners[0]);
	frames_destroy(&owners[1]);
}

static void print_map(struct report *report, const struct guest *guest, const struct walk_mode *mode,
		      const struct claims *claims)
{
	static const struct map_filter all = { .end = UINT64_MAX };
	struct memory_map map;
	struct map_lines lines;
	struct map_violations violations;
	struct map_direct direct;
	struct ranges ranges;
	struct error error;
	const struct report_map input = {
		.map = &map,
		.lines = &lines,
		.ranges = &ranges,
		.cpu = &guest->view.cpus[0],
		.violations = &violations,
	};

	if (ranges_collect(&guest->view, mode, 0, ~0ull, NULL, 0, &ranges, &error) < 0)
		guest_die(error.text);
	direct = map_direct(&ranges, &guest->view, claims);
	if (map_build(&ranges, &direct, claims, guest->symbols, &all, &map, &error) < 0 ||
	    map_fold(&map, true, &lines, &error) < 0 ||
	    map_check(&(struct map_check_input){ &guest->view, mode, 0, ~0ull, &ranges, &ranges, &direct,
						 claims },
		      &violations, &error) < 0)
		guest_die(error.text);
	report_map(report, &input);
	map_violations_destroy(&violations);
	map_lines_destroy(&lines);
	map_destroy(&map);
	ranges_destroy(&ranges);
}

/* True if it has a finding. */
static bool print_verdict(struct report *report, const struct guest *guest, const struct walk_mode *mode,
			  const struct claims *claims, unsigned int what)
{
	uint32_t *area_findings = calloc(claims->areas.count + 1, sizeof(*area_findings));
	struct verdict verdict = { 0 };
	const struct verify_input input = { .view = &guest->view,
					    .mode = mode,
					    .claims = claims,
					    .symbols = guest->symbols,
					    .area_findings = area_findings };
	const struct report_areas areas = { claims,         &guest->view, mode,
					    guest->symbols, &verdict,     area_findings };
	struct error error;
	bool found;

	if (!area_findings)
		guest_die("out of memory");
	if (verify(&input, &verdict, &error) < 0)
		guest_die(error.text);
	if (what & ASK_AREAS)
		report_areas(report, &areas);
	if (what & ASK_VERDICT)
		report_verdict(report, &verdict, &(struct verdict_run){ 0 });
	found = verdict.finding_count > 0;
	verdict_destroy(&verdict);
	free(area_findings);
	return found;
}

bool guest_ask(struct report *report, const struct guest *guest, const struct guest_questions *questions)
{
	const struct claims *believed;
	struct claims claims = { 0 };
	unsigned int what = questions->what;
	struct walk_mode mode;
	struct error error;
	bool readable, found;

	if (walk_mode_of_cpu(&guest->view, 0, &mode, &error) < 0)
		guest_die(error.text);
	readable = claims_read(&guest->view, &mode, guest->layout, &claims, &error) == 0;
	believed = readable && questions->frames_by_claims ? &claims : NULL;
	found = !readable;
	if (what & ASK_MAP)
		print_map(report, guest, &mode, readable ? &claims : NULL);
	if (what & ASK_WALKS)
		print_walks(report, guest, &mode, readable ? &claims : NULL, questions);
	if (what & ASK_FRAMES)
		print_frames(report, guest, &mode, believed, questions->frame);
	if (what & ASK_DIFF)
		print_diff(report, guest, &mode, believed);
	if (readable && what & (ASK_VERDICT | ASK_AREAS))
		found |= print_verdict(report, guest, &mode, &claims, what);
	claims_destroy(&claims);
	return found;
}

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

bool guest_report_is_fit(char *text, enum report_format format)
{
	return is_clean_text(text) && (format != REPORT_JSON || is_json_lines(text));
}
