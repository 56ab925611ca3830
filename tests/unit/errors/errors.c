/* SPDX-License-Identifier: MIT */
#include "errors.h"

#include <criterion/criterion.h>

void expect_whole_error(const struct error *error, enum error_kind kind, int errnum, uint64_t address,
			const char *text)
{
	struct error wanted;

	error_set(&wanted, kind, errnum, address, "%s", text);
	cr_expect_str_eq(error->text, wanted.text);
	cr_expect_eq(error->kind, kind, "'%s': kind %d, expected %d", error->text, error->kind, kind);
	cr_expect_eq(error->errnum, errnum, "'%s': errno %d, expected %d", error->text, error->errnum,
		     errnum);
	cr_expect_eq(error->address, address, "'%s': address 0x%lx, expected 0x%lx", error->text,
		     error->address, address);
}
