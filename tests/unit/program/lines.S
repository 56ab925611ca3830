/* SPDX-License-Identifier: MIT */
/* lines.S: functions with lines and inlined functions made by hand; each instruction is one byte. */
#include "dies.S"

	.macro function name:req, type=@function
	.globl \name
	.type \name, \type
\name:
	.endm

	.macro line file:req, number:req
	.loc \file \number
	nop
	.endm

	.text
	.file 1 "north/a.c"
	.file 2 "b.c"
.Lstart:
function lines_nested
	line 1, 10
	line 1, 11
	line 2, 12
	line 1, 13
	.size lines_nested, . - lines_nested
function lines_damaged
	line 1, 50
	line 1, 51
	line 1, 52
	line 1, 53
	line 1, 54
	line 1, 55
	line 1, 56
	line 1, 57
	.size lines_damaged, . - lines_damaged
function lines_deep
	line 1, 70
	.size lines_deep, . - lines_deep
	.globl lines_object
	.type lines_object, @object
lines_object:
	line 1, 80
	.size lines_object, . - lines_object
.Lend:
function lines_outside
	line 1, 90
	.size lines_outside, . - lines_outside

	/* Without a line, and with a name to be escaped. */
	.section .text.lineless, "ax", @progbits
.Llineless:
	.globl "lines_\\less"
	.type "lines_\\less", @function
"lines_\\less":
	nop
	nop
	.size "lines_\\less", . - "lines_\\less"
.Llineless_end:

	/* A scope of these bytes from `start`; attributes and `end_die` follow. */
	.macro scope tag:req, name, start:req, length:req, children=0
	die \tag, \children
	.ifnb \name
	text DW_AT_name, "\name"
	.endif
	attribute DW_AT_low_pc, DW_FORM_addr
	.quad \start
	number DW_AT_high_pc, \length
	.endm

	.macro call file, line
	.ifnb \file
	number DW_AT_call_file, \file
	.endif
	.ifnb \line
	number DW_AT_call_line, \line
	.endif
	end_die
	.endm

	.section .debug_info, "", @progbits
	unit "before.c"
	end_die
	end_unit

	unit "north/a.c"
	attribute DW_AT_stmt_list, DW_FORM_sec_offset
	.long .Llines
	attribute DW_AT_low_pc, DW_FORM_addr
	.quad .Lstart
	number DW_AT_high_pc, .Lend-.Lstart
	end_die

	/* +0: in b in a; +1: in a, in a block; +2: in a scope of another kind; +3: in none. */
	scope DW_TAG_subprogram, lines_nested, lines_nested, 4, 1
	end_die
	scope DW_TAG_inlined_subroutine, a, lines_nested, 2, 1
	call 1, 30
	scope DW_TAG_inlined_subroutine, "b\\", lines_nested, 1
	call 2, 20
	end_children
	scope DW_TAG_try_block, "", lines_nested+2, 1, 1
	end_die
	scope DW_TAG_inlined_subroutine, c, lines_nested+2, 1
	call 1, 40
	end_children
	end_children

	scope DW_TAG_subprogram, lines_damaged, lines_damaged, 8, 1
	end_die
	scope DW_TAG_inlined_subroutine, no_file, lines_damaged, 1
	call "", 60
	scope DW_TAG_inlined_subroutine, no_line, lines_damaged+1, 1
	call 1
	scope DW_TAG_inlined_subroutine, last_file, lines_damaged+2, 1
	call 2, 62
	scope DW_TAG_inlined_subroutine, file_beyond, lines_damaged+3, 1
	call 3, 63
	scope DW_TAG_inlined_subroutine, last_line, lines_damaged+4, 1
	call 1, 0x7fffffff
	scope DW_TAG_inlined_subroutine, line_beyond, lines_damaged+5, 1
	call 1, 0x80000000
	scope DW_TAG_inlined_subroutine, "", lines_damaged+6, 1
	call 1, 66
	end_children

	/* 31 blocks in a function: the inlined function in the last is its 32nd scope, and the one in it the 33rd. */
	scope DW_TAG_subprogram, lines_deep, lines_deep, 1, 1
	end_die
	.rept 31
	scope DW_TAG_lexical_block, "", lines_deep, 1, 1
	end_die
	.endr
	scope DW_TAG_inlined_subroutine, seen, lines_deep, 1, 1
	call 1, 71
	scope DW_TAG_inlined_subroutine, unseen, lines_deep, 1
	call 1, 72
	.rept 33
	end_children
	.endr
	end_unit

	unit "lineless.c"
	attribute DW_AT_low_pc, DW_FORM_addr
	.quad .Llineless
	number DW_AT_high_pc, .Llineless_end-.Llineless
	end_die
	end_unit

	end_units
