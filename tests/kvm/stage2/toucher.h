/* SPDX-License-Identifier: MIT */
/*
 * toucher.h: a VM whose guest writes to pages, so that KVM must fill its second stage. It runs in ring 3,
 * where every KVM runs it on the processor itself, with page tables made here and no kernel.
 *
 *   GPA 0          page tables, code
 *       DATA_GPA   DATA_SLOTS slots, one behind the other, that all show the same DATA_BYTES of this process
 *       NOWHERE    no slot: a write exits to the test
 *
 *   GVA = GPA      in 2M pages
 *       SMALL_GVA  SMALL_PAGES pages from DATA_GPA on, in 4K pages
 */
#ifndef TESTS_KVM_STAGE2_TOUCHER_H
#define TESTS_KVM_STAGE2_TOUCHER_H

#include "kvm/kvm.h"

#define SYSTEM_BYTES (4ull << 20)
#define DATA_GPA     (256ull << 20)
#define DATA_BYTES   (64ull << 20)
#define DATA_SLOTS   16
#define NOWHERE      (3ull << 30)
#define SMALL_GVA    (4ull << 30)
#define SMALL_PAGES  8192

enum data_memory {
	DATA_MEMFD,      /* 4K pages of a memfd */
	DATA_HUGE,       /* anonymous memory that may have transparent huge pages */
	DATA_MISALIGNED, /* the same, but HVA and GPA differ by 4K: no huge page fits */
};

struct toucher {
	int kvm, vm;
	struct kvm_vcpu vcpu;
	uint8_t *system;
	uint8_t *data, *data_mapping;
	uint64_t data_mapping_size;
};

/* Stops the test where that fails. slots: how many of DATA_SLOTS. */
void toucher_create(struct toucher *toucher, enum data_memory memory, unsigned int slots,
		    uint32_t slot_flags);
void toucher_destroy(struct toucher *toucher);

/* The guest writes a byte at gva, gva + stride ... `count` of them, then exits by a write to NOWHERE. */
void toucher_touch(struct toucher *toucher, uint64_t gva, uint64_t stride, uint64_t count);

#endif
