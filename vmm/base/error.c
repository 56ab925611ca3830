/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include "base/escape.h"
#include "base/number.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* A file that is too large exceeds the limit of the process, if it has one: ": the limit is 1000 KiB (ulimit -f)". */
static const char *limit_text(int errnum, char *out, size_t size)
{
	struct rlimit limit;
	char bytes[32];

	*out = '\0';
	if (errnum == EFBIG && getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		snprintf(out, size, ": the limit is %s (ulimit -f)",
			 number_bytes(limit.rlim_cur, bytes, sizeof(bytes)));
	return out;
}

int error_set(struct error *error, enum error_kind kind, int errnum, uint64_t address, const char *format,
	      ...)
{
	char raw[sizeof(error->text)], limit[80];
	va_list arguments;
	size_t length;

	error->kind = kind;
	error->errnum = errnum;
	error->address = address;
	va_start(arguments, format);
	vsnprintf(raw, sizeof(raw), format, arguments);
	va_end(arguments);
	/* Paths and names are not always escaped by callers. A text that is escaped already is not changed. */
	text_filter(raw, strlen(raw), error->text, sizeof(error->text));
	if (errnum) {
		length = strlen(error->text);
		snprintf(error->text + length, sizeof(error->text) - length, ": %s%s", strerror(errnum),
			 limit_text(errnum, limit, sizeof(limit)));
	}
	return -1;
}
