/* SPDX-License-Identifier: MIT */
#include "commands/commands.h"
#include "source/source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

int source_verify(struct source *source, struct verdict *verdict, uint32_t **area_findings_out,
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
	input.stage2 = source_stage2(source, &not_seen);
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

/* It is in the middle of an operation, or may be: what does not agree may be half done. */
static void say_inside(unsigned int cpu, uint32_t line, unsigned int looks, struct error *error)
{
	char where[64];

	if (line == KVMAP_INSIDE_BOOT)
		snprintf(where, sizeof(where), "the boot");
	else
		snprintf(where, sizeof(where), "line %" PRIu32 " of its script", line);
	error_set(error, ERROR_GUEST, 0, 0,
		  "not judged: at each of %u looks something did not agree and a CPU was in the middle of an "
		  "operation, at the last one CPU %u of %s: look again, or at its end (--hold)",
		  looks, cpu, where);
}

int source_judge(struct source *source, const struct verdict *verdict)
{
	struct error error;
	unsigned int cpu;
	uint32_t line;

	if (!verdict->finding_count)
		return EXIT_VERIFIED;
	/* At its end, nobody goes on with anything. */
	if (!source->vm.client || control_client_hello(source->vm.client)->state == CONTROL_AT_END ||
	    !claims_inside(source->claims, &cpu, &line))
		return EXIT_FINDING;
	if (source_may_change(source))
		return SOURCE_AGAIN;
	say_inside(cpu, line, source_looks(source) + 1, &error);
	return source_fail(source, &error, NULL);
}
