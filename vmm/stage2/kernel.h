/* SPDX-License-Identifier: MIT */
/*
 * kernel.h: what kernel.bpf.c and its loader agree on. All sizes are bounds of one call; the loader calls
 * again where there is more.
 */
#ifndef VMM_STAGE2_KERNEL_H
#define VMM_STAGE2_KERNEL_H

#define KERNEL_TABLES 1024  /* copied by one call; a power of two */
#define KERNEL_PAGES  4096  /* struct kernel_page listed by one call; a power of two */
#define KERNEL_SLOTS  32768 /* KVM's own limit is a little below; a power of two */
#define KERNEL_VMS    64    /* descriptors of VMs and vCPUs of a process; powers of two */
#define KERNEL_VCPUS  1024
#define TABLE_BYTES   4096

/* A descriptor of a process that is a VM. */
struct kernel_vm {
	__u64 kvm; /* struct kvm */
	__u32 fd;
	__u32 unused;
};

/* A descriptor that is a vCPU. */
struct kernel_vcpu {
	__u64 kvm;
	__u64 vcpu; /* struct kvm_vcpu */
	__u32 id;
	__u32 unused;
};

/* A vCPU's registers in struct kvm_vcpu_arch, indexed by enum kvm_reg. */
#define KERNEL_REGISTERS 17 /* RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15, RIP */
struct kernel_registers {
	__u64 general[KERNEL_REGISTERS];
	__u64 cr0, cr2, cr3, cr4, efer, pat;
	__u32 here;          /* of the general ones: those that are not left in hardware, by bits */
	__u32 cr3_here;      /* the same of CR3 */
	__u32 physical_bits; /* MAXPHYADDR of the guest */
	__u32 mode;          /* 0: outside of the guest */
};

/* The counters that change when the second stage does, and its root. */
struct kernel_state {
	__u64 invalidations; /* mmu_invalidate_seq */
	__u64 generation;    /* of the memory slots */
	__u64 running;       /* vCPUs that are in the guest, or on their way */
};

/* struct kvm_mmu_page: a table of the second stage. */
struct kernel_page {
	__u64 spt;         /* where the table is, kernel virtual */
	__u64 translation; /* shadowed_translation: 512 words, GFN above 12 bits of rights; 0 for none */
	__u64 gfn;
	__u8 level;
	__u8 direct;      /* entry i is for gfn + i pages of its level */
	__u8 passthrough; /* entry 0 alone counts */
	__u8 invalid;     /* waits to be freed */
	__u8 smm;         /* address space: 0, or 1 in system management mode */
	__u8 nested;      /* of a guest's guest: gfn is the inner one */
	__u8 unused[2];
};

/* struct kvm_memory_slot */
struct kernel_slot {
	__u64 base_gfn;
	__u64 npages;
	__u64 userspace_addr;
	__u32 flags; /* KVM_MEM_* */
	__u16 id;    /* as signed: KVM's own slots are above the user's */
	__u16 as_id;
};

#endif
