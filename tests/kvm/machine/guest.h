/* SPDX-License-Identifier: MIT */
/*
 * guest.h: tiny guests: a few bytes of 32-bit code, booted on the real /dev/kvm. Without it the tests fail.
 */
#ifndef TESTS_KVM_MACHINE_GUEST_H
#define TESTS_KVM_MACHINE_GUEST_H

#include "image.h"
#include "machine/machine.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

/* GPA of the channel as the machine says in the boot record; the code of some guests has it built in. */
#define CHANNEL_GPA 0x10000

/* A booted machine with `memory` bytes; a boot record is its whole module. Ends the test if that fails. */
struct machine *guest_boot(const void *code, size_t size, uint64_t memory, unsigned int cpus);

/* The same with 16 MiB, for machine_hold(). */
struct machine *guest_boot_holdable(const void *code, size_t size, unsigned int cpus);

/* Boots with 16 MiB. `code` is a string literal, its terminating NUL no part of it. */
#define GUEST(code)               guest_boot((code), sizeof(code) - 1, 16 << 20, 1)
#define GUEST_OF_MANY(code, cpus) guest_boot((code), sizeof(code) - 1, 16 << 20, (cpus))

/* Runs with a limit of `milliseconds` (0: none); ends the test if KVM fails. */
struct machine_event guest_run(struct machine *machine, unsigned int milliseconds);

/* The registers of the stopped machine. */
const struct view *guest_view(struct machine *machine);

/* mov $value, %eax; out %eax, $0xf4 */
#define EXIT_WITH(byte) "\xb8" byte "\0\0\0\xe7\xf4"

#endif
