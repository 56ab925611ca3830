/* SPDX-License-Identifier: MIT */
/*
 * shared.h: what the plugin, in QEMU's process, tells kvmap: a file in memory that both map. The plugin writes it; kvmap
 * copies it once and checks the copy, since QEMU's process runs a guest that is not trusted.
 */
#ifndef VMM_PLUGIN_SHARED_H
#define VMM_PLUGIN_SHARED_H

#include "tlb/tlb.h"

#define PLUGIN_SHARED_MAGIC UINT64_C(0x4c505041564d564b)
#define PLUGIN_FINDINGS_MAX 256 /* listed, of all rules */
#define PLUGIN_STACK_WORDS  64
#define PLUGIN_SAMPLES      64

/* Where an instruction was when it did something. */
struct plugin_origin {
	uint64_t pc; /* 0: not known */
	uint64_t sp;
	uint32_t words; /* of the stack from sp on */
	uint64_t stack[PLUGIN_STACK_WORDS];
};

struct plugin_finding {
	struct tlb_finding is;
	struct plugin_origin used, changed;
	bool has_entry; /* the entry that changed: its GPA, and its values before and after */
	uint64_t entry, old, value;
};

struct plugin_shared {
	uint64_t magic;
	uint64_t size;     /* of this struct */
	uint32_t began;    /* the plugin was loaded */
	uint32_t ended;    /* QEMU ended in an orderly way, and all is here */
	char problem[200]; /* why it ceased to look; "": it did not */
	uint64_t seq;
	struct tlb_stats stats;
	uint64_t matches[TLB_RULE_COUNT];
	uint64_t pcids; /* PCIDs were turned on */
	/* Debts of all CPUs, at every sample_every'th event from the first on. */
	uint64_t sample_every;
	uint32_t samples;
	uint32_t sample[PLUGIN_SAMPLES];
	uint32_t findings;
	struct plugin_finding finding[PLUGIN_FINDINGS_MAX];
};

#endif
