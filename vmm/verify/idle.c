/* SPDX-License-Identifier: MIT */
/*
 * idle.c: V9, of CPUs that say that they are idle. Such a CPU is not interrupted for a flush, since it uses
 * no translation until it wakes; so it must be where the guest's image has the code for that,
 * [idle_text_start, idle_text_end), in what that calls, or in an interrupt that came meanwhile. All of these
 * have a frame of that code on the stack.
 */
#include "verify/check.h"

#include "base/x86.h"
#include "program/backtrace.h"

#include <inttypes.h>

struct idle_text {
	uint64_t start, end;
};

static bool idle_text_has(const struct idle_text *text, uint64_t pc)
{
	return pc >= text->start && pc < text->end;
}

static bool idle_text_find(const struct symbols *symbols, struct idle_text *out)
{
	return symbols && symbols_find(symbols, "idle_text_start", &out->start, NULL) &&
	       symbols_find(symbols, "idle_text_end", &out->end, NULL);
}

/* A CPU that is not in that code itself. -1 when memory is out. */
static int stack_has(const struct facts *facts, unsigned int cpu, const struct idle_text *text)
{
	struct unwinder *unwinder = unwinder_open(facts->input->symbols);
	struct backtrace stack;
	bool found = false;

	if (!unwinder)
		return -1;
	unwinder_take(unwinder, facts->view, facts->input->mode, &facts->view->cpus[cpu], &stack);
	unwinder_close(unwinder);
	for (size_t i = 0; i < stack.count && !found; i++)
		found = idle_text_has(text, stack.frames[i].pc - !stack.frames[i].exact);
	return found;
}

static void check_cpu(struct check *check, unsigned int cpu, const struct idle_text *text)
{
	uint64_t rip = check->facts->view->cpus[cpu].rip;
	struct finding *finding;
	int found = idle_text_has(text, rip) ? 1 : stack_has(check->facts, cpu, text);

	check->result->checked++;
	if (found < 0)
		check->no_memory = true;
	if (found)
		return;
	finding = finding_new(check, rip);
	finding_claimed(finding, "CPU %u is idle: no flush interrupts it", cpu);
	finding_found(finding, "RIP 0x%" PRIx64 ", and nothing of its stack is in the code of idle CPUs",
		      rip);
	finding_where_gva(finding, check, rip);
}

void check_idle(struct check *check)
{
	const struct facts *facts = check->facts;
	struct idle_text text;

	if (!idle_text_find(facts->input->symbols, &text))
		return;
	for (unsigned int i = 0; i < facts->claims->cpu_count && i < facts->view->cpu_count; i++)
		if (facts->claims->cpu_states[i] != CPU_RUNNING && facts->view->cpus[i].cr0 & CR0_PG)
			check_cpu(check, i, &text);
}
