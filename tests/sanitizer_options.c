/* SPDX-License-Identifier: MIT */
/*
 * sanitizer_options.c: default options of the sanitizers in programs that load libraries at run time.
 *
 * LeakSanitizer crashes at times when it reads the thread-local storage of a library that was loaded at run time, as
 * base/lazy_library.h does ("Tracer caught signal 11").
 */
const char *__lsan_default_options(void);

const char *__lsan_default_options(void)
{
	return "use_tls=0:print_suppressions=0";
}
