/* SPDX-License-Identifier: MIT */
/*
 * fake_vm.h: a VM without KVM, which counts the calls.
 */
#ifndef TESTS_UNIT_CONTROL_FAKE_VM_H
#define TESTS_UNIT_CONTROL_FAKE_VM_H

#include "control/requests.h"

#include <pthread.h>
#include <sys/types.h>

struct fake_vm {
	unsigned int holds, releases; /* calls */
	bool is_held;
	bool misused;                   /* registers read outside a hold, held twice ... */
	int memory;                     /* the file, writable */
	bool refuses;                   /* registers() fails */
	pid_t thread;                   /* that read the registers last */
	uint64_t clock_after_registers; /* the clock then has this time; 0: it runs on */
	pthread_mutex_t lock; /* protects holds, releases, is_held; tests read them without, after a reply */
	pthread_cond_t released;
	struct control_vm vm;
};

#define FAKE_MEMORY (64ull << 12)
#define FAKE_PID    4711

/* Two CPUs, FAKE_MEMORY bytes of memory, whose n-th page begins with the byte n. */
void fake_vm_make(struct fake_vm *fake);
/* Returns once it is not held. */
void fake_vm_wait_for_release(struct fake_vm *fake);
void fake_vm_close(struct fake_vm *fake);

#endif
