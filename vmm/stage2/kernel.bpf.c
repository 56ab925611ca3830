/* SPDX-License-Identifier: MIT */
/*
 * kernel.bpf.c: copies KVM's second stage to the inspecting process, which decodes it in user space
 * (entry.c).
 *
 * The structures are KVM's (arch/x86/include/asm/kvm_host.h, arch/x86/kvm/mmu/mmu_internal.h,
 * include/linux/kvm_host.h) of Linux 6.1 and later, reduced to the members that are read; libbpf relocates
 * their offsets by the BTF of the kernel or of kvm.ko.
 */
#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "kernel.h"

#define ANON_INODE_FS_MAGIC 0x09041934
#define SLOT_HASH_BUCKETS   128

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct qstr d_name;
};

struct path {
	struct dentry *dentry;
};

struct super_block {
	unsigned long s_magic;
};

struct inode {
	struct super_block *i_sb;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
	void *private_data;
};

struct list_head {
	struct list_head *next;
};

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct kvm_memory_slot {
	struct hlist_node id_node[2];
	__u64 base_gfn;
	unsigned long npages;
	unsigned long userspace_addr;
	__u32 flags;
	short id;
	__u16 as_id;
};

struct kvm_memslots {
	__u64 generation;
	struct hlist_head id_hash[SLOT_HASH_BUCKETS];
	int node_idx;
};

struct kvm_arch {
	struct list_head active_mmu_pages;
	struct list_head tdp_mmu_roots;
};

struct kvm {
	struct kvm_memslots *memslots[1];
	unsigned long mmu_invalidate_seq;
	struct kvm_arch arch;
};

struct kvm_mmu_root_info {
	__u64 hpa;
};

struct kvm_mmu {
	struct kvm_mmu_root_info root;
};

struct kvm_vcpu_arch {
	unsigned long regs[KERNEL_REGISTERS];
	__u32 regs_avail;
	unsigned long cr0, cr2, cr3, cr4;
	__u64 efer;
	__u64 pat;
	int maxphyaddr;
	struct kvm_mmu root_mmu;
};

struct kvm_vcpu {
	struct kvm *kvm;
	int vcpu_id;
	int mode;
	struct kvm_vcpu_arch arch;
};

union kvm_mmu_page_role {
	struct {
		unsigned int level : 4;
		unsigned int direct : 1;
		unsigned int invalid : 1;
		unsigned int guest_mode : 1;
		unsigned int passthrough : 1;
		unsigned int smm : 8;
	};
};

struct kvm_mmu_page {
	struct list_head link;
	union kvm_mmu_page_role role;
	__u64 gfn;
	__u64 *spt;
	__u64 *shadowed_translation;
};

/* The value differs between kernels; libbpf relocates it. */
enum kvm_reg {
	VCPU_EXREG_CR3 = 1,
};

#pragma clang attribute pop

/*
 * The context of the iterator. The kernel's BPF verifier rewrites accesses to it; libbpf must not relocate
 * them.
 */
struct bpf_iter__task_file {
	void *meta;
	void *task;
	__u32 fd __attribute__((aligned(8)));
	struct file *file;
};

char licence[] SEC("license") = "Dual MIT/GPL";

/* ---- file descriptors of the process ---- */

__u32 vm_count = 0, vcpu_count = 0;
struct kernel_vm vms[KERNEL_VMS] = {};
struct kernel_vcpu vcpus[KERNEL_VCPUS] = {};

static bool begins(const char *name, const char *with, int length)
{
	for (int i = 0; i < length; i++)
		if (name[i] != with[i])
			return false;
	return true;
}

SEC("iter/task_file")
int find_vms(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	char name[16] = {};
	void *private;

	/*
	 * Only the kernel creates and names anonymous inodes; so the name identifies the type of
	 * private_data.
	 */
	if (!file || BPF_CORE_READ(file, f_inode, i_sb, s_magic) != ANON_INODE_FS_MAGIC)
		return 0;
	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
	private = BPF_CORE_READ(file, private_data);
	if (begins(name, "kvm-vm", 7)) {
		struct kernel_vm *vm = &vms[vm_count & (KERNEL_VMS - 1)];

		vm->kvm = (__u64) private;
		vm->fd = ctx->fd;
		vm_count++;
	} else if (begins(name, "kvm-vcpu:", 9)) {
		struct kernel_vcpu *vcpu = &vcpus[vcpu_count & (KERNEL_VCPUS - 1)];

		vcpu->vcpu = (__u64) private;
		vcpu->kvm = (__u64)BPF_CORE_READ((struct kvm_vcpu *)private, kvm);
		vcpu->id = (__u32)BPF_CORE_READ((struct kvm_vcpu *)private, vcpu_id);
		vcpu_count++;
	}
	return 0;
}

/* ---- state of the VM ---- */

__u64 kvm = 0; /* struct kvm of the VM to read; set by user space */
struct kernel_state state = {};
__u64 roots[KERNEL_VCPUS] = {}; /* vcpu->arch.root_mmu.root.hpa, by index in vcpus[] */

static long read_vcpu_state(__u32 number, void *context)
{
	struct kernel_vcpu *known = &vcpus[number & (KERNEL_VCPUS - 1)];
	struct kvm_vcpu *vcpu = (void *)known->vcpu;

	if (known->kvm != kvm)
		return 0;
	/* OUTSIDE_GUEST_MODE is 0. */
	if (BPF_CORE_READ(vcpu, mode))
		state.running++;
	roots[number & (KERNEL_VCPUS - 1)] = BPF_CORE_READ(vcpu, arch.root_mmu.root.hpa);
	return 0;
}

SEC("syscall")
int read_state(void *context)
{
	struct kvm *vm = (void *)kvm;

	state.invalidations = BPF_CORE_READ(vm, mmu_invalidate_seq);
	state.generation = BPF_CORE_READ(vm, memslots[0], generation);
	state.running = 0;
	bpf_loop(vcpu_count, read_vcpu_state, NULL, 0);
	return 0;
}

/* ---- registers ---- */

struct kernel_registers registers[KERNEL_VCPUS] = {};

static long read_vcpu(__u32 number, void *context)
{
	struct kernel_registers *to = &registers[number & (KERNEL_VCPUS - 1)];
	struct kernel_vcpu *known = &vcpus[number & (KERNEL_VCPUS - 1)];
	struct kvm_vcpu *vcpu = (void *)known->vcpu;

	if (known->kvm != kvm)
		return 0;
	BPF_CORE_READ_INTO(&to->general, vcpu, arch.regs);
	to->here = BPF_CORE_READ(vcpu, arch.regs_avail);
	to->cr3_here = to->here >> bpf_core_enum_value(enum kvm_reg, VCPU_EXREG_CR3) & 1;
	to->cr0 = BPF_CORE_READ(vcpu, arch.cr0);
	to->cr2 = BPF_CORE_READ(vcpu, arch.cr2);
	to->cr3 = BPF_CORE_READ(vcpu, arch.cr3);
	to->cr4 = BPF_CORE_READ(vcpu, arch.cr4);
	to->efer = BPF_CORE_READ(vcpu, arch.efer);
	to->pat = BPF_CORE_READ(vcpu, arch.pat);
	to->physical_bits = (__u32)BPF_CORE_READ(vcpu, arch.maxphyaddr);
	to->mode = (__u32)BPF_CORE_READ(vcpu, mode);
	return 0;
}

SEC("syscall")
int read_registers(void *context)
{
	bpf_loop(vcpu_count, read_vcpu, NULL, 0);
	return 0;
}

/* ---- memory slots, from the hash table of their ids ---- */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, KERNEL_SLOTS);
	__type(key, __u32);
	__type(value, struct kernel_slot);
} slots SEC(".maps");

__u32 slot_count = 0;

/*
 * Cursor of the walk over the hash table. It is global because older BPF verifiers check the body of
 * bpf_loop() once, with the values that the stack has before the loop, and remove branches that are dead with
 * these values.
 */
__u64 slot_set = 0;         /* struct kvm_memslots */
__u64 slot_node = 0;        /* struct hlist_node; 0: continue with the next bucket */
__u64 slot_node_offset = 0; /* offset of the node in struct kvm_memory_slot */
__u32 slot_bucket = 0;      /* the next bucket */

static void keep_slot(struct kvm_memory_slot *slot)
{
	__u32 key = slot_count;
	struct kernel_slot *kept = bpf_map_lookup_elem(&slots, &key);

	if (!kept)
		return;
	kept->base_gfn = BPF_CORE_READ(slot, base_gfn);
	kept->npages = BPF_CORE_READ(slot, npages);
	kept->userspace_addr = BPF_CORE_READ(slot, userspace_addr);
	kept->flags = BPF_CORE_READ(slot, flags);
	kept->id = (__u16)BPF_CORE_READ(slot, id);
	kept->as_id = BPF_CORE_READ(slot, as_id);
	slot_count++;
}

static long step_slots(__u32 number, void *context)
{
	__u64 from, node = 0;

	if (!slot_node) {
		if (slot_bucket >= SLOT_HASH_BUCKETS)
			return 1;
		from = slot_set + bpf_core_field_offset(struct kvm_memslots, id_hash) +
		       sizeof(void *) * slot_bucket++;
	} else {
		keep_slot((void *)(slot_node - slot_node_offset));
		from = slot_node + bpf_core_field_offset(struct hlist_node, next);
	}
	if (bpf_probe_read_kernel(&node, sizeof(node), (void *)from) < 0)
		return 1;
	slot_node = node;
	return 0;
}

SEC("syscall")
int read_slots(void *context)
{
	struct kvm *vm = (void *)kvm;
	struct kvm_memslots *set = BPF_CORE_READ(vm, memslots[0]);

	slot_count = 0;
	slot_set = (__u64)set;
	slot_node = 0;
	slot_bucket = 0;
	slot_node_offset = bpf_core_field_offset(struct kvm_memory_slot, id_node);
	/* KVM alternates between two sets of slots; a slot has one node for each set. */
	if (BPF_CORE_READ(set, node_idx))
		slot_node_offset += bpf_core_type_size(struct hlist_node);
	bpf_loop(KERNEL_SLOTS + SLOT_HASH_BUCKETS, step_slots, NULL, 0);
	return 0;
}

/* ---- lists of struct kvm_mmu_page ---- */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, KERNEL_PAGES);
	__type(key, __u32);
	__type(value, struct kernel_page);
} pages SEC(".maps");

__u32 page_count = 0;
__u32 list_of_roots = 0; /* 1: read tdp_mmu_roots; 0: active_mmu_pages */
__u64 list_position = 0; /* cursor, struct list_head; 0 at the beginning and after the end */

static long step_pages(__u32 number, __u64 *head)
{
	struct list_head *link = (void *)list_position;
	struct kvm_mmu_page *page;
	union kvm_mmu_page_role *role;
	__u32 key = page_count;
	struct kernel_page *kept;

	if (!list_position || list_position == *head) {
		list_position = 0;
		return 1;
	}
	kept = bpf_map_lookup_elem(&pages, &key);
	if (!kept)
		return 1;
	page = (void *)(list_position - bpf_core_field_offset(struct kvm_mmu_page, link));
	role = (void *)page + bpf_core_field_offset(struct kvm_mmu_page, role);
	kept->spt = (__u64)BPF_CORE_READ(page, spt);
	kept->translation = (__u64)BPF_CORE_READ(page, shadowed_translation);
	kept->gfn = BPF_CORE_READ(page, gfn);
	kept->level = BPF_CORE_READ_BITFIELD_PROBED(role, level);
	kept->direct = BPF_CORE_READ_BITFIELD_PROBED(role, direct);
	kept->invalid = BPF_CORE_READ_BITFIELD_PROBED(role, invalid);
	kept->nested = BPF_CORE_READ_BITFIELD_PROBED(role, guest_mode);
	kept->passthrough = BPF_CORE_READ_BITFIELD_PROBED(role, passthrough);
	kept->smm = BPF_CORE_READ_BITFIELD_PROBED(role, smm);
	page_count++;
	list_position = (__u64)BPF_CORE_READ(link, next);
	return 0;
}

SEC("syscall")
int read_pages(void *context)
{
	__u64 head = kvm + bpf_core_field_offset(struct kvm, arch);

	head += list_of_roots ? bpf_core_field_offset(struct kvm_arch, tdp_mmu_roots)
			      : bpf_core_field_offset(struct kvm_arch, active_mmu_pages);
	page_count = 0;
	if (!list_position)
		list_position = (__u64)BPF_CORE_READ((struct list_head *)head, next);
	bpf_loop(KERNEL_PAGES + 1, step_pages, &head, 0);
	return 0;
}

/* ---- tables ---- */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, KERNEL_TABLES);
	__type(key, __u32);
	__type(value, __u64[TABLE_BYTES / 8]);
} tables SEC(".maps");

__u64 wanted[KERNEL_TABLES] = {}; /* kernel virtual addresses of the tables to copy; set by user space */
__u32 wanted_count = 0;
__u32 unreadable = 0;

static long copy_table(__u32 number, void *context)
{
	void *to = bpf_map_lookup_elem(&tables, &number);

	if (!to)
		return 1;
	if (bpf_probe_read_kernel(to, TABLE_BYTES, (void *)wanted[number & (KERNEL_TABLES - 1)]) < 0)
		unreadable++;
	return 0;
}

SEC("syscall")
int read_tables(void *context)
{
	unreadable = 0;
	bpf_loop(wanted_count, copy_table, NULL, 0);
	return 0;
}
