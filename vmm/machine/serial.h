/* SPDX-License-Identifier: MIT */
/*
 * serial.h: a 16550 that only transmits, always ready (National Semiconductor PC16550D data sheet).
 */
#ifndef VMM_MACHINE_SERIAL_H
#define VMM_MACHINE_SERIAL_H

#include "base/array.h"

#include <stddef.h>
#include <stdint.h>

#define SERIAL_REGISTERS 8
#define SERIAL_TEXT_MAX  (1u << 20)

struct serial {
	uint8_t line_control;
	ARRAY_OF(char) text; /* sent bytes, at most SERIAL_TEXT_MAX; later ones are dropped */
};

/* A byte written to register 0..7. */
void serial_write(struct serial *serial, unsigned int reg, uint8_t value);

/* A byte read from register 0..7. */
uint8_t serial_read(const struct serial *serial, unsigned int reg);

void serial_destroy(struct serial *serial);

#endif
