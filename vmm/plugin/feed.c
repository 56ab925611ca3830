/* SPDX-License-Identifier: MIT */
/*
 * feed.c: events into the model, and what kvmap reads of it. Where an entry was changed is kept for the last changes, so
 * that a finding can say it.
 */
#include "base/page.h"
#include "base/x86.h"
#include "plugin/plugin.h"

#include <stdio.h>
#include <string.h>

#define PUBLISH_EVERY 1024u
/* Bytes of a recording that kvmap replay reads: a little less than 4 GiB. */
#define RECORD_MAX ((UINT64_C(4) << 30) - (UINT64_C(1) << 20))

void feed_stop(const char *problem)
{
	plugin.has_stopped = true;
	snprintf(plugin.shared->problem, sizeof(plugin.shared->problem), "%s", problem);
}

void origin_take(unsigned int cpu, struct plugin_origin *out)
{
	const struct plugin_cpu *state = &plugin.cpus[cpu];
	unsigned int levels = plugin_register(REGISTER_CR4) & CR4_LA57 ? 5 : 4;

	out->pc = state->pc;
	out->sp = page_round_down(plugin_register(REGISTER_RSP), 8);
	out->words = 0;
	while (out->words < PLUGIN_STACK_WORDS && state->root &&
	       memory_read(state->root, levels, out->sp + 8 * out->words, &out->stack[out->words], 8))
		out->words++;
}

static void sample(void)
{
	struct plugin_shared *shared = plugin.shared;

	if (!shared->sample_every)
		shared->sample_every = PUBLISH_EVERY;
	if (tlb_seq(plugin.tlb) / shared->sample_every < shared->samples)
		return;
	if (shared->samples == PLUGIN_SAMPLES) {
		for (unsigned int i = 0; i < PLUGIN_SAMPLES / 2; i++)
			shared->sample[i] = shared->sample[2 * i];
		shared->samples = PLUGIN_SAMPLES / 2;
		shared->sample_every *= 2;
		return;
	}
	shared->sample[shared->samples++] = (uint32_t)tlb_stats(plugin.tlb)->debts_now;
}

void feed_publish(void)
{
	struct plugin_shared *shared = plugin.shared;

	if (!plugin.tlb)
		return;
	shared->seq = tlb_seq(plugin.tlb);
	shared->stats = *tlb_stats(plugin.tlb);
	for (unsigned int i = 0; i < TLB_RULE_COUNT; i++)
		shared->matches[i] = tlb_matches(plugin.tlb, i);
	sample();
}

/* New findings: where they happened, and where their entry changed. */
static void list_findings(unsigned int cpu)
{
	const struct tlb_findings *findings = tlb_findings(plugin.tlb);

	for (; plugin.listed < findings->count; plugin.listed++) {
		struct plugin_finding *out = &plugin.shared->finding[plugin.shared->findings];
		const struct tlb_finding *finding = &findings->items[plugin.listed];
		const struct change *change = &plugin.changes[finding->debt.since % CHANGES];

		if (plugin.shared->findings == PLUGIN_FINDINGS_MAX)
			continue;
		*out = (struct plugin_finding){ .is = *finding };
		origin_take(cpu, &out->used);
		if (finding->has_debt && change->seq == finding->debt.since) {
			out->changed = change->origin;
			out->has_entry = true;
			out->entry = change->entry;
			out->old = change->old;
			out->value = change->value;
		}
		plugin.shared->findings++;
		feed_publish();
	}
}

static void note_change(const struct tlb_event *event)
{
	struct change *change = &plugin.changes[(tlb_seq(plugin.tlb) + 1) % CHANGES];
	uint64_t old;

	if (!tlb_entry(plugin.tlb, event->address, &old) || !((old ^ event->value) & ~PTE_STATUS))
		return;
	change->seq = tlb_seq(plugin.tlb) + 1;
	change->entry = event->address;
	change->old = old;
	change->value = event->value;
	origin_take(event->cpu, &change->origin);
}

/* Translated blocks ask whether the CPU has debts that it could execute. */
static void settle_fetches(void)
{
	for (unsigned int cpu = 0; plugin.mode == MODE_ALL && cpu < plugin.config.cpus; cpu++)
		if (qemu_plugin_u64_get(plugin.fetches, cpu) != tlb_owes_fetch(plugin.tlb, cpu))
			qemu_plugin_u64_set(plugin.fetches, cpu, tlb_owes_fetch(plugin.tlb, cpu));
}

static int feed_model(const struct tlb_event *event, struct error *error)
{
	if (!plugin.record)
		return tlb_feed(plugin.tlb, event, error);
	if (ferror(plugin.record))
		return error_set(error, ERROR_HOST, 0, 0, "the recording cannot be written");
	if (tlb_seq(plugin.tlb) % PUBLISH_EVERY == 0 && ftello(plugin.record) > (off_t)RECORD_MAX)
		return error_set(error, ERROR_HOST, 0, 0, "the recording has 4 GiB, the most that is read");
	return event_recorder_feed(&plugin.recorder, event, error);
}

void feed(const struct tlb_event *event)
{
	struct error error;

	if (plugin.has_stopped || plugin.has_ended)
		return;
	if (event->kind == TLB_STORE)
		note_change(event);
	if (feed_model(event, &error) < 0) {
		feed_stop(error.text);
		return;
	}
	if (plugin.listed < tlb_findings(plugin.tlb)->count)
		list_findings(event->cpu);
	settle_fetches();
	if (tlb_seq(plugin.tlb) % PUBLISH_EVERY == 0)
		feed_publish();
}
