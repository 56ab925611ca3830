/* SPDX-License-Identifier: MIT */
/*
 * verify.c: the time of a verification beside that of reading the same guest memory once.
 */
#include "base/clock.h"
#include "base/progress.h"
#include "bench/bench.h"
#include "kvmap/layout.h"
#include "session/session.h"
#include "verify/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define AREA_PAGES 25
#define RUNS       5 /* the shortest counts */
#define STEP       (2ull << 20)
/* The guest's memory besides the pages of the areas: their tables, struct pages and slabs, and the image. */
#define MEMORY_SPARE(pages) ((pages)*KVMAP_PAGE_SIZE / 8 + (64ull << 20))

/* The guest memory that a verification reads: views of the same regions. */
struct reading {
	struct view tracked; /* records which pages are read */
	struct view plain;
	uint64_t pages;
};

static int no_memory(struct error *error)
{
	return error_set(error, ERROR_HOST, ENOMEM, 0, "no memory to measure a verification");
}

static void reading_close(struct reading *reading)
{
	for (unsigned int i = 0; i < reading->tracked.region_count; i++)
		free(reading->tracked.regions[i].accessed);
	free(reading->tracked.regions);
}

/* Each verification here leaves KVM's translations out. */
static int reading_open(struct reading *reading, const struct view *view, struct error *error)
{
	struct view *tracked = &reading->tracked;

	reading->plain = *view;
	reading->plain.translate = NULL;
	*tracked = reading->plain;
	tracked->tracks_access = true;
	tracked->region_count = 0;
	tracked->regions = calloc(view->region_count + 1, sizeof(*tracked->regions));
	if (!tracked->regions)
		return no_memory(error);
	for (unsigned int i = 0; i < view->region_count; i++) {
		struct view_region *region = &tracked->regions[i];

		*region = view->regions[i];
		region->accessed = calloc(region->size / KVMAP_PAGE_SIZE / 64 + 1, sizeof(*region->accessed));
		tracked->region_count++;
		if (!region->accessed)
			return no_memory(error);
	}
	return 0;
}

/* Reads the claims and verifies them. */
static int verify_once(const struct session *session, const struct view *view, struct error *error)
{
	struct claims claims = { 0 };
	struct verdict verdict = { 0 };
	struct verify_input input = {
		.view = view,
		.mode = &session->mode,
		.claims = &claims,
		.symbols = session->symbols,
	};
	int status = -1;

	if (claims_read(view, &session->mode, session->layout, &claims, error) == 0 &&
	    verify(&input, &verdict, error) == 0)
		status = verdict.finding_count ? error_set(error, ERROR_GUEST, 0, 0,
							   "the verification that is measured has %" PRIu64
							   " findings: kvmap run shows them",
							   verdict.finding_count)
					       : 0;
	verdict_destroy(&verdict);
	claims_destroy(&claims);
	return status;
}

static uint64_t read_page(const uint8_t *bytes)
{
	const volatile uint64_t *words = (const volatile uint64_t *)(const void *)bytes;
	uint64_t sum = 0;

	for (unsigned int i = 0; i < KVMAP_PAGE_SIZE / sizeof(*words); i++)
		sum += words[i];
	return sum;
}

/* Reads each page that the tracked view has recorded, and counts them. */
static void read_once(struct reading *reading)
{
	const struct view *tracked = &reading->tracked;
	volatile uint64_t sum = 0;

	reading->pages = 0;
	for (unsigned int i = 0; i < tracked->region_count; i++) {
		const struct view_region *region = &tracked->regions[i];

		for (uint64_t page = 0; page < region->size / KVMAP_PAGE_SIZE; page++) {
			const uint8_t *bytes = NULL;

			if (region->accessed[page / 64] >> page % 64 & 1)
				bytes = view_bytes(&reading->plain, region->gpa + page * KVMAP_PAGE_SIZE,
						   KVMAP_PAGE_SIZE);
			if (bytes) {
				sum = sum + read_page(bytes);
				reading->pages++;
			}
		}
	}
}

static uint64_t faults(void)
{
	struct rusage usage = { 0 };

	getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)usage.ru_minflt;
}

static void keep_least(uint64_t *least, uint64_t value)
{
	if (!*least || value < *least)
		*least = value;
}

static int measure_reading(const struct session *session, struct reading *reading,
			   struct report_bench_verify *row, struct error *error)
{
	if (verify_once(session, &reading->tracked, error) < 0)
		return -1;
	read_once(reading);
	row->read_bytes = reading->pages * KVMAP_PAGE_SIZE;
	for (unsigned int i = 0; i < RUNS; i++) {
		uint64_t start = clock_monotonic_ns(), before = faults();

		if (verify_once(session, &reading->plain, error) < 0)
			return -1;
		keep_least(&row->full_ns, clock_monotonic_ns() - start);
		keep_least(&row->page_faults, faults() - before);
		start = clock_monotonic_ns();
		read_once(reading);
		keep_least(&row->read_ns, clock_monotonic_ns() - start);
	}
	return 0;
}

static int measure_session(struct session *session, struct report_bench_verify *row, struct error *error)
{
	struct reading reading = { 0 };
	int status = -1;

	if (session->state != SESSION_IDLE || session->refused)
		return error_set(error, ERROR_GUEST, 0, 0,
				 "the guest could not allocate %" PRIu64 " pages with %" PRIu64
				 " MiB: leave --memory away, or state more",
				 row->pages, session->config.memory >> 20);
	if (session_read_claims(session, error) == 0 && reading_open(&reading, session->view, error) == 0)
		status = measure_reading(session, &reading, row, error);
	reading_close(&reading);
	return status;
}

static int measure_row(const struct session_config *base, struct report_bench_verify *row,
		       struct error *error)
{
	struct session_config config = *base;
	struct session *session = NULL;
	struct script *script;
	struct error ignored;
	char text[64];
	int status = -1;

	snprintf(text, sizeof(text), "areas %" PRIu64 " %dK\n", row->areas, AREA_PAGES * 4);
	if (script_compile("bench", text, strlen(text), &script, NULL, 0, error) < 0)
		return -1;
	config.ring = true;
	if (!config.memory)
		config.memory = (row->pages * KVMAP_PAGE_SIZE + MEMORY_SPARE(row->pages)) / STEP * STEP;
	progress_set("a verification of %" PRIu64 " pages", row->pages);
	if (session_settle(&config, script, NULL, 0, error) == 0 &&
	    session_start(&config, &session, error) == 0) {
		status = measure_session(session, row, error);
		session_finish(session, false, &ignored);
	}
	session_destroy(session);
	script_destroy(script);
	return status;
}

int bench_verify(const struct session_config *session, const uint64_t *pages, size_t count,
		 struct report_bench_verify *out, struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		out[i] = (struct report_bench_verify){
			.pages = pages[i] / AREA_PAGES * AREA_PAGES,
			.areas = pages[i] / AREA_PAGES,
		};
		if (measure_row(session, &out[i], error) < 0)
			return -1;
	}
	return 0;
}
