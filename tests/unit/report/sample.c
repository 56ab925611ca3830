/* SPDX-License-Identifier: MIT */
#include "sample.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char script_text[] = "a = vmalloc 64K   # an area\n"
				  "fill a\n"
				  "expect fault guard a+64K\n"
				  "b = vmalloc 8K\n"
				  "vfree b\n"
				  "repeat 2\n"
				  "purge\n"
				  "end\n"
				  "expect refused vfree b\n";

static void fill_steps(struct sample *sample)
{
	struct report_step *steps = sample->steps;

	for (uint32_t i = 0; i < 8; i++)
		steps[i].result = (struct kvmap_record){ .type = KVMAP_RECORD_RESULT, .operation = i };
	steps[0].result.value[0] = SAMPLE_AREA;
	steps[0].result.value[2] = 0x10000;
	steps[1].result.value[2] = 0x10000;
	steps[2].fault = (struct kvmap_record){
		.type = KVMAP_RECORD_FAULT,
		.detail = KVMAP_FAULT_GUARD,
		.value = { SAMPLE_AREA + 0x10000, SAMPLE_AREA, 0x10000 },
	};
	steps[2].fault_checked = true;
	steps[2].fault_walk.stop = WALK_NOT_PRESENT;
	steps[7].result.status = KVMAP_REFUSED_DOUBLE_FREE;
	steps[7].warning = (struct kvmap_record){
		.type = KVMAP_RECORD_WARNING,
		.status = KVMAP_REFUSED_DOUBLE_FREE,
		.detail = 1,
		.value = { SAMPLE_AREA + 0x1000, SAMPLE_AREA, 0x10000, 0x1234 },
	};
}

static void fill_claims(struct sample *sample)
{
	struct claims *claims = &sample->claims;

	sample->areas[0] = (struct claim_area){
		.va_start = SAMPLE_AREA,
		.va_end = SAMPLE_LAZY,
		.addr = SAMPLE_AREA,
		.requested_size = 0x10000,
		.nr_pages = 16,
		.frame_count = 16,
	};
	sample->areas[1] = (struct claim_area){
		.state = AREA_LAZY,
		.va_start = SAMPLE_LAZY,
		.va_end = SAMPLE_END,
		.requested_size = 0x2000,
		.nr_pages = 2,
		.first_frame = 16,
		.frame_count = 2,
	};
	for (uint32_t i = 0; i < 18; i++)
		sample->frames[i] = 0x1800 + (i * 37) % 101;
	sample->frames[17] = sample->frames[16] + 1;
	sample->variables[0] = (struct claim_variable){ .address = SAMPLE_AREA, .size = 0x10000, .state = 1 };
	sample->flushes[0] = (struct claim_flush){ .stamp = 3, .end = UINT64_MAX };
	claims->areas.items = sample->areas;
	claims->areas.count = 2;
	sample->places[0] = (struct claim_place){ SAMPLE_AREA, SAMPLE_LAZY, .area = 0, .live = true };
	sample->places[1] = (struct claim_place){ SAMPLE_LAZY, SAMPLE_END, .area = 1 };
	claims->places.items = sample->places;
	claims->places.count = 2;
	claims->frames.items = sample->frames;
	claims->frames.count = 18;
	claims->variables.items = sample->variables;
	claims->variables.count = 2;
	claims->flushes.items = sample->flushes;
	claims->flushes.count = 1;
	claims->flush_count = 1;
	claims->max_pfn = 0x10000;
	/* allocations, frees, refused, mapped, unmapped, purges, areas purged, pages purged, full, range,
	 * pages */
	claims->stats = (struct vmalloc_stats){ .allocations = 1234,
						.frees = 21,
						.refused = 1,
						.pages_mapped = 18,
						.pages_unmapped = 2,
						.purges = 1,
						.areas_purged = 20,
						.pages_purged = 2,
						.flush_full = 1 };
}

static void fill_verdict(struct verdict *verdict)
{
	for (unsigned int i = 1; i <= INVARIANTS; i++)
		verdict->results[i].checked = 100 + i;
	verdict->results[10].seen = NOT_SEEN;
	verdict->results[10].checked = 0;
	strcpy(verdict->results[10].why_not, "no permission to read the second stage");
}

void sample_init(struct sample *sample)
{
	struct error error;

	memset(sample, 0, sizeof(*sample));
	cr_assert_eq(script_compile("dir/t.kvs", script_text, strlen(script_text), &sample->script, NULL, 0,
				    &error),
		     0, "%s", error.text);
	fill_steps(sample);
	fill_claims(sample);
	fill_verdict(&sample->verdict);
	sample->range =
		(struct range){ .gva = SAMPLE_AREA, .size = 0x10000, .page_size = 0x1000, .rights = 3 };
	sample->ranges.items = &sample->range;
	sample->ranges.count = 1;
	sample->run = (struct report_run){
		.program = "build/guest/kvmap-guest.elf",
		.script = sample->script,
		.memory = 256 << 20,
		.cpus = 1,
		.facts = { .api_version = 12, .kind = "kvm_test", .memory_slots = 3, .exits = 1 },
		.hello = { .type = KVMAP_RECORD_HELLO, .value = { 1234567, 256 << 20, 65000 } },
		.bye = { .type = KVMAP_RECORD_BYE },
		.steps = sample->steps,
		.step_count = 8,
		.claims = &sample->claims,
		.ranges = &sample->ranges,
		.verdict = &sample->verdict,
		.verifications = 2,
		.timing = { 1000000, 2000000, 30000000, 4000000, 40000000 },
	};
}

void sample_destroy(struct sample *sample)
{
	script_destroy(sample->script);
}

void sample_add_findings(struct sample *sample)
{
	sample->findings[0] = (struct finding){
		.invariant = 3,
		.address = SAMPLE_AREA + 0x10000,
		.claimed = "unmapped",
		.found = "mapped \x1b[2J\x07 \"quoted\\\" \n",
		.where = "\xff\xfe \xe2\x80\xae evil \xc3\xa4",
	};
	sample->findings[1] = (struct finding){ .address = 1, .claimed = "done", .found = "failed" };
	memset(sample->findings[1].where, 'x', sizeof(sample->findings[1].where) - 1);
	sample->verdict.findings.items = sample->findings;
	sample->verdict.findings.count = 2;
	sample->verdict.finding_count = 2;
	sample->verdict.results[3].findings = 1;
	sample->verdict.results[0].findings = 1;
}

void sample_add_further(struct sample *sample)
{
	sample->further[0] = (struct finding){
		.invariant = 3,
		.address = sample->findings[0].address,
		.claimed = "not \x1b[31m this",
		.found = "that",
		.where = "there",
	};
	sample->further[1] = (struct finding){
		.invariant = 3,
		.address = 0x1000,
		.claimed = "a flush",
		.found = "none",
		.where = "frame 0x1",
		.pages = 2,
		.range_start = 0x1000,
		.range_end = 0x3000,
		.gaps = true,
	};
	sample->verdict.further.items = sample->further;
	sample->verdict.further.count = 2;
	sample->findings[0].more_unlisted = 5;
}

struct report report_begin(enum report_format format, char **text_out, size_t *size_out)
{
	static uint64_t seq;
	struct report report = { .format = format, .seq = &seq };

	report.stream = open_memstream(text_out, size_out);
	cr_assert_not_null(report.stream);
	seq = 0;
	return report;
}

void report_end(struct report *report)
{
	cr_assert_eq(fclose(report->stream), 0);
}

char *report_text_of(const struct sample *sample, enum report_format format, bool colour)
{
	char *text;
	size_t size;
	struct report report = report_begin(format, &text, &size);

	report.colour = colour;
	report_run(&report, &sample->run);
	report_end(&report);
	cr_expect_eq(strlen(text), size);
	return text;
}

const char *member(struct json_object *line, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(line, key, &value) ? json_object_get_string(value) : "";
}

/* One line that ends with a line break, or NULL. */
static struct json_object *parse_line(const char *text, size_t size, int flags)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *line;

	json_tokener_set_flags(tokener, flags);
	line = json_tokener_parse_ex(tokener, text, (int)size);
	json_tokener_free(tokener);
	return line;
}

/*
 * Checks that a line is JSON in the strict sense, on a copy without bytes beyond ASCII: strict json-c 0.18 takes
 * them for control characters.
 */
static void check_strict(const char *text, size_t size)
{
	struct json_object *line;
	char *ascii = strndup(text, size);

	for (char *at = ascii; *at; at++)
		if (*at & 0x80)
			*at = '?';
	line = parse_line(ascii, size, JSON_TOKENER_STRICT);
	cr_expect(line, "%s", ascii);
	json_object_put(line);
	free(ascii);
}

struct json_object *lines_of(const char *text)
{
	struct json_object *lines = json_object_new_array();

	for (const char *at = text; *at;) {
		size_t length = strcspn(at, "\n");
		struct json_object *line = parse_line(at, length + 1, JSON_TOKENER_VALIDATE_UTF8);

		check_strict(at, length + 1);
		cr_assert_eq(at[length], '\n', "the last line does not end");
		cr_assert(json_object_is_type(line, json_type_object), "%.*s", (int)length, at);
		cr_expect_str_eq(member(line, "schema"), "kvmap/1");
		cr_expect_eq((size_t)atoi(member(line, "seq")), json_object_array_length(lines));
		json_object_array_add(lines, line);
		at += length + 1;
	}
	return lines;
}

struct json_object *line_of_type(struct json_object *lines, const char *type, size_t n)
{
	for (size_t i = 0; i < json_object_array_length(lines); i++) {
		struct json_object *line = json_object_array_get_idx(lines, i);

		if (!strcmp(member(line, "type"), type) && !n--)
			return line;
	}
	return NULL;
}

void check_lines(const char *text)
{
	size_t columns = 0;

	for (const char *at = text; *at; at++) {
		if (*at == '\n') {
			cr_expect_leq(columns, 100, "%zu columns: %.*s", columns, (int)columns, at - columns);
			columns = 0;
			continue;
		}
		cr_expect((unsigned char)*at >= 0x20 && *at != 0x7f, "byte \\x%02x", (unsigned char)*at);
		columns += ((unsigned char)*at & 0xc0) != 0x80;
	}
}

void check_holds(const char *text, const char *part)
{
	cr_expect_not_null(strstr(text, part), "not there: %s\nin:\n%s", part, text);
}

void check_holds_format(const char *text, const char *format, ...)
{
	char part[400];
	va_list arguments;

	va_start(arguments, format);
	cr_assert_lt(vsnprintf(part, sizeof(part), format, arguments), (int)sizeof(part));
	va_end(arguments);
	check_holds(text, part);
}
