/* SPDX-License-Identifier: MIT */
/*
 * vm.c: a VM and its memory slots.
 */
#include "kvm/kvm.h"
#include "kvm/ioctl.h"

int kvm_vm_create(int kvm, struct error *error)
{
	return KVM_IOCTL_VALUE(kvm, KVM_CREATE_VM, 0, error);
}

int kvm_vm_set_memory(int vm, const struct kvm_userspace_memory_region *region, struct error *error)
{
	return KVM_IOCTL(vm, KVM_SET_USER_MEMORY_REGION, region, error);
}

int kvm_vm_stats(int vm, struct error *error)
{
	return KVM_IOCTL_VALUE(vm, KVM_GET_STATS_FD, 0, error);
}

int kvm_vm_tsc_khz(int vm, struct error *error)
{
	return KVM_IOCTL_VALUE(vm, KVM_GET_TSC_KHZ, 0, error);
}

int kvm_vm_local_apics(int vm, struct error *error)
{
	/* args[0] = 0: no routes for an I/O APIC in user space. */
	const struct kvm_enable_cap split = { .cap = KVM_CAP_SPLIT_IRQCHIP };

	return KVM_IOCTL(vm, KVM_ENABLE_CAP, &split, error);
}

int kvm_supported_cpuid(int kvm, struct kvm_cpuid2 *cpuid, struct error *error)
{
	return KVM_IOCTL(kvm, KVM_GET_SUPPORTED_CPUID, cpuid, error);
}
