/* SPDX-License-Identifier: MIT */
#include "source/internal.h"
#include "source/snapshot.h"

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
		/* A core is as it is. */
		.died = source->core || (source->session && source->session->run.death),
	};
	struct error no_stage2;

	if (!source->claims) {
		*error = source->no_claims;
		return -1;
	}
	input.stage2 = source_stage2(source, &no_stage2);
	input.no_stage2 = no_stage2.text;
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

static void format_line(uint32_t line, char *where, size_t size)
{
	if (line == KVMAP_INSIDE_BOOT)
		snprintf(where, size, "the boot");
	else
		snprintf(where, size, "line %" PRIu32 " of its script", line);
}

static int not_settled(unsigned int snapshots, unsigned int cpu, uint32_t line, struct error *error)
{
	char where[64];

	format_line(line, where, sizeof(where));
	return error_set(
		error, ERROR_GUEST, 0, 0,
		"not verified: in each of %u snapshots claims and tables differed while a CPU was in an "
		"operation, in the last one CPU %u in %s: try again, or at the guest's end (--hold)",
		snapshots, cpu, where);
}

/* The guest of a shell, where Ctrl-C stopped it. */
static int stopped_inside(unsigned int cpu, uint32_t line, struct error *error)
{
	char where[64];

	format_line(line, where, sizeof(where));
	return error_set(
		error, ERROR_GUEST, 0, 0,
		"not verified: claims and tables differ while a CPU is in an operation, CPU %u in %s: "
		"`continue`, and try again",
		cpu, where);
}

int source_settle(struct source *source, bool wrong, struct error *error)
{
	bool runs = source->vm.client && control_client_hello(source->vm.client)->state != CONTROL_AT_END;
	bool stopped = source->session && source->session->state == SESSION_STOPPED;
	unsigned int cpu;
	uint32_t line;

	/* At its end the guest is in no operation. */
	if (!wrong || !(runs || stopped) || !source->claims || !claims_inside(source->claims, &cpu, &line))
		return 0;
	if (stopped)
		return stopped_inside(cpu, line, error);
	if (snapshot_may_repeat(source))
		return 1;
	return not_settled(source->snapshot->repeats + 1, cpu, line, error);
}
