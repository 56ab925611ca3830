/* SPDX-License-Identifier: MIT */
#include "base/progress.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char phase[160];

void progress_set(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	pthread_mutex_lock(&lock);
	vsnprintf(phase, sizeof(phase), format, arguments);
	pthread_mutex_unlock(&lock);
	va_end(arguments);
}

const char *progress_text(char *out, size_t size)
{
	pthread_mutex_lock(&lock);
	snprintf(out, size, "%s", phase);
	pthread_mutex_unlock(&lock);
	return out;
}
