/* SPDX-License-Identifier: MIT */
/*
 * bare.c: the least that a VM can cost. /dev/kvm, a VM, one memory slot, one vCPU, three OUTs, HLT, exit.
 * What kvmap's own times are compared with.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define CODE_GPA    0x1000
#define MEMORY_SIZE 0x10000
#define OUTS        3

/* Real mode: mov $'.', %al; three times out %al, $0xf1; hlt. */
static const uint8_t code[] = { 0xb0, '.', 0xe6, 0xf1, 0xe6, 0xf1, 0xe6, 0xf1, 0xf4 };

static int failed(const char *what)
{
	perror(what);
	return 2;
}

/* The number of OUTs before HLT, or -1 for any other exit. */
static int run(int vcpu, const struct kvm_run *state)
{
	for (int outs = 0;; outs++) {
		if (ioctl(vcpu, KVM_RUN, 0) < 0)
			return -1;
		if (state->exit_reason == KVM_EXIT_HLT)
			return outs;
		if (state->exit_reason != KVM_EXIT_IO)
			return -1;
	}
}

static int enter(int vcpu)
{
	struct kvm_regs regs = { .rip = CODE_GPA, .rflags = 2 };
	struct kvm_sregs sregs;

	if (ioctl(vcpu, KVM_GET_SREGS, &sregs) < 0)
		return -1;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(vcpu, KVM_SET_SREGS, &sregs) < 0)
		return -1;
	return ioctl(vcpu, KVM_SET_REGS, &regs);
}

int main(void)
{
	struct kvm_userspace_memory_region slot = { .memory_size = MEMORY_SIZE };
	int kvm, vm, vcpu, size, outs;
	struct kvm_run *state;
	uint8_t *memory;

	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0 || (vm = ioctl(kvm, KVM_CREATE_VM, 0)) < 0)
		return failed("/dev/kvm");
	memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return failed("memory");
	memcpy(memory + CODE_GPA, code, sizeof(code));
	slot.userspace_addr = (uintptr_t)memory;
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot) < 0 || (vcpu = ioctl(vm, KVM_CREATE_VCPU, 0)) < 0 ||
	    (size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0)) < 0)
		return failed("VM");
	state = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (state == MAP_FAILED || enter(vcpu) < 0)
		return failed("vCPU");
	outs = run(vcpu, state);
	if (outs == OUTS)
		return 0;
	fprintf(stderr, "the guest made %d OUTs before HLT, not %d\n", outs, OUTS);
	return 2;
}
