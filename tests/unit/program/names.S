/* SPDX-License-Identifier: MIT */
/* names.S: variables of one name in several units, and variables without a fixed address. */
#include "dies.S"

#define A    CORNERS_DATA
#define B    (CORNERS_DATA+8)
#define A_8  (CORNERS_DATA+8)
#define A_16 (CORNERS_DATA+16)
#define A_24 (CORNERS_DATA+24)
#define A_32 (CORNERS_DATA+32)
#define A_40 (CORNERS_DATA+40)
#define A_48 (CORNERS_DATA+48)

/* Names of 90, of 81, and of 98 characters. */
#define LONG(end) nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn##end
#define LESS      mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm
#define LONGEST   cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc

	.globl label_here
label_here = A

	unit "north/one.c"
	end_die
.Lnumber:
	die DW_TAG_base_type
	text DW_AT_name, "number"
	number DW_AT_byte_size, 4
	number DW_AT_encoding, DW_ATE_unsigned
	end_die
.Lother:
	die DW_TAG_base_type
	text DW_AT_name, "other"
	number DW_AT_byte_size, 2
	number DW_AT_encoding, DW_ATE_unsigned
	end_die
	die DW_TAG_variable
	refer .Lnumber
	end_die
	die DW_TAG_typedef
	text DW_AT_name, "global_first"
	refer .Lother
	end_die
	variable global_first, .Lnumber, A
	variable global_last, .Lother, A, 0
	variable everywhere, .Lnumber, A, 0
	variable same_address, .Lnumber, A, 0
	variable nowhere, .Lnumber, A, 0
	die DW_TAG_variable
	text DW_AT_name, "label_here"
	refer .Lnumber
	end_die
	die DW_TAG_variable
	text DW_AT_name, "label_elsewhere"
	refer .Lnumber
	end_die
	die DW_TAG_variable
	text DW_AT_name, "typeless"
	end_die
	located two_operations, .Lnumber, 10, DW_OP_addr, 0, 0, 0x3f, 0x80, 0xff, 0xff, 0xff, 0xff, DW_OP_nop
	located other_operation, .Lnumber, 2, DW_OP_const1u, 5
	located no_operation, .Lnumber, 1, 0
	variable long_a, .Lnumber, A, 0
	variable long_b, .Lnumber, A, 0
	end_unit

	unit "south/one.c"
	end_die
	variable global_first, .Lother, B, 0
	variable global_last, .Lnumber, B
	variable everywhere, .Lnumber, B, 0
	variable same_address, .Lother, A, 0
	end_unit

	unit "/abs/two.c"
	end_die
	variable global_last, .Lother, A_16, 0
	variable everywhere, .Lnumber, A_16, 0
	end_unit

	unit
	end_die
	variable nowhere, .Lnumber, B, 0
	end_unit

	/* Names of files that fill the list of files: one of 14 characters fits, one of 15 does not. */
	unit LONG(1)
	end_die
	variable long_a, .Lnumber, A_8, 0
	variable long_b, .Lnumber, A_8, 0
	end_unit
	unit LONG(2)
	end_die
	variable long_a, .Lnumber, A_16, 0
	variable long_b, .Lnumber, A_16, 0
	end_unit
	unit LESS
	end_die
	variable long_a, .Lnumber, A_24, 0
	variable long_b, .Lnumber, A_24, 0
	end_unit
	unit "fills_it_all.c"
	end_die
	variable long_a, .Lnumber, A_32, 0
	end_unit
	unit "fills_it_more.c"
	end_die
	variable long_b, .Lnumber, A_32, 0
	end_unit
	unit LONGEST
	end_die
	variable cut, .Lnumber, A, 0
	variable cut, .Lnumber, B, 0
	end_unit
	unit "folder/slashes\\\\.c"
	end_die
	variable cut, .Lnumber, A_16, 0
	end_unit

	/* An address by its index, as clang writes it. */
	.pushsection .debug_addr, "", @progbits
	.long .Laddresses_end - .Laddresses_start
.Laddresses_start:
	.short 5
	.byte 8, 0
.Laddresses:
	.quad A_40, A_48
.Laddresses_end:
	.popsection

	.long 78f - 77f
77:	.short 5
	.byte DW_UT_compile, 8
	.long .Labbreviations
	die DW_TAG_compile_unit, 1
	text DW_AT_name, "indexed.c"
	attribute DW_AT_addr_base, DW_FORM_sec_offset
	.long .Laddresses
	end_die
	located by_index, .Lnumber, 2, DW_OP_addrx, 1
	located by_wrong_index, .Lnumber, 3, DW_OP_addrx, 0xff, 0x7f
	end_unit

	end_units
