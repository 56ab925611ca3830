/* SPDX-License-Identifier: MIT */
/* dies.S: macros for debug information made by hand. Included first; the file ends with `end_units`. */
#include "corners.h"

	.set abbreviation, 0

	/* ---- DIEs: `die`, attributes, `end_die`; then children, `end_children` ---- */

	.macro die tag:req, children=0
	.set abbreviation, abbreviation + 1
	.pushsection .debug_abbrev, "", @progbits
	.uleb128 abbreviation, \tag
	.byte \children
	.popsection
	.uleb128 abbreviation
	.endm

	.macro attribute name:req, form:req
	.pushsection .debug_abbrev, "", @progbits
	.uleb128 \name, \form
	.popsection
	.endm

	.macro end_die
	.pushsection .debug_abbrev, "", @progbits
	.byte 0, 0
	.popsection
	.endm

	.macro end_children
	.byte 0
	.endm

	.macro text name:req, value:req
	attribute \name, DW_FORM_string
	.asciz "\value"
	.endm

	.macro number name:req, value:req
	attribute \name, DW_FORM_data8
	.quad \value
	.endm

	.macro flag name:req, value=1
	attribute \name, DW_FORM_flag
	.byte \value
	.endm

	.macro refer target:req
	attribute DW_AT_type, DW_FORM_ref_addr
	.long \target
	.endm

	/* A unit; attributes and `end_die` follow. */
	.macro unit name, children=1, tag=DW_TAG_compile_unit
	.long 78f - 77f
77:	.short 4 /* DWARF 4 */
	.long .Labbreviations
	.byte 8
	die \tag, \children
	.ifnb \name
	text DW_AT_name, "\name"
	.endif
	.endm

	.macro end_unit
	.byte 0
78:
	.endm

	/* ---- types ---- */

	.macro base label:req, name, size:req, encoding:req
\label:
	die DW_TAG_base_type
	.ifnb \name
	text DW_AT_name, "\name"
	.endif
	number DW_AT_byte_size, \size
	number DW_AT_encoding, \encoding
	end_die
	.endm

	.macro made label:req, tag:req, target
\label:
	die \tag
	.ifnb \target
	refer \target
	.endif
	end_die
	.endm

	.macro alias label:req, name:req, target:req
\label:
	die DW_TAG_typedef
	text DW_AT_name, "\name"
	refer \target
	end_die
	.endm

	.macro composed label:req, tag:req, name, size:req
\label:
	die \tag, 1
	.ifnb \name
	text DW_AT_name, "\name"
	.endif
	number DW_AT_byte_size, \size
	end_die
	.endm

	.macro declared label:req, tag:req, name:req
\label:
	die \tag
	text DW_AT_name, "\name"
	flag DW_AT_declaration
	end_die
	.endm

	.macro member name, target:req, offset
	die DW_TAG_member
	.ifnb \name
	text DW_AT_name, "\name"
	.endif
	refer \target
	.ifnb \offset
	number DW_AT_data_member_location, \offset
	.endif
	end_die
	.endm

	/* A bit field: attributes and their values, two of them after its size. */
	.macro bits name:req, target:req, size:req, a:req, av:req, b, bv, c, cv
	die DW_TAG_member
	text DW_AT_name, "\name"
	refer \target
	number DW_AT_bit_size, \size
	number \a, \av
	.ifnb \b
	number \b, \bv
	.endif
	.ifnb \c
	number \c, \cv
	.endif
	end_die
	.endm

	.macro array label:req, target:req
\label:
	die DW_TAG_array_type, 1
	refer \target
	end_die
	.endm

	/* Bounds: "upper 3" has 4 elements. Without a value: no bound. */
	.macro bound name, value
	die DW_TAG_subrange_type
	.ifnb \name
	number \name, \value
	.endif
	end_die
	.endm

	.macro enumerator name:req, value:req
	die DW_TAG_enumerator
	text DW_AT_name, "\name"
	number DW_AT_const_value, \value
	end_die
	.endm

	/* ---- variables ---- */

	.macro variable name:req, target:req, address=CORNERS_DATA, external=1
	die DW_TAG_variable
	text DW_AT_name, "\name"
	refer \target
	flag DW_AT_external, \external
	attribute DW_AT_location, DW_FORM_exprloc
	.uleb128 9
	.byte DW_OP_addr
	.quad \address
	end_die
	.endm

	/* A variable whose location is these bytes. */
	.macro located name:req, target:req, length:req, bytes:vararg
	die DW_TAG_variable
	text DW_AT_name, "\name"
	refer \target
	attribute DW_AT_location, DW_FORM_exprloc
	.uleb128 \length
	.byte \bytes
	end_die
	.endm

	.pushsection .debug_abbrev, "", @progbits
.Labbreviations:
	.popsection
	.pushsection .debug_line, "", @progbits
.Llines:
	.popsection

	.macro end_units
	.section .debug_abbrev, "", @progbits
	.byte 0
	.section .note.GNU-stack, "", @progbits
	.endm

	.section .debug_info, "", @progbits
