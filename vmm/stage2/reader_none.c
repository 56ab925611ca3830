/* SPDX-License-Identifier: MIT */
/*
 * reader_none.c: in place of reader.c where kvmap is built without the BPF program.
 */
#include "stage2/reader.h"

int stage2_reader_open(struct stage2_reader **out, struct error *error)
{
	(void)out;
	return stage2_reader_check(error);
}

int stage2_reader_check(struct error *error)
{
	return error_set(
		error, ERROR_HOST, 0, 0,
		"this kvmap was built without the BPF program that reads the second stage: build it where "
		"clang, bpftool and libbpf-dev are installed");
}

void stage2_reader_close(struct stage2_reader *reader)
{
	(void)reader;
}

int stage2_read(struct stage2_reader *reader, pid_t pid, int vm_fd, struct stage2 *out, struct error *error)
{
	(void)reader;
	(void)pid;
	(void)vm_fd;
	(void)out;
	return error_set(error, ERROR_HOST, 0, 0, "no reader");
}

int stage2_read_guest(struct stage2_reader *reader, pid_t pid, int vm_fd, struct stage2_guest *out,
		      struct error *error)
{
	(void)reader;
	(void)pid;
	(void)vm_fd;
	(void)out;
	return error_set(error, ERROR_HOST, 0, 0, "no reader");
}
