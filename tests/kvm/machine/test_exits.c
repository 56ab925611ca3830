/* SPDX-License-Identifier: MIT */
/*
 * How a guest's end, and what it says on the way, reaches the caller of machine_run().
 */
#include "guest.h"
#include "kvmap/ports.h"

#include <string.h>

/* A serial port at dx; `wait` until it is ready, then send al. */
#define SERIAL_READY "\xba\xfd\x03\0\0\xec\xa8\x20\x74\xfb\xba\xf8\x03\0\0"

static void serial_is(struct machine *machine, const char *expected)
{
	size_t length;
	const char *text = machine_serial(machine, &length);

	cr_assert(eq(sz, length, strlen(expected)));
	cr_expect(eq(int, memcmp(text, expected, length), 0), "\"%.*s\", not \"%s\"", (int)length, text,
		  expected);
}

Test(exits, the_value_written_to_the_exit_port_arrives)
{
	struct machine *machine = GUEST("\xb8\x78\x56\x34\x12\xe7\xf4");
	struct machine_event event = guest_run(machine, 0);

	cr_expect(eq(int, event.type, MACHINE_EXIT));
	cr_expect(eq(u64, event.value, 0x12345678));
	machine_destroy(machine);
}

Test(exits, serial_text_is_collected_and_the_guest_goes_on)
{
	/* mov $'H', %al after the wait; out; 'i'; out */
	struct machine *machine = GUEST(SERIAL_READY "\xb0H\xee\xb0i\xee" EXIT_WITH("\x10"));
	struct machine_event event = guest_run(machine, 0);

	cr_expect(eq(int, event.type, MACHINE_EXIT));
	serial_is(machine, "Hi");
	machine_destroy(machine);
}

Test(exits, a_string_sent_by_rep_outsb_arrives_whole)
{
	/* mov $0x200020, %esi; mov $12, %ecx; mov $0x3f8, %edx; cld; rep outsb; jmp over the string */
	struct machine *machine =
		GUEST("\xbe\x20\0\x20\0\xb9\x0c\0\0\0\xba\xf8\x03\0\0\xfc\xf3\x6e" EXIT_WITH(
			"\x10") "\x90\x90\x90\x90\x90\x90\x90"
				"twelve bytes");
	struct machine_event event = guest_run(machine, 0);

	cr_expect(eq(int, event.type, MACHINE_EXIT));
	serial_is(machine, "twelve bytes");
	machine_destroy(machine);
}

Test(exits, a_doorbell_stops_the_guest_which_then_goes_on)
{
	/* mov $2, %eax; mov $0xb04, %edx; out %eax, (%dx) */
	struct machine *machine = GUEST("\xb8\x02\0\0\0\xba\x04\x0b\0\0\xef" EXIT_WITH("\x11"));
	struct machine_event event = guest_run(machine, 0);

	cr_expect(eq(int, event.type, MACHINE_DOORBELL));
	cr_expect(eq(u64, event.value, KVMAP_DOORBELL_VERIFY));
	event = guest_run(machine, 0);
	cr_expect(eq(int, event.type, MACHINE_EXIT));
	cr_expect(eq(u64, event.value, KVMAP_EXIT_REFUSED));
	machine_destroy(machine);
}

Test(exits, hlt_is_a_halt)
{
	struct machine *machine = GUEST("\xf4");

	cr_expect(eq(int, guest_run(machine, 0).type, MACHINE_HALT));
	machine_destroy(machine);
}

Test(exits, an_exception_without_idt_is_a_triple_fault)
{
	/* lidt of six zero bytes; ud2 */
	struct machine *machine = GUEST("\x0f\x01\x1d\x20\0\x20\0\x0f\x0b");

	cr_expect(eq(int, guest_run(machine, 0).type, MACHINE_TRIPLE_FAULT));
	cr_expect(le(u32, guest_view(machine)->cpu_count, 1));
	machine_destroy(machine);
}

Test(exits, an_instruction_that_the_host_cannot_run_is_reported_with_its_bytes)
{
	/* rdpkru: not known to KVM's emulator; #UD, and with no IDT a triple fault, where hardware runs the
	 * guest. */
	struct machine *machine = GUEST("\x0f\x01\x1d\x20\0\x20\0\x0f\x01\xee" EXIT_WITH("\x10"));
	struct machine_event event = guest_run(machine, 0);

	cr_assert(event.type == MACHINE_EMULATION_FAILURE || event.type == MACHINE_TRIPLE_FAULT);
	if (event.type == MACHINE_EMULATION_FAILURE) {
		cr_assert(ge(u8, event.byte_count, 3));
		cr_expect(eq(int, memcmp(event.bytes, "\x0f\x01\xee", 3), 0));
		cr_expect(eq(u64, guest_view(machine)->cpus[0].rip, IMAGE_GPA + 7));
	}
	machine_destroy(machine);
}

Test(exits, a_load_from_nowhere_is_mmio)
{
	/* mov 0xd0000010, %eax */
	struct machine *machine = GUEST("\xa1\x10\0\0\xd0" EXIT_WITH("\x10"));
	struct machine_event event = guest_run(machine, 0);

	cr_expect(eq(int, event.type, MACHINE_MMIO));
	cr_expect(eq(u64, event.address, 0xd0000010));
	cr_expect(eq(u32, event.length, 4));
	cr_expect(not(event.is_write));
	machine_destroy(machine);
}

Test(exits, a_store_to_just_above_ram_is_mmio_with_its_value)
{
	/* movb $0x5a, 0x1000000 */
	struct machine *machine = GUEST("\xc6\x05\0\0\0\x01\x5a" EXIT_WITH("\x10"));
	struct machine_event event = guest_run(machine, 0);

	cr_expect(eq(int, event.type, MACHINE_MMIO));
	cr_expect(eq(u64, event.address, 16 << 20));
	cr_expect(eq(u32, event.length, 1));
	cr_expect(event.is_write);
	cr_expect(eq(u64, event.value, 0x5a));
	machine_destroy(machine);
}

Test(exits, a_port_without_device_is_named)
{
	/* in $0x80, %al */
	struct machine *machine = GUEST("\xe4\x80" EXIT_WITH("\x10"));
	struct machine_event event = guest_run(machine, 0);

	cr_expect(eq(int, event.type, MACHINE_PORT));
	cr_expect(eq(u64, event.value, 0x80));
	cr_expect(eq(str, event.text, (char *)"read of port 0x80, 1 byte"));
	machine_destroy(machine);
}

Test(exits, reading_the_doorbell_is_not_ringing_it)
{
	/* mov $0xb04, %edx; in (%dx), %eax */
	struct machine *machine = GUEST("\xba\x04\x0b\0\0\xed" EXIT_WITH("\x10"));

	cr_expect(eq(int, guest_run(machine, 0).type, MACHINE_PORT));
	machine_destroy(machine);
}
