/* SPDX-License-Identifier: MIT */
#include "damage.h"

#include <criterion/criterion.h>
#include <inttypes.h>

struct world world;
struct claims claims;

void damage_begin(void)
{
	world_create(&world);
}

void damage_end(void)
{
	claims_destroy(&claims);
	world_destroy(&world);
}

void read_again(void)
{
	claims_destroy(&claims);
	world_read(&world, &claims);
}

void expect_no_damage(void)
{
	read_again();
	cr_expect_eq(claims.damages.count, 0, "%s", claims.damages.count ? claims.damages.items[0].what : "");
}

void expect_only(const char *invariant, uint64_t address, uint64_t value, const char *what)
{
	read_again();
	EXPECT_DAMAGES(&claims, { invariant, address, value, what });
}

void expect_first_damages(const struct claims *read, const struct expected_damage *expected, size_t count)
{
	for (size_t i = 0; i < count && i < read->damages.count; i++) {
		const struct claim_damage *found = &read->damages.items[i];

		cr_expect_str_eq(found->what, expected[i].what);
		cr_expect_str_eq(found->invariant, expected[i].invariant, "%s", found->what);
		cr_expect_eq(found->address, expected[i].address, "%s: address 0x%" PRIx64, found->what,
			     found->address);
		cr_expect_eq(found->value, expected[i].value, "%s: value 0x%" PRIx64, found->what,
			     found->value);
	}
	for (size_t i = read->damages.count; i < count; i++)
		cr_expect(false, "missing: %s", expected[i].what);
}

void expect_damages(const struct claims *read, const struct expected_damage *expected, size_t count)
{
	expect_first_damages(read, expected, count);
	for (size_t i = count; i < read->damages.count; i++)
		cr_expect(false, "one more: %s", read->damages.items[i].what);
}
