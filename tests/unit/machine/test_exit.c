/* SPDX-License-Identifier: MIT */
/*
 * Exits in a run area that the test fills, with values that a guest cannot produce on every host.
 */
#include "kvmap/ports.h"
#include "machine/machine_internal.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define DATA_OFFSET 4096

static union {
	struct kvm_run run;
	uint8_t bytes[2 * DATA_OFFSET];
} area;
static struct kvm_run *const run = &area.run;
static struct kvm_vcpu vcpus[2] = { { .run = &area.run }, { .run = &area.run } };
static struct machine machine = { .cpus = 2, .vcpus = vcpus };
static struct machine_event event;

/* The events of an earlier exit are in `event`. */
static void prepare(void)
{
	memset(&event, 0xff, sizeof(event));
}

static void finish(void)
{
	serial_destroy(&machine.serial);
}

TestSuite(exit, .init = prepare, .fini = finish);

/* The exit is one for the caller of machine_run(). */
static void take(uint32_t reason)
{
	run->exit_reason = reason;
	cr_assert(machine_take_exit(&machine, 1, &event));
	cr_expect(eq(uint, event.cpu, 1));
}

static bool port_is_served(uint16_t port, uint8_t direction, uint8_t size, uint32_t count)
{
	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = direction;
	run->io.size = size;
	run->io.port = port;
	run->io.count = count;
	run->io.data_offset = DATA_OFFSET;
	return !machine_take_exit(&machine, 1, &event);
}

static void expect_serial(const char *text)
{
	cr_assert(eq(sz, machine.serial.text.count, strlen(text)));
	cr_expect(eq(int, memcmp(machine.serial.text.items, text, strlen(text)), 0));
}

/* ---- memory and the processor ---- */

Test(exit, a_store_of_eight_bytes_without_memory_has_its_value)
{
	run->mmio.phys_addr = 0xfee00123456;
	run->mmio.len = 8;
	run->mmio.is_write = 1;
	memcpy(run->mmio.data, "\x88\x77\x66\x55\x44\x33\x22\x11", 8);
	take(KVM_EXIT_MMIO);
	cr_expect(eq(int, event.type, MACHINE_MMIO));
	cr_expect(eq(u64, event.address, 0xfee00123456));
	cr_expect(eq(u32, event.length, 8));
	cr_expect(event.is_write);
	cr_expect(eq(u64, event.value, 0x1122334455667788));
}

Test(exit, a_load_has_no_value_whatever_the_run_area_holds)
{
	run->mmio.phys_addr = 0x1000;
	run->mmio.len = 2;
	run->mmio.is_write = 0;
	memset(run->mmio.data, 0xaa, sizeof(run->mmio.data));
	take(KVM_EXIT_MMIO);
	cr_expect(not(event.is_write));
	cr_expect(eq(u32, event.length, 2));
	cr_expect(eq(u64, event.value, 0));
}

Test(exit, hlt_and_shutdown_carry_nothing_of_an_earlier_exit)
{
	take(KVM_EXIT_HLT);
	cr_expect(eq(int, event.type, MACHINE_HALT));
	cr_expect(eq(u64, event.value, 0));
	prepare();
	take(KVM_EXIT_SHUTDOWN);
	cr_expect(eq(int, event.type, MACHINE_TRIPLE_FAULT));
	cr_expect(eq(u8, event.byte_count, 0));
	cr_expect(eq(u8, (uint8_t)event.text[0], 0));
}

static void take_emulation_failure(uint32_t words, uint64_t flags, uint8_t size)
{
	prepare();
	run->emulation_failure.suberror = KVM_INTERNAL_ERROR_EMULATION;
	run->emulation_failure.ndata = words;
	run->emulation_failure.flags = flags;
	run->emulation_failure.insn_size = size;
	for (unsigned int i = 0; i < sizeof(run->emulation_failure.insn_bytes); i++)
		run->emulation_failure.insn_bytes[i] = (uint8_t)(0x10 + i);
	take(KVM_EXIT_INTERNAL_ERROR);
	cr_expect(eq(int, event.type, MACHINE_EMULATION_FAILURE));
}

Test(exit, an_emulation_failure_has_the_bytes_of_its_instruction)
{
	take_emulation_failure(4, KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES, 3);
	cr_expect(eq(u8, event.byte_count, 3));
	cr_expect(eq(int, memcmp(event.bytes, "\x10\x11\x12", 3), 0));
	take_emulation_failure(3, KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES, 15);
	cr_expect(eq(u8, event.byte_count, 15));
	cr_expect(eq(u8, event.bytes[14], 0x1e));
}

Test(exit, more_bytes_than_an_instruction_has_are_cut)
{
	take_emulation_failure(4, KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES, 255);
	cr_expect(eq(u8, event.byte_count, 15));
}

Test(exit, bytes_that_kvm_did_not_report_are_not_shown)
{
	/* Fewer words than flags, size and bytes take. */
	for (uint32_t words = 0; words < 3; words++) {
		take_emulation_failure(words, KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES, 3);
		cr_expect(eq(u8, event.byte_count, 0), "%u words", words);
	}
	take_emulation_failure(4, ~KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES, 3);
	cr_expect(eq(u8, event.byte_count, 0));
}

Test(exit, other_internal_errors_are_named_with_their_suberror)
{
	run->internal.suberror = KVM_INTERNAL_ERROR_DELIVERY_EV;
	take(KVM_EXIT_INTERNAL_ERROR);
	cr_expect(eq(int, event.type, MACHINE_KVM));
	cr_expect(eq(u64, event.value, KVM_EXIT_INTERNAL_ERROR));
	expect_text(event.text, "KVM_EXIT_INTERNAL_ERROR, suberror 3");
}

Test(exit, a_failed_entry_is_named_with_the_hardwares_reason)
{
	run->fail_entry.hardware_entry_failure_reason = 0x80000021;
	take(KVM_EXIT_FAIL_ENTRY);
	cr_expect(eq(int, event.type, MACHINE_KVM));
	expect_text(event.text, "KVM_EXIT_FAIL_ENTRY, hardware reason 0x80000021");
}

Test(exit, every_reason_there_is_not_is_an_event_too)
{
	static const uint32_t reasons[] = { KVM_EXIT_DEBUG, 24, 1000, 0x7fffffff, UINT32_MAX };

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		prepare();
		take(reasons[i]);
		cr_expect(eq(int, event.type, MACHINE_KVM));
		cr_expect(eq(u64, event.value, reasons[i]));
		cr_expect(ne(ptr, strstr(event.text, "exit reason "), NULL), "%s", event.text);
	}
	expect_text(event.text, "unknown exit (exit reason 4294967295)");
}

/* ---- ports ---- */

Test(exit, a_doorbell_is_one_write_of_any_size)
{
	memcpy(area.bytes + DATA_OFFSET, "\x78\x56\x34\x12", 4);
	cr_assert(not(port_is_served(KVMAP_PORT_DOORBELL, KVM_EXIT_IO_OUT, 2, 1)));
	cr_expect(eq(int, event.type, MACHINE_DOORBELL));
	cr_expect(eq(u64, event.value, 0x5678));
	cr_assert(not(port_is_served(KVMAP_PORT_EXIT, KVM_EXIT_IO_OUT, 4, 1)));
	cr_expect(eq(int, event.type, MACHINE_EXIT));
	cr_expect(eq(u64, event.value, 0x12345678));
}

/* OUTS with a count would be many doorbells: the guest has no use for it. */
Test(exit, a_string_to_the_doorbell_or_exit_port_is_neither)
{
	cr_assert(not(port_is_served(KVMAP_PORT_DOORBELL, KVM_EXIT_IO_OUT, 4, 2)));
	cr_expect(eq(int, event.type, MACHINE_PORT));
	expect_text(event.text, "write to port 0xb04, 4 bytes");
	cr_assert(not(port_is_served(KVMAP_PORT_EXIT, KVM_EXIT_IO_OUT, 1, 7)));
	cr_expect(eq(int, event.type, MACHINE_PORT));
	expect_text(event.text, "write to port 0xf4, 1 byte");
	cr_expect(eq(u64, event.value, KVMAP_PORT_EXIT));
	cr_expect(eq(u32, event.length, 1));
	cr_expect(event.is_write);
}

Test(exit, a_read_of_the_exit_port_is_no_exit)
{
	cr_assert(not(port_is_served(KVMAP_PORT_EXIT, KVM_EXIT_IO_IN, 4, 1)));
	cr_expect(eq(int, event.type, MACHINE_PORT));
	cr_expect(not(event.is_write));
	expect_text(event.text, "read of port 0xf4, 4 bytes");
}

Test(exit, the_serial_port_has_eight_registers_of_a_byte)
{
	static const uint16_t others[] = { KVMAP_PORT_SERIAL - 1, KVMAP_PORT_SERIAL + 8, 0, 0xffff };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		cr_assert(not(port_is_served(others[i], KVM_EXIT_IO_OUT, 1, 1)));
		cr_expect(eq(int, event.type, MACHINE_PORT));
		cr_expect(eq(u64, event.value, others[i]));
	}
	cr_expect(not(port_is_served(KVMAP_PORT_SERIAL, KVM_EXIT_IO_OUT, 2, 1)));
	for (uint16_t reg = 0; reg < 8; reg++)
		cr_expect(port_is_served(KVMAP_PORT_SERIAL + reg, KVM_EXIT_IO_IN, 1, 1));
}

Test(exit, each_byte_of_a_string_to_the_serial_port_is_sent)
{
	memcpy(area.bytes + DATA_OFFSET, "text", 4);
	cr_assert(port_is_served(KVMAP_PORT_SERIAL, KVM_EXIT_IO_OUT, 1, 4));
	expect_serial("text");
	cr_assert(port_is_served(KVMAP_PORT_SERIAL, KVM_EXIT_IO_OUT, 1, 0));
	expect_serial("text");
}

Test(exit, a_string_from_the_serial_port_repeats_the_register)
{
	memset(area.bytes + DATA_OFFSET, 0xee, 5);
	cr_assert(port_is_served(KVMAP_PORT_SERIAL + 5, KVM_EXIT_IO_IN, 1, 4));
	cr_expect(eq(int, memcmp(area.bytes + DATA_OFFSET, "\x60\x60\x60\x60\xee", 5), 0),
		  "the transmitter is empty, and no byte more is written");
}

/* ---- the serial port ---- */

Test(exit, a_divisor_is_not_text)
{
	serial_write(&machine.serial, 3, 0x83);
	serial_write(&machine.serial, 0, 'x');
	cr_expect(eq(u8, serial_read(&machine.serial, 3), 0x83));
	serial_write(&machine.serial, 3, 0x03);
	serial_write(&machine.serial, 0, 'y');
	for (unsigned int reg = 1; reg < 8; reg++)
		if (reg != 3)
			serial_write(&machine.serial, reg, 'z');
	expect_serial("y");
	cr_expect(eq(u8, serial_read(&machine.serial, 2), 1), "no interrupt is pending");
	cr_expect(eq(u8, serial_read(&machine.serial, 0), 0));
}

Test(exit, text_beyond_a_mebibyte_is_dropped)
{
	for (unsigned int i = 0; i < SERIAL_TEXT_MAX + 100; i++)
		serial_write(&machine.serial, 0, i < SERIAL_TEXT_MAX ? 'a' : 'b');
	cr_expect(eq(sz, machine.serial.text.count, SERIAL_TEXT_MAX));
	cr_expect(eq(u8, (uint8_t)machine.serial.text.items[SERIAL_TEXT_MAX - 1], 'a'));
}
