/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "guest.h"
#include "kvmap/boot.h"

#include <unistd.h>

static struct machine *boot_config(const void *code, size_t size, const struct machine_config *wanted)
{
	struct kvmap_boot boot = { .magic = KVMAP_BOOT_MAGIC,
				   .version = KVMAP_BOOT_VERSION,
				   .size = sizeof(boot) };
	struct image image = image_make(code, size);
	struct machine_config config = *wanted;
	struct private_file program;
	struct machine *machine;
	struct error error;
	char path[64];
	int result;

	image_write(&image, sizeof(image), path);
	config.kvm_path = "/dev/kvm";
	if (private_file_read(path, "", &program, &error) < 0)
		cr_fatal("%s", error.text);
	unlink(path);
	config.program = &program;
	result = machine_create(&config, &machine, &error);
	private_file_close(&program);
	if (result < 0 || machine_boot(machine, &boot, sizeof(boot), &error) < 0)
		cr_fatal("%s", error.text);
	return machine;
}

struct machine *guest_boot(const void *code, size_t size, uint64_t memory, unsigned int cpus)
{
	return boot_config(code, size, &(struct machine_config){ .memory = memory, .cpus = cpus });
}

struct machine *guest_boot_holdable(const void *code, size_t size, unsigned int cpus)
{
	return boot_config(code, size,
			   &(struct machine_config){ .memory = 16 << 20, .cpus = cpus, .holdable = true });
}

struct machine_event guest_run(struct machine *machine, unsigned int milliseconds)
{
	struct machine_event event;
	uint64_t deadline = 0;
	struct error error;

	if (milliseconds)
		deadline = clock_monotonic_ns() + milliseconds * 1000000ull;
	if (machine_run(machine, deadline, &event, &error) < 0)
		cr_fatal("%s", error.text);
	return event;
}

const struct view *guest_view(struct machine *machine)
{
	const struct view *view;
	struct error error;

	if (machine_view(machine, &view, &error) < 0)
		cr_fatal("%s", error.text);
	return view;
}
