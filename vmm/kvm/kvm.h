/* SPDX-License-Identifier: MIT */
/*
 * kvm.h: /dev/kvm, typed. Structures are the kernel's (linux/kvm.h, Documentation/virt/kvm/api.rst); ioctl
 * numbers stay inside this room.
 *
 * Functions return 0, or -1 with ERROR_HOST and a message that names the ioctl, unless documented otherwise.
 */
#ifndef VMM_KVM_KVM_H
#define VMM_KVM_KVM_H

#include "base/error.h"

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kvm_vcpu {
	int fd;
	struct kvm_run *run; /* shared with the kernel */
	size_t run_size;
	bool registers_known; /* `run` holds those of the last exit: see kvm_vcpu_share_registers() */
};

/*
 * Opens the device and checks its API version. Returns the descriptor, to be closed by the caller.
 * ERROR_PERMISSION if this user may not open it, ERROR_HOST otherwise. Requires no CPU feature.
 */
int kvm_open(const char *path, struct error *error);

/* Returns the descriptor of a new VM, to be closed by the caller. */
int kvm_vm_create(int kvm, struct error *error);

/* Adds, changes or (size 0) deletes a memory slot. */
int kvm_vm_set_memory(int vm, const struct kvm_userspace_memory_region *region, struct error *error);

/* Returns a descriptor of the VM's binary statistics, to be closed by the caller. */
int kvm_vm_stats(int vm, struct error *error);

/*
 * Frequency of the time-stamp counters of the VM's vCPUs in kHz; -1 if KVM does not know it, or before Linux
 * 5.16. The ioctl of the same name of a vCPU costs as much as any of a vCPU.
 */
int kvm_vm_tsc_khz(int vm, struct error *error);

/*
 * Gives each vCPU that is created later an in-kernel local APIC: HLT waits for an interrupt in the kernel, and
 * all vCPUs except number 0 wait for INIT and SIPI. There is no other interrupt controller.
 */
int kvm_vm_local_apics(int vm, struct error *error);

/* CPUID entries that the host's KVM supports. cpuid->nent: size of the array; number of entries on return. */
int kvm_supported_cpuid(int kvm, struct kvm_cpuid2 *cpuid, struct error *error);

int kvm_vcpu_create(int kvm, int vm, unsigned int id, struct kvm_vcpu *out, struct error *error);

/* Undoes kvm_vcpu_create(). An all-zero struct is allowed. */
void kvm_vcpu_destroy(struct kvm_vcpu *vcpu);

/*
 * From now on KVM_RUN itself takes registers that were set, and returns them, so that setting them and reading them
 * after an exit are no ioctls. For a VM of one vCPU: those of another may change outside its KVM_RUN. Without effect
 * before Linux 4.17.
 */
void kvm_vcpu_share_registers(int kvm, struct kvm_vcpu *vcpu);

int kvm_vcpu_set_cpuid(const struct kvm_vcpu *vcpu, const struct kvm_cpuid2 *cpuid, struct error *error);
int kvm_vcpu_get_regs(const struct kvm_vcpu *vcpu, struct kvm_regs *out, struct error *error);
int kvm_vcpu_set_regs(struct kvm_vcpu *vcpu, const struct kvm_regs *regs, struct error *error);
int kvm_vcpu_get_sregs(const struct kvm_vcpu *vcpu, struct kvm_sregs *out, struct error *error);
int kvm_vcpu_set_sregs(struct kvm_vcpu *vcpu, const struct kvm_sregs *sregs, struct error *error);

/* Reads a model-specific register. ERROR_HOST also if KVM does not know it. */
int kvm_vcpu_get_msr(const struct kvm_vcpu *vcpu, uint32_t index, uint64_t *out, struct error *error);

/* *out: KVM_MP_STATE_RUNNABLE, _HALTED, _UNINITIALIZED (waits for INIT and SIPI) ... */
int kvm_vcpu_mp_state(const struct kvm_vcpu *vcpu, uint32_t *out, struct error *error);

/* Translates translation->linear_address by the guest's tables. */
int kvm_vcpu_translate(const struct kvm_vcpu *vcpu, struct kvm_translation *translation, struct error *error);

/* One of the vCPU's binary statistics, by its name. ERROR_HOST also if KVM does not have it. */
int kvm_vcpu_statistic(const struct kvm_vcpu *vcpu, const char *name, uint64_t *out, struct error *error);

enum kvm_run_result {
	KVM_RUN_FAILED = -1,
	KVM_RUN_EXITED = 0,      /* see run->exit_reason */
	KVM_RUN_INTERRUPTED = 1, /* by a signal, run->immediate_exit or SIPI; run->exit_reason is not valid */
};

enum kvm_run_result kvm_vcpu_run(struct kvm_vcpu *vcpu, struct error *error);

/* Name of the exit reason, such as "KVM_EXIT_FAIL_ENTRY"; "unknown exit" if this program does not know it. */
const char *kvm_exit_name(uint32_t reason);

#endif
