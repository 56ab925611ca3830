/* SPDX-License-Identifier: MIT */
/*
 * invariants.c: the table of what is verified. An invariant is one row here and one file.
 */
#include "verify/check.h"

#include <stddef.h>

const struct invariant invariants[INVARIANTS] = {
	{ "every page of every live area maps the frame that the area claims, with its rights",
	  check_mappings, true },
	{ "nothing else is mapped in the vmalloc range", check_stray, true },
	{ "every guard page is unmapped, at every level", check_guards, true },
	{ "every frame of RAM has exactly one owner", check_owners, true },
	{ "a frame of an area is mapped nowhere else but in the direct map", check_sharing, true },
	{ "every page-table page is in RAM, reached once and owned as a page table", check_tables, false },
	{ "W^X, no user pages, the low half unmapped, text and rodata as in the file", check_protection,
	  false },
	{ "areas do not overlap; the free tree is their complement, in order and balanced", check_space,
	  true },
	{ "nothing is used again before a flush that covers it", check_flushes, true },
	{ "every page that the guest maps lies in its memory, and in the second stage", check_second_stage,
	  false },
	{ "KVM's own translation agrees with the walk", check_translate, false },
	{ "bytes written through the guest's mapping are found through the host's walk", check_contents,
	  true },
	{ "the guest's accounts equal the host's recount", check_accounts, true },
};

static const char *const names[INVARIANTS + 1] = { "V0", "V1", "V2", "V3",  "V4",  "V5",  "V6",
						   "V7", "V8", "V9", "V10", "V11", "V12", "V13" };

const char *invariant_name(unsigned int invariant)
{
	return invariant <= INVARIANTS ? names[invariant] : "V?";
}

const char *invariant_text(unsigned int invariant)
{
	if (invariant == 0)
		return "every operation of the script does what the script says";
	return invariant <= INVARIANTS ? invariants[invariant - 1].text : "";
}
