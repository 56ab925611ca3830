/* SPDX-License-Identifier: MIT */
/*
 * address_parse.h: ADDRESS and START-END on the command line.
 */
#ifndef VMM_COMMANDS_ADDRESS_PARSE_H
#define VMM_COMMANDS_ADDRESS_PARSE_H

#include "claims/claims.h"
#include "program/symbols.h"

/*
 * Parses a variable of the script, NAME, NAME+NUMBER or NAME-NUMBER; a symbol of the guest, with +OFFSET; or a number,
 * in this order: what names a variable is no hexadecimal number. claims and symbols may be NULL. -1: ERROR_INPUT.
 */
int address_parse(const char *text, const struct claims *claims, const struct symbols *symbols, uint64_t *out,
		  struct error *error);

/*
 * Parses START-END, two such addresses of which the first is lower; without END to the last address. *end_out is
 * inclusive. -1: ERROR_INPUT.
 */
int address_parse_range(const char *text, const struct claims *claims, const struct symbols *symbols,
			uint64_t *start_out, uint64_t *end_out, struct error *error);

#endif
