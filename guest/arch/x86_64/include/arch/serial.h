/* SPDX-License-Identifier: MIT */
/*
 * serial.h: the 16550 UART at KVMAP_PORT_SERIAL, output only.
 */
#ifndef GUEST_ARCH_PUBLIC_SERIAL_H
#define GUEST_ARCH_PUBLIC_SERIAL_H

void serial_put(char character);

#endif
