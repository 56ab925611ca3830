/* SPDX-License-Identifier: MIT */
#include "report/pte.h"

#include "base/page.h"
#include "base/strbuf.h"

#include <inttypes.h>
#include <stdio.h>

/*
 * Bits that the processor ignores and software uses, "AVL"; bits 62:59 are that too where there are no keys.
 */
#define AVL_LOW  0x0000000000000e00ull
#define AVL_HIGH 0x07f0000000000000ull

const char *entry_level_name(unsigned int level)
{
	static const char *const names[] = { "?", "PT", "PD", "PDPT", "PML4", "PML5" };

	return level <= 5 ? names[level] : "?";
}

static void add_flags(struct strbuf *words, uint64_t entry)
{
	static const struct {
		uint64_t bit;
		const char *name;
	} bits[] = {
		{ PTE_P, "P" },     { PTE_W, "W" },     { PTE_U, "U" },
		{ PTE_PWT, "PWT" }, { PTE_PCD, "PCD" }, { PTE_A, "A" },
	};

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if (entry & bits[i].bit)
			strbuf_add_item(words, " ", "%s", bits[i].name);
}

/* Bits that have a meaning only in an entry that maps a page. */
static void add_page_flags(struct strbuf *words, const struct walk_level *level)
{
	if (level->entry & PTE_D)
		strbuf_add_item(words, " ", "D");
	if (level->entry & PTE_G)
		strbuf_add_item(words, " ", "G");
	if (level->level > 1)
		strbuf_add_item(words, " ", "PS");
	if (level->entry & (level->level > 1 ? PTE_PAT_LARGE : PTE_PS))
		strbuf_add_item(words, " ", "PAT");
}

/* "AVL 9,58": the numbers of the bits that are set. */
static void add_available(struct strbuf *words, const struct walk_level *level, bool keys)
{
	uint64_t bits = level->entry & (AVL_LOW | AVL_HIGH | (level->is_page && keys ? 0 : PTE_KEY));
	char text[96];
	struct strbuf numbers = STRBUF(text);

	if (!level->is_page)
		bits |= level->entry & (PTE_D | PTE_G);
	if (!bits)
		return;
	for (unsigned int bit = 0; bit < 64; bit++)
		if (bits >> bit & 1)
			strbuf_add_item(&numbers, ",", "%u", bit);
	strbuf_add_item(words, " ", "AVL %s", text);
}

const char *entry_text(const struct walk_level *level, bool keys, char *out, size_t size)
{
	struct strbuf words = strbuf_of(out, size);
	uint64_t address = level->entry & PTE_ADDRESS;

	if (!(level->entry & PTE_P)) {
		snprintf(out, size, level->entry ? "not present, other bits set" : "not present");
		return out;
	}
	add_flags(&words, level->entry);
	if (level->is_page)
		add_page_flags(&words, level);
	else if (level->reserved & PTE_PS)
		strbuf_add_item(&words, " ", "PS");
	add_available(&words, level, keys);
	if (level->is_page && keys) {
		strbuf_add_item(&words, " ", "key %u",
				(unsigned int)((level->entry & PTE_KEY) >> PTE_KEY_SHIFT));
	}
	if (level->entry & PTE_NX)
		strbuf_add_item(&words, " ", "NX");
	if (level->is_page)
		address = page_round_down(address, page_level_size(level->level));
	strbuf_add_item(&words, " ", "-> %s 0x%" PRIx64,
			level->is_page ? "page" : entry_level_name(level->level - 1), address);
	return out;
}

const char *entry_reserved_text(const struct walk_level *level, const struct walk_mode *mode, char *out,
				size_t size)
{
	/* No width of 52 or more reserves an address bit. */
	uint64_t above = mode->physical_bits < 52 ? PTE_ADDRESS & (~0ull << mode->physical_bits) : 0;

	if (level->reserved & above)
		snprintf(out, size, "address bits above the %u that there are", mode->physical_bits);
	else if (level->reserved & PTE_NX)
		snprintf(out, size, "NX, while EFER.NXE is off");
	else if (level->reserved & PTE_PS)
		snprintf(out, size,
			 level->level == 3 ? "PS, but no 1G pages here" : "PS, but no pages at this level");
	else
		snprintf(out, size, "address bits inside the page");
	return out;
}
