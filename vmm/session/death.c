/* SPDX-License-Identifier: MIT */
/*
 * death.c: what is known of a guest that died.
 */
#include "base/escape.h"
#include "base/signals.h"
#include "session/expectations.h"
#include "session/internal.h"

#include <string.h>

/* The last line on the serial port, where a guest that gives up writes the reason. */
static void take_last_words(struct session *session)
{
	struct report_death *death = &session->death;
	size_t length, start;
	const char *text = machine_serial(session->machine, &length);

	while (length && (text[length - 1] == '\n' || text[length - 1] == '\r'))
		length--;
	for (start = length; start && text[start - 1] != '\n'; start--)
		;
	text_escape(text + start, length - start, death->last_words, sizeof(death->last_words));
}

/* The registers of the guest's own report, in the order of KVMAP_RECORD_REGISTERS, else those of the CPU. */
static struct view_cpu death_registers(const struct report_death *death)
{
	const uint64_t *value = death->oops_registers;
	struct view_cpu cpu = { .rip = death->oops.value[3] };

	if (!death->oops.type)
		return death->registers;
#define TAKE(name) cpu.name = *value++;
	VIEW_GENERAL_REGISTERS(TAKE)
#undef TAKE
	return cpu;
}

static void take_backtrace(struct session *session)
{
	struct unwinder *unwinder = unwinder_open(session->symbols);
	struct view_cpu registers = death_registers(&session->death);

	if (unwinder)
		unwinder_take(unwinder, session->view, &session->mode, &registers, &session->death.backtrace);
	unwinder_close(unwinder);
}

/* The bytes at RIP, as many as are mapped. */
static void take_code(struct session *session)
{
	struct report_death *death = &session->death;
	uint64_t rip = death->oops.type ? death->oops.value[3] : death->registers.rip;
	struct error ignored;

	for (death->code_size = sizeof(death->code); death->code_size; death->code_size--)
		if (walk_read(session->view, &session->mode, rip, death->code, death->code_size, &ignored) ==
		    0)
			break;
}

/* That a signal interrupted the run is no fault of the guest. */
static int check_death(struct session *session)
{
	return session->run.interrupted ? 0 : expectations_check_death(session);
}

int session_take_death(struct session *session, const struct machine_event *event)
{
	struct report_death *death = &session->death;
	struct error ignored;

	death->event = *event;
	session->run.death = death;
	if (event->type == MACHINE_INTERRUPTED) {
		session->run.interrupted = signals_name(signals_received());
		expectations_where(session, session->run.interrupted_at, sizeof(session->run.interrupted_at));
	}
	take_last_words(session);
	if (machine_view(session->machine, &session->view, &ignored) < 0 ||
	    event->cpu >= session->view->cpu_count)
		return check_death(session);
	death->registers = session->view->cpus[event->cpu];
	death->has_registers = death->registers.cr0;
	/* A shell verifies a dead guest at a `verify`. An interrupted run did not die. */
	if (session_read_claims(session, &ignored) == 0) {
		if (!session->run.interrupted && !session->config.ring)
			session_verify_dead(session);
		session_collect_ranges(session);
	}
	if (session->has_mode && (death->oops.type || death->has_registers))
		take_backtrace(session);
	if (session->has_mode)
		take_code(session);
	return check_death(session);
}
