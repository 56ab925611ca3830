/* SPDX-License-Identifier: MIT */
/*
 * vcpu.c: a vCPU: creation, CPUID, registers, KVM_RUN.
 */
#include "kvm/kvm.h"
#include "kvm/ioctl.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

int kvm_vcpu_create(int kvm, int vm, unsigned int id, struct kvm_vcpu *out, struct error *error)
{
	int size = KVM_IOCTL_VALUE(kvm, KVM_GET_VCPU_MMAP_SIZE, 0, error);
	struct kvm_run *run;
	int fd;

	if (size < 0)
		return -1;
	fd = KVM_IOCTL_VALUE(vm, KVM_CREATE_VCPU, id, error);
	if (fd < 0)
		return -1;
	run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (run == MAP_FAILED) {
		error_set(error, ERROR_HOST, errno, 0, "cannot map the run area of vCPU %u", id);
		close(fd);
		return -1;
	}
	*out = (struct kvm_vcpu){ .fd = fd, .run = run, .run_size = (size_t)size };
	return 0;
}

void kvm_vcpu_destroy(struct kvm_vcpu *vcpu)
{
	if (!vcpu->run)
		return;
	munmap(vcpu->run, vcpu->run_size);
	close(vcpu->fd);
	*vcpu = (struct kvm_vcpu){ 0 };
}

/* The kinds that kvm_vcpu_get_regs() and kvm_vcpu_get_sregs() read. */
#define SHARED_REGISTERS (KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS)

void kvm_vcpu_share_registers(int kvm, struct kvm_vcpu *vcpu)
{
	struct error unknown;
	int known = KVM_IOCTL_VALUE(kvm, KVM_CHECK_EXTENSION, KVM_CAP_SYNC_REGS, &unknown);

	if (known > 0 && (known & SHARED_REGISTERS) == SHARED_REGISTERS)
		vcpu->run->kvm_valid_regs = SHARED_REGISTERS;
}

/* Whether `run` holds registers of this kind: KVM_RUN has returned them, or will take them. */
static bool in_run(const struct kvm_vcpu *vcpu, uint64_t kind)
{
	return vcpu->registers_known || vcpu->run->kvm_dirty_regs & kind;
}

int kvm_vcpu_set_cpuid(const struct kvm_vcpu *vcpu, const struct kvm_cpuid2 *cpuid, struct error *error)
{
	return KVM_IOCTL(vcpu->fd, KVM_SET_CPUID2, cpuid, error);
}

int kvm_vcpu_get_regs(const struct kvm_vcpu *vcpu, struct kvm_regs *out, struct error *error)
{
	if (!in_run(vcpu, KVM_SYNC_X86_REGS))
		return KVM_IOCTL(vcpu->fd, KVM_GET_REGS, out, error);
	*out = vcpu->run->s.regs.regs;
	return 0;
}

int kvm_vcpu_set_regs(struct kvm_vcpu *vcpu, const struct kvm_regs *regs, struct error *error)
{
	if (!vcpu->run->kvm_valid_regs)
		return KVM_IOCTL(vcpu->fd, KVM_SET_REGS, regs, error);
	vcpu->run->s.regs.regs = *regs;
	vcpu->run->kvm_dirty_regs |= KVM_SYNC_X86_REGS;
	return 0;
}

int kvm_vcpu_get_sregs(const struct kvm_vcpu *vcpu, struct kvm_sregs *out, struct error *error)
{
	if (!in_run(vcpu, KVM_SYNC_X86_SREGS))
		return KVM_IOCTL(vcpu->fd, KVM_GET_SREGS, out, error);
	*out = vcpu->run->s.regs.sregs;
	return 0;
}

int kvm_vcpu_set_sregs(struct kvm_vcpu *vcpu, const struct kvm_sregs *sregs, struct error *error)
{
	if (!vcpu->run->kvm_valid_regs)
		return KVM_IOCTL(vcpu->fd, KVM_SET_SREGS, sregs, error);
	vcpu->run->s.regs.sregs = *sregs;
	vcpu->run->kvm_dirty_regs |= KVM_SYNC_X86_SREGS;
	return 0;
}

int kvm_vcpu_get_msr(const struct kvm_vcpu *vcpu, uint32_t index, uint64_t *out, struct error *error)
{
	/* KVM's structure ends in an array of no size; here it has one element. */
	union {
		struct kvm_msrs head;
		struct {
			uint32_t nmsrs, pad;
			struct kvm_msr_entry entry;
		} whole;
	} msrs = { .whole = { .nmsrs = 1, .entry.index = index } };
	int read = KVM_IOCTL(vcpu->fd, KVM_GET_MSRS, &msrs.head, error);

	if (read < 0)
		return -1;
	if (read != 1)
		return error_set(error, ERROR_HOST, 0, 0, "KVM_GET_MSRS: KVM does not know MSR 0x%x", index);
	*out = msrs.whole.entry.data;
	return 0;
}

int kvm_vcpu_mp_state(const struct kvm_vcpu *vcpu, uint32_t *out, struct error *error)
{
	struct kvm_mp_state state;

	if (KVM_IOCTL(vcpu->fd, KVM_GET_MP_STATE, &state, error) < 0)
		return -1;
	*out = state.mp_state;
	return 0;
}

int kvm_vcpu_translate(const struct kvm_vcpu *vcpu, struct kvm_translation *translation, struct error *error)
{
	return KVM_IOCTL(vcpu->fd, KVM_TRANSLATE, translation, error);
}

enum kvm_run_result kvm_vcpu_run(struct kvm_vcpu *vcpu, struct error *error)
{
	vcpu->registers_known = false;
	/* Not through KVM_IOCTL, which would go on after the signal that is to stop the guest. */
	if (ioctl(vcpu->fd, KVM_RUN, 0) == 0) {
		vcpu->registers_known = vcpu->run->kvm_valid_regs == SHARED_REGISTERS;
		return KVM_RUN_EXITED;
	}
	/* EAGAIN: a vCPU that waited for SIPI has got it, and is ready to run. */
	if (errno == EINTR || errno == EAGAIN)
		return KVM_RUN_INTERRUPTED;
	error_set(error, ERROR_HOST, errno, 0, "KVM_RUN failed");
	return KVM_RUN_FAILED;
}
