/* SPDX-License-Identifier: MIT */
/*
 * debts.c: the debts of all CPUs: by CPU, level and address; by frame; by the thread whose removal is not over.
 */
#include "tlb/internal.h"

#include <stdlib.h>

/* ---- what a debt means now ---- */

const struct context *debt_context(const struct tlb *tlb, const struct tlb_debt *debt)
{
	struct cpu *cpu = &tlb->cpus[debt->cpu];

	if (debt->is_global)
		return cpu->current < 0 ? NULL : &cpu->contexts.items[cpu->current];
	return context_find(cpu, debt->pcid);
}

bool debt_is_usable(const struct tlb *tlb, const struct tlb_debt *debt)
{
	const struct cpu *cpu = &tlb->cpus[debt->cpu];

	return cpu->current >= 0 && (debt->is_global || debt->pcid == cpu_pcid(cpu));
}

bool debt_is_owed(struct tlb *tlb, const struct tlb_debt *debt)
{
	const struct context *context = debt_context(tlb, debt);
	uint64_t size = page_level_size(debt->level), done = 0;
	struct given now;

	if (!context)
		return false;
	if (debt->is_table) {
		now = tables_give(tlb, context->root, debt->va, debt->level);
		return now.kind != GIVEN_UNKNOWN &&
		       (now.kind != GIVEN_TABLE || now.item.level != debt->level ||
			now.item.frame != debt->frame);
	}
	/* Page by page, as large as they are now. */
	while (done < size) {
		now = tables_give(tlb, context->root, debt->va + done, 1);
		if (now.kind == GIVEN_UNKNOWN)
			return false;
		if (now.kind != GIVEN_PAGE || (debt->rights & ~now.item.rights) ||
		    now.item.frame + (debt->va + done - now.item.va) != debt->frame + done)
			return true;
		done = now.item.va + page_level_size(now.item.level) - debt->va;
	}
	return false;
}

/* ---- lists ---- */

unsigned int debt_list(const struct tlb_debt *debt)
{
	if (debt->is_global)
		return DEBT_GLOBALS;
	return (debt->is_table ? DEBT_TABLES : DEBT_PAGES) + debt->pcid % DEBT_PCIDS;
}

static struct debt **va_bucket(const struct tlb *tlb, unsigned int cpu, unsigned int level, uint64_t va)
{
	uint64_t key = va >> page_level_shift(level);

	return &tlb->by_va[hash_of((key * 8 + level) * 256 + cpu) & tlb->bucket_mask];
}

static struct debt **frame_bucket(const struct tlb *tlb, uint64_t frame)
{
	return &tlb->by_frame[hash_of(frame / PAGE_4K) & tlb->bucket_mask];
}

static struct thread **thread_bucket(const struct tlb *tlb, uint64_t id)
{
	return (struct thread **)&tlb->threads[hash_of(id) % THREAD_BUCKETS];
}

struct thread *thread_find(const struct tlb *tlb, uint64_t id)
{
	struct thread *thread = *thread_bucket(tlb, id);

	while (thread && thread->id != id)
		thread = thread->next;
	return thread;
}

static void thread_join(struct tlb *tlb, struct debt *debt, uint64_t id)
{
	struct thread *thread = thread_find(tlb, id);

	if (!thread) {
		thread = malloc(sizeof(*thread));
		if (!thread) {
			tlb->no_memory = true;
			return;
		}
		*thread = (struct thread){ .id = id, .next = *thread_bucket(tlb, id) };
		*thread_bucket(tlb, id) = thread;
	}
	debt->owner = thread;
	debt->thread_next = thread->debts;
	debt->thread_previous = &thread->debts;
	if (debt->thread_next)
		debt->thread_next->thread_previous = &debt->thread_next;
	thread->debts = debt;
}

static void thread_leave(struct tlb *tlb, struct debt *debt)
{
	struct thread *thread = debt->owner, **at;

	if (!thread)
		return;
	*debt->thread_previous = debt->thread_next;
	if (debt->thread_next)
		debt->thread_next->thread_previous = debt->thread_previous;
	debt->owner = NULL;
	if (thread->debts)
		return;
	for (at = thread_bucket(tlb, thread->id); *at != thread; at = &(*at)->next)
		;
	*at = thread->next;
	free(thread);
}

static size_t filter_slot(unsigned int level, uint64_t va)
{
	return hash_of((va >> page_level_shift(level)) * 8 + level) % FILTER_SIZE;
}

/* Counts a debt, or one less. Read by tlb_may_owe() without a lock. */
static void debt_count(struct tlb *tlb, const struct tlb_debt *debt, int change)
{
	struct cpu *cpu = &tlb->cpus[debt->cpu];
	uint16_t *slot = &cpu->filter[filter_slot(debt->level, debt->va)];

	if (*slot != UINT16_MAX)
		__atomic_store_n(slot, (uint16_t)(*slot + change), __ATOMIC_RELAXED);
	__atomic_store_n(&cpu->owed[debt->level], cpu->owed[debt->level] + (uint32_t)change,
			 __ATOMIC_RELAXED);
	cpu->debts += (uint32_t)change;
	cpu->fetches += !debt->is_table && (debt->rights & RIGHT_X) ? (uint32_t)change : 0;
	tlb->stats.debts_now += (uint64_t)(int64_t)change;
}

bool tlb_may_owe(const struct tlb *tlb, unsigned int cpu, uint64_t va)
{
	const struct cpu *state = &tlb->cpus[cpu];

	for (unsigned int level = 1; cpu < tlb->config.cpus && level <= 3; level++)
		if (__atomic_load_n(&state->owed[level], __ATOMIC_RELAXED) &&
		    __atomic_load_n(&state->filter[filter_slot(level, va)], __ATOMIC_RELAXED))
			return true;
	return false;
}

/* Whether it counts in cpu->due. */
static bool is_due(const struct debt *debt)
{
	return debt->is.is_over && (debt->is.rights & RIGHT_U) &&
	       !(debt->reported & TLB_RULE_BIT(TLB_RULE_USER_OWES));
}

void debt_set_over(struct tlb *tlb, struct debt *debt)
{
	thread_leave(tlb, debt);
	if (debt->is.is_over)
		return;
	debt->is.is_over = true;
	debt->is.over = tlb->seq;
	tlb->cpus[debt->is.cpu].due += is_due(debt);
	tlb->stats.kernel_over += !debt->is.is_table && !(debt->is.rights & RIGHT_U);
}

bool debt_report_once(struct tlb *tlb, struct debt *debt, enum tlb_rule rule)
{
	if (debt->reported & TLB_RULE_BIT(rule))
		return false;
	tlb->cpus[debt->is.cpu].due -= is_due(debt);
	debt->reported |= TLB_RULE_BIT(rule);
	tlb->cpus[debt->is.cpu].due += is_due(debt);
	return true;
}

void debt_drop(struct tlb *tlb, struct debt *debt)
{
	struct cpu *cpu = &tlb->cpus[debt->is.cpu];
	struct debt **at = va_bucket(tlb, debt->is.cpu, debt->is.level, debt->is.va);

	while (*at != debt)
		at = &(*at)->va_next;
	*at = debt->va_next;
	for (at = frame_bucket(tlb, debt->is.frame); *at != debt; at = &(*at)->frame_next)
		;
	*at = debt->frame_next;
	*debt->previous = debt->next;
	if (debt->next)
		debt->next->previous = debt->previous;
	cpu->due -= is_due(debt);
	thread_leave(tlb, debt);
	debt_count(tlb, &debt->is, -1);
	if (tlb->seq - debt->is.since > tlb->stats.longest_debt)
		tlb->stats.longest_debt = tlb->seq - debt->is.since;
	free(debt);
}

struct debt *debt_at(const struct tlb *tlb, unsigned int cpu, unsigned int level, uint64_t va)
{
	struct debt *debt;

	va = page_round_down(va, page_level_size(level));
	if (!tlb->cpus[cpu].owed[level])
		return NULL;
	for (debt = *va_bucket(tlb, cpu, level, va); debt; debt = debt->va_next)
		if (debt->is.va == va && debt->is.level == level && debt->is.cpu == cpu)
			return debt;
	return NULL;
}

struct debt *debt_next_at(const struct debt *debt)
{
	const struct tlb_debt *key = &debt->is;

	for (struct debt *next = debt->va_next; next; next = next->va_next)
		if (next->is.va == key->va && next->is.level == key->level && next->is.cpu == key->cpu)
			return next;
	return NULL;
}

void debts_in_range(struct tlb *tlb, unsigned int cpu, uint64_t start, uint64_t last, debt_visit *visit,
		    void *context)
{
	struct cpu *state = &tlb->cpus[cpu];

	for (unsigned int level = 1; level <= LEVELS_MAX && state->debts; level++) {
		unsigned int shift = page_level_shift(level);
		uint64_t keys = (last >> shift) - (start >> shift) + 1;

		if (!state->owed[level])
			continue;
		/* Address by address, or the whole list: what is less. */
		for (uint64_t i = 0; keys <= state->debts && i < keys; i++)
			for (struct debt *debt = debt_at(tlb, cpu, level, start + (i << shift)), *next; debt;
			     debt = next) {
				next = debt_next_at(debt);
				visit(tlb, debt, context);
			}
		for (unsigned int list = 0; keys > state->debts && list < DEBT_LISTS; list++)
			for (struct debt *debt = state->lists[list], *next; debt; debt = next) {
				next = debt->next;
				if (debt->is.level == level && debt->is.va <= last &&
				    debt->is.va + (page_level_size(level) - 1) >= start)
					visit(tlb, debt, context);
			}
	}
}

void debts_of_frame(struct tlb *tlb, uint64_t gpa, debt_visit *visit, void *context)
{
	uint64_t before = UINT64_MAX;

	for (unsigned int level = 1; level <= 3 && tlb->stats.debts_now; level++) {
		uint64_t base = page_round_down(gpa, page_level_size(level));

		if (base == before)
			continue;
		before = base;
		for (struct debt *debt = *frame_bucket(tlb, base), *next; debt; debt = next) {
			next = debt->frame_next;
			if (debt->is.frame == base && gpa - base < tlb_debt_size(&debt->is))
				visit(tlb, debt, context);
		}
	}
}

/* ---- new debts ---- */

static bool is_same_key(const struct tlb_debt *debt, uint16_t pcid, const struct item *item)
{
	return debt->is_global == item->is_global && (debt->is_global || debt->pcid == pcid) &&
	       debt->is_table == item->is_table;
}

/* The tables gave the frame until now: what was known of the debt is of no meaning any more. */
static void debt_renew(struct tlb *tlb, struct debt *debt, const struct removal *removal)
{
	tlb->cpus[debt->is.cpu].due -= is_due(debt);
	thread_leave(tlb, debt);
	debt->reported = 0;
	debt->is.since = tlb->seq;
	debt->is.thread = removal->thread;
	debt->is.remover = removal->cpu;
	debt->is.is_over = debt->is.is_replaced = debt->is.was_freed = debt->is.was_excused = false;
	if (removal->is_over || tlb->config.strict)
		debt_set_over(tlb, debt);
	else if (removal->thread)
		thread_join(tlb, debt, removal->thread);
}

static void debt_insert(struct tlb *tlb, struct debt *debt)
{
	struct cpu *cpu = &tlb->cpus[debt->is.cpu];
	struct debt **bucket = va_bucket(tlb, debt->is.cpu, debt->is.level, debt->is.va),
		    **list = &cpu->lists[debt_list(&debt->is)];

	debt->va_next = *bucket;
	*bucket = debt;
	bucket = frame_bucket(tlb, debt->is.frame);
	debt->frame_next = *bucket;
	*bucket = debt;
	debt->next = *list;
	debt->previous = list;
	if (debt->next)
		debt->next->previous = &debt->next;
	*list = debt;
	debt_count(tlb, &debt->is, 1);
	tlb->stats.debts_made++;
	if (tlb->stats.debts_now > tlb->stats.debts_most)
		tlb->stats.debts_most = tlb->stats.debts_now;
}

/* Room for one more debt at a key that has `count`: drops the newest but the oldest, which a finding is about. */
static bool debt_has_room(struct tlb *tlb, struct debt *newest, uint32_t count)
{
	if (tlb->stats.debts_now >= tlb->config.limits.debts) {
		tlb->stats.debts_dropped++;
		return false;
	}
	if (count >= tlb->config.limits.debts_per_address) {
		tlb->stats.debts_dropped++;
		debt_drop(tlb, newest);
	}
	return true;
}

void debt_add(struct tlb *tlb, unsigned int cpu, uint16_t pcid, const struct item *given,
	      const struct removal *removal)
{
	struct item item = *given;
	struct debt *newest = NULL, *debt, *next;
	bool is_known = false;
	uint32_t count = 0;

	item.is_global = item.is_global && cpu_has(&tlb->cpus[cpu], CR4_PGE);
	for (debt = debt_at(tlb, cpu, item.level, item.va); debt; debt = next) {
		next = debt_next_at(debt);
		if (!is_same_key(&debt->is, pcid, &item))
			continue;
		newest = newest ? newest : debt;
		count++;
		if (debt->is.frame != item.frame)
			continue;
		debt_renew(tlb, debt, removal);
		if (is_known && !(debt->is.rights & ~item.rights)) {
			debt_drop(tlb, debt);
			continue;
		}
		if (!(debt->is.rights & ~item.rights)) {
			tlb->cpus[cpu].due -= is_due(debt);
			tlb->cpus[cpu].fetches -= !!(debt->is.rights & RIGHT_X);
			debt->is.rights = item.rights;
			tlb->cpus[cpu].fetches += !!(debt->is.rights & RIGHT_X);
			tlb->cpus[cpu].due += is_due(debt);
		}
		is_known |= !(item.rights & ~debt->is.rights);
	}
	if (is_known || !debt_has_room(tlb, newest, count))
		return;
	debt = calloc(1, sizeof(*debt));
	if (!debt) {
		tlb->no_memory = true;
		return;
	}
	debt->is = (struct tlb_debt){
		.va = item.va,
		.frame = item.frame,
		.cpu = (uint16_t)cpu,
		.pcid = item.is_global ? 0 : pcid,
		.level = item.level,
		.rights = item.rights,
		.is_table = item.is_table,
		.is_global = item.is_global,
	};
	debt_insert(tlb, debt);
	debt_renew(tlb, debt, removal);
}

/* ---- all of them ---- */

int debts_create(struct tlb *tlb)
{
	size_t buckets = 16;

	while (buckets < tlb->config.limits.debts && buckets < BUCKETS_MAX)
		buckets *= 2;
	tlb->bucket_mask = buckets - 1;
	tlb->by_va = calloc(buckets, sizeof(*tlb->by_va));
	tlb->by_frame = calloc(buckets, sizeof(*tlb->by_frame));
	if (!tlb->by_va || !tlb->by_frame)
		return -1;
	for (unsigned int i = 0; i < tlb->config.cpus; i++) {
		tlb->cpus[i].filter = calloc(FILTER_SIZE, sizeof(*tlb->cpus[i].filter));
		if (!tlb->cpus[i].filter)
			return -1;
	}
	return 0;
}

void debts_destroy(struct tlb *tlb)
{
	for (unsigned int i = 0; tlb->by_va && tlb->by_frame && i < tlb->config.cpus; i++)
		for (unsigned int list = 0; list < DEBT_LISTS; list++)
			while (tlb->cpus[i].lists[list])
				debt_drop(tlb, tlb->cpus[i].lists[list]);
	free(tlb->by_va);
	free(tlb->by_frame);
}
