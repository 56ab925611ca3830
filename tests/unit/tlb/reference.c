/* SPDX-License-Identifier: MIT */
#include "reference.h"

#include <string.h>

enum { R = 1, W = 2, X = 4, U = 8 };
#define ADDRESS 0x000ffffffffff000ull
#define PG      (1ull << 31)
#define PGE     (1ull << 7)
#define PCIDE   (1ull << 17)
#define SMEP    (1ull << 20)
#define LA57    (1ull << 12)

const unsigned int reference_indices[REFERENCE_INDICES] = { 0, 1, 256, 511 };

static uint64_t size_of(unsigned int level)
{
	return 0x1000ull << 9 * (level - 1);
}

static bool is_page(unsigned int level, uint64_t entry)
{
	return (entry & 1) && (level == 1 || (level < 4 && (entry & 0x80)));
}

static bool is_table(unsigned int level, uint64_t entry)
{
	return level > 1 && (entry & 0x81) == 1;
}

static uint8_t rights_of(uint64_t entry)
{
	return R | (entry & 2 ? W : 0) | (entry & 4 ? U : 0) | (entry >> 63 ? 0 : X);
}

static uint64_t canonical(const struct reference_cpu *cpu, uint64_t va)
{
	int unused = cpu->cr4 & LA57 ? 7 : 16;

	return (uint64_t)((int64_t)(va << unused) >> unused);
}

/* ---- what may be held ---- */

static int *head_of(struct reference_cpu *cpu, const struct held *item)
{
	return &cpu->heads[(item->va / size_of(item->level) * 31 + item->level * 7 + item->is_table) %
			   REFERENCE_HEADS];
}

static bool is_same(const struct held *a, const struct held *b)
{
	return a->va == b->va && a->frame == b->frame && a->level == b->level && a->is_table == b->is_table &&
	       a->is_global == b->is_global && (a->is_global || a->pcid == b->pcid);
}

static void insert(struct reference *reference, struct reference_cpu *cpu, const struct held *item)
{
	int *head = head_of(cpu, item);
	bool is_new = true;

	for (int i = *head; i >= 0; i = cpu->held[i].next) {
		struct held *held = &cpu->held[i];

		if (!is_same(held, item))
			continue;
		held->was_freed = false;
		if (!(held->rights & ~item->rights))
			held->rights = item->rights;
		is_new = is_new && (item->rights & ~held->rights);
	}
	reference->is_full |= is_new && cpu->count == REFERENCE_HELD;
	if (!is_new || reference->is_full)
		return;
	cpu->held[cpu->count] = *item;
	cpu->held[cpu->count].next = *head;
	*head = cpu->count++;
}

/* All that a table gives; false for `globals`: a CPU takes global translations only from the tables that are loaded. */
static void insert_all(struct reference *reference, struct reference_cpu *cpu, uint16_t pcid, uint64_t table,
		       unsigned int level, uint64_t va, uint8_t rights)
{
	for (unsigned int i = 0; i < REFERENCE_INDICES; i++) {
		uint64_t entry = reference->memory[table / 4096][reference_indices[i]];
		uint64_t at = canonical(cpu, va | reference_indices[i] * size_of(level));
		struct held item = { .va = at, .pcid = pcid, .level = (uint8_t)level };

		if (is_page(level, entry)) {
			item.frame = entry & ADDRESS & ~(size_of(level) - 1);
			item.rights = rights & rights_of(entry);
			item.is_global = (entry & 0x100) && (cpu->cr4 & PGE);
			if (!item.is_global || pcid == cpu->current)
				insert(reference, cpu, &item);
		} else if (is_table(level, entry)) {
			item.frame = entry & ADDRESS;
			item.is_table = true;
			insert(reference, cpu, &item);
			insert_all(reference, cpu, pcid, item.frame, level - 1, at,
				   rights & rights_of(entry));
		}
	}
}

static unsigned int top(const struct reference_cpu *cpu)
{
	return cpu->cr4 & LA57 ? 5 : 4;
}

static void reach(const struct reference *reference, uint64_t table, unsigned int level,
		  bool reached[REFERENCE_PAGES])
{
	reached[table / 4096] = true;
	for (unsigned int i = 0; i < REFERENCE_INDICES && level > 1; i++) {
		uint64_t entry = reference->memory[table / 4096][reference_indices[i]];

		if (is_table(level, entry))
			reach(reference, entry & ADDRESS, level - 1, reached);
	}
}

static void settle(struct reference *reference)
{
	bool reached[REFERENCE_PAGES] = { false };

	for (unsigned int c = 0; c < reference->cpus; c++)
		for (unsigned int pcid = 0; pcid < REFERENCE_PCIDS; pcid++)
			if (reference->cpu[c].has_context[pcid])
				reach(reference, reference->cpu[c].roots[pcid], top(&reference->cpu[c]),
				      reached);
	for (unsigned int c = 0; c < reference->cpus; c++) {
		struct reference_cpu *cpu = &reference->cpu[c];

		for (int i = 0; i < cpu->count; i++)
			cpu->held[i].was_freed |=
				cpu->held[i].is_table && !reached[cpu->held[i].frame / 4096];
		for (unsigned int pcid = 0; pcid < REFERENCE_PCIDS; pcid++)
			if (cpu->has_context[pcid])
				insert_all(reference, cpu, (uint16_t)pcid, cpu->roots[pcid], top(cpu), 0,
					   R | W | X | U);
	}
}

/* ---- what the tables give ---- */

/* The entry that ends the walk at `level` or above. */
static struct held walk(const struct reference *reference, const struct reference_cpu *cpu, uint64_t table,
			uint64_t va, unsigned int least)
{
	uint8_t rights = R | W | X | U;

	for (unsigned int level = top(cpu); level; level--) {
		uint64_t entry = reference->memory[table / 4096][va / size_of(level) % 512];
		struct held found = { .level = (uint8_t)level };

		rights &= rights_of(entry);
		if (is_page(level, entry)) {
			found.va = va & ~(size_of(level) - 1);
			found.frame = entry & ADDRESS & ~(size_of(level) - 1);
			found.rights = rights;
			return found;
		}
		table = entry & ADDRESS;
		found.is_table = is_table(level, entry);
		found.frame = table;
		if (!found.is_table || level == least)
			return found;
	}
	return (struct held){ 0 };
}

bool reference_owes(const struct reference *reference, unsigned int c, const struct held *held)
{
	const struct reference_cpu *cpu = &reference->cpu[c];
	int pcid = held->is_global ? cpu->current : held->pcid;
	struct held now;

	if (pcid < 0 || !cpu->has_context[pcid])
		return false;
	if (held->is_table) {
		now = walk(reference, cpu, cpu->roots[pcid], held->va, held->level);
		return !now.is_table || now.level != held->level || now.frame != held->frame;
	}
	for (uint64_t done = 0; done < size_of(held->level); done = now.va + size_of(now.level) - held->va) {
		now = walk(reference, cpu, cpu->roots[pcid], held->va + done, 1);
		if (!now.rights || (held->rights & ~now.rights) ||
		    now.frame + (held->va + done - now.va) != held->frame + done)
			return true;
	}
	return false;
}

/* ---- events ---- */

/* The scope of a flush: PCID (-1: all), one address or all, tables of the PCID in any case, pages, global ones. */
struct flush {
	int pcid;
	bool globals, one, all_tables;
	uint64_t va;
};

static void flush(struct reference *reference, unsigned int c, struct flush what)
{
	struct reference_cpu *cpu = &reference->cpu[c];
	int count = cpu->count, kept = 0;
	bool paid = false;

	memset(cpu->heads, 0xff, sizeof(cpu->heads));
	cpu->count = 0;
	for (int i = 0; i < count; i++) {
		struct held held = cpu->held[i];
		bool is_there = !what.one || (what.va - held.va < size_of(held.level)) ||
				(held.is_table && what.all_tables);

		if (is_there && (held.is_global ? what.globals : what.pcid < 0 || held.pcid == what.pcid)) {
			paid |= reference_owes(reference, c, &held);
			continue;
		}
		held.next = *head_of(cpu, &held);
		*head_of(cpu, &held) = kept;
		cpu->held[kept++] = held;
	}
	cpu->count = kept;
	reference->was_flush = true;
	reference->was_needless = !paid;
}

static void forget(struct reference_cpu *cpu, int pcid)
{
	for (int i = 0; i < REFERENCE_PCIDS; i++)
		if (i != cpu->current && (pcid < 0 || pcid == i))
			cpu->has_context[i] = false;
}

static void load(struct reference_cpu *cpu)
{
	cpu->current = cpu->cr4 & PCIDE ? cpu->cr3 % REFERENCE_PCIDS : 0;
	cpu->has_context[cpu->current] = true;
	cpu->roots[cpu->current] = cpu->cr3 & ADDRESS;
	if (!(cpu->cr4 & PCIDE))
		forget(cpu, -1);
}

static void take_register(struct reference *reference, const struct tlb_event *event)
{
	struct reference_cpu *cpu = &reference->cpu[event->cpu];
	const struct flush everything = { .pcid = -1, .globals = true };
	uint64_t changed = cpu->cr4 ^ event->value;
	bool had_paging = cpu->cr0 & PG;

	if (event->kind == TLB_CR3) {
		cpu->cr3 = event->value & ~(1ull << 63);
		if (had_paging && !((cpu->cr4 & PCIDE) && event->value >> 63))
			flush(reference, event->cpu,
			      (struct flush){ .pcid = cpu->cr4 & PCIDE ? (int)(cpu->cr3 & 0xfff) : 0 });
		if (had_paging)
			load(cpu);
	} else if (event->kind == TLB_CR0) {
		cpu->cr0 = event->value;
		if (!!(cpu->cr0 & PG) != had_paging) {
			flush(reference, event->cpu, everything);
			cpu->current = -1;
			forget(cpu, -1);
			if (!had_paging)
				load(cpu);
		}
		reference->was_flush = reference->was_needless = false;
	} else {
		if (had_paging && ((changed & PGE) || (changed & cpu->cr4 & PCIDE))) {
			flush(reference, event->cpu, everything);
			forget(cpu, -1);
		} else if (had_paging && (changed & event->value & SMEP)) {
			flush(reference, event->cpu, (struct flush){ .pcid = cpu->current });
		}
		cpu->cr4 = event->value;
		if (had_paging && (changed & ~event->value & PCIDE))
			load(cpu);
	}
}

static void take_invpcid(struct reference *reference, const struct tlb_event *event)
{
	struct flush what = { .pcid = (int)event->value, .va = event->address };

	what.one = event->flags == 0;
	what.globals = event->flags == 2;
	if (event->flags >= 2)
		what.pcid = -1;
	flush(reference, event->cpu, what);
	if (event->flags)
		forget(&reference->cpu[event->cpu], what.pcid);
}

static void take_access(struct reference *reference, const struct tlb_event *event)
{
	struct reference_cpu *cpu = &reference->cpu[event->cpu];
	bool is_user = event->flags & TLB_ACCESS_USER;
	uint8_t needs = R | (is_user ? U : 0) | (event->flags & TLB_ACCESS_FETCH ? X : 0);
	struct held now;

	if (cpu->current < 0)
		return;
	needs |= (event->flags & TLB_ACCESS_WRITE) && (is_user || (cpu->cr0 & 1 << 16)) ? W : 0;
	now = walk(reference, cpu, cpu->roots[cpu->current], event->address, 1);
	for (int i = 0; i < cpu->count; i++) {
		const struct held *held = &cpu->held[i];

		if (held->is_table || !(held->is_global || held->pcid == cpu->current) ||
		    (needs & ~held->rights) || event->address - held->va >= size_of(held->level))
			continue;
		if (!now.rights || now.frame - now.va != held->frame - held->va || (needs & ~now.rights))
			reference->was_late_use = true;
	}
}

static void take_store(struct reference *reference, const struct tlb_event *event)
{
	for (unsigned int c = 0; c < reference->cpus; c++)
		for (int i = 0; event->value && i < reference->cpu[c].count; i++) {
			const struct held *held = &reference->cpu[c].held[i];

			if (held->is_table && held->was_freed && held->frame == (event->address & ADDRESS) &&
			    reference_owes(reference, c, held))
				reference->was_table_write = true;
		}
	reference->memory[event->address / 4096][event->address % 4096 / 8] = event->value;
}

void reference_feed(struct reference *reference, const struct tlb_event *event)
{
	struct reference_cpu *cpu = &reference->cpu[event->cpu];
	struct flush page = {
		.pcid = cpu->current, .globals = true, .one = true, .all_tables = true, .va = event->address
	};

	reference->was_flush = reference->was_needless = reference->was_late_use =
		reference->was_table_write = false;
	switch (event->kind) {
	case TLB_STORE: take_store(reference, event); break;
	case TLB_INVLPG: flush(reference, event->cpu, page); break;
	case TLB_INVPCID: take_invpcid(reference, event); break;
	case TLB_ACCESS: take_access(reference, event); return;
	default: take_register(reference, event); break;
	}
	settle(reference);
}

void reference_init(struct reference *reference, unsigned int cpus)
{
	memset(reference, 0, sizeof(*reference));
	reference->cpus = cpus;
	for (unsigned int c = 0; c < REFERENCE_CPUS; c++) {
		reference->cpu[c].current = -1;
		reference->cpu[c].cr0 = 1 << 16;
		memset(reference->cpu[c].heads, 0xff, sizeof(reference->cpu[c].heads));
	}
}
