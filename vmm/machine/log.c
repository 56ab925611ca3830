/* SPDX-License-Identifier: MIT */
/*
 * log.c: the place of the guest's event log, in low memory after the ring: the same for each CPU.
 */
#include "kvmap/event_log.h"
#include "machine/machine_internal.h"
#include "machine/pvh.h"

#define LOG_START     (PVH_LOG_GPA + sizeof(struct kvmap_log_area))
#define LOG_CPU_MAX   0x10000u
#define SECOND_MAX    0x1000u
#define LOG_CPU_LEAST ((GUEST_LOW_END - LOG_START) / KVMAP_CPUS_MAX & ~63ull)

static_assert(LOG_CPU_LEAST - LOG_CPU_LEAST / 4 - 64 >= KVMAP_LOG_SIZE_MIN, "logs of all CPUs");
static_assert(LOG_CPU_LEAST / 4 - 64 >= KVMAP_LOG_SECOND_MIN, "second logs of all CPUs");

void machine_log(const struct machine *machine, struct machine_log *out)
{
	uint32_t each = (uint32_t)((GUEST_LOW_END - LOG_START) / machine->cpus);
	uint32_t second;

	if (each > LOG_CPU_MAX)
		each = LOG_CPU_MAX;
	second = (each / 4 < SECOND_MAX ? each / 4 : SECOND_MAX) & ~63u;
	*out = (struct machine_log){ .gpa = LOG_START, .size = (each - second) & ~63u, .second = second };
}

uint32_t machine_log_open(struct machine *machine)
{
	struct machine_log log;

	machine_log(machine, &log);
	*(struct kvmap_log_area *)(machine->memory.bytes + PVH_LOG_GPA) = (struct kvmap_log_area){
		.size = log.size,
		.second = log.second,
	};
	return (uint32_t)PVH_LOG_GPA;
}

int machine_invlpg(const struct machine *machine, uint64_t *out)
{
	struct error ignored;
	uint64_t sum = 0, count;

	for (unsigned int cpu = 0; cpu < machine->cpus; cpu++) {
		if (kvm_vcpu_statistic(&machine->vcpus[cpu], "invlpg", &count, &ignored) < 0)
			return -1;
		sum += count;
	}
	*out = sum;
	return 0;
}
