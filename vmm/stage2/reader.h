/* SPDX-License-Identifier: MIT */
/*
 * reader.h: reads the second stage of a VM of any process from kernel memory, with a BPF program.
 *
 * Requirements: Linux 6.1 or later with BTF, CAP_BPF and CAP_PERFMON (or root), and no lockdown in
 * confidentiality mode. A VM of another process needs CAP_SYS_PTRACE, host frames need CAP_SYS_ADMIN.
 */
#ifndef VMM_STAGE2_READER_H
#define VMM_STAGE2_READER_H

#include "stage2/stage2.h"
#include "view/view.h"

#include <sys/types.h>

struct stage2_reader;

/*
 * Loads the BPF program. ERROR_PERMISSION, or ERROR_HOST if this host or this build does not support it; the
 * text names what is missing and how to get it.
 */
int stage2_reader_open(struct stage2_reader **out, struct error *error);

/* 0, or -1 with the error of a build without the BPF program, which can never read a second stage. */
int stage2_reader_check(struct error *error);

/* reader may be NULL. */
void stage2_reader_close(struct stage2_reader *reader);

/*
 * Copies the second stage of the VM that is descriptor `vm_fd` of the process, decodes and sorts it, and
 * finds the frames that back it. vm_fd -1: the only VM of the process; ERROR_INPUT if it has none or
 * several. Free *out with stage2_destroy().
 *
 * The vCPUs should not run. A change during the read is detected and the read repeated, a few times;
 * out->unsteady is set if it changed each time.
 */
int stage2_read(struct stage2_reader *reader, pid_t pid, int vm_fd, struct stage2 *out, struct error *error);

/* KVM's copy of the state of a vCPU. While the vCPU runs, it is the state of the last VM exit. */
struct stage2_vcpu {
	uint32_t id;
	/* Without segments and RFLAGS. RSP and RIP may be stale: VT-x keeps them in the VMCS. */
	struct view_cpu registers;
	bool old_cr3; /* CR3 may be stale, too: KVM has not read it from the VMCS since the last VM exit */
	bool running;
};

/* vCPUs of a process whose registers are read. */
#define STAGE2_CPUS_MAX 64

struct stage2_guest {
	struct stage2_slots slots;                 /* unsorted */
	struct stage2_vcpu vcpus[STAGE2_CPUS_MAX]; /* by id */
	unsigned int vcpu_count;
	unsigned int physical_bits; /* MAXPHYADDR of the guest */
};

/*
 * Reads memory slots and registers of a VM; arguments and errors as stage2_read(). The caller frees
 * out->slots.items.
 */
int stage2_read_guest(struct stage2_reader *reader, pid_t pid, int vm_fd, struct stage2_guest *out,
		      struct error *error);

#endif
