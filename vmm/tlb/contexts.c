/* SPDX-License-Identifier: MIT */
/*
 * contexts.c: what a CPU may hold translations of: for each PCID that it loaded and did not flush since, the tables below
 * the root that it was loaded with. Without PCIDs there is one, of PCID 0.
 *
 * A context that is not current counts as one that still caches: what its tables map and unmap meanwhile becomes a debt,
 * too. That is more than a processor can hold, and what a kernel flushes by anyway when it loads the PCID again.
 */
#include "tlb/internal.h"

#include <stdlib.h>

struct context *context_find(struct cpu *cpu, uint16_t pcid)
{
	for (size_t i = 0; i < cpu->contexts.count; i++)
		if (cpu->contexts.items[i].pcid == pcid)
			return &cpu->contexts.items[i];
	return NULL;
}

static void context_remove(struct tlb *tlb, struct cpu *cpu, size_t index)
{
	struct node *root = cpu->contexts.items[index].root;
	size_t last = --cpu->contexts.count;

	cpu->contexts.items[index] = cpu->contexts.items[last];
	if (cpu->current == (int)index)
		cpu->current = -1;
	else if (cpu->current == (int)last)
		cpu->current = (int)index;
	root_leave(tlb, root);
}

void contexts_forget(struct tlb *tlb, unsigned int cpu, int pcid)
{
	struct cpu *state = &tlb->cpus[cpu];

	for (size_t i = state->contexts.count; i-- > 0;)
		if ((int)i != state->current && (pcid < 0 || state->contexts.items[i].pcid == pcid))
			context_remove(tlb, state, i);
}

void contexts_end(struct tlb *tlb, unsigned int cpu)
{
	tlb->cpus[cpu].current = -1;
	contexts_forget(tlb, cpu, -1);
}

/* The least recently loaded context makes room. Its debts go with it. */
static void context_evict(struct tlb *tlb, unsigned int cpu)
{
	struct cpu *state = &tlb->cpus[cpu];
	size_t oldest = state->current == 0 ? 1 : 0;

	if (state->contexts.count < tlb->config.limits.contexts || state->contexts.count <= oldest)
		return;
	for (size_t i = 0; i < state->contexts.count; i++)
		if ((int)i != state->current &&
		    state->contexts.items[i].used < state->contexts.items[oldest].used)
			oldest = i;
	tlb->stats.contexts_dropped++;
	flush_pcid(tlb, cpu, state->contexts.items[oldest].pcid, false);
	context_remove(tlb, state, oldest);
}

/* Makes a debt of each translation that `from` gave and `to` does not give. */
static void debts_of_change(struct tlb *tlb, unsigned int cpu, uint16_t pcid, const struct node *from,
			    const struct node *to, bool only_globals)
{
	/* A debt of a PCID that was not flushed is over at once: no flush is to come. */
	const struct removal removal = { .cpu = (uint16_t)cpu, .is_over = !only_globals };

	items_of_change(tlb, from, to, only_globals);
	for (size_t i = 0; i < tlb->items.count; i++) {
		struct item *item = &tlb->items.items[i];

		if (item->is_global && !cpu_has(&tlb->cpus[cpu], CR4_PGE)) {
			if (only_globals)
				continue;
		} else if (item->is_global != only_globals) {
			continue;
		}
		if (!tables_have(tlb, to, item))
			debt_add(tlb, cpu, pcid, item, &removal);
	}
}

static void root_switch(struct tlb *tlb, unsigned int cpu, uint16_t pcid, struct node *root, bool was_kept)
{
	struct cpu *state = &tlb->cpus[cpu];
	struct context *context = context_find(state, pcid);
	struct node *before = state->current < 0 ? NULL : state->contexts.items[state->current].root;

	if (context && was_kept && context->root != root)
		debts_of_change(tlb, cpu, pcid, context->root, root, false);
	if (before && before != root && cpu_has(state, CR4_PGE))
		debts_of_change(tlb, cpu, pcid, before, root, true);
	root_take(tlb, root);
	if (context) {
		struct node *replaced = context->root;

		context->root = root;
		context->used = tlb->seq;
		root_leave(tlb, replaced);
	} else if (array_push(&state->contexts, ((struct context){ pcid, root, tlb->seq })) < 0) {
		tlb->no_memory = true;
		root_leave(tlb, root);
		return;
	} else {
		context = &state->contexts.items[state->contexts.count - 1];
	}
	state->current = (int)(context - state->contexts.items);
}

void context_load(struct tlb *tlb, unsigned int cpu, uint16_t pcid, uint64_t root_gpa, bool was_kept)
{
	struct cpu *state = &tlb->cpus[cpu];
	struct node *root = node_get(tlb, root_gpa, cpu_has(state, CR4_LA57) ? 5 : 4);

	if (!root) {
		/* Not known: the CPU has no tables that could be compared with. */
		flush_pcid(tlb, cpu, -1, true);
		contexts_end(tlb, cpu);
		return;
	}
	if (!context_find(state, pcid)) {
		/* Held: the limit may drop what else refers to it. */
		node_hold(tlb, root);
		context_evict(tlb, cpu);
	}
	root_switch(tlb, cpu, pcid, root, was_kept);
	/* Without PCIDs nothing is held but by the current context. */
	if (!cpu_has(state, CR4_PCIDE))
		contexts_forget(tlb, cpu, -1);
}
