/* SPDX-License-Identifier: MIT */
/*
 * machine_internal.h: struct machine, for the files of this room.
 */
#ifndef VMM_MACHINE_MACHINE_INTERNAL_H
#define VMM_MACHINE_MACHINE_INTERNAL_H

#include "kvm/kvm.h"
#include "kvmap/ring.h"
#include "machine/guest_memory.h"
#include "machine/machine.h"
#include "machine/program.h"
#include "machine/serial.h"

struct machine {
	int kvm, vm;            /* -1: not open */
	struct kvm_vcpu *vcpus; /* `cpus` of them */
	unsigned int cpus, nodes;
	uint32_t jitter;              /* seed of each vCPU thread; 0: none */
	bool local_apics;             /* each CPU has one */
	_Atomic bool interrupted;     /* by machine_interrupt() */
	struct vcpu_threads *threads; /* NULL: the only vCPU runs in the caller's thread */
	struct guest_memory memory;
	struct program program;
	struct serial serial;
	uint32_t channel_tail; /* records read; the tail in guest memory is a copy for the guest */
	bool has_ring;
	uint32_t
		ring_head; /* number of the next operation; the head in guest memory is a copy for the guest */
	uint32_t ring_tail; /* the guest's last valid tail */
	struct machine_facts facts;
	struct view view;
};

/* Initialises the channel's header in guest memory. */
void machine_channel_open(struct machine *machine);
uint32_t machine_channel_size(void);

/* Initialises the ring's header in guest memory. first: number of its first operation. */
void machine_ring_open(struct machine *machine, uint32_t first);
uint32_t machine_ring_size(void);

/* Initialises the area of the event log. Returns its GPA. */
uint32_t machine_log_open(struct machine *machine);

/* Registers of vCPU 0 for the PVH entry: 32-bit flat segments, paging off. */
int machine_set_entry(struct machine *machine, uint32_t entry, uint32_t start_info, struct error *error);

/*
 * Handles the exit in the run area of vCPU number `cpu`. True if it is an event for the caller of
 * machine_run(): *event_out is filled. False if it was handled here.
 */
bool machine_take_exit(struct machine *machine, unsigned int cpu, struct machine_event *event_out);

/* The same for KVM_EXIT_IO. */
bool machine_take_port(struct machine *machine, struct kvm_run *run, struct machine_event *event_out);

#endif
