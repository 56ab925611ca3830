/* SPDX-License-Identifier: MIT */
/*
 * process.c: the guest of a process that knows nothing of kvmap, made a view: memory slots and
 * registers as the kernel has them, memory from the process.
 */
#include "base/array.h"
#include "source/source.h"
#include "kvm/host_kind.h"
#include "view/process.h"

#include <stdlib.h>

struct pieces {
	struct process_memory *items;
	size_t count, capacity;
};

/* The slots that have memory in the process. */
static int pieces_of(const struct stage2_slots *slots, struct pieces *out)
{
	for (size_t i = 0; i < slots->count; i++) {
		const struct stage2_slot *slot = &slots->items[i];
		struct process_memory piece = { slot->gpa, slot->size, slot->hva };

		if (slot->hva && array_push(out, piece) < 0)
			return -1;
	}
	return 0;
}

static int open_view(struct source *source, const struct stage2_guest *guest, struct error *error)
{
	struct pieces pieces = { 0 };
	int result;

	if (pieces_of(&guest->slots, &pieces) < 0)
		result = error_set(error, ERROR_HOST, 0, 0, "out of memory");
	else
		result = process_view_open((pid_t)source->look.pid, pieces.items, pieces.count,
					   &source->process, error);
	free(pieces.items);
	return result;
}

/* The first CPU that has page tables says how to walk them. */
static void find_mode(struct source *source)
{
	for (unsigned int cpu = 0; !source->has_mode && (!cpu || cpu < source->view->cpu_count); cpu++)
		source->has_mode =
			walk_mode_of_cpu(source->view, cpu, &source->mode, &source->no_claims) == 0;
}

static int take(struct source *source, const struct stage2_guest *guest, struct error *error)
{
	if (open_view(source, guest, error) < 0)
		return -1;
	for (unsigned int i = 0; i < guest->vcpu_count; i++) {
		source->process->cpus[i] = guest->vcpus[i].registers;
		source->look.old_cr3 += guest->vcpus[i].old_cr3;
	}
	source->process->cpu_count = guest->vcpu_count;
	source->process->physical_bits = guest->physical_bits;
	/* No register tells; hardware that has no 1G pages has no guest that uses them. */
	source->process->pages_1g = host_kind_find("/sys/module").hardware;
	source->view = source->process;
	find_mode(source);
	return 0;
}

int source_foreign_view(struct source *source, bool stop, struct error *error)
{
	struct stage2_on_demand *look = &source->stage2_reading;
	pid_t pid = (pid_t)source->look.pid;
	struct stage2_guest guest = { 0 };
	int result = -1;

	stage2_on_demand_open(look);
	if (!look->reader) {
		*error = look->no_reader;
		return -1;
	}
	if (stop && ptrace_stop_begin(pid, &source->ptrace_stop, error) < 0)
		return -1;
	source->look.stopped = stop;
	if (stage2_read_guest(look->reader, pid, source->vm_fd, &guest, error) == 0)
		result = take(source, &guest, error);
	free(guest.slots.items);
	return result;
}
