/* SPDX-License-Identifier: MIT */
/*
 * program.c: an ELF file with the DWARF of what the tests look at.
 */
int zero;
