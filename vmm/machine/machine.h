/* SPDX-License-Identifier: MIT */
/*
 * machine.h: a running guest: memory, vCPUs, boot record, devices.
 *
 * Has no global state: a process may have several machines.
 */
#ifndef VMM_MACHINE_MACHINE_H
#define VMM_MACHINE_MACHINE_H

#include "base/error.h"
#include "base/private_file.h"
#include "kvmap/boot.h"
#include "kvmap/channel.h"
#include "kvmap/operation.h"
#include "view/view.h"

struct machine;

struct machine_config {
	const char *kvm_path;               /* "/dev/kvm" */
	const struct private_file *program; /* the guest's ELF file; used by machine_create() only */
	uint64_t memory;                    /* bytes, a multiple of 2 MiB */
	unsigned int cpus;                  /* 1 to MACHINE_CPUS_MAX */
	bool holdable;                      /* another thread uses machine_hold() */
	unsigned int nodes;                 /* 1 to KVMAP_NODES_MAX; 0 is 1 */
	bool interrupts;                    /* give a single CPU a local APIC too */
	bool ring;                          /* for machine_ring_push() */
	uint32_t jitter;                    /* seed of jitter.h, for several vCPUs; 0: none */
};

#define MACHINE_CPUS_MAX   KVMAP_CPUS_MAX
#define MACHINE_MEMORY_MIN (8ull << 20)
#define MACHINE_MEMORY_MAX (64ull << 30)

enum machine_event_type {
	MACHINE_DOORBELL, /* value: enum kvmap_doorbell. Continue with machine_run() */
	MACHINE_EXIT,     /* value: enum kvmap_exit as the guest wrote it */
	MACHINE_TRIPLE_FAULT,
	MACHINE_EMULATION_FAILURE, /* bytes: of the instruction, as KVM gives them */
	MACHINE_MMIO,              /* address: GPA without memory; length; is_write; value */
	MACHINE_PORT,              /* value: an I/O port without a device */
	MACHINE_HALT,              /* HLT without an interrupt controller */
	MACHINE_TIMEOUT,           /* stopped at the deadline */
	MACHINE_INTERRUPTED,       /* stopped by machine_interrupt() */
	MACHINE_KVM,               /* any other exit; value: exit reason; text: its name */
};

struct machine_event {
	enum machine_event_type type;
	unsigned int cpu; /* TIMEOUT, INTERRUPTED: the lowest-numbered one that was not halted, or 0 */
	uint64_t value;
	uint64_t address;
	uint32_t length;
	bool is_write;
	uint8_t bytes[15];
	uint8_t byte_count;
	char text[96];
};

/* Opens KVM, makes the VM, its memory and vCPUs, loads the program. Nothing runs yet. */
int machine_create(const struct machine_config *config, struct machine **out, struct error *error);
void machine_destroy(struct machine *machine);

/*
 * Copies module 0 and the start info to memory, and sets vCPU 0 to the PVH entry; the others wait for INIT and
 * SIPI. The struct kvmap_boot at the start of the module gets flags |= CHANNEL (and PAGES_1G where the host
 * has them, RING where the machine has one), the GPAs and sizes of both, and cpus; its other fields stay. The bytes of `module` are copied.
 */
int machine_boot(struct machine *machine, const void *module, size_t size, struct error *error);

/*
 * Runs all vCPUs until one has an event; all are stopped on return. deadline_ns: CLOCK_MONOTONIC, 0 = none; it
 * moves by the time that the machine was held. After a DOORBELL the next call continues the guest. -1 only if
 * KVM fails; the death of the guest is an event.
 */
int machine_run(struct machine *machine, uint64_t deadline_ns, struct machine_event *event_out,
		struct error *error);

/*
 * Makes machine_run() return MACHINE_INTERRUPTED soon, now and in each later call. For a signal handler in the
 * thread of machine_run(); async-signal-safe.
 */
void machine_interrupt(struct machine *machine);

/* Continues after machine_interrupt(): later calls of machine_run() run the guest again. */
void machine_continue(struct machine *machine);

/* Operations for a guest with a ring. Borrowed. */
struct machine_operations {
	const struct kvmap_operation *items;
	uint32_t count;        /* at most MACHINE_RING_CAPACITY */
	const char *strings;   /* to which the operand of `print` refers */
	uint32_t strings_size; /* at most MACHINE_RING_STRINGS; the last byte is 0 */
	const char *names;     /* of all variables, NUL-terminated, one after another */
	uint32_t names_size;
	uint32_t variable_count;
};

#define MACHINE_RING_CAPACITY 1024
#define MACHINE_RING_STRINGS  (32u << 10)

/*
 * Gives the guest of a stopped machine operations; the next machine_run() runs them and returns with
 * KVMAP_DOORBELL_IDLE when they are done. False: it has not run the earlier ones, or they are too many.
 */
bool machine_ring_push(struct machine *machine, const struct machine_operations *operations);

/* Number of operations that the guest has not run, as it says; -1 if it says what cannot be. */
int machine_ring_waiting(struct machine *machine);

/* No operation will follow: the guest, when it is continued, ends. */
void machine_ring_close(struct machine *machine);

/* Reads the next record of the channel; false if there is none. *damaged_out: the guest's head is invalid. */
bool machine_next_record(struct machine *machine, struct kvmap_record *out, bool *damaged_out);

/* Where the guest keeps its event log, if the boot record has KVMAP_BOOT_LOG. */
struct machine_log {
	uint64_t gpa; /* of the first log of CPU 0 */
	uint32_t size, second;
};
void machine_log(const struct machine *machine, struct machine_log *out);

/* INVLPG instructions of all vCPUs that KVM has emulated: all of them without nested paging, else none. -1: not known. */
int machine_invlpg(const struct machine *machine, uint64_t *out);

/* The bytes that the guest wrote to the serial port since boot, at most 1 MiB. Not NUL-terminated. */
const char *machine_serial(const struct machine *machine, size_t *length_out);

/*
 * The view of the stopped machine with its current registers, all zero for a CPU that was never started.
 * Borrowed: valid until the next machine_run() or machine_destroy(). view->translate calls KVM_TRANSLATE.
 */
int machine_view(struct machine *machine, const struct view **out, struct error *error);

/*
 * Stops all vCPUs until machine_release(). Call it from another thread than machine_run(), on a `holdable`
 * machine that is not held. The vCPUs are stopped when it returns (after some 0.3 ms if KVM emulates
 * instructions).
 */
void machine_hold(struct machine *machine);
void machine_release(struct machine *machine);

/* During a hold, in the thread that holds: as in machine_view(). The number of vCPUs, 0 for none; or -1. */
int machine_registers(const struct machine *machine, struct view_cpu cpus[MACHINE_CPUS_MAX],
		      struct error *error);
/* During a hold, in the thread that holds: view->translate of machine_view(). */
int machine_translate(const struct machine *machine, unsigned int cpu, uint64_t gva,
		      struct view_translation *out);

/* KVM's VM descriptor, owned by the machine. */
int machine_vm_fd(const struct machine *machine);

/* Facts about the host's KVM and the cost of each phase. */
struct machine_facts {
	int api_version;
	char kind[64]; /* "kvm_intel", "kvm_amd", "kvm_pvm", ... from the loaded module */
	bool pages_1g;
	uint64_t memory_slots;
	unsigned int host_nodes; /* number of host nodes to which the guest's are bound; 0: not bound */
	const char *not_bound;   /* reason why; NULL: the guest has one node */
	uint64_t tsc_khz;        /* ticks of the guest's TSC in a millisecond; 0 = not known */
	uint64_t open_ns;        /* /dev/kvm to vCPU with memory and registers */
	uint64_t run_ns;         /* in KVM_RUN */
	uint64_t exits;          /* number of returns of KVM_RUN */
};
void machine_facts(const struct machine *machine, struct machine_facts *out);

#endif
