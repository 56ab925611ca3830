/* SPDX-License-Identifier: MIT */
/*
 * guest_cpuid.c: the guest's CPUID (SDM vol. 2A "CPUID", APM vol. 3 appendix E).
 *
 * A machine of one CPU has no interrupt controller: no APIC and no x2APIC.
 */
#include "machine/guest_cpuid.h"

#include <stddef.h>
#include <string.h>

#define BIT(n) (1u << (n))

/* Leaf 1, EDX. */
#define FPU   BIT(0)
#define DE    BIT(2)
#define PSE   BIT(3)
#define TSC   BIT(4)
#define MSR   BIT(5)
#define PAE   BIT(6)
#define CX8   BIT(8)
#define APIC  BIT(9)
#define PGE   BIT(13)
#define CMOV  BIT(15)
#define PAT   BIT(16)
#define CLFSH BIT(19)
#define MMX   BIT(23)
#define FXSR  BIT(24)
#define SSE   BIT(25)
#define SSE2  BIT(26)
/* Leaf 1, ECX. */
#define X2APIC     BIT(21)
#define HYPERVISOR BIT(31)
/* Leaf 7, EBX. */
#define SMEP BIT(7)
/* Leaf 0x80000001, EDX. */
#define SYSCALL BIT(11)
#define NX      BIT(20)
#define PAGE1GB BIT(26)
#define LM      BIT(29)

/* Enough for 64 GiB of RAM, and not more than the smallest hosts have. */
#define PHYSICAL_BITS 39
#define LINEAR_BITS   48

/* Family 15, so that the guest applies no errata of the host's model. */
#define SIGNATURE 0x00000f00
/* CLFLUSH line of 8 * 8 bytes, one logical processor. */
#define LINE_AND_COUNT 0x00010800

static const struct kvm_cpuid_entry2 baseline[CPUID_ENTRIES] = {
	{ .function = 0, .eax = 7 },
	{ .function = 1,
	  .eax = SIGNATURE,
	  .ebx = LINE_AND_COUNT,
	  .ecx = HYPERVISOR,
	  .edx = FPU | DE | PSE | TSC | MSR | PAE | CX8 | PGE | CMOV | PAT | CLFSH | MMX | FXSR | SSE |
		 SSE2 },
	{ .function = 7, .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX, .ebx = SMEP },
	{ .function = 0x80000000, .eax = 0x80000008 },
	{ .function = 0x80000001, .edx = SYSCALL | NX | LM },
	{ .function = 0x80000008, .eax = LINEAR_BITS << 8 | PHYSICAL_BITS },
};

static const struct kvm_cpuid_entry2 *entry_find(const struct kvm_cpuid_entry2 *entries, uint32_t count,
						 uint32_t function)
{
	for (uint32_t i = 0; i < count; i++)
		if (entries[i].function == function && entries[i].index == 0)
			return &entries[i];
	return NULL;
}

/* Removes the features that the host lacks. */
static void entry_mask(struct kvm_cpuid_entry2 *entry, const struct kvm_cpuid2 *supported)
{
	const struct kvm_cpuid_entry2 *host =
		entry_find(supported->entries, supported->nent, entry->function);
	const struct kvm_cpuid_entry2 nothing = { 0 };

	if (!host)
		host = &nothing;
	switch (entry->function) {
	case 1: entry->edx &= host->edx; break;
	case 7: entry->ebx &= host->ebx; break;
	case 0x80000001: entry->edx = (entry->edx | PAGE1GB) & host->edx; break;
	case 0x80000008:
		/* Hardware walks the guest's tables with the host's MAXPHYADDR, regardless of CPUID. */
		if (host->eax & 0xff)
			entry->eax = (entry->eax & ~0xffu) | (host->eax & 0xff);
		break;
	}
}

void cpuid_fill(union cpuid_table *table, const uint32_t vendor[3], const struct kvm_cpuid2 *supported)
{
	memset(table, 0, sizeof(*table));
	table->list.nent = CPUID_ENTRIES;
	memcpy(table->list.entries, baseline, sizeof(baseline));
	table->list.entries[0].ebx = vendor[0];
	table->list.entries[0].ecx = vendor[1];
	table->list.entries[0].edx = vendor[2];
	for (unsigned int i = 0; supported && i < CPUID_ENTRIES; i++)
		entry_mask(&table->list.entries[i], supported);
}

void cpuid_set_apic(union cpuid_table *table, unsigned int apic_id)
{
	for (unsigned int i = 0; i < CPUID_ENTRIES; i++) {
		struct kvm_cpuid_entry2 *entry = &table->list.entries[i];

		if (entry->function != 1)
			continue;
		entry->ebx = (entry->ebx & 0xffffff) | apic_id << 24;
		entry->ecx |= X2APIC;
		entry->edx |= APIC;
	}
}

bool cpuid_has_pages_1g(const union cpuid_table *table)
{
	return entry_find(table->list.entries, CPUID_ENTRIES, 0x80000001)->edx & PAGE1GB;
}

unsigned int cpuid_physical_bits(const union cpuid_table *table)
{
	return entry_find(table->list.entries, CPUID_ENTRIES, 0x80000008)->eax & 0xff;
}
