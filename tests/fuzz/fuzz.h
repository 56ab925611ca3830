/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h: what every fuzz target is: a function of bytes that anyone may have written.
 *
 * One file per target. libFuzzer's main calls these in `./dev fuzz`; replay.c's main calls them on the seeds
 * in every test run.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Must come back whatever the bytes are, and leave nothing behind. Returns 0. A broken promise: fuzz_expect.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Once, before the first input. A target without something to set up need not have it. Returns 0. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Ends the process with a line, so that the input is kept as a finding. */
#define fuzz_expect(condition) ((condition) ? (void)0 : fuzz_broken(#condition, __FILE__, __LINE__))
void fuzz_broken(const char *promise, const char *file, int line) __attribute__((noreturn));

/* ---- the input, read from its start ---- */

struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

/* The next `size` bytes as a little-endian number, at most 8; zeros where the input has ended. */
uint64_t fuzz_number(struct fuzz_input *input, size_t size);

#endif
