/* SPDX-License-Identifier: MIT */
/*
 * pgtable.c: the page tables of the vmalloc range. A CPU may walk them at any moment, so entries are written
 * with one 64-bit store. Page-table pages are never freed, except those that a 2M leaf replaces
 * (pgtable_huge.c).
 */
#include "arch/x86_64/pgtable.h"

#include "arch/x86_64/event_log.h"
#include "arch/x86_64/tlb.h"
#include "mm/arch.h"

/* Release order: a CPU that sees the entry must see what it points to. */
static inline void pte_set(u64 *pte, u64 value)
{
	__atomic_store_n(pte, value, __ATOMIC_RELEASE);
}

static inline u64 pte_get(const u64 *pte)
{
	return __atomic_load_n(pte, __ATOMIC_ACQUIRE);
}

static inline u64 *table_of(u64 pte)
{
	return __va(pte & PTE_PFN_MASK);
}

/* Held while a missing table is allocated, since two CPUs may miss the same one. */
struct spinlock page_table_lock;

u64 pgtable_cuts;

static u64 *table_make(u64 *pte)
{
	u64 value;
	u32 pfn;

	spin_lock(&page_table_lock);
	value = pte_get(pte);
	if (!value && (pfn = pgtable_alloc())) {
		value = (u64)pfn << PAGE_SHIFT | _PAGE_TABLE;
		if (unlikely(log_is_on()))
			log_table(pte, value);
		else
			pte_set(pte, value);
	}
	spin_unlock(&page_table_lock);
	return value ? table_of(value) : NULL;
}

/* The table that *pte points to; allocated if *pte is empty. NULL without memory. */
static inline u64 *table_below(u64 *pte)
{
	u64 value = pte_get(pte);

	return likely(value) ? table_of(value) : table_make(pte);
}

u64 *pmd_make(unsigned long va)
{
	u64 *table = table_below(&init_top_pgt[pt_index(va, PGD_SHIFT)]);

	if (table)
		table = table_below(&table[pt_index(va, PUD_SHIFT)]);
	return table ? &table[pt_index(va, PMD_SHIFT)] : NULL;
}

/* The page table of va, allocated with those above it if missing; NULL without memory. */
static u64 *pte_table_make(unsigned long va)
{
	u64 *pmd = pmd_make(va);

	return pmd ? table_below(pmd) : NULL;
}

/* The PTE of va. Its page table must exist. */
static u64 *pte_of(unsigned long va)
{
	u64 *table = table_of(pte_get(&init_top_pgt[pt_index(va, PGD_SHIFT)]));

	table = table_of(pte_get(&table[pt_index(va, PUD_SHIFT)]));
	table = table_of(pte_get(&table[pt_index(va, PMD_SHIFT)]));
	return &table[pt_index(va, PTE_SHIFT)];
}

/* How many of the nr pages from va on have their PTEs in the page table of va. */
static inline u32 table_span(unsigned long va, u32 nr)
{
	u32 room = PTRS_PER_TABLE - pt_index(va, PTE_SHIFT);

	return nr < room ? nr : room;
}

/* The PTE of va in page table `table` (a pfn); NULL if `table` is 0, or if it does not hold all nr PTEs. */
static inline u64 *pte_known(u32 table, unsigned long va, u32 nr)
{
	u32 index = pt_index(va, PTE_SHIFT);

	return likely(table && nr <= PTRS_PER_TABLE - index) ? (u64 *)__va((u64)table << PAGE_SHIFT) + index
							     : NULL;
}

/*
 * Allocates the page tables of a range; returns the PTE of its first page, NULL without memory. All tables
 * exist before the first PTE is written, so that a failure leaves no translation in any TLB.
 */
static __attribute__((noinline)) u64 *tables_make(unsigned long va, u32 nr, u32 *table)
{
	u64 *first = pte_table_make(va);
	unsigned long next = va;
	u32 span;

	if (!first)
		return NULL;
	for (span = table_span(va, nr); nr -= span; span = table_span(next, nr)) {
		next += (unsigned long)span << PTE_SHIFT;
		if (!pte_table_make(next))
			return NULL;
	}
	*table = (u32)(__pa(first) >> PAGE_SHIFT);
	return &first[pt_index(va, PTE_SHIFT)];
}

u64 pgtable_rights(enum pgprot prot)
{
	if (likely(prot == PGPROT_READWRITE))
		return _PAGE_KERNEL;
	return prot == PGPROT_EXECUTE ? _PAGE_KERNEL_RX : _PAGE_KERNEL_RO;
}

/* The stores of arch_map_chain(); pte: of va. */
static __attribute__((noinline)) void map_chain_logged(u64 *pte, unsigned long va, u32 pfn, u32 nr,
						       u64 rights)
{
	for (;;) {
		u32 span = table_span(va, nr);

		pfn = log_map_chain(pte, va, span, pfn, rights);
		nr -= span;
		if (!nr)
			return;
		va += (unsigned long)span << PTE_SHIFT;
		pte = pte_of(va);
	}
}

int arch_map_chain(unsigned long va, u32 first, u32 nr, enum pgprot prot, u32 *table)
{
	u64 rights = pgtable_rights(prot);
	u64 *pte = pte_known(*table, va, nr), *end;
	struct page *map = mem_map;
	u32 pfn = first, vpn = PAGE_VPN(va), span;

	if (!pte)
		pte = tables_make(va, nr, table);
	if (!pte)
		return -1;
	if (unlikely(log_is_on())) {
		map_chain_logged(pte, va, first, nr, rights);
		return 0;
	}
	for (;;) {
		span = table_span(va, nr);
		end = pte + span;
		do {
			struct page *page = &map[pfn];

			pte_set(pte, (u64)pfn << PAGE_SHIFT | rights);
			WRITE_ONCE(page->vpn, vpn);
			pfn = page->next;
			vpn++;
		} while (++pte != end);
		nr -= span;
		if (!nr)
			return 0;
		va += (unsigned long)span << PTE_SHIFT;
		pte = pte_of(va);
	}
}

/* The GPA of the frame of a struct page, from their places in mem_map. */
static inline u64 frame_of(const struct page *page, const struct page *map)
{
	return (u64)((const char *)page - (const char *)map) << (PAGE_SHIFT - FRAMES_SUM_SHIFT);
}

void *arch_table_make(unsigned long va)
{
	return pte_table_make(va);
}

u32 arch_table_frame(unsigned long va)
{
	u64 pte = pte_get(&init_top_pgt[pt_index(va, PGD_SHIFT)]);

	if (unlikely(!(pte & _PAGE_PRESENT)))
		return 0;
	pte = pte_get(&table_of(pte)[pt_index(va, PUD_SHIFT)]);
	if (unlikely(!(pte & _PAGE_PRESENT)))
		return 0;
	pte = pte_get(&table_of(pte)[pt_index(va, PMD_SHIFT)]);
	if (unlikely(!(pte & _PAGE_PRESENT) || pte & _PAGE_PSE))
		return 0;
	return (u32)((pte & PTE_PFN_MASK) >> PAGE_SHIFT);
}

/* The stores of arch_map_pages(); pte: of va. */
static __attribute__((noinline)) void map_pages_logged(u64 *pte, unsigned long va, struct page *const *pages,
						       u32 nr, u64 rights)
{
	for (;;) {
		u32 span = table_span(va, nr);

		log_map_pages(pte, va, span, pages, rights);
		nr -= span;
		if (!nr)
			return;
		pages += span;
		va += (unsigned long)span << PTE_SHIFT;
		pte = pte_of(va);
	}
}

void arch_table_map(void *table, unsigned long va, struct page *const *pages, u32 nr)
{
	u64 *pte = (u64 *)table + pt_index(va, PTE_SHIFT), *end = pte + nr;
	const struct page *map = mem_map;

	if (unlikely(log_is_on()))
		return map_pages_logged(pte, va, pages, nr, _PAGE_KERNEL);
	do
		pte_set(pte, frame_of(*pages++, map) | _PAGE_KERNEL);
	while (++pte != end);
}

static inline void ptes_clear(u64 *pte, u32 nr)
{
	u64 *end = pte + nr;

	do
		pte_set(pte, 0);
	while (++pte != end);
}

/* arch_table_unmap() with the event log; pte: of va. */
static __attribute__((noinline)) u64 unmap_logged(u64 *pte, unsigned long va, u32 nr)
{
	log_clear(pte, va, nr, 1);
	return tlb_log(TLB_FLUSH_UNMAP | arch_cpu(), 0, va, va + ((unsigned long)nr << PTE_SHIFT));
}

u64 arch_table_unmap(void *table, unsigned long va, u32 nr)
{
	if (unlikely(log_is_on()))
		return unmap_logged((u64 *)table + pt_index(va, PTE_SHIFT), va, nr);
	ptes_clear((u64 *)table + pt_index(va, PTE_SHIFT), nr);
	return tlb_log(TLB_FLUSH_UNMAP | arch_cpu(), 0, va, va + ((unsigned long)nr << PTE_SHIFT));
}

int arch_map_pages(unsigned long va, struct page *const *pages, u32 nr, enum pgprot prot, u32 *table)
{
	u64 rights = pgtable_rights(prot);
	u64 *pte = pte_known(*table, va, nr);
	const struct page *map = mem_map;

	if (!pte)
		pte = tables_make(va, nr, table);
	if (!pte)
		return -1;
	if (unlikely(log_is_on())) {
		map_pages_logged(pte, va, pages, nr, rights);
		return 0;
	}
	for (;;) {
		u32 span = table_span(va, nr);
		u64 *end = pte + span;

		do
			pte_set(pte, frame_of(*pages++, map) | rights);
		while (++pte != end);
		nr -= span;
		if (!nr)
			return 0;
		va += (unsigned long)span << PTE_SHIFT;
		pte = pte_of(va);
	}
}

void pgtable_clear(unsigned long va, u32 nr)
{
	while (nr) {
		u32 span = table_span(va, nr);

		if (unlikely(log_is_on()))
			log_clear(pte_of(va), va, span, 1);
		else
			ptes_clear(pte_of(va), span);
		va += (unsigned long)span << PTE_SHIFT;
		nr -= span;
	}
}

u64 arch_unmap(unsigned long va, u32 nr, u32 table)
{
	u64 *pte = pte_known(table, va, nr);

	if (likely(pte) && unlikely(log_is_on()))
		return unmap_logged(pte, va, nr);
	if (likely(pte))
		ptes_clear(pte, nr);
	else
		pgtable_clear(va, nr);
	return tlb_log(TLB_FLUSH_UNMAP | arch_cpu(), 0, va, va + ((unsigned long)nr << PTE_SHIFT));
}

bool pgtable_make(unsigned long va, u32 nr)
{
	u32 table;

	return tables_make(va, nr, &table);
}

static void ptes_protect(u64 *pte, unsigned long va, u32 nr, u64 rights)
{
	u64 *end = pte + nr;

	if (unlikely(log_is_on()))
		return log_change(pte, va, nr, 1, PTE_PFN_MASK, rights);
	do
		pte_set(pte, (pte_get(pte) & PTE_PFN_MASK) | rights);
	while (++pte != end);
}

void arch_protect(unsigned long va, u32 nr, enum pgprot prot)
{
	unsigned long start = va;
	u64 rights = pgtable_rights(prot);

	while (nr) {
		u32 span = table_span(va, nr);
		u64 *pmd = pmd_make(va);

		if (*pmd & _PAGE_PSE) {
			if (unlikely(log_is_on()))
				log_change(pmd, va, 1, 2, PTE_PFN_MASK, rights | _PAGE_PSE);
			else
				pte_set(pmd, (*pmd & PTE_PFN_MASK) | rights | _PAGE_PSE);
			va += 1ul << PMD_SHIFT;
			nr -= PTRS_PER_TABLE;
			continue;
		}
		ptes_protect(pte_of(va), va, span, rights);
		va += (unsigned long)span << PTE_SHIFT;
		nr -= span;
	}
	if (prot == PGPROT_READONLY)
		tlb_log(TLB_FLUSH_PROTECT | arch_cpu(), 0, start, va);
}

static bool tables_allow(unsigned long va, bool write, bool execute)
{
	const u64 *table = init_top_pgt;
	unsigned int shift;

	for (shift = PGD_SHIFT;; shift -= PGD_SHIFT - PUD_SHIFT) {
		u64 pte = pte_get(&table[pt_index(va, shift)]);

		if (!(pte & _PAGE_PRESENT) || (write && !(pte & _PAGE_RW)) || (execute && pte & _PAGE_NX))
			return false;
		if (shift == PTE_SHIFT || (shift < PGD_SHIFT && pte & _PAGE_PSE))
			return true;
		table = table_of(pte);
	}
}

bool pgtable_allows(unsigned long va, bool write, bool execute)
{
	u64 cuts;
	bool allowed;

	do {
		cuts = __atomic_load_n(&pgtable_cuts, __ATOMIC_ACQUIRE);
		allowed = tables_allow(va, write, execute);
	} while (unlikely(READ_ONCE(pgtable_cuts) != cuts));
	return allowed;
}

/* The GPA that a leaf entry of that level maps va to; ~0 if it is not present. */
static inline u64 leaf_gpa(u64 pte, unsigned long va, unsigned int shift)
{
	u64 offset = (1ul << shift) - 1;

	return likely(pte & _PAGE_PRESENT) ? (pte & PTE_PFN_MASK & ~offset) | (va & offset) : ~0ul;
}

/* Unrolled: every vfree() finds its area by this walk. */
static inline u64 tables_translate(unsigned long va)
{
	u64 pte = pte_get(&init_top_pgt[pt_index(va, PGD_SHIFT)]);

	if (unlikely(!(pte & _PAGE_PRESENT)))
		return ~0ul;
	pte = pte_get(&table_of(pte)[pt_index(va, PUD_SHIFT)]);
	if (unlikely(!(pte & _PAGE_PRESENT) || pte & _PAGE_PSE))
		return leaf_gpa(pte, va, PUD_SHIFT);
	pte = pte_get(&table_of(pte)[pt_index(va, PMD_SHIFT)]);
	if (unlikely(!(pte & _PAGE_PRESENT) || pte & _PAGE_PSE))
		return leaf_gpa(pte, va, PMD_SHIFT);
	return leaf_gpa(pte_get(&table_of(pte)[pt_index(va, PTE_SHIFT)]), va, PTE_SHIFT);
}

u64 arch_virt_to_phys(unsigned long va)
{
	u64 cuts;
	u64 gpa;

	do {
		cuts = __atomic_load_n(&pgtable_cuts, __ATOMIC_ACQUIRE);
		gpa = tables_translate(va);
	} while (unlikely(READ_ONCE(pgtable_cuts) != cuts));
	return gpa;
}
