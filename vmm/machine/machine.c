/* SPDX-License-Identifier: MIT */
/*
 * machine.c: creates and destroys a machine.
 */
#include "machine/vcpu_threads.h"
#include "base/clock.h"
#include "machine/guest_cpuid.h"
#include "machine/guest_numa.h"
#include "kvm/host_kind.h"
#include "machine/machine_internal.h"

#include "kvmap/boot.h"

#include <cpuid.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Maximum number of entries of KVM_GET_SUPPORTED_CPUID (the kernel's KVM_MAX_CPUID_ENTRIES). */
#define SUPPORTED_ENTRIES 256

/* The host's supported CPUID entries, to be freed, or NULL. */
static struct kvm_cpuid2 *supported_read(int kvm, struct error *error)
{
	struct kvm_cpuid2 *supported =
		calloc(1, sizeof(*supported) + SUPPORTED_ENTRIES * sizeof(supported->entries[0]));

	if (!supported) {
		error_set(error, ERROR_HOST, 0, 0, "out of memory");
		return NULL;
	}
	supported->nent = SUPPORTED_ENTRIES;
	if (kvm_supported_cpuid(kvm, supported, error) == 0)
		return supported;
	free(supported);
	return NULL;
}

static int set_cpuid(struct machine *machine, struct error *error)
{
	struct host_kind kind = host_kind_find("/sys/module");
	struct kvm_cpuid2 *supported = NULL;
	uint32_t highest, vendor[3] = { 0 };
	union cpuid_table table;

	__cpuid(0, highest, vendor[0], vendor[1], vendor[2]);
	(void)highest;
	/* Not read on hosts without VT-x or SVM, where it lists features that the emulator lacks, and is slow. */
	if (kind.hardware && !(supported = supported_read(machine->kvm, error)))
		return -1;
	cpuid_fill(&table, vendor, supported);
	free(supported);
	snprintf(machine->facts.kind, sizeof(machine->facts.kind), "%s", kind.module);
	machine->facts.pages_1g = cpuid_has_pages_1g(&table);
	machine->view.physical_bits = cpuid_physical_bits(&table);
	machine->view.pages_1g = machine->facts.pages_1g;
	for (unsigned int i = 0; i < machine->cpus; i++) {
		if (machine->local_apics)
			cpuid_set_apic(&table, i);
		if (kvm_vcpu_set_cpuid(&machine->vcpus[i], &table.list, error) < 0)
			return -1;
	}
	return 0;
}

static int add_vcpus(struct machine *machine, struct error *error)
{
	/* A single CPU needs an APIC only to interrupt itself; without one, its HLT is an exit. */
	if (machine->local_apics && kvm_vm_local_apics(machine->vm, error) < 0)
		return -1;
	for (unsigned int i = 0; i < machine->cpus; i++)
		if (kvm_vcpu_create(machine->kvm, machine->vm, i, &machine->vcpus[i], error) < 0)
			return -1;
	if (!machine->local_apics)
		kvm_vcpu_share_registers(machine->kvm, &machine->vcpus[0]);
	return set_cpuid(machine, error);
}

static int add_memory(struct machine *machine, struct error *error)
{
	struct guest_piece pieces[GUEST_PIECES_MAX];
	unsigned int count = guest_memory_pieces(machine->memory.size, pieces);

	for (unsigned int i = 0; i < count; i++) {
		uint8_t *bytes = machine->memory.bytes + pieces[i].offset;
		struct kvm_userspace_memory_region slot = {
			.slot = i,
			.guest_phys_addr = pieces[i].gpa,
			.memory_size = pieces[i].size,
			.userspace_addr = (uintptr_t)bytes,
		};
		struct view_region region = {
			.gpa = pieces[i].gpa,
			.size = pieces[i].size,
			.bytes = bytes,
			.fd = machine->memory.fd,
			.offset = pieces[i].offset,
		};

		if (kvm_vm_set_memory(machine->vm, &slot, error) < 0 ||
		    view_add_region(&machine->view, &region, error) < 0)
			return -1;
	}
	machine->facts.memory_slots = count;
	return 0;
}

static int open_all(struct machine *machine, const struct machine_config *config, struct error *error)
{
	struct error unknown;
	uint64_t start;
	int khz;

	if (guest_memory_create(config->memory, &machine->memory, error) < 0)
		return -1;
	if (config->nodes > 1)
		machine->facts.host_nodes =
			guest_numa_bind(&machine->memory, config->nodes, &machine->facts.not_bound);
	if (program_load(config->program, &machine->memory, &machine->program, error) < 0)
		return -1;
	start = clock_monotonic_ns();
	machine->kvm = kvm_open(config->kvm_path, error);
	if (machine->kvm < 0)
		return -1;
	machine->vm = kvm_vm_create(machine->kvm, error);
	if (machine->vm < 0 || add_memory(machine, error) < 0 || add_vcpus(machine, error) < 0)
		return -1;
	if ((machine->cpus > 1 || config->holdable) &&
	    vcpu_threads_create(machine, &machine->threads, error) < 0)
		return -1;
	khz = kvm_vm_tsc_khz(machine->vm, &unknown);
	machine->facts.tsc_khz = khz > 0 ? (uint64_t)khz : 0;
	machine->facts.api_version = KVM_API_VERSION;
	machine->facts.open_ns = clock_monotonic_ns() - start;
	return 0;
}

int machine_create(const struct machine_config *config, struct machine **out, struct error *error)
{
	struct machine *machine;

	if (!config->cpus || config->cpus > MACHINE_CPUS_MAX)
		return error_set(error, ERROR_INPUT, 0, 0, "a guest cannot have %u CPUs: it has 1 to %u",
				 config->cpus, MACHINE_CPUS_MAX);
	if (config->nodes > KVMAP_NODES_MAX)
		return error_set(error, ERROR_INPUT, 0, 0, "a guest cannot have %u nodes: it has 1 to %u",
				 config->nodes, KVMAP_NODES_MAX);
	machine = calloc(1, sizeof(*machine));
	if (!machine)
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	machine->kvm = machine->vm = -1;
	machine->cpus = config->cpus;
	machine->jitter = config->jitter;
	machine->local_apics = config->cpus > 1 || config->interrupts;
	machine->nodes = config->nodes;
	machine->has_ring = config->ring;
	machine->vcpus = calloc(machine->cpus, sizeof(*machine->vcpus));
	if (!machine->vcpus) {
		free(machine);
		return error_set(error, ERROR_HOST, 0, 0, "out of memory");
	}
	if (open_all(machine, config, error) < 0) {
		machine_destroy(machine);
		return -1;
	}
	*out = machine;
	return 0;
}

void machine_destroy(struct machine *machine)
{
	if (!machine)
		return;
	vcpu_threads_destroy(machine->threads);
	for (unsigned int i = 0; i < machine->cpus; i++)
		kvm_vcpu_destroy(&machine->vcpus[i]);
	free(machine->vcpus);
	if (machine->vm >= 0)
		close(machine->vm);
	if (machine->kvm >= 0)
		close(machine->kvm);
	guest_memory_destroy(&machine->memory);
	serial_destroy(&machine->serial);
	view_clear(&machine->view);
	free(machine);
}

void machine_hold(struct machine *machine)
{
	vcpu_threads_hold(machine->threads);
}

void machine_release(struct machine *machine)
{
	vcpu_threads_release(machine->threads);
}

const char *machine_serial(const struct machine *machine, size_t *length_out)
{
	*length_out = machine->serial.text.count;
	return machine->serial.text.items ? machine->serial.text.items : "";
}

int machine_vm_fd(const struct machine *machine)
{
	return machine->vm;
}

void machine_facts(const struct machine *machine, struct machine_facts *out)
{
	*out = machine->facts;
}
