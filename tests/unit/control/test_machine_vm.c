/* SPDX-License-Identifier: MIT */
/*
 * The machine as a VM of the control socket: its memory and its descriptors, of a view that the test makes. The linker
 * replaces machine_view(), so that no machine is needed.
 */
#define _GNU_SOURCE /* memfd_create */
#include "descriptors.h"
#include "control/machine_vm.h"
#include "errors.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int __wrap_machine_view(struct machine *machine, const struct view **out, struct error *error);

static struct view *view; /* NULL: machine_view() fails */
static struct error error;

int __wrap_machine_view(struct machine *machine, const struct view **out, struct error *failure)
{
	(void)machine;
	if (!view)
		return error_set(failure, ERROR_HOST, 0, 0, "no view");
	*out = view;
	return 0;
}

static void start(void)
{
	cr_assert(view = calloc(1, sizeof(*view)));
}

static void stop(void)
{
	if (view)
		view_clear(view);
	free(view);
}

TestSuite(machine_vm, .init = start, .fini = stop);

static int memory_file(char byte)
{
	int fd = memfd_create("memory", MFD_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, &byte, 1), 1);
	return fd;
}

static void add_region(int fd, uint64_t offset)
{
	const struct view_region region = {
		.gpa = (uint64_t)view->region_count << 20,
		.size = 4096ull << view->region_count,
		.fd = fd,
		.offset = offset,
	};

	cr_assert_eq(view_add_region(view, &region, &error), 0, "%s", error.text);
}

Test(machine_vm, regions_of_one_file_share_a_descriptor_for_reading)
{
	int first = memory_file('a'), second = memory_file('b');
	struct control_vm vm = { 0 };
	char byte;

	view->physical_bits = 39;
	view->pages_1g = true;
	add_region(first, 0);
	add_region(second, 8192);
	add_region(first, 4096);
	cr_assert_eq(control_vm_open(NULL, &vm, &error), 0, "%s", error.text);
	cr_expect_eq(vm.memory.physical_bits, 39);
	cr_expect_eq(vm.memory.pages_1g, 1);
	cr_expect_eq(vm.memory.region_count, 3);
	cr_expect_eq(vm.memory.fd_count, 2);
	for (unsigned int i = 0; i < 3; i++) {
		cr_expect_eq(vm.memory.regions[i].fd, i & 1, "region %u", i);
		cr_expect_eq(vm.memory.regions[i].gpa, view->regions[i].gpa, "region %u", i);
		cr_expect_eq(vm.memory.regions[i].size, view->regions[i].size, "region %u", i);
		cr_expect_eq(vm.memory.regions[i].offset, view->regions[i].offset, "region %u", i);
	}
	for (unsigned int i = 0; i < 2; i++) {
		cr_expect_eq(fcntl(vm.fds[i], F_GETFL) & O_ACCMODE, O_RDONLY, "descriptor %u", i);
		cr_expect_eq(fcntl(vm.fds[i], F_GETFD), FD_CLOEXEC, "descriptor %u", i);
		cr_expect_eq(pread(vm.fds[i], &byte, 1, 0), 1);
		cr_expect_eq(byte, i ? 'b' : 'a');
	}
	control_vm_close(&vm);
	cr_expect_eq(vm.memory.fd_count, 0);
	close(first);
	close(second);
}

Test(machine_vm, memory_in_more_files_than_a_message_carries_is_refused)
{
	int files[CONTROL_FDS_MAX + 1];
	unsigned int before;
	struct control_vm vm = { 0 };

	for (unsigned int i = 0; i <= CONTROL_FDS_MAX; i++) {
		files[i] = memory_file('x');
		add_region(files[i], 0);
	}
	before = open_descriptors();
	cr_expect_eq(control_vm_open(NULL, &vm, &error), -1);
	expect_whole_error(&error, ERROR_HOST, 0, 0, "guest memory in more than 8 files");
	cr_expect_eq(open_descriptors(), before, "those that were opened are closed");
	cr_expect_eq(vm.memory.region_count, 0, "the output is untouched");

	view->region_count--;
	cr_assert_eq(control_vm_open(NULL, &vm, &error), 0, "%s", error.text);
	cr_expect_eq(vm.memory.fd_count, CONTROL_FDS_MAX);
	control_vm_close(&vm);
	cr_expect_eq(open_descriptors(), before);
	for (unsigned int i = 0; i <= CONTROL_FDS_MAX; i++)
		close(files[i]);
}

Test(machine_vm, memory_that_cannot_be_opened_again_is_refused)
{
	int file = memory_file('x');
	unsigned int before;
	struct control_vm vm = { 0 };

	add_region(file, 0);
	add_region(-1, 0);
	before = open_descriptors();
	cr_expect_eq(control_vm_open(NULL, &vm, &error), -1);
	expect_whole_error(&error, ERROR_HOST, ENOENT, 0,
			   "cannot open guest memory a second time, for reading");
	cr_expect_eq(open_descriptors(), before, "the first region's descriptor is closed");
	close(file);
}

Test(machine_vm, a_machine_without_a_view_is_refused)
{
	struct control_vm vm = { .memory.fd_count = 0, .memory.region_count = 77 };

	free(view);
	view = NULL;
	cr_expect_eq(control_vm_open(NULL, &vm, &error), -1);
	cr_expect_str_eq(error.text, "no view");
	cr_expect_eq(vm.memory.region_count, 77, "the output is untouched");
}
