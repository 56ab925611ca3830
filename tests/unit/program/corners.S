/* SPDX-License-Identifier: MIT */
/*
 * corners.S: types that no compiler writes, or only an old one: each limit, and one beyond it. The variables have
 * addresses in the free part of the tests' guest.
 */
#include "dies.S"

	/* Units that have nothing to search: without children, and of a kind that others import. */
	unit "childless.c", 0
	end_die
78:
	unit "partial.c", 1, DW_TAG_partial_unit
	end_die
	variable "of_partial", .Lu4
	end_unit

	/* ---- base types and chains of types ---- */

	unit "types/corners.c"
	attribute DW_AT_low_pc, DW_FORM_addr
	.quad 0
	end_die

	/* The first DIE of a unit is a sibling of no other. */
	variable "at_first", .Lu4

	/* Wrong ones of the names that follow: of another size, and made by a compiler for itself. */
	base .Lwrong_int, "int", 3, DW_ATE_signed
	base .Lcount, "__ARRAY_SIZE_TYPE__", 8, DW_ATE_unsigned
	die DW_TAG_typedef
	text DW_AT_name, "int"
	refer .Lwrong_int
	end_die
	base .Lnothing, size=4, encoding=DW_ATE_signed
	base .Lchar, "char", 1, DW_ATE_signed_char
	base .Lschar, "signed char", 1, DW_ATE_signed_char
	base .Luchar, "unsigned char", 1, DW_ATE_unsigned_char
	base .Lbool, "_Bool", 1, DW_ATE_boolean
	base .Lshort, "short int", 2, DW_ATE_signed
	base .Lushort, "short unsigned int", 2, DW_ATE_unsigned
	base .Lint, "int", 4, DW_ATE_signed
	base .Lunsigned, "unsigned int", 4, DW_ATE_unsigned
	base .Llong, "long int", 8, DW_ATE_signed
	base .Lulong, "long unsigned int", 8, DW_ATE_unsigned
	base .Lu4, "u4", 4, DW_ATE_unsigned
	base .Lu8, "u8", 8, DW_ATE_unsigned
	base .Laddress, "address", 8, DW_ATE_address
	base .Lfloat, "float", 4, DW_ATE_float
	base .Ldouble, "double", 8, DW_ATE_float
	base .Lfloat2, "half", 2, DW_ATE_float
	base .Lcomplex, "complex", 8, DW_ATE_complex_float
	base .Lu16, "u16", 16, DW_ATE_unsigned
	base .Llargest, "largest", 0x10000000000, DW_ATE_unsigned
	base .Llarger, "larger", 0x10000000001, DW_ATE_unsigned
	base .Lescaped, "\001z", 4, DW_ATE_unsigned
.Lno_encoding:
	die DW_TAG_base_type
	text DW_AT_name, "no_encoding"
	number DW_AT_byte_size, 4
	end_die
	variable "a_no_encoding", .Lno_encoding
	variable "a_char", .Lchar
	variable "a_signed_char", .Lschar
	variable "an_unsigned_char", .Luchar
	variable "a_bool", .Lbool
	variable "an_int", .Lint
	variable "a_u4", .Lu4
	variable "a_u8", .Lu8
	variable "an_address", .Laddress
	variable "a_float", .Lfloat
	variable "a_double", .Ldouble
	variable "a_half", .Lfloat2
	variable "a_complex", .Lcomplex
	variable "a_u16", .Lu16
	variable "a_largest", .Llargest
	variable "a_larger", .Llarger
	variable "an_escaped", .Lescaped
	variable "a_nothing", .Lnothing

	/* Qualifiers, pointers, functions. */
	made .Lconst, DW_TAG_const_type, .Lu4
	made .Lvolatile, DW_TAG_volatile_type, .Lconst
	made .Lrestrict, DW_TAG_restrict_type, .Lvolatile
	made .Latomic, DW_TAG_atomic_type, .Lrestrict
	made .Lpointer, DW_TAG_pointer_type, .Lu4
	made .Lvoid_pointer, DW_TAG_pointer_type
	made .Lconst_pointer, DW_TAG_const_type, .Lvoid_pointer
	made .Lpointer_to_const, DW_TAG_pointer_type, .Lconst
	made .Lconst_void, DW_TAG_const_type
	made .Lpointer_to_const_void, DW_TAG_pointer_type, .Lconst_void
	made .Lfunction, DW_TAG_subroutine_type, .Lu4
	made .Lfunction_pointer, DW_TAG_pointer_type, .Lfunction
	made .Lpointer_to_char, DW_TAG_pointer_type, .Lchar
	alias .Lu4_alias, "u4_alias", .Latomic
	variable "an_atomic", .Latomic
	variable "a_pointer", .Lpointer
	variable "a_void_pointer", .Lvoid_pointer
	variable "a_const_pointer", .Lconst_pointer
	variable "a_pointer_to_const", .Lpointer_to_const
	variable "a_pointer_to_const_void", .Lpointer_to_const_void
	variable "a_function", .Lfunction
	variable "a_function_pointer", .Lfunction_pointer
	variable "a_string", .Lpointer_to_char
	variable "a_u4_alias", .Lu4_alias

	/* A typedef of a typedef of ...: 32 of them end at the type, 33 are a damaged chain. */
	alias .Lchain_1, "chain", .Lu4
	.altmacro
	.macro link n, next
	made .Lchain_\next, DW_TAG_typedef, .Lchain_\n
	.endm
	.set i, 1
	.rept 32
	link %i, %(i + 1)
	.set i, i + 1
	.endr
	.noaltmacro
	variable "a_chain_of_32", .Lchain_32
	variable "a_chain_of_33", .Lchain_33

	/* The same of arrays, each of 2 elements. */
	.macro row n, next
	array .Lrow_\next, .Lrow_\n
	bound DW_AT_count, 2
	end_children
	.endm
	array .Lrow_1, .Luchar
	bound DW_AT_count, 2
	end_children
	.altmacro
	.set i, 1
	.rept 32
	row %i, %(i + 1)
	.set i, i + 1
	.endr
	.noaltmacro
	variable "rows_32", .Lrow_32
	variable "rows_33", .Lrow_33

	/* ---- arrays ---- */

	array .Lnine, .Luchar
	.irp n, 1, 2, 1, 1, 1, 1, 1, 3, 5
	bound DW_AT_count, \n
	.endr
	end_children
	variable "nine_dimensions", .Lnine

	array .Lwide, .Luchar
	bound DW_AT_upper_bound, 0xffffffffff
	bound DW_AT_count, 0x10000000000
	bound DW_AT_count, 0x10000000000
	bound DW_AT_count, 7
	end_children
	variable "wide_array", .Lwide
	made .Lwide_pointer, DW_TAG_pointer_type, .Lwide
	variable "pointer_to_wide_array", .Lwide_pointer

	array .Lbeyond, .Luchar
	bound DW_AT_count, 0x10000000001
	end_children
	variable "array_beyond", .Lbeyond

	array .Loverflow, .Luchar
	bound DW_AT_count, 0x10000000000
	bound DW_AT_count, 0x1000001
	end_children
	variable "elements_overflow", .Loverflow

	base .L16M, "u16m", 0x1000001, DW_ATE_unsigned
	array .Loverflow_size, .L16M
	bound DW_AT_count, 0x10000000000
	end_children
	variable "bytes_overflow", .Loverflow_size

	/* The index has a type of its own, which is no bound. */
	array .Lindexed, .Lu4
	die DW_TAG_enumeration_type
	number DW_AT_count, 9
	end_die
	bound DW_AT_upper_bound, 2
	end_children
	variable "indexed_array", .Lindexed

	array .Lboundless, .Lu4
	bound
	end_children
	variable "boundless_array", .Lboundless
	made .Ldimensionless, DW_TAG_array_type, .Lu4
	variable "dimensionless_array", .Ldimensionless

	array .Lmatrix, .Lu4
	bound DW_AT_count, 2
	bound DW_AT_count, 3
	end_children
	alias .Lmatrix_alias, "matrix", .Lmatrix
	array .Lrow, .Lu4
	bound DW_AT_count, 2
	end_children
	alias .Lrow_alias, "row_alias", .Lrow
	array .Ltexts, .Lchar
	bound DW_AT_count, 2
	bound DW_AT_count, 4
	end_children
	variable "texts", .Ltexts
	alias .Lu16_alias, "u16_alias", .Lu16
	alias .Lfloat_alias, "float_alias", .Lfloat
	array .Lmatrices, .Lmatrix_alias
	bound DW_AT_count, 5
	end_children
	variable "matrices", .Lmatrices
	array .Lvoids, .Lconst_void
	bound DW_AT_count, 2
	end_children
	variable "voids", .Lvoids

	/* ---- enumerations ---- */

	.macro enumeration label:req, name, size
\label:
	die DW_TAG_enumeration_type, 1
	.ifnb \name
	text DW_AT_name, "\name"
	.endif
	.ifnb \size
	number DW_AT_byte_size, \size
	.endif
	end_die
	.endm

	enumeration .Lcolours, "colours", 4
	die DW_TAG_subrange_type
	text DW_AT_name, "NO_ENUMERATOR"
	number DW_AT_const_value, 1
	end_die
	die DW_TAG_enumerator
	text DW_AT_name, "NO_VALUE"
	end_die
	die DW_TAG_enumerator
	number DW_AT_const_value, 1
	end_die
	enumerator "ONE", 1
	enumerator "MINUS", -1
	enumerator "TAB\\t", 3
	end_children
	variable "colours", .Lcolours

	enumeration .Lwide_values, "wide_values", 8
	enumerator "HIGH", 0x8000000000000000
	end_children
	variable "wide_values", .Lwide_values

	enumeration .Lsizeless, "sizeless"
	enumerator "HIGH", 0x100000001
	end_children
	variable "sizeless", .Lsizeless

	/* 4094 of value 9 after the first; the last one is the 4097th. */
	enumeration .Lcrowd, "crowd", 4
	enumerator "x", 9
	.set filler, abbreviation
	.rept 4094
	.uleb128 filler
	.asciz "x"
	.quad 9
	.endr
	enumerator "LAST", 10
	enumerator "BEYOND", 11
	end_children
	variable "crowd", .Lcrowd

	/* ---- members ---- */

	composed .Lmembers, DW_TAG_structure_type, "members", 64
	member "plain", .Lu4, 4
	member "no_location", .Lu4
	die DW_TAG_member
	text DW_AT_name, "expression"
	refer .Lu4
	attribute DW_AT_data_member_location, DW_FORM_exprloc
	.byte 2, DW_OP_plus_uconst, 4
	end_die
	die DW_TAG_typedef
	text DW_AT_name, "no_member"
	refer .Lu4
	end_die
	member "at_largest", .Lu4, 0x10000000000
	member "beyond", .Lu4, 0x10000000001
	bits "new", .Lu4, 3, DW_AT_data_bit_offset, 13
	bits "old", .Lu4, 3, DW_AT_data_member_location, 8, DW_AT_byte_size, 4, DW_AT_bit_offset, 6
	bits "older", .Lshort, 2, DW_AT_data_member_location, 12, DW_AT_bit_offset, 1
	bits "top", .Lshort, 2, DW_AT_data_member_location, 12
	bits "bits_64", .Lu8, 64, DW_AT_data_bit_offset, 129
	bits "bits_65", .Lu8, 65, DW_AT_data_member_location, 24
	bits "bits_0", .Lu8, 0, DW_AT_data_member_location, 32
	bits "bits_at_largest", .Lu4, 1, DW_AT_data_bit_offset, 0x80000000000
	bits "bits_beyond", .Lu4, 1, DW_AT_data_bit_offset, 0x80000000008
	member target=.Lu4, offset=60
	member "\001end", .Lvoid_pointer, 56
	end_children
	variable "members", .Lmembers

	/* Anonymous structures in each other, each 1 byte further: level 8 is the last that is looked into. */
	.macro level n, next
	composed .Llevel_\next, DW_TAG_structure_type, size=16
	member "level_\n", .Luchar, 0
	member target=.Llevel_\n, offset=1
	end_children
	.endm
	composed .Llevel_1, DW_TAG_structure_type, size=16
	member "level_0", .Luchar, 0
	end_children
	level 1, 2
	level 2, 3
	level 3, 4
	level 4, 5
	level 5, 6
	level 6, 7
	level 7, 8
	level 8, 9
	variable "levels", .Llevel_9

	/* A member that is the 4096th, and the next; and so within an anonymous structure. */
	.macro many label:req, name
	composed \label, DW_TAG_structure_type, "\name", 16
	member "x", .Luchar
	.set filler, abbreviation
	.rept 4093
	.uleb128 filler
	.asciz "x"
	.long .Luchar
	.endr
	.endm
	many .Lmany, "many"
	member "before_last", .Luchar, 1
	member "last", .Luchar, 2
	member "beyond", .Luchar, 3
	end_children
	variable "many", .Lmany
	composed .Lmany_outer, DW_TAG_structure_type, "many_outer", 32
	member target=.Lmany_inner, offset=4
	member "last", .Luchar, 2
	member "beyond", .Luchar, 3
	end_children
	many .Lmany_inner
	end_children
	variable "many_outer", .Lmany_outer

	/* ---- definitions and declarations ---- */

	composed .Lpair, DW_TAG_structure_type, "pair", 8
	member "first", .Lu4, 0
	member "second", .Lu4, 4
	end_children
	declared .Lunion_declared, DW_TAG_union_type, "later"
	declared .Lstruct_declared, DW_TAG_structure_type, "later"
	declared .Lnever, DW_TAG_structure_type, "never"
	declared .Lnever_again, DW_TAG_structure_type, "never"
	composed .Lunion_later, DW_TAG_union_type, "later", 4
	member "of_union", .Lu4
	end_children
	composed .Lstruct_later, DW_TAG_structure_type, "later", 12
	member "of_structure", .Lu4
	end_children
	die DW_TAG_structure_type
	number DW_AT_byte_size, 4
	end_die
	variable "a_pair", .Lpair
	composed .Ldamaged, DW_TAG_structure_type, "damaged", 8
	member "at_end", .Lu4, 4
	member "over_end", .Lu4, 5
	member "after_end", .Lu4, 8
	member "empty_at_end", .Lnever, 8
	member "empty_after_end", .Lnever, 9
	end_children
	variable "damaged", .Ldamaged
	/* An array cannot be a bit field: this one would have 4 bytes, of 2 elements. */
	composed .Lbit_array, DW_TAG_structure_type, "bit_array", 4
	bits "array", .Lrow_1, 32, DW_AT_data_bit_offset, 0
	end_children
	variable "bit_array", .Lbit_array
	base .L4G, "largest_of_32_bits", 0xffffffff, DW_ATE_unsigned
	base .L4G_more, "larger_than_32_bits", 0x100000000, DW_ATE_unsigned
	composed .Llimits, DW_TAG_structure_type, "limits", 0x100000000
	member "last_offset", .Lu4, 0xffffffff
	member "largest", .L4G, 0
	member "offset_beyond", .Lu4, 0x100000000
	member "larger", .L4G_more, 0
	member "sizeless", .Lnever, 0
	end_children
	/* As large as a value may be, and larger. */
	composed .Lmebibyte, DW_TAG_structure_type, "mebibyte", 0x100000
	member "last", .Luchar, 0xfffff
	end_children
	variable "mebibyte", .Lmebibyte, CORNERS_MEBIBYTE
	composed .Llarge, DW_TAG_structure_type, "large", 0x100001
	end_children
	variable "large", .Llarge, CORNERS_MEBIBYTE
	variable "a_later_union", .Lunion_declared
	variable "a_later_structure", .Lstruct_declared
	variable "a_never", .Lnever

	end_unit
	end_units
