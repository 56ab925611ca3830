/* SPDX-License-Identifier: MIT */
/*
 * guest_memory.c: the guest's RAM.
 */
#define _GNU_SOURCE /* memfd_create, F_ADD_SEALS */
#include "machine/guest_memory.h"
#include "base/number.h"
#include "machine/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY_STEP (2ull << 20)

static int size_check(uint64_t size, struct error *error)
{
	char given[32], least[32], most[32], step[32];

	if (size >= MACHINE_MEMORY_MIN && size <= MACHINE_MEMORY_MAX && size % MEMORY_STEP == 0)
		return 0;
	return error_set(error, ERROR_INPUT, 0, 0,
			 "a guest cannot have %s of memory: give it %s to %s, a multiple of %s",
			 number_bytes(size, given, sizeof(given)),
			 number_bytes(MACHINE_MEMORY_MIN, least, sizeof(least)),
			 number_bytes(MACHINE_MEMORY_MAX, most, sizeof(most)),
			 number_bytes(MEMORY_STEP, step, sizeof(step)));
}

int guest_memory_create(uint64_t size, struct guest_memory *out, struct error *error)
{
	char text[32];
	void *bytes;
	int fd;

	if (size_check(size, error) < 0)
		return -1;
	fd = memfd_create("kvmap-guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return error_set(error, ERROR_HOST, errno, 0, "cannot make guest memory");
	/* Sealed, so that a process that maps it cannot get SIGBUS by a truncation. */
	if (ftruncate(fd, (off_t)size) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0)
		goto failed;
	bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (bytes == MAP_FAILED)
		goto failed;
	*out = (struct guest_memory){ .fd = fd, .bytes = bytes, .size = size };
	return 0;
failed:
	error_set(error, ERROR_HOST, errno, 0, "cannot map %s of guest memory",
		  number_bytes(size, text, sizeof(text)));
	close(fd);
	return -1;
}

void guest_memory_destroy(struct guest_memory *memory)
{
	if (!memory->bytes)
		return;
	munmap(memory->bytes, memory->size);
	close(memory->fd);
	*memory = (struct guest_memory){ 0 };
}

uint64_t guest_memory_low_size(uint64_t size)
{
	return size < GUEST_HOLE_START ? size : GUEST_HOLE_START;
}

unsigned int guest_memory_pieces(uint64_t size, struct guest_piece pieces[GUEST_PIECES_MAX])
{
	uint64_t low = guest_memory_low_size(size);

	pieces[0] = (struct guest_piece){ .gpa = 0, .size = low, .offset = 0 };
	if (size == low)
		return 1;
	pieces[1] = (struct guest_piece){ .gpa = GUEST_HIGH_START, .size = size - low, .offset = low };
	return 2;
}
