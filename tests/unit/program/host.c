/* SPDX-License-Identifier: MIT */
/* Calls of the host that failing.h makes fail. */
#include "failing.h"

#include <elfutils/libdwfl.h>
#include <sys/mman.h>
#include <sys/stat.h>

WRAP(int, fstat64, (int fd, struct stat *status), (fd, status), -1)
WRAP(void *, mmap64, (void *at, size_t size, int protection, int flags, int fd, off_t offset),
     (at, size, protection, flags, fd, offset), MAP_FAILED)
WRAP(bool, dwfl_attach_state,
     (Dwfl * dwfl, Elf *elf, pid_t process, const Dwfl_Thread_Callbacks *callbacks, void *context),
     (dwfl, elf, process, callbacks, context), false)
