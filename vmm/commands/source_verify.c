/* SPDX-License-Identifier: MIT */
#include "commands/source.h"

#include <errno.h>
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
