/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "base/data_path.h"
#include "qemu/qemu.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static bool add(struct qemu_arguments *out, const char *format, ...)
{
	va_list list;
	char *text;
	int length;

	va_start(list, format);
	length = vasprintf(&text, format, list);
	va_end(list);
	if (length < 0)
		return false;
	if (array_push(out, text) == 0)
		return true;
	free(text);
	return false;
}

static bool add_pair(struct qemu_arguments *out, const char *option, const char *value)
{
	return add(out, "%s", option) && add(out, "%s", value);
}

/* Commas of a value are doubled (QEMU's QemuOpts). */
static bool append_quoted(char *out, size_t size, const char *key, const char *path)
{
	size_t length = strlen(out);

	length += (size_t)snprintf(out + length, size - length, ",%s=", key);
	for (; *path && length + 2 < size; path++) {
		out[length++] = *path;
		if (*path == ',')
			out[length++] = ',';
	}
	if (length >= size)
		return false;
	out[length] = '\0';
	return !*path;
}

static bool add_plugin(const struct qemu_config *config, const char *path, int shared,
		       struct qemu_arguments *out)
{
	char text[3 * PATH_MAX] = "";
	size_t length;

	if (!append_quoted(text, sizeof(text), "file", path))
		return false;
	length = strlen(text);
	snprintf(text + length, sizeof(text) - length,
		 ",mode=%u,low=%" PRIu64 ",strict=%d,disbelieve=%u,seed=%u", config->mode, QEMU_LOW_MEMORY,
		 config->strict, config->disbelieve, config->seed);
	length = strlen(text);
	if (shared >= 0)
		snprintf(text + length, sizeof(text) - length, ",shared=%d", shared);
	if (config->record && !append_quoted(text, sizeof(text), "record", config->record))
		return false;
	/* Without the first comma. */
	return add_pair(out, "-plugin", text + 1);
}

int qemu_arguments_plugin(const struct qemu_config *config, int shared, struct qemu_arguments *out,
			  struct error *error)
{
	char path[PATH_MAX];

	if (data_path_find("vmm/libkvmap-plugin.so", path, sizeof(path), error) < 0)
		return -1;
	if (add_pair(out, "-accel", "tcg,thread=multi") && add(out, "-m") &&
	    add(out, "%" PRIu64 "B", config->memory) && add(out, "-object") &&
	    add(out, "memory-backend-memfd,id=kvmap-ram,size=%" PRIu64 "B,share=on", config->memory) &&
	    add(out, "-machine") &&
	    add(out, "q35,memory-backend=kvmap-ram,max-ram-below-4g=%" PRIu64 "B,smm=off", QEMU_LOW_MEMORY) &&
	    add_plugin(config, path, shared, out))
		return 0;
	return error_set(error, ERROR_HOST, 0, 0, "out of memory for the arguments of QEMU");
}

int qemu_arguments_machine(const struct qemu_config *config, int qmp, struct qemu_arguments *out,
			   struct error *error)
{
	bool ok = add_pair(out, "-cpu", "max") && add(out, "-smp") && add(out, "%u", config->cpus) &&
		  add(out, "-nodefaults") && add_pair(out, "-display", "none") && add(out, "-no-reboot") &&
		  add_pair(out, "-chardev", "stdio,id=kvmap-console,signal=off") &&
		  add_pair(out, "-serial", "chardev:kvmap-console") && add(out, "-chardev") &&
		  add(out, "socket,id=kvmap-qmp,fd=%d", qmp) &&
		  add_pair(out, "-mon", "chardev=kvmap-qmp,mode=control") &&
		  add_pair(out, "-device", "isa-debug-exit,iobase=0xf4,iosize=4") &&
		  add_pair(out, "-device", "pvpanic") && add_pair(out, "-kernel", config->kernel);

	if (ok && config->initrd)
		ok = add_pair(out, "-initrd", config->initrd);
	if (ok && config->append)
		ok = add_pair(out, "-append", config->append);
	for (char *const *other = config->others; ok && other && *other; other++)
		ok = add(out, "%s", *other);
	return ok ? 0 : error_set(error, ERROR_HOST, 0, 0, "out of memory for the arguments of QEMU");
}

void qemu_arguments_free(struct qemu_arguments *arguments)
{
	for (size_t i = 0; i < arguments->count; i++)
		free(arguments->items[i]);
	free(arguments->items);
	*arguments = (struct qemu_arguments){ 0 };
}
