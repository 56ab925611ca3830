/* SPDX-License-Identifier: MIT */
/*
 * port.c: the devices at I/O ports: serial port, doorbell, exit.
 */
#include "kvmap/ports.h"
#include "machine/machine_internal.h"

#include <stdio.h>
#include <string.h>

static void serial_take(struct serial *serial, unsigned int reg, bool is_write, uint8_t *bytes,
			uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (is_write)
			serial_write(serial, reg, bytes[i]);
		else
			bytes[i] = serial_read(serial, reg);
	}
}

/* The value of an OUT; INS and OUTS have `count` values. */
static uint64_t value_of(const uint8_t *bytes, uint32_t size)
{
	uint64_t value = 0;

	memcpy(&value, bytes, size < sizeof(value) ? size : sizeof(value));
	return value;
}

bool machine_take_port(struct machine *machine, struct kvm_run *run, struct machine_event *event)
{
	uint8_t *bytes = (uint8_t *)run + run->io.data_offset;
	uint32_t port = run->io.port, size = run->io.size;
	bool is_write = run->io.direction == KVM_EXIT_IO_OUT;

	if (port >= KVMAP_PORT_SERIAL && port < KVMAP_PORT_SERIAL + SERIAL_REGISTERS && size == 1) {
		serial_take(&machine->serial, port - KVMAP_PORT_SERIAL, is_write, bytes, run->io.count);
		return false;
	}
	event->value = value_of(bytes, size);
	if (is_write && run->io.count == 1 && port == KVMAP_PORT_DOORBELL) {
		event->type = MACHINE_DOORBELL;
		return true;
	}
	if (is_write && run->io.count == 1 && port == KVMAP_PORT_EXIT) {
		event->type = MACHINE_EXIT;
		return true;
	}
	event->type = MACHINE_PORT;
	snprintf(event->text, sizeof(event->text), "%s port 0x%x, %u byte%s",
		 is_write ? "write to" : "read of", port, size, size == 1 ? "" : "s");
	event->value = port;
	event->length = size;
	event->is_write = is_write;
	return true;
}
