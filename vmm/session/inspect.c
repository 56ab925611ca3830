/* SPDX-License-Identifier: MIT */
/*
 * inspect.c: claims and tables of the guest while it is stopped.
 */
#include "base/clock.h"
#include "base/progress.h"
#include "history/history.h"
#include "report/show.h"
#include "session/expectations.h"
#include "session/internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Takes a view of the stopped machine, and the paging mode. */
static int take_view(struct session *session, struct error *error)
{
	unsigned int cpu;

	session->has_mode = false;
	if (machine_view(session->machine, &session->view, error) < 0)
		return -1;
	/* All CPUs have the same tables; one that died may have lost its registers. */
	session->has_mode = walk_mode_find(session->view, &cpu, &session->mode, error) == 0;
	return session->has_mode ? 0 : -1;
}

int session_take_flushes(struct session *session, struct error *error)
{
	struct error ignored;

	if (take_view(session, &ignored) < 0)
		return 0;
	return claims_take_flushes(session->view, &session->mode, session->layout, &session->flushes, error);
}

int session_take_log(struct session *session, struct error *error)
{
	struct error ignored;

	/* A guest may ring when it likes. */
	if (!session->history || take_view(session, &ignored) < 0)
		return 0;
	if (!history_has_begun(session->history))
		session->has_invlpg = machine_invlpg(session->machine, &session->invlpg) == 0;
	return history_take(session->history, session->view, error);
}

int session_read_claims(struct session *session, struct error *error)
{
	if (take_view(session, error) < 0)
		return -1;
	claims_destroy(&session->claims);
	session->run.claims = NULL;
	session->claims = (struct claims){ 0 };
	if (claims_read_logged(session->view, &session->mode, session->layout, &session->flushes,
			       &session->claims, error) < 0)
		return -1;
	session->run.claims = &session->claims;
	return 0;
}

static int add_verdict(struct session *session, const struct verdict *verdict)
{
	struct verdict *all = &session->verdict;
	size_t known = all->findings.count;
	int result = session->run.verifications++ ? verdict_add(all, verdict)
						  : expectations_first_verdict(session, verdict);
	char after[sizeof(all->findings.items->after)] = "";

	if (known < all->findings.count)
		expectations_after(session, after, sizeof(after));
	for (; known < all->findings.count; known++)
		memcpy(all->findings.items[known].after, after, sizeof(after));
	session->verified_steps = session->steps.count;
	return result;
}

static int stop_history(struct session *session, struct error *error)
{
	uint64_t count;

	if (history_stop(session->history, session->view, error) < 0)
		return -1;
	if (!session->has_invlpg || machine_invlpg(session->machine, &count) < 0)
		return 0;
	return history_compare_invlpg(session->history, count - session->invlpg, error);
}

/* Verifies the claims that were read. */
static int verify_claims(struct session *session, struct error *error)
{
	struct verify_input input = {
		.view = session->view,
		.mode = &session->mode,
		.claims = &session->claims,
		.symbols = session->symbols,
		.variable_names = (const char *const *)session->config.script->variables.items,
		.variable_name_count = session->config.script->variables.count,
		.history = session->history,
		.died = session->run.death,
		.seen = &session->seen,
		/* Between operations alone is known what they have done. */
		.requests = session->run.death || session->parallel_done ? NULL : &session->requests,
	};
	struct verdict verdict = { 0 };
	struct error no_stage2;
	int result = -1;

	if (session->config.stage2) {
		input.stage2 = stage2_on_demand_read(&session->stage2, getpid(),
						     machine_vm_fd(session->machine), &no_stage2);
		input.no_stage2 = no_stage2.text;
	} else if (stage2_reader_check(&no_stage2) < 0) {
		input.no_stage2 = no_stage2.text;
	}
	if (session->history && stop_history(session, error) < 0)
		return -1;
	if (verify(&input, &verdict, error) == 0) {
		session->findings = verdict.finding_count;
		result = add_verdict(session, &verdict);
		if (result < 0)
			error_set(error, ERROR_HOST, 0, 0, "out of memory");
	}
	verdict_destroy(&verdict);
	return result;
}

int session_verify(struct session *session, struct error *error)
{
	uint64_t start = clock_monotonic_ns();
	int result;

	progress_set("verifying");
	session->verified = true;
	session->findings = 1; /* the claims cannot be read */
	if (session_read_claims(session, error) < 0) {
		if (error->kind != ERROR_GUEST)
			return -1;
		if (expectations_unreadable(session, error) < 0)
			return error_set(error, ERROR_HOST, 0, 0, "out of memory");
		return 0;
	}
	result = verify_claims(session, error);
	session->run.timing.verify_ns += clock_monotonic_ns() - start;
	return result;
}

void session_verify_dead(struct session *session)
{
	uint64_t start = clock_monotonic_ns();
	struct error ignored;

	progress_set("verifying");
	(void)verify_claims(session, &ignored);
	session->run.timing.verify_ns += clock_monotonic_ns() - start;
}

void session_check_fault(struct session *session, unsigned int cpu)
{
	struct report_step *step = &session->pending[cpu];
	struct error ignored;

	if (!step->fault.type || take_view(session, &ignored) < 0)
		return;
	walk_translate(session->view, &session->mode, step->fault.value[0], &step->fault_walk);
	step->fault_checked = true;
}

void session_collect_ranges(struct session *session)
{
	struct error ignored;
	size_t count;
	uint64_t *breaks = session->has_mode ? claims_area_starts(&session->claims, &count) : NULL;

	if (!breaks)
		return;
	if (ranges_collect(session->view, &session->mode, KVMAP_VMALLOC_START, KVMAP_VMALLOC_END - 1, breaks,
			   count, &session->ranges, &ignored) == 0)
		session->run.ranges = &session->ranges;
	free(breaks);
}

/* ---- show ---- */

/* Bytes of all that `show` shows in a run; what is beyond them is not kept. */
#define SHOWN_MAX (32u << 20)

/* Verifies for the marks of areas; the run's verdict does not count it. */
static int show_verified(struct session *session, struct report_show *show, struct error *error)
{
	struct verify_input input = {
		.view = session->view,
		.mode = &session->mode,
		.claims = &session->claims,
		.symbols = session->symbols,
	};
	struct verdict verdict = { 0 };
	int result = -1;

	input.area_findings = calloc(session->claims.areas.count + 1, sizeof(*input.area_findings));
	if (!input.area_findings)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	show->guest.verdict = &verdict;
	show->guest.findings = input.area_findings;
	if (verify(&input, &verdict, error) == 0)
		result = report_show(show, session->config.columns, &session->shown);
	verdict_destroy(&verdict);
	free(input.area_findings);
	return result;
}

static int show(struct session *session, const struct kvmap_operation *operation, struct error *error)
{
	struct report_show show = {
		.what = (enum kvmap_show)operation->operand[0].value,
		.has_address = operation->operand[2].value,
		.guest = { .claims = &session->claims,
			   .view = session->view,
			   .mode = &session->mode,
			   .symbols = session->symbols },
	};

	if (!expectations_address(session, &operation->operand[1], &show.address))
		return report_show_error("the variable is not set", &session->shown);
	if (show.what == KVMAP_SHOW_AREAS)
		return show_verified(session, &show, error);
	return report_show(&show, session->config.columns, &session->shown);
}

int session_show(struct session *session, struct error *error)
{
	const struct script *script = session->config.script;
	const struct kvmap_operation *operation;
	struct error unreadable;

	/* A guest may ring when it likes. */
	if (session->parallel_done || session->steps.count >= script->operations.count)
		return 0;
	operation = &script->operations.items[session->steps.count];
	if (operation->opcode != KVMAP_OP_SHOW || session->shown.text)
		return 0;
	error_set(error, ERROR_HOST, 0, 0, "out of memory");
	if (session->shown_size > SHOWN_MAX)
		return report_show_error("not kept: more than 32 MiB were shown", &session->shown);
	if (session_read_claims(session, &unreadable) < 0) {
		if (unreadable.kind != ERROR_GUEST) {
			*error = unreadable;
			return -1;
		}
		return report_show_error(unreadable.text, &session->shown);
	}
	if (show(session, operation, error) < 0)
		return -1;
	session->shown_size +=
		strlen(session->shown.text) + (session->shown.json ? strlen(session->shown.json) : 0);
	return 0;
}
