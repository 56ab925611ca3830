/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "toucher.h"

#include "base/x86.h"
#include "paging/walk.h"

#include <criterion/criterion.h>
#include <linux/mempolicy.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CODE_GPA   0x100000
#define TABLES_GPA 0x1000 /* PML4, PDPT, 4 PDs of identity, 1 PD and its 16 PTs of 4K pages */
#define HUGE       (2ull << 20)

/* writes; then a write to [rdx], for ever */
static const uint8_t code[] = {
	0x88, 0x07,       /* 0: mov [rdi], al */
	0x48, 0x01, 0xf7, /* add rdi, rsi */
	0x48, 0xff, 0xc9, /* dec rcx */
	0x75, 0xf6,       /* jnz 0 */
	0x88, 0x02,       /* 1: mov [rdx], al */
	0xeb, 0xfc,       /* jmp 1 */
};

#define must(call)                                                                                           \
	do {                                                                                                 \
		struct error error;                                                                          \
		if ((call) < 0)                                                                              \
			cr_assert_fail("%s", error.text);                                                    \
	} while (0)

static void make_tables(uint8_t *system)
{
	uint64_t *table = (uint64_t *)(system + TABLES_GPA);
	uint64_t *pml4 = table, *pdpt = table + 512, *identity = pdpt + 512, *small = identity + 4 * 512,
		 *pts = small + 512;
	const uint64_t flags = PTE_P | PTE_W | PTE_U, at = TABLES_GPA;

	pml4[0] = (at + 0x1000) | flags;
	for (uint64_t i = 0; i < 5; i++)
		pdpt[i] = (at + 0x2000 + i * 0x1000) | flags;
	for (uint64_t i = 0; i < 4 * 512; i++)
		identity[i] = i * HUGE | flags | PTE_PS;
	for (uint64_t i = 0; i < SMALL_PAGES / 512; i++)
		small[i] = (at + 0x7000 + i * 0x1000) | flags;
	for (uint64_t i = 0; i < SMALL_PAGES; i++)
		pts[i] = (DATA_GPA + i * 0x1000) | flags;
}

static void map_data(struct toucher *toucher, enum data_memory memory)
{
	int fd = -1, flags = MAP_PRIVATE | MAP_ANONYMOUS;

	toucher->data_mapping_size = DATA_BYTES + 2 * HUGE;
	if (memory == DATA_MEMFD) {
		fd = memfd_create("toucher", MFD_CLOEXEC);
		cr_assert(fd >= 0 && ftruncate(fd, (off_t)toucher->data_mapping_size) == 0);
		flags = MAP_SHARED;
	}
	toucher->data_mapping = mmap(NULL, toucher->data_mapping_size, PROT_READ | PROT_WRITE, flags, fd, 0);
	cr_assert(toucher->data_mapping != MAP_FAILED);
	if (fd >= 0)
		close(fd);
	else
		madvise(toucher->data_mapping, toucher->data_mapping_size, MADV_HUGEPAGE);
	toucher->data = toucher->data_mapping + (HUGE - (uintptr_t)toucher->data_mapping % HUGE);
	if (memory == DATA_MISALIGNED)
		toucher->data += 0x1000;
}

static void add_slot(struct toucher *toucher, uint32_t number, uint64_t gpa, uint8_t *bytes, uint64_t size,
		     uint32_t flags)
{
	struct kvm_userspace_memory_region region = {
		.slot = number,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)bytes,
	};

	must(kvm_vm_set_memory(toucher->vm, &region, &error));
}

/* 64-bit mode, ring 3. Nothing will be delivered: there are no descriptor tables. */
static void set_registers(struct toucher *toucher)
{
	struct kvm_segment segment = { .limit = 0xffffffff, .present = 1, .dpl = 3, .s = 1, .g = 1 };
	struct kvm_sregs sregs;

	must(kvm_vcpu_get_sregs(&toucher->vcpu, &sregs, &error));
	sregs.cr0 = CR0_PG | CR0_WP | CR0_ET | CR0_PE;
	sregs.cr3 = TABLES_GPA;
	sregs.cr4 = CR4_PAE;
	sregs.efer = EFER_LME | EFER_LMA;
	segment.type = 3;
	segment.db = 1;
	segment.selector = 0x2b;
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = segment;
	segment.type = 11;
	segment.db = 0;
	segment.l = 1;
	segment.selector = 0x33;
	sregs.cs = segment;
	must(kvm_vcpu_set_sregs(&toucher->vcpu, &sregs, &error));
}

static void set_cpuid(struct toucher *toucher)
{
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + 256 * sizeof(cpuid->entries[0]));

	cr_assert(cpuid);
	cpuid->nent = 256;
	must(kvm_supported_cpuid(toucher->kvm, cpuid, &error));
	must(kvm_vcpu_set_cpuid(&toucher->vcpu, cpuid, &error));
	free(cpuid);
}

void toucher_create(struct toucher *toucher, enum data_memory memory, unsigned int slots, uint32_t slot_flags)
{
	memset(toucher, 0, sizeof(*toucher));
	/* A policy of its own, so that the kernel does not unmap pages to see which node uses them. */
	syscall(SYS_set_mempolicy, MPOL_LOCAL, NULL, 0);
	must(toucher->kvm = kvm_open("/dev/kvm", &error));
	must(toucher->vm = kvm_vm_create(toucher->kvm, &error));
	toucher->system =
		mmap(NULL, SYSTEM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert(toucher->system != MAP_FAILED);
	make_tables(toucher->system);
	memcpy(toucher->system + CODE_GPA, code, sizeof(code));
	add_slot(toucher, 0, 0, toucher->system, SYSTEM_BYTES, 0);
	map_data(toucher, memory);
	for (uint32_t i = 0; i < slots; i++)
		add_slot(toucher, i + 1, DATA_GPA + i * DATA_BYTES, toucher->data, DATA_BYTES, slot_flags);
	must(kvm_vcpu_create(toucher->kvm, toucher->vm, 0, &toucher->vcpu, &error));
	set_cpuid(toucher);
	set_registers(toucher);
}

void toucher_destroy(struct toucher *toucher)
{
	kvm_vcpu_destroy(&toucher->vcpu);
	close(toucher->vm);
	close(toucher->kvm);
	munmap(toucher->system, SYSTEM_BYTES);
	munmap(toucher->data_mapping, toucher->data_mapping_size);
}

void toucher_touch(struct toucher *toucher, uint64_t gva, uint64_t stride, uint64_t count)
{
	struct kvm_regs regs = {
		.rip = CODE_GPA, .rflags = 2, .rdi = gva, .rsi = stride, .rcx = count, .rdx = NOWHERE
	};
	enum kvm_run_result result;

	must(kvm_vcpu_set_regs(&toucher->vcpu, &regs, &error));
	do
		must(result = kvm_vcpu_run(&toucher->vcpu, &error));
	while (result == KVM_RUN_INTERRUPTED);
	cr_assert_eq(toucher->vcpu.run->exit_reason, KVM_EXIT_MMIO,
		     "the guest exits by its write to nowhere: %s",
		     kvm_exit_name(toucher->vcpu.run->exit_reason));
	cr_assert_eq(toucher->vcpu.run->mmio.phys_addr, NOWHERE, "at 0x%llx",
		     (unsigned long long)toucher->vcpu.run->mmio.phys_addr);
}
