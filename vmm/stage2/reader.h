/* SPDX-License-Identifier: MIT */
/*
 * reader.h: reads the second stage of a VM of any process from the kernel, by a BPF program.
 *
 * It needs what a BPF program that reads kernel memory needs: Linux 6.1 or later with BTF, CAP_BPF and
 * CAP_PERFMON (or root), no lockdown for confidentiality. For a VM of another process CAP_SYS_PTRACE, for
 * host frames CAP_SYS_ADMIN.
 */
#ifndef VMM_STAGE2_READER_H
#define VMM_STAGE2_READER_H

#include "stage2/stage2.h"
#include "view/view.h"

#include <sys/types.h>

struct stage2_reader;

/*
 * Loads the program. ERROR_PERMISSION, or ERROR_HOST where this host or this build cannot: the text says what
 * is missing and how to get it.
 */
int stage2_reader_open(struct stage2_reader **out, struct error *error);

/* NULL is allowed. */
void stage2_reader_close(struct stage2_reader *reader);

/*
 * Copies the second stage of the VM that is descriptor `vm_fd` of the process, decoded, sorted, with the
 * frames that back it looked up. vm_fd -1: its only VM; ERROR_INPUT if it has none or several. To be freed
 * with stage2_destroy().
 *
 * The vCPUs should stand still. What changes meanwhile is noticed, and it is read again, a few times;
 * out->unsteady says that it changed each time.
 */
int stage2_read(struct stage2_reader *reader, pid_t pid, int vm_fd, struct stage2 *out, struct error *error);

/* A vCPU as KVM knows it while it does not run; of one that runs, as of the last time that it left the guest.
 */
struct stage2_vcpu {
	uint32_t id;
	/* Not the segments and RFLAGS. RSP and RIP may be of before: VT-x keeps them. */
	struct view_cpu registers;
	bool old_cr3; /* VT-x keeps CR3, too, and nobody has asked for it since the guest was left */
	bool running;
};

struct stage2_guest {
	struct stage2_slots slots;               /* as they come */
	struct stage2_vcpu vcpus[VIEW_CPUS_MAX]; /* by id */
	unsigned int vcpu_count;
	unsigned int physical_bits; /* MAXPHYADDR of the guest */
};

/* The memory and the registers of the guest of that VM, as stage2_read(). out->slots.items is to be freed. */
int stage2_read_guest(struct stage2_reader *reader, pid_t pid, int vm_fd, struct stage2_guest *out,
		      struct error *error);

#endif
