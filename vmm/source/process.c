/* SPDX-License-Identifier: MIT */
/*
 * process.c: the VM of another program as a view: memory slots and registers from the host's kernel, memory
 * from the process.
 */
#include "base/array.h"
#include "kvm/host_kind.h"
#include "source/internal.h"
#include "view/process.h"

#include <stdlib.h>

struct pieces {
	ARRAY_OF(struct process_memory);
};

/* The slots that have memory in the process. */
static int pieces_collect(const struct stage2_slots *slots, struct pieces *out)
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

	if (pieces_collect(&guest->slots, &pieces) < 0)
		result = error_set(error, ERROR_HOST, 0, 0, "out of memory");
	else
		result = process_view_open((pid_t)source->process.summary.pid, pieces.items, pieces.count,
					   &source->process.view, error);
	free(pieces.items);
	return result;
}

static int fill_view(struct source *source, const struct stage2_guest *guest, struct error *error)
{
	struct view *view;

	if (open_view(source, guest, error) < 0)
		return -1;
	view = source->process.view;
	if (view_set_cpus(view, guest->vcpu_count, error) < 0)
		return -1;
	for (unsigned int i = 0; i < guest->vcpu_count; i++) {
		view->cpus[i] = guest->vcpus[i].registers;
		source->process.summary.old_cr3 += guest->vcpus[i].old_cr3;
	}
	view->physical_bits = guest->physical_bits;
	/* No register says whether the guest has 1G pages. Without hardware paging it has none. */
	view->pages_1g = host_kind_find("/sys/module").hardware;
	source->view = view;
	return 0;
}

int source_read_process(struct source *source, bool stop, struct error *error)
{
	struct stage2_on_demand *reading = &source->stage2_reading;
	pid_t pid = (pid_t)source->process.summary.pid;
	struct stage2_guest guest = { 0 };
	int result = -1;

	stage2_on_demand_open(reading);
	if (!reading->reader) {
		*error = reading->no_reader;
		return -1;
	}
	if (stop && ptrace_stop_begin(pid, PTRACE_STOP_MAX_NS, &source->process.stop, error) < 0)
		return -1;
	source->process.summary.stopped = stop;
	if (stage2_read_guest(reading->reader, pid, source->process.vm_fd, &guest, error) == 0)
		result = fill_view(source, &guest, error);
	free(guest.slots.items);
	return result;
}
