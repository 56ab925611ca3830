/* SPDX-License-Identifier: MIT */
/*
 * gfp_flags.c: the flags of an allocation, as C writes them: GFP_KERNEL|__GFP_ZERO.
 */
#include "kvmap/gfp.h"
#include "script/operands.h"

static const uint32_t gfp_values[] = {
	GFP_KERNEL,  GFP_ATOMIC, GFP_NOWAIT, GFP_DMA,      GFP_DMA32,    __GFP_DMA,
	__GFP_DMA32, __GFP_HIGH, __GFP_ZERO, __GFP_NOWARN, __GFP_NOFAIL, __GFP_THISNODE,
};

/* In the order of gfp_values. */
static const struct name gfp_names[] = {
	{ "GFP_KERNEL", 0 }, { "GFP_ATOMIC", 1 },   { "GFP_NOWAIT", 2 },    { "GFP_DMA", 3 },
	{ "GFP_DMA32", 4 },  { "__GFP_DMA", 5 },    { "__GFP_DMA32", 6 },   { "__GFP_HIGH", 7 },
	{ "__GFP_ZERO", 8 }, { "__GFP_NOWARN", 9 }, { "__GFP_NOFAIL", 10 }, { "__GFP_THISNODE", 11 },
	{ NULL, 0 },
};

int operand_gfp(struct compile *compile, uint64_t *out)
{
	uint64_t flags = 0;
	uint16_t number;

	do {
		if (operand_choice(compile, gfp_names, "a flag of an allocation", &number) < 0)
			return -1;
		flags |= gfp_values[number];
		if (at_line_end(compile) || *compile->now.at != '|')
			break;
		compile->now.at++;
	} while (true);
	*out = flags;
	return 0;
}
