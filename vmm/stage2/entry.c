/* SPDX-License-Identifier: MIT */
/*
 * entry.c: decodes one entry of the second stage, as hardware and KVM define it.
 *
 * EPT: SDM vol. 3C tables 29-1 to 29-7. NPT and shadow paging use the format of ordinary page tables: SDM
 * vol. 3A 4.5, APM vol. 2 5.3. KVM's software bits: arch/x86/kvm/mmu/spte.h of Linux 6.1 to 6.18.
 */
#include "stage2/stage2.h"

#include "base/page.h"
#include "base/strbuf.h"
#include "base/x86.h"

/* Software bits of KVM. */
#define SPTE_PRESENT   X86_BIT(11) /* MMU-present: set also while access tracking clears R, W and X */
#define SPTE_FROZEN    0x5a0ull
#define SPTE_EMPTY_VE  X86_BIT(63) /* set in empty entries since Linux 6.9: with EPT it suppresses #VE */
#define NPT_HOST_WRITE X86_BIT(9)
#define NPT_MMU_WRITE  X86_BIT(10)
#define EPT_HOST_WRITE X86_BIT(57)
#define EPT_MMU_WRITE  X86_BIT(58)
/* How KVM tracks accesses and writes. 0: by the hardware's A and D bits. */
#define SPTE_AD            (3ull << 52)
#define SPTE_AD_DISABLED   (1ull << 52) /* no A and D bits: KVM removes rights and tracks by faults */
#define SPTE_AD_WRITE_ONLY (2ull << 52) /* writes by faults, although there is a D bit */
/* SPTE_AD_DISABLED: R and X of a page before KVM removed them. Only a fault restores W. */
#define SPTE_SAVED_SHIFT 54

/* EPT */
#define EPT_R            X86_BIT(0)
#define EPT_W            X86_BIT(1)
#define EPT_X            X86_BIT(2)
#define EPT_RWX          (EPT_R | EPT_W | EPT_X)
#define EPT_TYPE_SHIFT   3
#define EPT_IGNORE_PAT   X86_BIT(6)
#define EPT_LARGE        X86_BIT(7)
#define EPT_A            X86_BIT(8)
#define EPT_D            X86_BIT(9)
#define EPT_XU           X86_BIT(10)
#define EPT_SHADOW_STACK X86_BIT(60) /* supervisor shadow stack */
#define EPT_SUB_PAGE     X86_BIT(61) /* sub-page write permissions, in units of 128 bytes of a 4K page */
#define EPT_SUPPRESS_VE  X86_BIT(63)

static uint64_t address_mask(const struct stage2_format *format)
{
	uint64_t mask =
		format->physical_bits < 52 ? PTE_ADDRESS & (X86_BIT(format->physical_bits) - 1) : PTE_ADDRESS;

	return mask & ~format->encryption;
}

static bool is_page(unsigned int level, uint64_t entry)
{
	/* Bit 7 in both formats. */
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
	/*
	 * MMIO entries fault on purpose: EPT ones are writable but not readable, others have a reserved bit
	 * set.
	 */
	if (format->kind == STAGE2_EPT
		    ? (entry & EPT_RWX) == (EPT_W | EPT_X)
		    : entry & PTE_P && entry & ~address_mask(format) & PTE_ADDRESS & ~format->encryption)
		return STAGE2_MMIO;
	return STAGE2_ODD;
}

uint64_t stage2_entry_hpa(const struct stage2_format *format, unsigned int level, uint64_t entry)
{
	uint64_t hpa = entry & address_mask(format);

	return is_page(level, entry) ? page_round_down(hpa, page_level_size(level)) : hpa;
}

unsigned int stage2_entry_rights(const struct stage2_format *format, uint64_t entry)
{
	if (format->kind == STAGE2_EPT)
		return (unsigned int)(entry & EPT_RWX); /* same bits as enum rights */
	if (!(entry & PTE_P))
		return 0;
	return RIGHT_R | (entry & PTE_W ? RIGHT_W : 0) | (entry & PTE_NX ? 0 : RIGHT_X) |
	       (entry & PTE_U ? RIGHT_U : 0);
}

static bool by_faults(const struct stage2_format *format, uint64_t entry)
{
	return format->kind == STAGE2_EPT && (entry & SPTE_AD) == SPTE_AD_DISABLED;
}

bool stage2_entry_accessed(const struct stage2_format *format, uint64_t entry)
{
	if (by_faults(format, entry))
		return entry & EPT_RWX;
	return entry & (format->kind == STAGE2_EPT ? EPT_A : PTE_A);
}

bool stage2_entry_dirty(const struct stage2_format *format, uint64_t entry)
{
	if (by_faults(format, entry))
		return entry & EPT_W;
	return entry & (format->kind == STAGE2_EPT ? EPT_D : PTE_D);
}

/*
 * The bits that make an EPT entry a misconfiguration (SDM vol. 3C 29.3.3.1): W without R; in an entry that
 * points to a table, bits 3 to 7; in a page, memory types 2, 3 and 7.
 */
static uint64_t reserved_ept(unsigned int level, uint64_t entry)
{
	uint64_t type = entry >> EPT_TYPE_SHIFT & 7,
		 reserved = (entry & (EPT_R | EPT_W)) == EPT_W ? EPT_W : 0;

	if (!is_page(level, entry))
		return reserved | (entry & (7ull << EPT_TYPE_SHIFT | EPT_IGNORE_PAT | EPT_LARGE));
	return reserved | (type == 2 || type == 3 || type == 7 ? entry & 7ull << EPT_TYPE_SHIFT : 0);
}

uint64_t stage2_entry_reserved(const struct stage2_format *format, unsigned int level, uint64_t entry)
{
	uint64_t reserved = entry & PTE_ADDRESS & ~address_mask(format) & ~format->encryption;

	if (is_page(level, entry) && level > 1)
		reserved |= entry & PTE_ADDRESS & (page_level_size(level) - 1) & ~format->encryption &
			    ~(format->kind == STAGE2_EPT ? 0 : PTE_PAT_LARGE);
	if (format->kind == STAGE2_EPT)
		return reserved | reserved_ept(level, entry);
	return reserved | (is_page(level, entry) ? 0 : entry & PTE_PS);
}

struct bit_name {
	uint64_t bit;
	const char *name;
};

static void add_word(struct strbuf *words, const char *word)
{
	strbuf_add_item(words, " ", "%s", word);
}

static void add_bits(struct strbuf *words, uint64_t entry, const struct bit_name *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (entry & names[i].bit)
			add_word(words, names[i].name);
}

/*
 * Adds how KVM tracks accesses by faults (EPT without A and D bits), and the rights that it removed for that.
 */
static void text_tracking(uint64_t entry, struct strbuf *words)
{
	uint64_t saved = entry >> SPTE_SAVED_SHIFT;

	if ((entry & SPTE_AD) == SPTE_AD_WRITE_ONLY)
		add_word(words, "D-by-faults");
	if ((entry & SPTE_AD) != SPTE_AD_DISABLED)
		return;
	add_word(words, "A-D-by-faults");
	if (!(entry & EPT_RWX))
		strbuf_add_item(words, " ", "access-tracked, was %s",
				RIGHTS_TEXT((unsigned int)(saved & (EPT_R | EPT_X))));
}

static void text_ept(unsigned int level, uint64_t entry, struct strbuf *words)
{
	static const char *const types[8] = { "UC", "WC", "type 2", "type 3", "WT", "WP", "WB", "type 7" };
	static const struct bit_name page[] = { { EPT_A, "A" },
						{ EPT_D, "D" },
						{ EPT_XU, "XU" },
						{ EPT_SHADOW_STACK, "shadow-stack" },
						{ EPT_SUPPRESS_VE, "suppress-VE" },
						{ EPT_HOST_WRITE, "host-writable" },
						{ EPT_MMU_WRITE, "mmu-writable" } };
	static const struct bit_name table[] = { { EPT_A, "A" }, { EPT_XU, "XU" } };

	add_word(words, RIGHTS_TEXT((unsigned int)(entry & EPT_RWX)));
	if (!is_page(level, entry)) {
		add_bits(words, entry, table, sizeof(table) / sizeof(table[0]));
		return;
	}
	add_word(words, types[entry >> EPT_TYPE_SHIFT & 7]);
	if (entry & EPT_IGNORE_PAT)
		add_word(words, "ignore-PAT");
	if (level > 1)
		add_word(words, "large");
	else if (entry & EPT_SUB_PAGE)
		add_word(words, "sub-page");
	add_bits(words, entry, page, sizeof(page) / sizeof(page[0]));
	text_tracking(entry, words);
}

static void text_x86(unsigned int level, uint64_t entry, struct strbuf *words)
{
	static const struct bit_name table[] = { { PTE_P, "P" },     { PTE_W, "W" },     { PTE_U, "U" },
						 { PTE_PWT, "PWT" }, { PTE_PCD, "PCD" }, { PTE_A, "A" },
						 { PTE_NX, "NX" } };
	static const struct bit_name page[] = { { PTE_D, "D" },
						{ PTE_G, "G" },
						{ NPT_HOST_WRITE, "host-writable" },
						{ NPT_MMU_WRITE, "mmu-writable" } };

	add_bits(words, entry, table, sizeof(table) / sizeof(table[0]));
	if (!is_page(level, entry))
		return;
	if (entry & (level == 1 ? PTE_PS : PTE_PAT_LARGE))
		add_word(words, "PAT");
	if (level > 1)
		add_word(words, "PS");
	add_bits(words, entry, page, sizeof(page) / sizeof(page[0]));
}

const char *stage2_entry_text(const struct stage2_format *format, unsigned int level, uint64_t entry,
			      char *out, size_t size)
{
	struct strbuf words = strbuf_of(out, size);

	switch (stage2_entry_kind(format, level, entry)) {
	case STAGE2_EMPTY: add_word(&words, "empty"); break;
	case STAGE2_MMIO: add_word(&words, "MMIO: an access goes to the VMM"); break;
	case STAGE2_FROZEN: add_word(&words, "frozen: KVM is changing it"); break;
	case STAGE2_ODD: add_word(&words, "not known"); break;
	default:
		if (format->kind == STAGE2_EPT)
			text_ept(level, entry, &words);
		else
			text_x86(level, entry, &words);
		if (entry & format->encryption)
			add_word(&words, "encrypted");
	}
	return out;
}
