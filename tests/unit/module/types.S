/* SPDX-License-Identifier: MIT */
/* Every relocation type of a module, at offsets that test_relocate.c knows. */
	.section .rodata.types, "a"
	.balign 16
	.globl types
types:
	.reloc ., R_X86_64_NONE, far
	.quad far + 5               /*  0: R_X86_64_64 */
	.quad far - .               /*  8: R_X86_64_PC64 */
	.long near                  /* 16: R_X86_64_32 */
	.reloc ., R_X86_64_32S, negative
	.long 0                     /* 20 */
	.long types_end - 4 - .     /* 24: known to the assembler */
	.reloc ., R_X86_64_PC32, close - 4
	.long 0                     /* 28 */
	.reloc ., R_X86_64_PLT32, close - 4
	.long 0                     /* 32 */
	.quad inside + 1            /* 36 */
types_end:
	.data
	.quad 0
inside:
	.quad negative, close       /* clang's assembler needs them elsewhere than in .reloc */
	.section .note.GNU-stack, "", @progbits
