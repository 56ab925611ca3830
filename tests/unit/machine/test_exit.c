/* SPDX-License-Identifier: MIT */
/*
 * What KVM's exits become, those too that no host brings about at will. A sanitizer sees what is read beyond the run area.
 */
#include "machine/machine_internal.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

static union {
	struct kvm_run run;
	uint8_t bytes[8192];
} area;
static struct kvm_vcpu vcpu = { .run = &area.run };
static struct machine machine = { .vcpus = &vcpu, .cpus = 1 };

static void begin(void)
{
	memset(&area, 0, sizeof(area));
}

static void end(void)
{
	serial_destroy(&machine.serial);
}

TestSuite(exits, .init = begin, .fini = end);

static struct machine_event taken(uint32_t reason)
{
	struct machine_event event;

	area.run.exit_reason = reason;
	cr_assert(machine_take_exit(&machine, 0, &event));
	return event;
}

Test(exits, a_write_without_memory_has_its_address_and_value)
{
	struct machine_event event;

	area.run.mmio.phys_addr = 0xf0001000;
	area.run.mmio.len = 4;
	area.run.mmio.is_write = 1;
	memcpy(area.run.mmio.data, "\x78\x56\x34\x12", 4);
	event = taken(KVM_EXIT_MMIO);
	cr_expect(eq(int, event.type, MACHINE_MMIO));
	cr_expect(eq(u64, event.address, 0xf0001000));
	cr_expect(eq(u64, event.length, 4));
	cr_expect(event.is_write);
	cr_expect(eq(u64, event.value, 0x12345678));
}

Test(exits, a_read_without_memory_has_no_value)
{
	struct machine_event event;

	memset(area.run.mmio.data, 0xff, sizeof(area.run.mmio.data));
	event = taken(KVM_EXIT_MMIO);
	cr_expect(not(event.is_write));
	cr_expect(eq(u64, event.value, 0));
}

Test(exits, an_instruction_that_cannot_be_emulated_has_the_bytes_that_kvm_gives)
{
	struct machine_event event;

	area.run.emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
	event = taken(KVM_EXIT_INTERNAL_ERROR);
	cr_expect(eq(int, event.type, MACHINE_EMULATION_FAILURE));
	cr_expect(eq(uint, event.byte_count, 0), "of an older KVM: none");

	area.run.emulation_failure.ndata = 4;
	area.run.emulation_failure.flags = KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES;
	area.run.emulation_failure.insn_size = 3;
	memcpy(area.run.emulation_failure.insn_bytes, "\x0f\x01\xd0", 3);
	event = taken(KVM_EXIT_INTERNAL_ERROR);
	cr_expect(eq(uint, event.byte_count, 3));
	cr_expect(eq(int, memcmp(event.bytes, "\x0f\x01\xd0", 3), 0));

	area.run.emulation_failure.insn_size = 0xff;
	event = taken(KVM_EXIT_INTERNAL_ERROR);
	cr_expect(eq(uint, event.byte_count, sizeof(event.bytes)), "not more than there is room for");
}

Test(exits, what_the_machine_has_no_word_for_is_named_as_kvm_names_it)
{
	struct machine_event event;

	area.run.internal.suberror = 2;
	event = taken(KVM_EXIT_INTERNAL_ERROR);
	cr_expect(eq(int, event.type, MACHINE_KVM));
	expect_text(event.text, "KVM_EXIT_INTERNAL_ERROR, suberror 2");
	area.run.fail_entry.hardware_entry_failure_reason = 0x80000021;
	expect_text(taken(KVM_EXIT_FAIL_ENTRY).text, "KVM_EXIT_FAIL_ENTRY, hardware reason 0x80000021");
	event = taken(KVM_EXIT_DEBUG);
	cr_expect(eq(u64, event.value, KVM_EXIT_DEBUG));
	expect_text(event.text, "KVM_EXIT_DEBUG (exit reason 4)");
	cr_expect(ne(ptr, strstr(taken(4000).text, "(exit reason 4000)"), NULL));
}

Test(exits, halt_and_triple_fault_are_themselves)
{
	cr_expect(eq(int, taken(KVM_EXIT_HLT).type, MACHINE_HALT));
	cr_expect(eq(int, taken(KVM_EXIT_SHUTDOWN).type, MACHINE_TRIPLE_FAULT));
}

/* One access of one byte to a register of the serial port; what was read. */
static uint8_t serial(bool is_write, unsigned int reg, uint8_t value)
{
	struct machine_event event;

	area.run.exit_reason = KVM_EXIT_IO;
	area.run.io.direction = is_write ? KVM_EXIT_IO_OUT : KVM_EXIT_IO_IN;
	area.run.io.port = (uint16_t)(0x3f8 + reg);
	area.run.io.size = 1;
	area.run.io.count = 1;
	area.run.io.data_offset = 4096;
	area.bytes[4096] = value;
	cr_expect(not(machine_take_exit(&machine, 0, &event)));
	return area.bytes[4096];
}

Test(exits, the_serial_port_answers_as_one_that_is_always_ready)
{
	cr_expect(eq(u8, serial(false, 5, 0), 0x60), "transmitter empty and idle");
	cr_expect(eq(u8, serial(false, 2, 0), 0x01), "no interrupt is pending");
	cr_expect(eq(u8, serial(false, 7, 0xaa), 0), "no register");
	serial(true, 3, 0x83);
	cr_expect(eq(u8, serial(false, 3, 0), 0x83));
	serial(true, 0, 'x');
	cr_expect(eq(sz, machine.serial.text.count, 0), "a byte of the divisor is not text");
	serial(true, 3, 0x03);
	serial(true, 0, 'y');
	cr_assert(eq(sz, machine.serial.text.count, 1));
	cr_expect(eq(chr, machine.serial.text.items[0], 'y'));
}

Test(exits, a_port_that_no_device_has_is_named)
{
	struct machine_event event;

	area.run.io.direction = KVM_EXIT_IO_IN;
	area.run.io.port = 0x70;
	area.run.io.size = 2;
	area.run.io.count = 1;
	area.run.io.data_offset = 4096;
	event = taken(KVM_EXIT_IO);
	cr_expect(eq(int, event.type, MACHINE_PORT));
	expect_text(event.text, "read of port 0x70, 2 bytes");
}
