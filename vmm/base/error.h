/* SPDX-License-Identifier: MIT */
/*
 * error.h: errors as data. A function that can fail returns 0 or -1 and fills a struct error that its caller
 * gave; nothing below vmm/commands prints one. An _out parameter is untouched on failure.
 */
#ifndef VMM_BASE_ERROR_H
#define VMM_BASE_ERROR_H

#include <stdint.h>

enum error_kind {
	ERROR_INPUT,      /* what the user gave is wrong: file, option, script */
	ERROR_PERMISSION, /* it is there but may not be used */
	ERROR_HOST,       /* the host lacks something: no KVM, no memory, no such API */
	ERROR_GUEST,      /* the guest's memory says something that cannot be */
};

struct error {
	enum error_kind kind;
	int errnum;       /* errno, 0 if none */
	uint64_t address; /* of the fault in the guest or offset in the file, 0 if none */
	char text[1024];  /* one line, no newline: what, where, and what to do. Guest and file strings escaped
			   */
};

/* Fills *error; errnum 0 adds nothing, else ": strerror" is appended. Always returns -1, so that one may
 * write `return error_set(...)`. */
int error_set(struct error *error, enum error_kind kind, int errnum, uint64_t address, const char *format,
	      ...) __attribute__((format(printf, 5, 6)));

#endif
