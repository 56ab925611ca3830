/* SPDX-License-Identifier: MIT */
#include "base/lazy_library.h"

#include <dlfcn.h>

/*
 * The first call of a function: saves what may be its arguments, loads the library of %r10, and goes on at the
 * address that %r11 points to.
 */
__asm__(".pushsection .text\n"
	".globl lazy_first_call\n"
	".hidden lazy_first_call\n"
	".type lazy_first_call, @function\n"
	"lazy_first_call:\n"
	"	.cfi_startproc\n"
	"	push %rbp\n"
	"	.cfi_def_cfa_offset 16\n"
	"	.cfi_offset %rbp, -16\n"
	"	mov %rsp, %rbp\n"
	"	.cfi_def_cfa_register %rbp\n"
	"	sub $0xc0, %rsp\n"
	"	and $-16, %rsp\n"
	"	mov %rdi, 0x00(%rsp)\n"
	"	mov %rsi, 0x08(%rsp)\n"
	"	mov %rdx, 0x10(%rsp)\n"
	"	mov %rcx, 0x18(%rsp)\n"
	"	mov %r8, 0x20(%rsp)\n"
	"	mov %r9, 0x28(%rsp)\n"
	"	mov %rax, 0x30(%rsp)\n"
	"	mov %r11, 0x38(%rsp)\n"
	"	movaps %xmm0, 0x40(%rsp)\n"
	"	movaps %xmm1, 0x50(%rsp)\n"
	"	movaps %xmm2, 0x60(%rsp)\n"
	"	movaps %xmm3, 0x70(%rsp)\n"
	"	movaps %xmm4, 0x80(%rsp)\n"
	"	movaps %xmm5, 0x90(%rsp)\n"
	"	movaps %xmm6, 0xa0(%rsp)\n"
	"	movaps %xmm7, 0xb0(%rsp)\n"
	"	mov %r10, %rdi\n"
	"	call lazy_library_need\n"
	"	mov 0x00(%rsp), %rdi\n"
	"	mov 0x08(%rsp), %rsi\n"
	"	mov 0x10(%rsp), %rdx\n"
	"	mov 0x18(%rsp), %rcx\n"
	"	mov 0x20(%rsp), %r8\n"
	"	mov 0x28(%rsp), %r9\n"
	"	mov 0x30(%rsp), %rax\n"
	"	mov 0x38(%rsp), %r11\n"
	"	movaps 0x40(%rsp), %xmm0\n"
	"	movaps 0x50(%rsp), %xmm1\n"
	"	movaps 0x60(%rsp), %xmm2\n"
	"	movaps 0x70(%rsp), %xmm3\n"
	"	movaps 0x80(%rsp), %xmm4\n"
	"	movaps 0x90(%rsp), %xmm5\n"
	"	movaps 0xa0(%rsp), %xmm6\n"
	"	movaps 0xb0(%rsp), %xmm7\n"
	"	leave\n"
	"	.cfi_def_cfa %rsp, 8\n"
	"	jmp *(%r11)\n"
	"	.cfi_endproc\n"
	".size lazy_first_call, . - lazy_first_call\n"
	".popsection\n");

int lazy_library_load(const struct lazy_library *library, struct error *error)
{
	/* dlopen() returns the same handle for a loaded library. Two threads write the same addresses. */
	void *handle = dlopen(library->file, RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		return error_set(error, ERROR_HOST, 0, 0, "%s cannot be loaded: is it installed? (%s)",
				 library->file, dlerror());
	for (size_t i = 0; i < library->count; i++) {
		void *address = dlsym(handle, library->functions[i].name);

		if (!address)
			return error_set(error, ERROR_HOST, 0, 0, "%s has no function %s: is it too old?",
					 library->file, library->functions[i].name);
		__atomic_store_n(library->functions[i].address, address, __ATOMIC_RELAXED);
	}
	return 0;
}

static void (*end)(const char *text);

void lazy_library_begin(void (*missing)(const char *text))
{
	end = missing;
}

void lazy_library_need(const struct lazy_library *library)
{
	struct error error;

	if (lazy_library_load(library, &error) == 0)
		return;
	if (end)
		end(error.text);
	__builtin_trap();
}
