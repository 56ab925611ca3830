/* SPDX-License-Identifier: MIT */
#include "host.h"

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* The linker's names for the functions and for the calls of them (--wrap). */
int __real_fstat64(int fd, struct stat *status);
int __wrap_fstat64(int fd, struct stat *status);
void *__real_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset);
bool __real_dwfl_attach_state(Dwfl *dwfl, Elf *elf, pid_t process, const Dwfl_Thread_Callbacks *callbacks,
			      void *context);
bool __wrap_dwfl_attach_state(Dwfl *dwfl, Elf *elf, pid_t process, const Dwfl_Thread_Callbacks *callbacks,
			      void *context);

static enum host_call chosen;
static bool failed;

void host_fail(enum host_call call)
{
	chosen = call;
	failed = false;
}

bool host_failed(void)
{
	return failed;
}

static bool fails(enum host_call call)
{
	if (chosen != call)
		return false;
	chosen = HOST_NONE;
	failed = true;
	errno = EIO;
	return true;
}

int __wrap_fstat64(int fd, struct stat *status)
{
	return fails(HOST_FSTAT) ? -1 : __real_fstat64(fd, status);
}

void *__wrap_mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	return fails(HOST_MMAP) ? MAP_FAILED : __real_mmap64(at, size, protection, flags, fd, offset);
}

bool __wrap_dwfl_attach_state(Dwfl *dwfl, Elf *elf, pid_t process, const Dwfl_Thread_Callbacks *callbacks,
			      void *context)
{
	return !fails(HOST_ATTACH_STATE) && __real_dwfl_attach_state(dwfl, elf, process, callbacks, context);
}
