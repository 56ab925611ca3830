/* SPDX-License-Identifier: MIT */
/*
 * guest.c: runs the guest of the shell, verifies it where it stops, and reports what changed.
 */
#include "base/clock.h"
#include "base/signals.h"
#include "report/stop.h"
#include "report/verdict.h"
#include "shell/internal.h"
#include "shell/last_stop.h"

/* The last stop, as the report of the next one needs it. */
struct before {
	struct claims claims;
	bool has_claims;
	size_t steps, listed;
	uint64_t findings, checks; /* findings: of the run, not of a verification */
	uint64_t guest_ns;
};

static uint64_t checks_of(const struct verdict *verdict)
{
	uint64_t sum = 0;

	for (unsigned int i = 1; i <= INVARIANTS; i++)
		if (verdict->results[i].seen == SEEN)
			sum += verdict->results[i].checked;
	return sum;
}

/* Keeps what the next stop is compared with. */
static void before_take(struct shell *shell, struct before *out)
{
	struct session *session = shell->session;
	const struct verdict *verdict = &session->verdict;

	*out = (struct before){
		.steps = session->steps.count,
		.listed = verdict->findings.count,
		.findings = verdict->results[0].findings,
		.guest_ns = session->run.timing.guest_ns,
		.checks = checks_of(verdict),
		.has_claims = session->run.claims,
	};
	if (out->has_claims)
		session_give_claims(session, &out->claims);
	view_destroy(shell->last);
	shell->last = last_stop_copy(session->view, &shell->no_last);
}

/* Whether the newest operation is a `verify`, so that the guest is verified as it is. */
static bool is_verified(const struct session *session, size_t first_step)
{
	return session->steps.count > first_step && session->steps.items[session->steps.count - 1].verified &&
	       session->run.claims;
}

/* After the guest stopped: verifies, and reports. */
static int stop_report(struct shell *shell, struct before *before, bool verify, struct error *error)
{
	struct session *session = shell->session;
	char where[160];
	struct report_stop stop = {
		.run = &session->run,
		.first_step = before->steps,
		.before = before->has_claims ? &before->claims : NULL,
		.first_listed = before->listed,
		.dead = session->state == SESSION_DEAD,
	};
	struct error unreadable;
	int result = 0;

	if (session->state == SESSION_IDLE && is_verified(session, before->steps))
		verify = true;
	else if (session->state == SESSION_IDLE && verify)
		result = session_verify(session, error);
	else if (session->state != SESSION_DEAD && session_read_claims(session, &unreadable) < 0 &&
		 unreadable.kind != ERROR_GUEST)
		shell_error(shell, unreadable.text, NULL);
	session_fill_run(session);
	if (session->state == SESSION_STOPPED) {
		session_where(session, where, sizeof(where));
		stop.stopped_at = where;
	}
	stop.verified = session->state == SESSION_IDLE && verify;
	if (stop.verified)
		shell->verified = session->steps.count;
	stop.findings = session->verdict.results[0].findings - before->findings +
			(stop.verified ? session->findings : 0);
	stop.guest_ns = session->run.timing.guest_ns - before->guest_ns;
	stop.checks = checks_of(&session->verdict) - before->checks;
	stop.ns = clock_monotonic_ns() - shell->line_ns;
	if (result == 0)
		report_stop(&shell->report, &stop);
	claims_destroy(&before->claims);
	fflush(shell->report.stream);
	return result;
}

/* ---- runs ---- */

int guest_start(struct shell *shell, struct error *error)
{
	struct before before = { 0 };

	shell->line_ns = clock_monotonic_ns();
	if (session_start(&shell->config->session, &shell->session, error) < 0)
		return -1;
	shell_take_signal(shell);
	return stop_report(shell, &before, shell->verify == VERIFY_EACH, error);
}

int guest_execute(struct shell *shell, struct error *error)
{
	struct before before;

	/* Nothing is run then, and the guest at the last stop stays the one that `diff` compares with. */
	if (session_check(shell->session, error) < 0) {
		shell_error(shell, error->text, NULL);
		script_rewind(shell->config->script, &shell->before);
		return 0;
	}
	before_take(shell, &before);
	if (session_execute(shell->session, error) < 0) {
		claims_destroy(&before.claims);
		return -1;
	}
	shell_take_signal(shell);
	return stop_report(shell, &before, shell->verify == VERIFY_EACH, error);
}

/* Operations after the last verification, and the one that the guest is stopped in. That it died in one is a finding. */
static uint64_t unverified(const struct shell *shell)
{
	const struct session *session = shell->session;

	return session->steps.count - shell->verified + (session->state == SESSION_STOPPED);
}

/* Before a restart: with `verify end`, this is an end. */
static int verify_before_restart(struct shell *shell, struct error *error)
{
	struct before before;

	if (shell->verify != VERIFY_END || shell->session->state != SESSION_IDLE || !unverified(shell))
		return 0;
	shell->line_ns = clock_monotonic_ns();
	before_take(shell, &before);
	return stop_report(shell, &before, true, error);
}

int guest_restart(struct shell *shell, struct error *error)
{
	if (!shell->session) {
		shell_error(shell, "there is no guest to restart: SOURCE is not a script", NULL);
		return 0;
	}
	if (verify_before_restart(shell, error) < 0)
		return -1;
	shell->earlier_findings += shell->session->verdict.finding_count;
	shell->earlier_unverified += unverified(shell);
	shell->earlier_refused += shell->session->refused;
	session_destroy(shell->session);
	shell->session = NULL;
	view_destroy(shell->last);
	shell->last = NULL;
	shell->verified = 0;
	shell->verified_dead = false;
	script_rewind(shell->config->script, &shell->booted);
	return guest_start(shell, error);
}

int guest_verify_dead(struct shell *shell, struct error *error)
{
	struct session *session = shell->session;

	if (shell->verified_dead)
		return 0;
	if (session_verify(session, error) < 0)
		return -1;
	shell->verified_dead = true;
	shell->verified = session->steps.count;
	session_fill_run(session);
	return 0;
}

int guest_continue(struct shell *shell, struct error *error)
{
	struct before before;

	if (!shell->session || shell->session->state != SESSION_STOPPED) {
		shell_error(shell, "no guest is stopped in the middle of an operation", NULL);
		return 0;
	}
	before_take(shell, &before);
	shell->line_ns = clock_monotonic_ns();
	if (session_continue(shell->session, error) < 0) {
		claims_destroy(&before.claims);
		return -1;
	}
	shell_take_signal(shell);
	return stop_report(shell, &before, shell->verify == VERIFY_EACH, error);
}

int guest_finish(struct shell *shell, struct error *error)
{
	struct session *session = shell->session;
	struct verdict_run run = { .earlier_findings = shell->earlier_findings };
	char where[160];

	if (!session)
		return 0;
	if (session_finish(session, shell->verify != VERIFY_OFF, error) < 0)
		return -1;
	if (session->reached_end && shell->verify != VERIFY_OFF)
		shell->verified = session->steps.count;
	if (signals_received())
		run.interrupted = signals_name(signals_received());
	run.unverified = shell->earlier_unverified + unverified(shell);
	shell->result.findings = session->verdict.finding_count + shell->earlier_findings;
	/* A person has seen them. */
	if (!editor_is_terminal(shell->editor))
		run.refused = shell->earlier_refused + session->refused;
	if (run.refused ||
	    ((run.unverified || !session->run.verifications) && !editor_is_terminal(shell->editor)))
		shell->result.failed = true;
	report_verdict(&shell->report, &session->verdict, &run);
	if (session->state == SESSION_STOPPED && shell->report.format == REPORT_TEXT) {
		session_where(session, where, sizeof(where));
		fprintf(shell->report.stream, "Not verified: what the guest was stopped in: %s.\n", where);
	}
	return 0;
}
