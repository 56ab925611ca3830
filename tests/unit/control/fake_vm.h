/* SPDX-License-Identifier: MIT */
/*
 * fake_vm.h: a VM without KVM: it counts what is asked of it.
 */
#ifndef TESTS_UNIT_CONTROL_FAKE_VM_H
#define TESTS_UNIT_CONTROL_FAKE_VM_H

#include "control/requests.h"

struct fake_vm {
	unsigned int holds, releases; /* how often */
	bool is_held;
	bool misused; /* asked for registers while it was not held, held twice ... */
	int memory;   /* the file, as the VM itself writes it */
	bool refuses; /* its registers cannot be had */
	struct control_vm vm;
};

#define FAKE_MEMORY (64ull << 12)
#define FAKE_PID    4711

/* Two CPUs, FAKE_MEMORY bytes of memory, whose n-th page begins with the byte n. */
void fake_vm_make(struct fake_vm *fake);
void fake_vm_close(struct fake_vm *fake);

#endif
