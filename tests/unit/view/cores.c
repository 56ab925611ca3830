/* SPDX-License-Identifier: MIT */
/*
 * cores.c: small cores, made and opened.
 */
#define _GNU_SOURCE /* memfd_create */
#include "cores.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void core_make(uint8_t *out)
{
	static uint8_t low[2 * PAGE], high[PAGE];
	struct view view = { .physical_bits = 46 };
	char path[] = "/tmp/kvmap-core-XXXXXX";
	struct error error;
	int fd = mkstemp(path);

	close(fd);
	cr_assert_eq(view_set_cpus(&view, 1, &error), 0, "%s", error.text);
	view.cpus[0] = (struct view_cpu){ .rip = 0xffffffff80201234, .cr0 = 0x80000011, .cr3 = 0x1000 };
	memset(low, 0x11, sizeof(low));
	memset(high, 0x22, sizeof(high));
	view_add_region(&view, &(struct view_region){ .size = sizeof(low), .bytes = low, .fd = -1 }, &error);
	view_add_region(&view, &(struct view_region){ .gpa = 1 << 20, .size = PAGE, .bytes = high, .fd = -1 },
			&error);
	cr_assert_eq(
		core_write(&view, &(struct core_addresses){ .physical = true }, path, "/guest.elf", &error),
		0, "%s", error.text);
	fd = open(path, O_RDONLY);
	cr_assert_eq(read(fd, out, CORE_SIZE), (ssize_t)CORE_SIZE);
	close(fd);
	unlink(path);
	view_clear(&view);
}

int core_file(const uint8_t *bytes, size_t size, char path_out[64])
{
	int fd = memfd_create("core", MFD_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, bytes, size), (ssize_t)size);
	snprintf(path_out, 64, "/proc/self/fd/%d", fd);
	return fd;
}

int core_open_bytes(const uint8_t *bytes, size_t size, struct view **view_out, struct error *error)
{
	char path[64], *program = NULL;
	int fd = core_file(bytes, size, path);
	int result = core_open(path, view_out, &program, error);

	if (result == 0)
		free(program);
	else
		cr_expect(!strncmp(error->text, path, strlen(path)) && !strchr(error->text, '\n'),
			  "not one line that names the file: %s", error->text);
	close(fd);
	return result;
}

void core_expect_error(const struct error *error, enum error_kind kind, uint64_t address, const char *text)
{
	const char *found = strstr(error->text, ": ");

	cr_assert_not_null(found, "%s", error->text);
	cr_expect_str_eq(found + 2, text);
	cr_expect_eq(error->kind, kind, "%s", text);
	cr_expect_eq(error->errnum, 0, "%s", text);
	cr_expect_eq(error->address, address, "%s: address 0x%lx", text, error->address);
}
