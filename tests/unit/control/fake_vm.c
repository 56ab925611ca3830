/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* memfd_create, gettid */
#include "fake_vm.h"

#include "host.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static void hold(void *context)
{
	struct fake_vm *fake = context;

	pthread_mutex_lock(&fake->lock);
	fake->misused |= fake->is_held;
	fake->is_held = true;
	fake->holds++;
	pthread_mutex_unlock(&fake->lock);
}

static void release(void *context)
{
	struct fake_vm *fake = context;

	pthread_mutex_lock(&fake->lock);
	fake->misused |= !fake->is_held;
	fake->is_held = false;
	fake->releases++;
	pthread_cond_broadcast(&fake->released);
	pthread_mutex_unlock(&fake->lock);
}

static int registers(void *context, struct view_cpu cpus[CONTROL_CPUS_MAX])
{
	struct fake_vm *fake = context;

	fake->misused |= !fake->is_held;
	if (fake->refuses)
		return -1;
	fake->thread = gettid();
	if (fake->clock_after_registers)
		set_clock_ns(fake->clock_after_registers);
	cpus[0] = (struct view_cpu){ .rip = 0x1111 };
	cpus[1] = (struct view_cpu){ .rip = 0x2222 };
	return 2;
}

static int translate(void *context, unsigned int cpu, uint64_t gva, struct view_translation *out)
{
	struct fake_vm *fake = context;

	fake->misused |= !fake->is_held;
	if (cpu > 1)
		return -1;
	*out = (struct view_translation){ .valid = gva < FAKE_MEMORY, .gpa = gva + cpu };
	return 0;
}

void fake_vm_make(struct fake_vm *fake)
{
	char path[64];
	int fd = memfd_create("fake-vm", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	cr_assert_geq(fd, 0);
	cr_assert_eq(ftruncate(fd, FAKE_MEMORY), 0);
	for (uint64_t page = 0; page < FAKE_MEMORY / 4096; page++)
		cr_assert_eq(pwrite(fd, &page, 1, (off_t)(page * 4096)), 1);
	cr_assert_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	*fake = (struct fake_vm){
		.memory = fd,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.released = PTHREAD_COND_INITIALIZER,
		.vm = {
			.context = fake,
			.hold = hold,
			.release = release,
			.registers = registers,
			.translate = translate,
			.hello = { .pid = FAKE_PID, .cpus = 2, .memory = FAKE_MEMORY, .script = "fake.kvs" },
			.memory = {
				.region_count = 1,
				.fd_count = 1,
				.physical_bits = 40,
				.regions = { { .gpa = 0x10000, .size = FAKE_MEMORY } },
			},
			.fds = { open(path, O_RDONLY | O_CLOEXEC) },
		},
	};
}

void fake_vm_wait_for_release(struct fake_vm *fake)
{
	pthread_mutex_lock(&fake->lock);
	while (fake->is_held)
		pthread_cond_wait(&fake->released, &fake->lock);
	pthread_mutex_unlock(&fake->lock);
}

void fake_vm_close(struct fake_vm *fake)
{
	close(fake->memory);
	close(fake->vm.fds[0]);
}
