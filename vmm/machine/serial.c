/* SPDX-License-Identifier: MIT */
/*
 * serial.c: collects the text that the guest prints.
 */
#include "machine/serial.h"
#include "base/array.h"

#include <stdlib.h>

enum serial_register {
	TRANSMIT = 0,     /* divisor, while LINE_CONTROL_DIVISOR is set */
	INTERRUPT_ID = 2, /* read */
	LINE_CONTROL = 3,
	LINE_STATUS = 5,
};

#define LINE_CONTROL_DIVISOR  0x80
#define INTERRUPT_ID_NONE     0x01
#define LINE_STATUS_THR_EMPTY 0x20
#define LINE_STATUS_IDLE      0x40

void serial_write(struct serial *serial, unsigned int reg, uint8_t value)
{
	if (reg == LINE_CONTROL)
		serial->line_control = value;
	if (reg != TRANSMIT || serial->line_control & LINE_CONTROL_DIVISOR)
		return;
	/* Text beyond the bound is dropped, and text for which there is no memory. */
	if (serial->text.count < SERIAL_TEXT_MAX)
		(void)array_push(&serial->text, (char)value);
}

uint8_t serial_read(const struct serial *serial, unsigned int reg)
{
	switch (reg) {
	case INTERRUPT_ID: return INTERRUPT_ID_NONE;
	case LINE_CONTROL: return serial->line_control;
	case LINE_STATUS: return LINE_STATUS_THR_EMPTY | LINE_STATUS_IDLE;
	default: return 0;
	}
}

void serial_destroy(struct serial *serial)
{
	free(serial->text.items);
	*serial = (struct serial){ 0 };
}
