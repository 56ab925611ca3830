/* SPDX-License-Identifier: MIT */
/*
 * rights.h: access rights of a page, of one entry or ANDed over the levels, and the one way to print them.
 */
#ifndef VMM_BASE_RIGHTS_H
#define VMM_BASE_RIGHTS_H

/* U: accessible in user mode. R, W and X are bits 0 to 2 of an EPT entry, too. */
enum rights { RIGHT_R = 1, RIGHT_W = 2, RIGHT_X = 4, RIGHT_U = 8 };

#define RIGHTS_TEXT_SIZE 5

/* "rw-", "r-xu". Returns out. */
const char *rights_text(unsigned int rights, char out[RIGHTS_TEXT_SIZE]);

/* The same in a buffer that lives as long as the block around it. */
#define RIGHTS_TEXT(rights) rights_text(rights, (char[RIGHTS_TEXT_SIZE]){ 0 })

#endif
