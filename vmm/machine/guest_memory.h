/* SPDX-License-Identifier: MIT */
/*
 * guest_memory.h: RAM of the guest: one memfd, mapped once, at one or two guest physical ranges.
 *
 *   GPA 0        .. GUEST_LOW_END    RAM, with the boot records and the channel
 *       LOW_END  .. 1 MiB            backed, but reserved in the memory map (firmware on a PC)
 *       1 MiB    .. 3 GiB            RAM
 *       3 GiB    .. 4 GiB            no memory (devices on a PC)
 *       4 GiB    ..                  the rest of RAM
 */
#ifndef VMM_MACHINE_GUEST_MEMORY_H
#define VMM_MACHINE_GUEST_MEMORY_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define GUEST_LOW_END    0x9f000ull
#define GUEST_RAM_START  0x100000ull
#define GUEST_HOLE_START (3ull << 30)
#define GUEST_HIGH_START (4ull << 30)

struct guest_memory {
	int fd;
	uint8_t *bytes; /* mapping of fd */
	uint64_t size;  /* sum of all pieces */
};

/* A piece of RAM. */
struct guest_piece {
	uint64_t gpa;
	uint64_t size;
	uint64_t offset; /* in fd */
};

#define GUEST_PIECES_MAX 2

/* Creates zeroed memory of `size` bytes, allocated by the host on first access. ERROR_INPUT: invalid size. */
int guest_memory_create(uint64_t size, struct guest_memory *out, struct error *error);

/* An all-zero struct is allowed. */
void guest_memory_destroy(struct guest_memory *memory);

/* The pieces by ascending address. Returns their number. */
unsigned int guest_memory_pieces(uint64_t size, struct guest_piece pieces[GUEST_PIECES_MAX]);

/* Bytes of RAM below 3 GiB; their GPA is their offset. */
uint64_t guest_memory_low_size(uint64_t size);

#endif
