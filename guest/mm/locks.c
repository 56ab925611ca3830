/* SPDX-License-Identifier: MIT */
/*
 * locks.c: the table of locks. A CPU that holds a lock must not take one listed above it.
 */
#include "mm/locks.h"
#include "lib/lock_check.h"

#include "mm/roots.h"

const struct lock_row lock_table[] = {
	{ "cpu_drain_lock", &cpu_drain_lock, 1, 0 },
	{ "vmap_purge_lock", &vmap_purge_lock, 1, 0 },
	{ "tlb_round_lock", &tlb_round_lock, 1, 0 },
	{ "lazy", &cpu_caches[0].lazy.lock, NR_CPUS, sizeof(struct cpu_cache) },
	{ "vmap_area_lock", &vmap_area_lock, 1, 0 },
	{ "free_vmap_area_lock", &free_vmap_area_lock, 1, 0 },
	{ "page_table_lock", &page_table_lock, 1, 0 },
	{ "slab_debug_lock", &slab_debug_lock, 1, 0 },
	{ "kmem_cache", NULL, 0, 0 },
	{ "zone", &zones[0].lock, MAX_NR_ZONES, sizeof(struct zone) },
};

const u32 lock_table_rows = ARRAY_SIZE(lock_table);

#ifdef CHECK_LOCKS

static bool lock_is_named(const char *row, const char *name)
{
	while (*row && *row == *name) {
		row++;
		name++;
	}
	return *row == *name;
}

static bool is_in_row(const struct spinlock *lock, const struct lock_row *row)
{
	u64 offset = (u64)((const char *)lock - (const char *)row->first);

	if (!row->nr)
		return false;
	return row->stride ? offset % row->stride == 0 && offset / row->stride < row->nr : !offset;
}

u32 lock_table_row(const struct spinlock *lock, const char *name, const char **name_out)
{
	static_assert(ARRAY_SIZE(lock_table) <= LOCK_ROWS_MAX, "rows of lock_table");

	for (u32 i = 0; i < lock_table_rows; i++) {
		const struct lock_row *row = &lock_table[i];

		if (name ? !lock_is_named(row->name, name) : !is_in_row(lock, row))
			continue;
		*name_out = row->name;
		return i;
	}
	return ~0u;
}

#endif

static void lock_add(const struct spinlock *lock, u64 *acquired, u64 *contended)
{
	*acquired += lock->acquired;
	*contended += lock->contended;
}

void lock_row_sum(const struct lock_row *row, u64 *acquired_out, u64 *contended_out)
{
	const char *lock = (const char *)row->first;
	u64 acquired = 0, contended = 0;

	for (u32 i = 0; i < row->nr; i++, lock += row->stride)
		lock_add((const struct spinlock *)lock, &acquired, &contended);
	for (u32 i = 1; !row->nr && i < KMEM_CACHES_MAX; i++)
		if (kmem_caches[i])
			lock_add(&kmem_caches[i]->lock, &acquired, &contended);
	*acquired_out = acquired;
	*contended_out = contended;
}
