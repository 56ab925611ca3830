/* SPDX-License-Identifier: MIT */
/*
 * guest_cpuid.h: the CPUID of the guest.
 *
 * A small fixed set of features that every KVM host can run in ring 0, also by emulation.
 * KVM_GET_SUPPORTED_CPUID is not such a set: PVM's lists instructions that its emulator lacks. (PVM also adds
 * the host's ring-3 features to leaves 1 and 7, whatever is set.)
 */
#ifndef VMM_MACHINE_GUEST_CPUID_H
#define VMM_MACHINE_GUEST_CPUID_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#define CPUID_ENTRIES 6

/* The argument of KVM_SET_CPUID2. */
union cpuid_table {
	struct kvm_cpuid2 list;
	uint8_t room[sizeof(struct kvm_cpuid2) + CPUID_ENTRIES * sizeof(struct kvm_cpuid_entry2)];
};

/*
 * Fills *table. `vendor`: EBX, ECX, EDX of CPUID leaf 0, which determines the rules of reserved bits.
 * `supported`: KVM_GET_SUPPORTED_CPUID of a host with VT-x or SVM; features that it lacks are removed, and 1G
 * pages added if it has them. NULL for other hosts.
 */
void cpuid_fill(union cpuid_table *table, const uint32_t vendor[3], const struct kvm_cpuid2 *supported);

/* Adds a local APIC with this id (below 255), and x2APIC mode. */
void cpuid_set_apic(union cpuid_table *table, unsigned int apic_id);

bool cpuid_has_pages_1g(const union cpuid_table *table);

/* MAXPHYADDR: higher bits of a page table entry are reserved. */
unsigned int cpuid_physical_bits(const union cpuid_table *table);

#endif
