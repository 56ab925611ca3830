/* SPDX-License-Identifier: MIT */
/*
 * serial.c: the UART needs no set-up, since no emulated line has a speed. Only the FIFO is enabled, so that
 * one read of the line status serves 16 characters.
 */
#include "arch/serial.h"
#include "arch/x86_64/io.h"
#include "kvmap/ports.h"

#define UART_FIFO_CONTROL 2
#define UART_FIFO_ENABLE  0x01
#define UART_FIFO_SIZE    16
#define UART_LINE_STATUS  5
#define UART_SENT         0x20 /* the FIFO is empty */

/* Polls before a character is dropped: a missing or stuck UART must not stop the run. */
#define UART_POLLS 100000

static u32 room;
static bool fifo_on;

static void wait_for_room(void)
{
	for (u32 i = 0; i < UART_POLLS; i++)
		if (inb(KVMAP_PORT_SERIAL + UART_LINE_STATUS) & UART_SENT)
			break;
	room = UART_FIFO_SIZE;
}

void serial_put(char character)
{
	if (!fifo_on) {
		outb(KVMAP_PORT_SERIAL + UART_FIFO_CONTROL, UART_FIFO_ENABLE);
		fifo_on = true;
	}
	if (!room)
		wait_for_room();
	outb(KVMAP_PORT_SERIAL, (u8)character);
	room--;
}
