/* SPDX-License-Identifier: MIT */
#include "damage.h"

#include <criterion/criterion.h>
#include <inttypes.h>

void expect_first_damages(const struct claims *claims, const struct expected_damage *expected, size_t count)
{
	for (size_t i = 0; i < count && i < claims->damages.count; i++) {
		const struct claim_damage *found = &claims->damages.items[i];

		cr_expect_str_eq(found->what, expected[i].what);
		cr_expect_str_eq(found->invariant, expected[i].invariant, "%s", found->what);
		cr_expect_eq(found->address, expected[i].address, "%s: address 0x%" PRIx64, found->what,
			     found->address);
		cr_expect_eq(found->value, expected[i].value, "%s: value 0x%" PRIx64, found->what,
			     found->value);
	}
	for (size_t i = claims->damages.count; i < count; i++)
		cr_expect(false, "missing: %s", expected[i].what);
}

void expect_damages(const struct claims *claims, const struct expected_damage *expected, size_t count)
{
	expect_first_damages(claims, expected, count);
	for (size_t i = count; i < claims->damages.count; i++)
		cr_expect(false, "one more: %s", claims->damages.items[i].what);
}
