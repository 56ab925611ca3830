/* SPDX-License-Identifier: MIT */
/*
 * qemu.h: QEMU 10 or newer as a process that runs any guest under kvmap's plugin (vmm/plugin).
 */
#ifndef VMM_QEMU_QEMU_H
#define VMM_QEMU_QEMU_H

#include "base/array.h"
#include "base/error.h"
#include "plugin/shared.h"

#define QEMU_CPUS_MAX 64
/* Memory below the gap for devices; the rest is above 4G. */
#define QEMU_LOW_MEMORY (UINT64_C(2) << 30)

struct qemu_config {
	const char *kernel, *initrd, *append; /* initrd, append: NULL: none */
	uint64_t memory;
	unsigned int cpus;
	unsigned int mode; /* 0: flushes, 1: and tables, 2: and accesses */
	bool strict;
	uint32_t disbelieve, seed;
	const char *record;  /* NULL: none */
	uint32_t timeout;    /* seconds; 0: none */
	char *const *others; /* arguments that are added; NULL ends them */
	/* Gets the output of the guest's serial port. */
	void (*console)(void *context, const char *bytes, size_t size);
	void *context;
};

enum qemu_end {
	QEMU_SHUT_DOWN, /* by ACPI, or what the machine has for it */
	QEMU_EXITED,    /* through isa-debug-exit, with a status */
	QEMU_RESET,     /* the guest reset the machine: a reboot, or a triple fault */
	QEMU_PANICKED,  /* by pvpanic, or by a line on the serial port */
	QEMU_TIMED_OUT,
	QEMU_INTERRUPTED, /* this process got a signal */
	QEMU_DIED,        /* by itself */
};

struct qemu_outcome {
	enum qemu_end end;
	int status;                  /* of the process */
	struct plugin_shared shared; /* a checked copy */
};

/* The path of the program. ERROR_INPUT: none that is new enough. */
int qemu_find(char *out, size_t size, struct error *error);

struct qemu_arguments {
	ARRAY_OF(char *);
};

/* The arguments that any QEMU command needs, so that the plugin sees the guest. `shared`: descriptor for the plugin; -1: none. */
int qemu_arguments_plugin(const struct qemu_config *config, int shared, struct qemu_arguments *out,
			  struct error *error);
/* The rest of the command of qemu_run(). qmp: descriptor of the monitor. */
int qemu_arguments_machine(const struct qemu_config *config, int qmp, struct qemu_arguments *out,
			   struct error *error);
void qemu_arguments_free(struct qemu_arguments *arguments);

/* Runs the guest to its end, or until a signal was received (base/signals.h). */
int qemu_run(const struct qemu_config *config, struct qemu_outcome *out, struct error *error);

#endif
