/* SPDX-License-Identifier: MIT */
/*
 * What a guest finds when it starts, and what is seen of it from outside.
 */
#include "guest.h"
#include "kvmap/boot.h"
#include "machine/pvh.h"

#include <string.h>
#include <unistd.h>

/* mov %eax, (exit) */
#define EXIT_EAX "\xe7\xf4"

static uint64_t exit_value(const char *code, size_t size)
{
	struct machine *machine = guest_boot(code, size, 16 << 20, 1);
	struct machine_event event = guest_run(machine, 0);

	machine_destroy(machine);
	cr_assert(eq(int, event.type, MACHINE_EXIT));
	return event.value;
}

#define EXIT_VALUE(code) exit_value((code), sizeof(code) - 1)

Test(boot, ebx_points_at_the_start_info)
{
	/* mov (%ebx), %eax */
	cr_expect(eq(u64, EXIT_VALUE("\x8b\x03" EXIT_EAX), 0x336ec578));
}

Test(boot, it_starts_in_protected_mode_without_paging)
{
	/* mov %cr0, %eax; and $0x80000001, %eax */
	cr_expect(eq(u64, EXIT_VALUE("\x0f\x20\xc0\x25\x01\0\0\x80" EXIT_EAX), 1));
}

Test(boot, long_mode_pae_pge_smep_and_nx_can_be_turned_on)
{
	/* mov %cr4, %eax; or $(PAE | PGE | SMEP), %eax; mov %eax, %cr4 */
	cr_expect(eq(u64, EXIT_VALUE("\x0f\x20\xe0\x0d\xa0\0\x10\0\x0f\x22\xe0\x0f\x20\xe0" EXIT_EAX),
		     0x1000a0));
	/* mov $EFER, %ecx; rdmsr; or $(LME | NXE), %eax; wrmsr; rdmsr */
	cr_expect(eq(u64, EXIT_VALUE("\xb9\x80\0\0\xc0\x0f\x32\x0d\0\x09\0\0\x0f\x30\x0f\x32" EXIT_EAX),
		     0x900));
}

/* PVM shows ring-3 features, which it cannot take away from native code, whatever was set; not so these. */
Test(boot, cpuid_shows_what_the_machine_has)
{
	/* mov $1, %eax; cpuid; mov %ecx, %eax: no cmpxchg16b, PCID, x2APIC, but a hypervisor */
	uint64_t ecx = EXIT_VALUE("\xb8\x01\0\0\0\x0f\xa2\x89\xc8" EXIT_EAX);
	/* mov $0x80000001, %eax; cpuid; mov %edx, %eax: long mode and NX, no RDTSCP */
	uint64_t extended = EXIT_VALUE("\xb8\x01\0\0\x80\x0f\xa2\x89\xd0" EXIT_EAX);
	/* mov $0x80000008, %eax; cpuid */
	uint64_t widths = EXIT_VALUE("\xb8\x08\0\0\x80\x0f\xa2" EXIT_EAX);

	cr_expect(eq(u64, ecx & (1u << 13 | 1u << 17 | 1u << 21 | 1u << 31), 1u << 31));
	cr_expect(eq(u64, extended & (1u << 29 | 1u << 27 | 1u << 20), 1u << 29 | 1u << 20));
	cr_expect(eq(u64, widths >> 8 & 0xff, 48));
	cr_expect(ge(u64, widths & 0xff, 36));
}

Test(boot, the_module_lies_at_the_top_of_ram_with_the_channel_filled_in)
{
	struct machine *machine = GUEST("\xf4");
	const struct view *view = guest_view(machine);
	const struct pvh_page *page = view_bytes(view, PVH_START_GPA, sizeof(*page));
	const struct kvmap_channel *channel = view_bytes(view, CHANNEL_GPA, sizeof(*channel));
	const struct kvmap_boot *boot;
	struct machine_facts facts;

	machine_facts(machine, &facts);
	cr_assert(eq(u32, page->start.nr_modules, 1));
	cr_expect(eq(u64, page->module.paddr, (16 << 20) - 4096));
	cr_expect(eq(u64, page->module.size, sizeof(*boot)));
	boot = view_bytes(view, page->module.paddr, sizeof(*boot));
	cr_expect(eq(u64, boot->magic, KVMAP_BOOT_MAGIC));
	cr_expect(eq(u32, boot->flags,
		     KVMAP_BOOT_CHANNEL | KVMAP_BOOT_ZEROED | (facts.pages_1g ? KVMAP_BOOT_PAGES_1G : 0)));
	cr_expect(eq(u64, boot->channel_gpa, CHANNEL_GPA));
	cr_expect(eq(u32, boot->channel_size, sizeof(*channel) + 1024 * sizeof(struct kvmap_record)));
	cr_expect(eq(u32, channel->capacity, 1024));
	machine_destroy(machine);
}

Test(boot, a_module_that_does_not_fit_is_refused)
{
	struct machine *machine = GUEST("\xf4");
	static uint8_t module[16 << 20];
	struct error error = { 0 };

	cr_expect(eq(int, machine_boot(machine, module, sizeof(module), &error), -1));
	cr_expect(eq(int, error.kind, ERROR_INPUT));
	cr_expect(ne(ptr, strstr(error.text, "give the guest more memory"), NULL));
	cr_expect(eq(int, machine_boot(machine, module, sizeof(struct kvmap_boot) - 1, &error), -1));
	/* Room is from the end of the program at 0x202000 to 16 MiB, less what rounding down may take. */
	cr_expect(eq(int, machine_boot(machine, module, (16 << 20) - 0x202000 - 4096, &error), 0));
	machine_destroy(machine);
}

Test(boot, registers_of_the_stopped_guest_can_be_read)
{
	/* mov $0x11111111, %ecx; mov $0x22222222, %esi; ring */
	struct machine *machine = GUEST("\xb9\x11\x11\x11\x11\xbe\x22\x22\x22\x22\xba\x04\x0b\0\0\xef\xf4");
	const struct view *view;

	cr_expect(eq(int, guest_run(machine, 0).type, MACHINE_DOORBELL));
	view = guest_view(machine);
	cr_assert(eq(u32, view->cpu_count, 1));
	cr_expect(eq(u64, view->cpus[0].rcx, 0x11111111));
	cr_expect(eq(u64, view->cpus[0].rsi, 0x22222222));
	cr_expect(eq(u64, view->cpus[0].rbx, PVH_START_GPA));
	cr_expect(eq(u64, view->cpus[0].cr0 & 1, 1));
	cr_expect(eq(u16, view->cpus[0].cs, 8));
	cr_expect(ge(u32, view->physical_bits, 36));
	machine_destroy(machine);
}

/* Before the first run they are as the entry point wants them, then as each exit left them. */
Test(boot, registers_are_read_at_each_stop)
{
	/* mov $1, %ecx; ring; mov $2, %ecx; mov %cr0, %eax; or $0x10000, %eax; mov %eax, %cr0; ring */
	struct machine *machine = GUEST("\xb9\x01\0\0\0\xba\x04\x0b\0\0\xef\xb9\x02\0\0\0"
					"\x0f\x20\xc0\x0d\0\0\x01\0\x0f\x22\xc0\xef\xf4");
	const struct view *view = guest_view(machine);

	cr_assert(eq(u32, view->cpu_count, 1));
	cr_expect(eq(u64, view->cpus[0].rip, IMAGE_GPA));
	cr_expect(eq(u64, view->cpus[0].rbx, PVH_START_GPA));
	cr_expect(eq(u16, view->cpus[0].cs, 8));
	for (uint64_t stop = 1; stop <= 2; stop++) {
		cr_expect(eq(int, guest_run(machine, 0).type, MACHINE_DOORBELL));
		view = guest_view(machine);
		cr_expect(eq(u64, view->cpus[0].rcx, stop));
		cr_expect(eq(u64, view->cpus[0].cr0 >> 16 & 1, stop - 1));
	}
	machine_destroy(machine);
}

Test(boot, kvm_translates_for_the_view)
{
	struct machine *machine = GUEST("\xf4");
	const struct view *view = guest_view(machine);
	struct view_translation translation;

	cr_assert(eq(int, view->translate(view->translate_context, 0, 0x234567, &translation), 0));
	cr_expect(translation.valid);
	cr_expect(eq(u64, translation.gpa, 0x234567), "paging is off");
	machine_destroy(machine);
}

Test(boot, untouched_memory_is_a_hole_of_the_view)
{
	struct machine *machine = GUEST("\xf4");
	uint64_t start, end;

	cr_expect(not(view_next_data(guest_view(machine), 0x400000, 0xc00000, &start, &end)));
	cr_assert(view_next_data(guest_view(machine), 0x100000, 0x400000, &start, &end));
	cr_expect(eq(u64, start, IMAGE_GPA));
	cr_expect(eq(u64, end, IMAGE_GPA + 0x1000));
	machine_destroy(machine);
}

Test(boot, memory_above_3_gib_is_a_second_slot_at_4_gib)
{
	struct machine *machine = guest_boot("\xf4", 1, (3ull << 30) + (32 << 20), 1);
	const struct view *view = guest_view(machine);
	struct machine_facts facts;

	machine_facts(machine, &facts);
	cr_expect(eq(u64, facts.memory_slots, 2));
	cr_expect(eq(u64, view_size(view), (3ull << 30) + (32 << 20)));
	cr_expect(eq(ptr, (void *)view_bytes(view, 3ull << 30, 1), NULL));
	cr_expect(ne(ptr, (void *)view_bytes(view, 4ull << 30, 32 << 20), NULL));
	cr_expect(eq(int, guest_run(machine, 0).type, MACHINE_HALT));
	machine_destroy(machine);
}

Test(boot, two_machines_in_one_process_do_not_meet)
{
	/* Each stores its own number and rings; then reads it back. */
	struct machine *a = GUEST("\xc6\x05\0\0\x40\0\x0a\xba\x04\x0b\0\0\xef\xa1\0\0\x40\0\xe7\xf4");
	struct machine *b = GUEST("\xc6\x05\0\0\x40\0\x0b\xba\x04\x0b\0\0\xef\xa1\0\0\x40\0\xe7\xf4");

	cr_expect(eq(int, guest_run(a, 0).type, MACHINE_DOORBELL));
	cr_expect(eq(int, guest_run(b, 0).type, MACHINE_DOORBELL));
	cr_expect(eq(u64, guest_run(a, 0).value, 0x0a));
	cr_expect(eq(u64, guest_run(b, 0).value, 0x0b));
	machine_destroy(a);
	machine_destroy(b);
}

Test(boot, facts_say_what_host_and_what_it_cost)
{
	struct machine *machine = GUEST("\xf4");
	struct machine_facts facts;

	guest_run(machine, 0);
	machine_facts(machine, &facts);
	cr_expect(eq(int, facts.api_version, 12));
	cr_expect(eq(int, strncmp(facts.kind, "kvm", 3), 0));
	cr_expect(eq(u64, facts.memory_slots, 1));
	cr_expect(eq(u64, facts.exits, 1));
	cr_expect(gt(u64, facts.open_ns, 0));
	cr_expect(gt(u64, facts.run_ns, 0));
	machine_destroy(machine);
}

Test(boot, more_than_one_cpu_is_refused)
{
	struct machine_config config = { .kvm_path = "/dev/kvm",
					 .memory = 16 << 20,
					 .cpus = MACHINE_CPUS_MAX + 1 };
	struct machine *machine;
	struct error error;

	cr_expect(eq(int, machine_create(&config, &machine, &error), -1));
	cr_expect(eq(int, error.kind, ERROR_INPUT));
}

Test(boot, a_machine_that_cannot_be_made_leaves_nothing_open)
{
	struct image image = image_make("\xf4", 1);
	struct machine_config config = { .kvm_path = "/dev/null", .memory = 16 << 20, .cpus = 1 };
	struct machine *machine = NULL;
	struct private_file program;
	struct error error;
	int before, after;
	char path[64];

	image_write(&image, sizeof(image), path);
	cr_assert(eq(int, private_file_read(path, "", &program, &error), 0));
	unlink(path);
	config.program = &program;
	before = dup(0);
	close(before);
	cr_expect(eq(int, machine_create(&config, &machine, &error), -1));
	after = dup(0);
	private_file_close(&program);
	cr_expect(eq(int, after, before));
	cr_expect(eq(ptr, machine, NULL));
	machine_destroy(NULL);
}
