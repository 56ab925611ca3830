/* SPDX-License-Identifier: MIT */
/*
 * ports.h: the port I/O interface between guest and host.
 */
#ifndef KVMAP_PORTS_H
#define KVMAP_PORTS_H

/* 16550 UART, transmit only. */
#define KVMAP_PORT_SERIAL 0x3f8

/* QEMU's isa-debug-exit: a 32-bit write of v ends QEMU with status 2v+1. */
#define KVMAP_PORT_EXIT 0xf4

/*
 * A 32-bit write of an enum kvmap_doorbell stops the vCPU until the host has answered. Used only with a
 * channel.
 */
#define KVMAP_PORT_DOORBELL 0xb04

enum kvmap_doorbell {
	KVMAP_DOORBELL_DRAIN = 1,  /* the channel is full: read the records */
	KVMAP_DOORBELL_VERIFY = 2, /* `verify` in a script: verify now */
	KVMAP_DOORBELL_FAULT =
		3, /* the newest record is a KVMAP_RECORD_FAULT: check it against the page tables now */
	KVMAP_DOORBELL_OOPS = 4,    /* the newest records are of an oops; the guest exits next */
	KVMAP_DOORBELL_FLUSHES = 5, /* half of tlb_flush_log is new: read it before it is overwritten */
	KVMAP_DOORBELL_IDLE = 6,    /* all operations of the ring (ring.h) are done, and all CPUs are idle */
	KVMAP_DOORBELL_SHOW = 7,    /* `show` in a script: read now what it names */
	KVMAP_DOORBELL_LOG = 8, /* the event log begins, or one of its logs is full: read all (event_log.h) */
};

enum kvmap_exit {
	KVMAP_EXIT_OK = 0x10,      /* every operation was done, or refused as expected */
	KVMAP_EXIT_REFUSED = 0x11, /* an operation was refused or failed against the script's expectation */
	KVMAP_EXIT_OOPS = 0x12,    /* an unexpected exception, or a boot that could not continue */
};

#endif
