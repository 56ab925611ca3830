/* SPDX-License-Identifier: MIT */
#include "commands/source.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define LOOKS_NS 2000000000ull

static int verify_once(struct source *source, struct verdict *verdict, uint32_t **area_findings_out,
		       struct error *error)
{
	struct verify_input input = {
		.view = source->view,
		.mode = &source->mode,
		.claims = source->claims,
		.symbols = source->symbols,
	};
	struct error not_seen;

	if (!source->claims) {
		*error = source->no_claims;
		return -1;
	}
	input.stage2 = source_second_stage(source, &not_seen);
	input.no_stage2 = not_seen.text;
	if (area_findings_out) {
		input.area_findings = calloc(source->claims->areas.count + 1, sizeof(*input.area_findings));
		if (!input.area_findings)
			return error_set(error, ERROR_HOST, ENOMEM, 0, "the areas of the guest");
	}
	if (verify(&input, verdict, error) < 0) {
		free(input.area_findings);
		return -1;
	}
	if (area_findings_out)
		*area_findings_out = input.area_findings;
	return 0;
}

static bool runs(const struct source *source)
{
	return source->attached && attached_hello(source->attached)->state != CONTROL_AT_END;
}

/* To another place, and not in step with what it does. */
static void let_it_run(struct source *source, unsigned int looks)
{
	const struct timespec some = { .tv_nsec = 300000 + looks % 7 * 150000 };

	source_resume(source);
	nanosleep(&some, NULL);
}

int source_verify(struct source *source, struct verdict *verdict, uint32_t **area_findings_out,
		  struct error *error)
{
	uint64_t start = session_now();
	unsigned int looks = 1;

	if (verify_once(source, verdict, area_findings_out, error) < 0)
		return -1;
	while (verdict->finding_count && runs(source) && session_now() - start < LOOKS_NS) {
		verdict_destroy(verdict);
		if (area_findings_out)
			free(*area_findings_out);
		let_it_run(source, looks++);
		if (source_look_again(source, error) < 0 ||
		    verify_once(source, verdict, area_findings_out, error) < 0)
			return -1;
	}
	if (verdict->finding_count && looks > 1)
		fprintf(stderr,
			"kvmap: the VM runs: it was looked at %u times, and each time something did not agree\n",
			looks);
	return 0;
}
