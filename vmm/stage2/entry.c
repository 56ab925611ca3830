/* SPDX-License-Identifier: MIT */
/*
 * entry.c: one entry of the second stage, as hardware and KVM define it.
 *
 * EPT: SDM vol. 3C tables 29-1 to 29-7. NPT and shadow: entries as of ordinary tables, SDM vol. 3A 4.5, APM
 * vol. 2 5.3. KVM's own marks: arch/x86/kvm/mmu/spte.h of Linux 6.1 to 6.18.
 */
#include "stage2/stage2.h"

#include <stdio.h>

#define BIT(number) (1ull << (number))

/* KVM */
#define SPTE_PRESENT   BIT(11) /* MMU-present: not the hardware's bit, which access tracking clears */
#define SPTE_FROZEN    0x5a0ull
#define SPTE_EMPTY_VE  BIT(63) /* empty since Linux 6.9: with EPT it suppresses #VE */
#define X86_HOST_WRITE BIT(9)
#define X86_MMU_WRITE  BIT(10)
#define EPT_HOST_WRITE BIT(57)
#define EPT_MMU_WRITE  BIT(58)

/* EPT */
#define EPT_R           BIT(0)
#define EPT_W           BIT(1)
#define EPT_X           BIT(2)
#define EPT_RWX         (EPT_R | EPT_W | EPT_X)
#define EPT_TYPE_SHIFT  3
#define EPT_IGNORE_PAT  BIT(6)
#define EPT_LARGE       BIT(7)
#define EPT_A           BIT(8)
#define EPT_D           BIT(9)
#define EPT_XU          BIT(10)
#define EPT_SUPPRESS_VE BIT(63)

/* x86 */
#define X86_P   BIT(0)
#define X86_W   BIT(1)
#define X86_U   BIT(2)
#define X86_PWT BIT(3)
#define X86_PCD BIT(4)
#define X86_A   BIT(5)
#define X86_D   BIT(6)
#define X86_PS  BIT(7)
#define X86_G   BIT(8)
#define X86_PAT BIT(12) /* of a large page; at level 1 it is bit 7 */
#define X86_NX  BIT(63)

#define ADDRESS_BITS 0x000ffffffffff000ull

static uint64_t address_mask(const struct stage2_format *format)
{
	return format->physical_bits < 52 ? ADDRESS_BITS & (BIT(format->physical_bits) - 1) : ADDRESS_BITS;
}

static bool is_page(unsigned int level, uint64_t entry)
{
	/* Both formats have the bit in the same place. */
	return level == 1 || (level <= 3 && entry & EPT_LARGE);
}

enum stage2_entry_kind stage2_entry_kind(const struct stage2_format *format, unsigned int level,
					 uint64_t entry)
{
	if (entry & SPTE_PRESENT)
		return is_page(level, entry) ? STAGE2_PAGE : STAGE2_TABLE;
	if (!(entry & ~SPTE_EMPTY_VE))
		return STAGE2_EMPTY;
	if ((entry & ~SPTE_EMPTY_VE) == SPTE_FROZEN)
		return STAGE2_FROZEN;
	/* Meant to fault: with EPT writable but not readable, else present with a reserved bit (bit 51, or
	 * the lowest that is one). */
	if (format->kind == STAGE2_EPT ? (entry & EPT_RWX) == (EPT_W | EPT_X)
				       : entry & X86_P && entry & ~address_mask(format) & ADDRESS_BITS)
		return STAGE2_MMIO;
	return STAGE2_ODD;
}

uint64_t stage2_entry_hpa(const struct stage2_format *format, unsigned int level, uint64_t entry)
{
	uint64_t hpa = entry & address_mask(format);

	return is_page(level, entry) ? hpa & ~(stage2_page_size(level) - 1) : hpa;
}

unsigned int stage2_entry_rights(const struct stage2_format *format, uint64_t entry)
{
	if (format->kind == STAGE2_EPT)
		return (unsigned int)(entry & EPT_RWX); /* in the order of enum stage2_rights */
	if (!(entry & X86_P))
		return 0;
	return STAGE2_R | (entry & X86_W ? STAGE2_W : 0) | (entry & X86_NX ? 0 : STAGE2_X) |
	       (entry & X86_U ? STAGE2_U : 0);
}

bool stage2_entry_accessed(const struct stage2_format *format, uint64_t entry)
{
	return entry & (format->kind == STAGE2_EPT ? EPT_A : X86_A);
}

bool stage2_entry_dirty(const struct stage2_format *format, uint64_t entry)
{
	return entry & (format->kind == STAGE2_EPT ? EPT_D : X86_D);
}

/* EPT: bits 3 to 6 of an entry that points to a table; types 2, 3 and 7 of a page. */
static uint64_t reserved_ept(unsigned int level, uint64_t entry)
{
	uint64_t type = entry >> EPT_TYPE_SHIFT & 7;

	if (!is_page(level, entry))
		return entry & (7ull << EPT_TYPE_SHIFT | EPT_IGNORE_PAT | EPT_LARGE);
	return type == 2 || type == 3 || type == 7 ? entry & 7ull << EPT_TYPE_SHIFT : 0;
}

uint64_t stage2_entry_reserved(const struct stage2_format *format, unsigned int level, uint64_t entry)
{
	uint64_t reserved = entry & ADDRESS_BITS & ~address_mask(format);

	if (is_page(level, entry) && level > 1)
		reserved |= entry & ADDRESS_BITS & (stage2_page_size(level) - 1) &
			    ~(format->kind == STAGE2_EPT ? 0 : X86_PAT);
	if (format->kind == STAGE2_EPT)
		return reserved | reserved_ept(level, entry);
	return reserved | (is_page(level, entry) ? 0 : entry & X86_PS);
}

struct bit_name {
	uint64_t bit;
	const char *name;
};

static size_t append(char *out, size_t size, size_t used, const char *text)
{
	int wrote;

	if (used >= size)
		return used;
	wrote = snprintf(out + used, size - used, "%s%s", used ? " " : "", text);
	return used + (wrote > 0 ? (size_t)wrote : 0);
}

static size_t append_bits(char *out, size_t size, size_t used, uint64_t entry, const struct bit_name *names,
			  size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (entry & names[i].bit)
			used = append(out, size, used, names[i].name);
	return used;
}

static size_t text_ept(unsigned int level, uint64_t entry, char *out, size_t size)
{
	static const char *const types[8] = { "UC", "WC", "type 2", "type 3", "WT", "WP", "WB", "type 7" };
	static const struct bit_name page[] = { { EPT_IGNORE_PAT, "ignore-PAT" },
						{ EPT_LARGE, "large" },
						{ EPT_A, "A" },
						{ EPT_D, "D" },
						{ EPT_XU, "XU" },
						{ EPT_SUPPRESS_VE, "suppress-VE" },
						{ EPT_HOST_WRITE, "host-writable" },
						{ EPT_MMU_WRITE, "mmu-writable" } };
	static const struct bit_name table[] = { { EPT_A, "A" }, { EPT_XU, "XU" } };
	char rights[4] = { entry & EPT_R ? 'R' : '-', entry & EPT_W ? 'W' : '-', entry & EPT_X ? 'X' : '-' };
	size_t used = append(out, size, 0, rights);

	if (!is_page(level, entry))
		return append_bits(out, size, used, entry, table, sizeof(table) / sizeof(table[0]));
	used = append(out, size, used, types[entry >> EPT_TYPE_SHIFT & 7]);
	return append_bits(out, size, used, entry, page, sizeof(page) / sizeof(page[0]));
}

static size_t text_x86(unsigned int level, uint64_t entry, char *out, size_t size)
{
	static const struct bit_name table[] = { { X86_P, "P" },     { X86_W, "W" },     { X86_U, "U" },
						 { X86_PWT, "PWT" }, { X86_PCD, "PCD" }, { X86_A, "A" },
						 { X86_NX, "NX" } };
	static const struct bit_name page[] = { { X86_D, "D" },
						{ X86_G, "G" },
						{ X86_HOST_WRITE, "host-writable" },
						{ X86_MMU_WRITE, "mmu-writable" } };
	size_t used = append_bits(out, size, 0, entry, table, sizeof(table) / sizeof(table[0]));

	if (!is_page(level, entry))
		return used;
	if (entry & (level == 1 ? X86_PS : X86_PAT))
		used = append(out, size, used, "PAT");
	if (level > 1)
		used = append(out, size, used, "PS");
	return append_bits(out, size, used, entry, page, sizeof(page) / sizeof(page[0]));
}

const char *stage2_entry_text(const struct stage2_format *format, unsigned int level, uint64_t entry,
			      char *out, size_t size)
{
	size_t used;

	out[0] = '\0';
	switch (stage2_entry_kind(format, level, entry)) {
	case STAGE2_EMPTY: used = append(out, size, 0, "empty"); break;
	case STAGE2_MMIO: used = append(out, size, 0, "MMIO: an access goes to the VMM"); break;
	case STAGE2_FROZEN: used = append(out, size, 0, "frozen: KVM is changing it"); break;
	case STAGE2_ODD: used = append(out, size, 0, "not known"); break;
	default:
		used = format->kind == STAGE2_EPT ? text_ept(level, entry, out, size)
						  : text_x86(level, entry, out, size);
		/* KVM knows the page, hardware does not: the next access tells that it is used. */
		if (!stage2_entry_rights(format, entry))
			used = append(out, size, used, "access-tracked");
	}
	(void)used;
	return out;
}
