/* SPDX-License-Identifier: MIT */
#include "control/machine_vm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static void hold(void *context)
{
	machine_hold(context);
}

static void release(void *context)
{
	machine_release(context);
}

static int registers(void *context, struct view_cpu cpus[CONTROL_CPUS_MAX])
{
	struct error ignored;

	return machine_registers(context, cpus, &ignored);
}

static int translate(void *context, unsigned int cpu, uint64_t gva, struct view_translation *out)
{
	return machine_translate(context, cpu, gva, out);
}

/* The index of a descriptor for the region's memory: shared with an earlier region, or a new one. */
static int fd_index(const struct view *view, unsigned int region, struct control_vm *vm, struct error *error)
{
	char path[64];
	int fd;

	for (unsigned int i = 0; i < region; i++)
		if (view->regions[i].fd == view->regions[region].fd)
			return (int)vm->memory.regions[i].fd;
	if (vm->memory.fd_count == CONTROL_FDS_MAX)
		return error_set(error, ERROR_HOST, 0, 0, "guest memory in more than %d files",
				 CONTROL_FDS_MAX);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", view->regions[region].fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set(error, ERROR_HOST, errno, 0,
				 "cannot open guest memory a second time, for reading");
	vm->fds[vm->memory.fd_count] = fd;
	return (int)vm->memory.fd_count++;
}

int control_vm_open(struct machine *machine, struct control_vm *out, struct error *error)
{
	struct control_vm vm = {
		.context = machine,
		.hold = hold,
		.release = release,
		.registers = registers,
		.translate = translate,
	};
	const struct view *view;

	if (machine_view(machine, &view, error) < 0)
		return -1;
	vm.memory.physical_bits = view->physical_bits;
	vm.memory.pages_1g = view->pages_1g;
	vm.memory.region_count = view->region_count;
	for (unsigned int i = 0; i < view->region_count; i++) {
		int fd = fd_index(view, i, &vm, error);

		if (fd < 0) {
			control_vm_close(&vm);
			return -1;
		}
		vm.memory.regions[i] = (struct control_region){
			.gpa = view->regions[i].gpa,
			.size = view->regions[i].size,
			.offset = view->regions[i].offset,
			.fd = (uint32_t)fd,
		};
	}
	*out = vm;
	return 0;
}

void control_vm_close(struct control_vm *vm)
{
	for (uint32_t i = 0; i < vm->memory.fd_count; i++)
		close(vm->fds[i]);
	vm->memory.fd_count = 0;
}
