/* SPDX-License-Identifier: MIT */
/*
 * libbpf.c: the functions of libbpf that the reader and its skeleton call. It is loaded with the BPF program.
 */
#include "stage2/libbpf.h"

#include "base/lazy_library.h"

#define FUNCTIONS(X)                                                                                         \
	X(bpf_iter_create)                                                                                   \
	X(bpf_link__destroy)                                                                                 \
	X(bpf_link__fd)                                                                                      \
	X(bpf_map__fd)                                                                                       \
	X(bpf_object__destroy_skeleton)                                                                      \
	X(bpf_object__load_skeleton)                                                                         \
	X(bpf_object__open_skeleton)                                                                         \
	X(bpf_prog_test_run_opts)                                                                            \
	X(bpf_program__attach_iter)                                                                          \
	X(bpf_program__fd)                                                                                   \
	X(bpf_program__name)                                                                                 \
	X(libbpf_set_print)

LAZY_LIBRARY("libbpf.so.1", FUNCTIONS)

int libbpf_load(struct error *error)
{
	return lazy_library_load(&lazy_this, error);
}
