/* SPDX-License-Identifier: MIT */
/*
 * guest_cpuid.h: the CPU that the guest is told it has.
 *
 * It is a small fixed one, of features that every KVM host can run in ring 0, emulated ones included. What a
 * host advertises is not that: PVM's KVM_GET_SUPPORTED_CPUID has shown instructions that its emulator does
 * not know. (PVM also adds to leaves 1 and 7, whatever is set, what ring 3 has natively: a guest cannot go
 * by those.)
 */
#ifndef VMM_MACHINE_GUEST_CPUID_H
#define VMM_MACHINE_GUEST_CPUID_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#define CPUID_ENTRIES 6

/* As KVM_SET_CPUID2 wants it. */
union cpuid_table {
	struct kvm_cpuid2 list;
	uint8_t room[sizeof(struct kvm_cpuid2) + CPUID_ENTRIES * sizeof(struct kvm_cpuid_entry2)];
};

/*
 * Fills *table. `vendor`: EBX, ECX, EDX of CPUID leaf 0, since rules of reserved bits follow the vendor.
 * `supported`: what a host with VT-x or SVM says it supports, which takes away what it lacks and adds 1G
 * pages; NULL for a host without, which is not asked.
 */
void cpuid_fill(union cpuid_table *table, const uint32_t vendor[3], const struct kvm_cpuid2 *supported);

/* For a vCPU with a local APIC, whose id is `apic_id` (below 255): it has one, in x2APIC mode if it likes. */
void cpuid_set_apic(union cpuid_table *table, unsigned int apic_id);

bool cpuid_has_pages_1g(const union cpuid_table *table);

/* MAXPHYADDR: physical address bits, above which bits of an entry are reserved. */
unsigned int cpuid_physical_bits(const union cpuid_table *table);

#endif
