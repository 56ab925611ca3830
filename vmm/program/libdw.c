/* SPDX-License-Identifier: MIT */
/*
 * libdw.c: the functions of libdw that this room calls. It is loaded at the first use of debug information.
 */
#include "program/libdw.h"

#include "base/lazy_library.h"

#define FUNCTIONS(X)                                                                                         \
	X(dwarf_attr)                                                                                        \
	X(dwarf_attr_integrate)                                                                              \
	X(dwarf_begin_elf)                                                                                   \
	X(dwarf_bytesize)                                                                                    \
	X(dwarf_child)                                                                                       \
	X(dwarf_diename)                                                                                     \
	X(dwarf_end)                                                                                         \
	X(dwarf_errmsg)                                                                                      \
	X(dwarf_filesrc)                                                                                     \
	X(dwarf_formaddr)                                                                                    \
	X(dwarf_formflag)                                                                                    \
	X(dwarf_formref_die)                                                                                 \
	X(dwarf_formsdata)                                                                                   \
	X(dwarf_formstring)                                                                                  \
	X(dwarf_formudata)                                                                                   \
	X(dwarf_get_units)                                                                                   \
	X(dwarf_getlocation)                                                                                 \
	X(dwarf_getlocation_attr)                                                                            \
	X(dwarf_getsrc_die)                                                                                  \
	X(dwarf_getsrcfiles)                                                                                 \
	X(dwarf_hasattr)                                                                                     \
	X(dwarf_haspc)                                                                                       \
	X(dwarf_lineno)                                                                                      \
	X(dwarf_linesrc)                                                                                     \
	X(dwarf_ranges)                                                                                      \
	X(dwarf_siblingof)                                                                                   \
	X(dwarf_tag)                                                                                         \
	X(dwfl_addrmodule)                                                                                   \
	X(dwfl_attach_state)                                                                                 \
	X(dwfl_begin)                                                                                        \
	X(dwfl_end)                                                                                          \
	X(dwfl_frame_pc)                                                                                     \
	X(dwfl_frame_reg)                                                                                    \
	X(dwfl_getthread_frames)                                                                             \
	X(dwfl_module_addrinfo)                                                                              \
	X(dwfl_module_getsym_info)                                                                           \
	X(dwfl_module_getsymtab)                                                                             \
	X(dwfl_module_nextcu)                                                                                \
	X(dwfl_report_begin)                                                                                 \
	X(dwfl_report_elf)                                                                                   \
	X(dwfl_report_module)                                                                                \
	X(dwfl_module_info)                                                                                  \
	X(dwfl_report_end)                                                                                   \
	X(dwfl_thread_state_registers)

LAZY_LIBRARY("libdw.so.1", FUNCTIONS)

int libdw_load(struct error *error)
{
	return lazy_library_load(&lazy_this, error);
}
