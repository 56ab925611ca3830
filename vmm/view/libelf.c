/* SPDX-License-Identifier: MIT */
/*
 * libelf.c: the functions of libelf that this room and those above it call. It is loaded at the first use of a
 * core or of debug information.
 */
#include "base/lazy_library.h"

#define FUNCTIONS(X)                                                                                         \
	X(elf64_getehdr)                                                                                     \
	X(elf_begin)                                                                                         \
	X(elf_compress)                                                                                      \
	X(elf_end)                                                                                           \
	X(elf_errmsg)                                                                                        \
	X(elf_getdata)                                                                                       \
	X(elf_getdata_rawchunk)                                                                              \
	X(elf_getphdrnum)                                                                                    \
	X(elf_getscn)                                                                                        \
	X(elf_kind)                                                                                          \
	X(elf_memory)                                                                                        \
	X(elf_nextscn)                                                                                       \
	X(elf_version)                                                                                       \
	X(gelf_getchdr)                                                                                      \
	X(gelf_getehdr)                                                                                      \
	X(gelf_getnote)                                                                                      \
	X(gelf_getphdr)                                                                                      \
	X(gelf_getshdr)

LAZY_LIBRARY("libelf.so.1", FUNCTIONS)
