/* SPDX-License-Identifier: MIT */
/*
 * corners.h: the numbers of DWARF that corners.S uses, as macros for the assembler, and the place of its variables.
 */
#ifndef TESTS_UNIT_PROGRAM_CORNERS_H
#define TESTS_UNIT_PROGRAM_CORNERS_H

#define CORNERS_DATA     0xffffffff803f0000 /* WORLD_STACK */
#define CORNERS_MEBIBYTE 0xffffffff80300000 /* the last in the tests' guest */

#ifdef __ASSEMBLER__

#define DW_TAG_array_type         0x01
#define DW_TAG_enumeration_type   0x04
#define DW_TAG_lexical_block      0x0b
#define DW_TAG_member             0x0d
#define DW_TAG_pointer_type       0x0f
#define DW_TAG_compile_unit       0x11
#define DW_TAG_structure_type     0x13
#define DW_TAG_subroutine_type    0x15
#define DW_TAG_typedef            0x16
#define DW_TAG_union_type         0x17
#define DW_TAG_inlined_subroutine 0x1d
#define DW_TAG_subrange_type      0x21
#define DW_TAG_base_type          0x24
#define DW_TAG_const_type         0x26
#define DW_TAG_enumerator         0x28
#define DW_TAG_subprogram         0x2e
#define DW_TAG_try_block          0x32
#define DW_TAG_variable           0x34
#define DW_TAG_volatile_type      0x35
#define DW_TAG_restrict_type      0x37
#define DW_TAG_partial_unit       0x3c
#define DW_TAG_atomic_type        0x47

#define DW_AT_location             0x02
#define DW_AT_name                 0x03
#define DW_AT_byte_size            0x0b
#define DW_AT_bit_offset           0x0c
#define DW_AT_bit_size             0x0d
#define DW_AT_stmt_list            0x10
#define DW_AT_low_pc               0x11
#define DW_AT_high_pc              0x12
#define DW_AT_const_value          0x1c
#define DW_AT_upper_bound          0x2f
#define DW_AT_count                0x37
#define DW_AT_data_member_location 0x38
#define DW_AT_declaration          0x3c
#define DW_AT_encoding             0x3e
#define DW_AT_external             0x3f
#define DW_AT_type                 0x49
#define DW_AT_call_file            0x58
#define DW_AT_call_line            0x59
#define DW_AT_data_bit_offset      0x6b
#define DW_AT_addr_base            0x73

#define DW_FORM_addr       0x01
#define DW_FORM_data8      0x07
#define DW_FORM_string     0x08
#define DW_FORM_flag       0x0c
#define DW_FORM_ref_addr   0x10
#define DW_FORM_sec_offset 0x17
#define DW_FORM_exprloc    0x18

#define DW_OP_addr        0x03
#define DW_OP_const1u     0x08
#define DW_OP_plus_uconst 0x23
#define DW_OP_nop         0x96
#define DW_OP_addrx       0xa1

#define DW_UT_compile 0x01

#define DW_ATE_address       0x01
#define DW_ATE_boolean       0x02
#define DW_ATE_complex_float 0x03
#define DW_ATE_float         0x04
#define DW_ATE_signed        0x05
#define DW_ATE_signed_char   0x06
#define DW_ATE_unsigned      0x07
#define DW_ATE_unsigned_char 0x08

#endif

#endif
