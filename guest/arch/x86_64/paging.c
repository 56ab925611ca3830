/* SPDX-License-Identifier: MIT */
/*
 * paging.c: page tables that the boot makes, in addition to those of head.S.
 */
#include "arch/x86_64/paging.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/event_log.h"
#include "arch/x86_64/pgtable.h"
#include "arch/sections.h"
#include "kvmap/layout.h"
#include "mm/arch.h"

#define PMD_SIZE (1ul << PMD_SHIFT)
#define PUD_SIZE (1ul << PUD_SHIFT)
#define PTRS     PTRS_PER_TABLE

extern u64 boot_tables[], boot_tables_end[];
extern u64 boot_image_pud[PTRS], boot_image_pmd[PTRS];
extern u64 boot_direct_pud[PTRS], boot_direct_pmd[PTRS];

/* Page tables of [2M, 4M) and [4M, 6M) of the image. */
static u64 image_pte[2][PTRS] __attribute__((aligned(4096)));

static u64 image_pa(const void *address)
{
	return (u64)address - KVMAP_IMAGE_BASE;
}

/*
 * Writes `count` entries: value, value + step, ... Unrolled by four: with much RAM this loop dominates the
 * boot.
 */
static void ptes_fill(u64 *pte, u64 value, u64 step, u64 count)
{
	u64 *end = pte + count;

	for (; pte + 4 <= end; pte += 4, value += 4 * step) {
		pte[0] = value;
		pte[1] = value + step;
		pte[2] = value + 2 * step;
		pte[3] = value + 3 * step;
	}
	for (; pte < end; pte++, value += step)
		*pte = value;
}

static void map_section(const char *start, const char *end, u64 rights)
{
	u64 first = (image_pa(start) - KVMAP_IMAGE_GPA) >> PAGE_SHIFT;

	ptes_fill(image_pte[0] + first, image_pa(start) | rights, PAGE_SIZE,
		  ((u64)(end - start) + PAGE_SIZE - 1) >> PAGE_SHIFT);
}

void paging_map_image(void)
{
	map_section(text_start, text_end, _PAGE_KERNEL_RX);
	map_section(rodata_start, rodata_end, _PAGE_KERNEL_RO);
	map_section(data_start, image_end, _PAGE_KERNEL);
	boot_image_pmd[1] = image_pa(image_pte[0]) | _PAGE_TABLE;
	boot_image_pmd[2] = image_pa(image_pte[1]) | _PAGE_TABLE;
	boot_image_pud[0] = 0;
	init_top_pgt[0] = 0;
	/* Changing PGE flushes every translation (SDM vol. 3A 4.10.4.1). */
	write_cr4(X86_CR4_PAE | X86_CR4_PGE);
}

static u64 table_new(u64 *next_table)
{
	u64 gpa = *next_table;

	*next_table += PAGE_SIZE;
	__builtin_memset(__va(gpa), 0, PAGE_SIZE); /* firmware may have left something there */
	return gpa;
}

/* The table that *pte points to; allocated if *pte is empty. */
static u64 *table_below(u64 *pte, u64 *next_table)
{
	if (!*pte)
		*pte = table_new(next_table) | _PAGE_TABLE;
	return __va(*pte & PTE_PFN_MASK);
}

static void map_large(u64 *pmd, u64 start, u64 end)
{
	ptes_fill(pmd + start / PMD_SIZE % PTRS, start | _PAGE_KERNEL | _PAGE_PSE, PMD_SIZE,
		  (end - start) / PMD_SIZE);
}

static void map_ram_range(u64 start, u64 end, bool pages_1g, u64 *next_table)
{
	while (start < end) {
		u64 *pud = &boot_direct_pud[start / PUD_SIZE];
		u64 next = ALIGN_DOWN(start, PUD_SIZE) + PUD_SIZE;

		if (pages_1g && next - start == PUD_SIZE && next <= end && !*pud)
			*pud = start | _PAGE_KERNEL | _PAGE_PSE;
		else
			map_large(table_below(pud, next_table), start, next < end ? next : end);
		start = next;
	}
}

void paging_map_ram(bool pages_1g, u64 *next_table)
{
	const u64 prepared = BOOT_DIRECT_PAGES * PMD_SIZE;

	for (u32 i = 0; i < memblock.nr_memory; i++) {
		u64 start = memblock.memory[i].base;
		u64 end = start + memblock.memory[i].size;

		if (start <= KVMAP_IMAGE_GPA && end > KVMAP_IMAGE_GPA) {
			for (u64 gpa = end; gpa < prepared; gpa += PMD_SIZE)
				boot_direct_pmd[gpa / PMD_SIZE] = 0;
			start = prepared;
		}
		if (start >= PMD_SIZE)
			map_ram_range(start, end, pages_1g, next_table);
	}
}

void paging_map_module(u64 gpa, u64 size, u64 *next_table)
{
	u64 end = gpa + size;

	for (gpa = ALIGN_DOWN(gpa, PAGE_SIZE); gpa < end; gpa += PAGE_SIZE) {
		u64 *pud = &boot_direct_pud[gpa / PUD_SIZE];
		u64 *pmd, *pte;

		if (*pud & _PAGE_PSE)
			continue;
		pmd = table_below(pud, next_table) + gpa / PMD_SIZE % PTRS;
		if (*pmd & _PAGE_PSE)
			continue;
		pte = table_below(pmd, next_table) + gpa / PAGE_SIZE % PTRS;
		*pte = gpa | _PAGE_KERNEL_RO;
	}
}

static void count_tables(u64 start, u64 end)
{
	struct page *page = pfn_to_page(start >> PAGE_SHIFT), *last = pfn_to_page(end >> PAGE_SHIFT);

	for (; page < last; page++)
		page->owner = PAGE_TABLE;
	vm_stat_add(NR_PAGETABLE_PAGES, (s64)((end - start) >> PAGE_SHIFT));
}

void paging_count_tables(u64 first_table, u64 next_table)
{
	count_tables(image_pa(boot_tables), image_pa(boot_tables_end));
	count_tables(image_pa(image_pte), image_pa(image_pte) + sizeof(image_pte));
	count_tables(first_table, next_table);
}

static void *map_window(u64 gpa, u64 index)
{
	unsigned long va = KVMAP_IMAGE_BASE + index * PMD_SIZE;
	u64 entry = ALIGN_DOWN(gpa, PMD_SIZE) | _PAGE_KERNEL | _PAGE_PSE;

	if (log_is_on())
		log_change(&boot_image_pmd[index], va, 1, 2, 0, entry);
	else
		boot_image_pmd[index] = entry;
	return (void *)(va + gpa % PMD_SIZE);
}

void *paging_map_window(u64 gpa)
{
	return map_window(gpa, PTRS - 1);
}

void *paging_map_apic(u64 gpa)
{
	return map_window(gpa, PTRS - 2);
}

void paging_map_identity(bool on)
{
	boot_image_pud[0] = on ? image_pa(boot_image_pmd) | _PAGE_TABLE : 0;
	init_top_pgt[0] = on ? image_pa(boot_image_pud) | _PAGE_TABLE : 0;
}

bool paging_cpu_has_1g(void)
{
	u32 eax = 0x80000001, ebx, ecx, edx;

	asm("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
	return edx & 1 << 26;
}
